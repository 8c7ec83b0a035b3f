"""From whatever a client sent to a message, or `ProtocolError`. Bounded in size and depth."""

import json
from typing import Annotated, Any, Final, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from signaling.errors import ProtocolError
from signaling.protocol import asked, messages
from signaling.protocol.fields import Shape

MESSAGE_MAX: Final = 49_152  # characters of JSON; the largest is connect_media with its offer
DEPTH_MAX: Final = 6  # the deepest is schedule: message, people, person

_MESSAGE: Final[TypeAdapter[messages.ClientMessage]] = TypeAdapter(
    Annotated[messages.ClientMessage, Field(discriminator="type")]
)
_AUTH: Final = TypeAdapter(messages.ConnectAuth)

T = TypeVar("T")


def decode(raw: object, *, board: bool) -> messages.ClientMessage:
    """Return the message a seat's (or a board's) connection sent.

    Raises:
        ProtocolError: `bad_message` for what is no message, `too_large`, or `wrong_connection` for a message
            this kind of connection does not send.
    """
    message = _validated(_MESSAGE, raw)
    expected = messages.BOARD_TYPES if board else messages.SEAT_TYPES
    if type(message) not in expected:
        raise ProtocolError("wrong_connection", message.type)
    if isinstance(message, asked.About) and (message.consult_id is not None) != board:
        raise ProtocolError("bad_message", "a board says which consult, a seat does not")
    return message


def decode_auth(raw: object) -> messages.ConnectAuth:
    """Return the `auth` of a connection, or raise `ProtocolError`."""
    return _validated(_AUTH, raw)


def encode(message: Shape) -> dict[str, Any]:
    """Return a server message as the JSON object that is sent; every field is in it."""
    return message.model_dump(mode="json")


def _validated(adapter: TypeAdapter[T], raw: object) -> T:
    _check_depth(raw, DEPTH_MAX)
    try:
        text = json.dumps(raw, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise ProtocolError("bad_message", "not JSON") from error
    if len(text) > MESSAGE_MAX:
        raise ProtocolError("too_large", f"more than {MESSAGE_MAX} characters")
    try:
        return adapter.validate_json(text, strict=True)
    except ValidationError as error:
        kinds = ", ".join(sorted({str(e["type"]) for e in error.errors(include_input=False)})[:5])
        raise ProtocolError("bad_message", kinds) from error


def _check_depth(value: object, left: int) -> None:
    """Refuse deep nesting before anything walks it without a bound."""
    if left == 0:
        raise ProtocolError("bad_message", f"nested more than {DEPTH_MAX} deep")
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in inner:
        if isinstance(item, dict | list):
            _check_depth(item, left - 1)
