"""One browser's socket: what it may send, how fast, and what waits to be sent to it."""

import asyncio
import re
from collections import deque
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from signaling.consult.ids import ConnectionId, PeerId
from signaling.ports import Entry
from signaling.protocol.messages import ServerMessage

# A first CONNECT; then a DISCONNECT or one acknowledged event named `message` with an object. Nothing else.
_CONNECT: Final = re.compile(r"0(\{.*)?\Z", re.DOTALL)
_DISCONNECT: Final = "1"
_EVENT: Final = re.compile(r'2\d{1,9}\["message",\{')


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one connection and one address may do."""

    messages_per_s: float = 20.0
    burst: float = 40.0
    connect_within_s: float = 10.0
    unauthenticated_per_address: int = 5
    connections_per_address: int = 200
    connections_max: int = 5000
    ping_interval_s: float = 3.0
    ping_timeout_s: float = 6.0


class Bucket:
    """A token bucket. Times are seconds of any clock that never goes back."""

    def __init__(self, *, per_s: float, burst: float, now: float) -> None:
        """Full at `now`."""
        self._per_s = per_s
        self._burst = burst
        self._tokens = burst
        self._at = now

    def take(self, cost: float, *, now: float) -> bool:
        """Take `cost` tokens; False, taking none, if there are fewer."""
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._per_s)
        self._at = now
        if self._tokens < cost:
            return False
        self._tokens -= cost
        return True


@dataclass(slots=True, kw_only=True)
class Client:
    """One engine.io socket and, once authenticated, the connection it carries."""

    eio: str
    address: str
    request: web.Request  # the newest one that carries it; its transport can be aborted
    bucket: Bucket
    deadline: asyncio.TimerHandle | None = None
    connecting: bool = False
    sid: str | None = None
    entry: Entry | None = None
    peer: PeerId | None = None
    closing: bool = False  # nothing is taken from it or sent to it any more
    finishing: bool = False  # it is closed once everything unsent is sent
    released: asyncio.Event = field(default_factory=asyncio.Event)  # no request carries it now
    in_order: asyncio.Lock = field(default_factory=asyncio.Lock)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    unsent: deque[ServerMessage] = field(default_factory=deque)

    @property
    def connection(self) -> ConnectionId:
        """The connection's id; only once it is authenticated."""
        if self.sid is None:
            raise ValueError("not authenticated")
        return ConnectionId(self.sid)

    def expects(self, packet: str) -> bool:
        """Whether this Socket.IO packet is one this client may send now."""
        if self.sid is None:
            return not self.connecting and _CONNECT.match(packet) is not None
        return packet == _DISCONNECT or _EVENT.match(packet) is not None
