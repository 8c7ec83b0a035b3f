"""The media plane as the server uses it: answers offers, keeps each room on one worker, starts dead workers
again.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable

from media.answer import Credentials, answer_offer
from media.control import (
    ROUTES_MAX,
    AddPeer,
    GetStats,
    Refused,
    RemovePeer,
    RemoveRoom,
    Request,
    Response,
    SetRouting,
    Stats,
    Welcome,
)
from media.interface import (
    MediaSettings,
    Notice,
    PeerConnected,
    PeerLost,
    PeerQuality,
    RecordedTrack,
    RecordingFailed,
    RecordingKey,
    RecordingOrder,
    RecordingProgress,
    RefusedByWorker,
    RoomStats,
    Route,
    Routing,
    WorkerLost,
    WorkerTotals,
    WorkerUnavailable,
)
from media.sdp import SECTIONS_MAX, BadSdp, parse_offer
from media.supervisor import WorkerHandle

WAIT_S_MAX = 8.0
"""How long a request waits for a worker that starts again: half a second, several on a busy machine."""
START_S_MAX = 20.0

__all__ = [
    "BadSdp",
    "MediaPlane",
    "MediaSettings",
    "Notice",
    "PeerConnected",
    "PeerLost",
    "PeerQuality",
    "RecordedTrack",
    "RecordingFailed",
    "RecordingKey",
    "RecordingOrder",
    "RecordingProgress",
    "RefusedByWorker",
    "RoomStats",
    "Route",
    "Routing",
    "WorkerLost",
    "WorkerTotals",
    "WorkerUnavailable",
]


class MediaPlane:
    """All workers of this server. `on_notice` is called from the event loop and must not block."""

    def __init__(self, settings: MediaSettings, on_notice: Callable[[Notice], None]) -> None:
        self._settings = settings
        self._on_notice = on_notice
        self._workers: list[WorkerHandle] = []
        self._pins: dict[str, WorkerHandle] = {}
        self._routings: dict[str, Routing] = {}
        """The last routing of each room, for the worker that takes it over."""
        self._unclaimed: set[str] = set()
        """Rooms an adopted worker had, which nobody has asked anything for since."""
        self._sweeps: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Start the workers, or adopt those a server before us has left running.

        Raises `WorkerUnavailable`.
        """
        for number in range(self._settings.workers):
            handle = WorkerHandle(number, self._settings, self._on_notice, self._welcomed, self._lost)
            self._workers.append(handle)
            handle.start()
        try:
            async with asyncio.timeout(START_S_MAX):
                await asyncio.gather(*(worker.up.wait() for worker in self._workers))
        except TimeoutError:
            await self.stop()
            raise WorkerUnavailable from None

    @property
    def workers_up(self) -> int:
        """How many workers can take requests now."""
        return sum(worker.up.is_set() for worker in self._workers)

    @property
    def rooms(self) -> tuple[str, ...]:
        """The rooms a worker has something of."""
        return tuple(self._pins)

    def totals(self) -> tuple[WorkerTotals, ...]:
        """The counters of each worker that is up, some seconds old."""
        return tuple(worker.totals for worker in self._workers if worker.totals is not None)

    async def stop(self) -> None:
        """End all workers and with them all connections."""
        for sweep in self._sweeps:
            sweep.cancel()
        await asyncio.gather(*(worker.stop() for worker in self._workers))
        self._workers.clear()
        self._pins.clear()
        self._routings.clear()

    async def leave(self) -> int:
        """Let workers with rooms go on for the next server, and end the others. Returns how many go on."""
        busy = set(self._pins.values())
        for sweep in self._sweeps:
            sweep.cancel()
        await asyncio.gather(*(one.leave() if one in busy else one.stop() for one in self._workers))
        self._workers.clear()
        return len(busy)

    @property
    def worker_pids(self) -> list[int]:
        """The processes of the workers that are up."""
        return [worker.welcome.pid for worker in self._workers if worker.welcome is not None]

    async def connect(self, room: str, peer: str, offer_sdp: str, *, passive: bool = False) -> str:
        """Answer a browser's offer; its packets are expected from then on.

        `passive`: let the browser be the DTLS client, for one whose first attempt failed in DTLS.
        Raises `BadSdp`, `WorkerUnavailable`, `RefusedByWorker`.
        """
        offer = parse_offer(offer_sdp)
        worker = await self._worker(room)
        if worker.welcome is None:
            raise WorkerUnavailable
        answer, description = answer_offer(offer, worker.welcome.endpoint, _credentials(), passive=passive)
        await self._call(worker, AddPeer(room=room, peer=peer, description=description))
        return answer

    async def route(self, room: str, routing: Routing) -> None:
        """Replace everything that is forwarded in a room; an older routing is ignored."""
        known = self._routings.get(room)
        if known is not None and routing.revision < known.revision:
            return
        if len(routing.routes) > ROUTES_MAX:
            raise RefusedByWorker("routing_too_long", f"a routing has {ROUTES_MAX} routes")
        self._routings[room] = routing
        worker = await self._worker(room)
        await self._call(worker, SetRouting(room=room, routing=routing))

    async def close_peer(self, room: str, peer: str) -> None:
        """End a peer's connection; nothing happens when there is none."""
        worker = self._pins.get(room)
        if worker is not None:
            with contextlib.suppress(WorkerUnavailable):  # then the peer is gone with its worker
                await self._call(worker, RemovePeer(room=room, peer=peer))

    async def close_room(self, room: str) -> None:
        """End all connections of a room and forget its routing."""
        self._routings.pop(room, None)
        self._unclaimed.discard(room)
        worker = self._pins.pop(room, None)
        if worker is not None:
            with contextlib.suppress(WorkerUnavailable):
                await self._call(worker, RemoveRoom(room=room))

    async def stats(self, room: str) -> RoomStats:
        """The counters of a room, empty when nobody is in it."""
        worker = self._pins.get(room)
        if worker is None or not worker.up.is_set():
            return RoomStats(room=room, routing_revision=-1, peers=())
        response = await self._call(worker, GetStats(room=room))
        if not isinstance(response, Stats):
            raise WorkerUnavailable
        return response.stats

    async def _worker(self, room: str) -> WorkerHandle:
        """The worker of a room. A new room goes to the one that has the fewest."""
        self._unclaimed.discard(room)
        if room not in self._pins and not self.workers_up:
            await self._any_up()
        pinned = self._pins.get(room)  # perhaps since a moment ago: others wait for the same room
        if pinned is not None:
            return pinned
        up = [worker for worker in self._workers if worker.up.is_set()]
        if not up:
            raise WorkerUnavailable
        pins = list(self._pins.values())
        pinned = min(up, key=lambda worker: (pins.count(worker), worker.number))
        self._pins[room] = pinned
        if room in self._routings:
            await self._restore(room, pinned)
        return pinned

    async def _restore(self, room: str, worker: WorkerHandle) -> None:
        """Tell the worker of a room that had another one before who gets what in it."""
        try:
            await self._call(worker, SetRouting(room=room, routing=self._routings[room]))
        except (WorkerUnavailable, RefusedByWorker):
            self._pins.pop(room, None)  # so that whoever comes next tries again
            raise

    async def _any_up(self) -> None:
        waits = [asyncio.create_task(worker.up.wait()) for worker in self._workers]
        if not waits:
            return
        try:
            await asyncio.wait(waits, timeout=WAIT_S_MAX, return_when=asyncio.FIRST_COMPLETED)
        finally:  # also when whoever called us has given up
            for wait in waits:
                wait.cancel()

    async def _call(self, worker: WorkerHandle, request: Request) -> Response:
        response = await worker.call(request)
        if isinstance(response, Refused):
            raise RefusedByWorker(response.code, response.hint)
        return response

    def _welcomed(self, worker: WorkerHandle, welcome: Welcome) -> None:
        for room in welcome.rooms:
            self._pins[room] = worker
        if welcome.rooms:
            self._unclaimed.update(welcome.rooms)
            sweep = asyncio.create_task(self._close_unclaimed(welcome.rooms))
            self._sweeps.add(sweep)
            sweep.add_done_callback(self._sweeps.discard)

    async def _close_unclaimed(self, rooms: tuple[str, ...]) -> None:
        """End what an adopted worker goes on with though this server never asks for it: it is over."""
        await asyncio.sleep(self._settings.orphan_s)
        for room in rooms:
            if room in self._unclaimed:
                await self.close_room(room)

    def _lost(self, worker: WorkerHandle) -> None:
        """The rooms go to whichever worker is asked for them next, with the routing they had."""
        rooms = tuple(room for room, pinned in self._pins.items() if pinned is worker)
        for room in rooms:
            del self._pins[room]
        self._on_notice(WorkerLost(rooms=rooms))


def _credentials() -> Credentials:
    ssrcs: set[int] = set()
    while len(ssrcs) < 2 * SECTIONS_MAX:
        ssrcs.add(secrets.randbits(31) | 1)
    return Credentials(
        ufrag=secrets.token_hex(4),
        password=secrets.token_hex(12),
        session=secrets.randbits(62),
        ssrcs=tuple(ssrcs),
    )
