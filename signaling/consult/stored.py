"""Events to and from the JSON that is stored. The literal `type` selects the class, never a class name."""

from typing import Annotated, Final

from pydantic import Field, TypeAdapter

from signaling.consult.events import Event

_EVENT: Final[TypeAdapter[Event]] = TypeAdapter(Annotated[Event, Field(discriminator="type")])


def encode(event: Event) -> str:
    """Return `event` as one JSON object; its `type`, `at` and `by` are in it."""
    return _EVENT.dump_json(event).decode()


def decode(body: str) -> Event:
    """Return the event `encode` made `body` from.

    Raises:
        pydantic.ValidationError: this is no event; the stored data is damaged.
    """
    return _EVENT.validate_json(body)
