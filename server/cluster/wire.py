"""What servers send each other, as JSON. One of another version may send kinds and fields not known here."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError

from signaling.consult.ids import ConsultId, PeerId
from signaling.consult.news import (
    Changed,
    Continued,
    MediaGone,
    MuteAsked,
    PeerMeasured,
    ServerId,
    SignedOut,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alive:
    """The sender runs. Said each second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """The sender hears from now on: tell it who is where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bye:
    """The sender ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectPeer:
    """To the media home of a consult: take this peer. Answered by `Answered`."""

    consult: ConsultId
    peer: PeerId
    offer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosePeer:
    """To the media home of a consult: stop everything of this peer."""

    consult: ConsultId
    peer: PeerId


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle:
    """To the media home of a consult: forward what the consult and these people make right.

    `unrecorded_since`: somebody is taking their consent to being recorded back at the sender, and it is not
    stored yet.
    """

    changed: Changed
    unrecorded_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The answer to a peer's offer."""

    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """It was done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined:
    """It was not done; `code` is one of `signaling.errors.Code`, or `not_home`."""

    code: str


Message = (
    Alive
    | Hello
    | Bye
    | Changed
    | PeerMeasured
    | MediaGone
    | MuteAsked
    | Continued
    | SignedOut
    | ConnectPeer
    | ClosePeer
    | Settle
    | Answered
    | Done
    | Declined
)

_KINDS: Final[dict[str, TypeAdapter[Any]]] = {
    kind.__name__: TypeAdapter(kind)
    for kind in (
        *(Alive, Hello, Bye, Changed, PeerMeasured, MediaGone, MuteAsked, Continued, SignedOut),
        *(ConnectPeer, ClosePeer, Settle, Answered, Done, Declined),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One message, from whom, and to whom; to nobody in particular means to all."""

    sender: ServerId
    to: ServerId | None
    message: Message


def encode(letter: Letter) -> bytes:
    kind = type(letter.message).__name__
    body = _KINDS[kind].dump_python(letter.message, mode="json")
    return json.dumps({"from": letter.sender, "to": letter.to, "kind": kind, "body": body}).encode()


def decode(text: bytes) -> Letter | None:
    """None for a kind that is not known here, or one that has changed too much to be understood."""
    try:
        raw = json.loads(text)
        message: Message = _KINDS[raw["kind"]].validate_python(raw["body"])
        return Letter(sender=ServerId(raw["from"]), to=raw["to"], message=message)
    except (ValueError, KeyError, TypeError, ValidationError):
        return None
