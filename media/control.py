"""What the server and a worker say to each other, declared once, and its encoding: JSON behind a four byte
length.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from media.answer import Endpoint
from media.description import PeerDescription
from media.interface import Notice, RoomStats, Routing, WorkerTotals

FRAME_BYTES_MAX = 256 * 1024
PROTOCOL = 2
"""Grows with each change that a worker or a server of the version before would misunderstand."""
ROUTES_MAX = 512
"""Six people who all see and hear each other need 60."""


class BadFrame(ValueError):  # noqa: N818 - a name of its own
    """What came over the control connection is not one of the messages below."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """The first request on a connection: the server proves that it belongs to this data directory."""

    token: str
    kind: Literal["hello"] = "hello"


@dataclass(frozen=True, slots=True, kw_only=True)
class AddPeer:
    """Expect this peer; one with the same id in the room is closed first."""

    room: str
    peer: str
    description: PeerDescription
    kind: Literal["add_peer"] = "add_peer"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovePeer:
    """Close this peer, if there is one."""

    room: str
    peer: str
    kind: Literal["remove_peer"] = "remove_peer"


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveRoom:
    """Close all peers of a room and forget its routing."""

    room: str
    kind: Literal["remove_room"] = "remove_room"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRouting:
    """Put a routing in force, unless a newer one is."""

    room: str
    routing: Routing
    kind: Literal["set_routing"] = "set_routing"


@dataclass(frozen=True, slots=True, kw_only=True)
class GetStats:
    """Ask for the counters of a room."""

    room: str
    kind: Literal["get_stats"] = "get_stats"


@dataclass(frozen=True, slots=True, kw_only=True)
class GetTotals:
    """Ask for the counters of the whole worker; a worker that does not answer hangs."""

    kind: Literal["get_totals"] = "get_totals"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shutdown:
    """End the worker."""

    kind: Literal["shutdown"] = "shutdown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome:
    """The answer to `Hello`: who this worker is and what it carries. `boot` is new for each process.

    Greetings and `Shutdown` stay as they are in every version: each can tell another's worker to end.
    """

    worker: int
    boot: str
    pid: int
    endpoint: Endpoint
    rooms: tuple[str, ...]
    protocol: int = PROTOCOL
    kind: Literal["welcome"] = "welcome"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The request was carried out."""

    kind: Literal["done"] = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The request was understood and not carried out."""

    code: str
    hint: str
    kind: Literal["refused"] = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stats:
    """The answer to `GetStats`."""

    stats: RoomStats
    kind: Literal["stats"] = "stats"


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The answer to `GetTotals`."""

    totals: WorkerTotals
    kind: Literal["totals"] = "totals"


Request = Hello | AddPeer | RemovePeer | RemoveRoom | SetRouting | GetStats | GetTotals | Shutdown
Response = Welcome | Done | Refused | Stats | Totals


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request with the number its reply will carry."""

    number: int
    request: Annotated[Request, Field(discriminator="kind")]
    kind: Literal["call"] = "call"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The response to the call with this number."""

    number: int
    response: Annotated[Response, Field(discriminator="kind")]
    kind: Literal["reply"] = "reply"


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """Something happened in the worker."""

    notice: Annotated[Notice, Field(discriminator="kind")]
    kind: Literal["news"] = "news"


Frame = Call | Reply | News

_ADAPTER: TypeAdapter[Frame] = TypeAdapter(
    Annotated[Frame, Field(discriminator="kind")], config=ConfigDict(extra="forbid")
)


def encode(frame: Frame) -> bytes:
    """One frame with its length in front. Raises `BadFrame` when it is too long."""
    body = _ADAPTER.dump_json(frame)
    if len(body) > FRAME_BYTES_MAX:
        raise BadFrame(f"a frame may have {FRAME_BYTES_MAX} bytes")
    return len(body).to_bytes(4, "big") + body


def decode(body: bytes) -> Frame:
    """One frame without its length. Raises `BadFrame`, which quotes nothing."""
    try:
        return _ADAPTER.validate_json(body)
    except ValidationError as problem:
        raise BadFrame(f"{problem.error_count()} errors in a frame of {len(body)} bytes") from None


async def read_frame(reader: asyncio.StreamReader) -> Frame | None:
    """The next frame; None when the other side has closed. Raises `BadFrame`."""
    try:
        length = int.from_bytes(await reader.readexactly(4), "big")
        if length > FRAME_BYTES_MAX:
            raise BadFrame(f"a frame may have {FRAME_BYTES_MAX} bytes")
        body = await reader.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    return decode(body)
