"""All rooms of one worker and the requests about them; knows nothing of processes or connections."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

from media.answer import Endpoint
from media.clock import Clock
from media.control import (
    ROUTES_MAX,
    AddPeer,
    Done,
    GetStats,
    GetTotals,
    Hello,
    Refused,
    RemovePeer,
    RemoveRoom,
    Request,
    Response,
    SetRouting,
    Shutdown,
    Stats,
    Totals,
    Welcome,
)
from media.dtls import fingerprint_of, make_certificate
from media.interface import Notice, PeerConnected, PeerLost, WorkerTotals
from media.mux import Mux
from media.peer import FEEDBACK_S, Peer
from media.recorder import Recorder, tick_all
from media.recording_thread import ThreadedWriter, into_loop
from media.room import PEERS_MAX, Room

ROOMS_MAX = 1_000
TICKS = 5
"""Groups the peers are dealt into, so that their regular work is spread over the interval."""
QUALITY_S = 3.0
CLOSE_S_MAX = 1.0
"""For goodbyes, and for the ends of recordings: a server that ends kills us after a few seconds."""

log = logging.getLogger(__name__)


class Engine:
    """Owns the port, the certificate and the rooms.

    `notify` is called for everything the server should know.
    """

    def __init__(
        self,
        worker: int,
        addresses: tuple[str, ...],
        public: tuple[str, ...],
        port: int,
        notify: Callable[[Notice], None],
        recordings: Path,
    ) -> None:
        self._worker = worker
        self._boot = secrets.token_hex(8)
        self._clock = Clock()
        self._notify = notify
        self._certificate = make_certificate()
        self.mux = Mux(addresses, port, self._clock)
        self.rooms: dict[str, Room] = {}
        self.endpoint = Endpoint(
            addresses=(*public, *self.mux.addresses),
            port=self.mux.port,
            fingerprint=fingerprint_of(self._certificate),
        )
        self.shutdown = asyncio.Event()
        self._closing: set[asyncio.Task[None]] = set()
        self._tick_count = 0
        self._gone: Counter[str] = Counter()
        """Packets of the peers that have left."""
        self._quality_at_s = self._clock.now_s + QUALITY_S
        self._loop = asyncio.get_running_loop()
        self._writer = ThreadedWriter(recordings, into_loop(self._loop.call_soon_threadsafe))
        self._timer = self._loop.call_later(FEEDBACK_S / TICKS, self._tick)

    async def close(self) -> None:
        """Say goodbye to every peer, bring the recordings to an end and release the port."""
        self._timer.cancel()
        self.stop_recording("worker-ended")
        for name in tuple(self.rooms):
            self._remove_room(name)
        waits = set(self._closing)
        if self._writer.is_running:
            waits.add(self._loop.create_task(asyncio.to_thread(self._writer.close, CLOSE_S_MAX)))
        if waits:
            await asyncio.wait(waits, timeout=CLOSE_S_MAX)
        self.mux.close()

    def stop_recording(self, reason: str) -> None:
        """End the parts of all rooms; each records again with its next routing."""
        self._clock.read()
        for room in self.rooms.values():
            if room.recorder is not None:
                room.recorder.stop(reason)

    def handle(self, request: Request) -> Response:
        """Carry out one request, at once."""
        match request:
            case Hello():
                return self.welcome()
            case AddPeer():
                return self._add(request)
            case RemovePeer():
                self._remove_peer(request.room, request.peer)
            case RemoveRoom():
                self._remove_room(request.room)
            case SetRouting():
                return self._route(request)
            case GetStats():
                room = self.rooms.get(request.room) or Room(request.room)
                return Stats(stats=room.stats(self._clock.read()))
            case GetTotals():
                return Totals(totals=self.totals())
            case Shutdown():
                self.shutdown.set()
        return Done()

    def begin_server(self) -> Welcome:
        """A server has connected: it hears who we are, and its routings replace those of the one before."""
        for room in self.rooms.values():
            room.forget_revision()
            if room.recorder is not None:
                room.recorder.forget_failure()
        return self.welcome()

    def totals(self) -> WorkerTotals:
        """The counters of everything since the start."""
        peers = [peer for room in self.rooms.values() for peer in room.peers.values()]
        packets = Counter({"received": self.mux.received})
        packets.update(self._gone)
        packets.update({f"dropped_{reason}": count for reason, count in self.mux.dropped.items()})
        packets["recorded"] = self._writer.recorded
        packets["dropped_recording"] = self._writer.dropped + self._writer.lost
        for peer in peers:
            packets.update(peer.counts)
        return WorkerTotals(
            worker=self._worker, rooms=len(self.rooms), peers=len(peers), packets=dict(packets)
        )

    def welcome(self) -> Welcome:
        """Who this worker is."""
        return Welcome(
            worker=self._worker,
            boot=self._boot,
            pid=os.getpid(),
            endpoint=self.endpoint,
            rooms=tuple(self.rooms),
        )

    def _room(self, name: str) -> Room | None:
        if name not in self.rooms and len(self.rooms) < ROOMS_MAX:
            self.rooms[name] = Room(name, Recorder(name, self._clock, self._writer, self._notify))
        return self.rooms.get(name)

    def _add(self, request: AddPeer) -> Response:
        self._clock.read()
        room = self._room(request.room)
        if room is None:
            return Refused(code="worker_full", hint=f"a worker carries {ROOMS_MAX} rooms")
        if request.peer not in room.peers and len(room.peers) >= PEERS_MAX:
            return Refused(code="room_full", hint=f"a room has {PEERS_MAX} peers")
        self._drop(room, request.peer)
        changed = partial(self._changed, room, request.peer)
        room.peers[request.peer] = Peer(
            request.description, self.mux, self._clock, self._certificate, changed
        )
        room.connect()
        return Done()

    def _route(self, request: SetRouting) -> Response:
        self._clock.read()
        if len(request.routing.routes) > ROUTES_MAX:
            return Refused(code="routing_too_long", hint=f"a routing has {ROUTES_MAX} routes")
        room = self._room(request.room)
        if room is None:
            return Refused(code="worker_full", hint=f"a worker carries {ROOMS_MAX} rooms")
        room.route(request.routing)
        return Done()

    def _remove_peer(self, name: str, identifier: str) -> None:
        room = self.rooms.get(name)
        if room is not None:
            self._drop(room, identifier)
            room.connect()

    def _remove_room(self, name: str) -> None:
        room = self.rooms.pop(name, None)
        if room is not None:
            if room.recorder is not None:
                room.recorder.stop("ended")
            for identifier in tuple(room.peers):
                self._drop(room, identifier)

    def _drop(self, room: Room, identifier: str) -> None:
        peer = room.forget(identifier)
        if peer is not None:
            self._gone.update(peer.counts)
            peer.leave()
            task = self._loop.create_task(peer.close())
            self._closing.add(task)
            task.add_done_callback(self._closed)

    def _closed(self, task: asyncio.Task[None]) -> None:
        self._closing.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("closing a peer failed", exc_info=task.exception())

    def _changed(self, room: Room, identifier: str) -> None:
        peer = room.peers.get(identifier)
        if peer is None:
            return
        if peer.state == "connected":
            self._notify(PeerConnected(room=room.name, peer=identifier))
        elif peer.state == "lost":
            self._notify(PeerLost(room=room.name, peer=identifier))
        elif peer.state == "ended":
            self._notify(PeerLost(room=room.name, peer=identifier))
            self._drop(room, identifier)
            room.connect()

    def _tick(self) -> None:
        self._timer = self._loop.call_later(FEEDBACK_S / TICKS, self._tick)
        now_s = self._clock.read()
        turn = self._tick_count % TICKS
        self._tick_count += 1
        peers = [(room, name, peer) for room in self.rooms.values() for name, peer in room.peers.items()]
        for _, _, peer in peers[turn::TICKS]:
            peer.tick()
        if turn == 0:
            tick_all([room.recorder for room in self.rooms.values() if room.recorder is not None])
        if now_s >= self._quality_at_s:
            self._quality_at_s = now_s + QUALITY_S
            for room, name, peer in peers:
                if peer.state in ("connected", "lost") and name in room.peers:
                    quality = room.quality(name, now_s)
                    if quality is not None:
                        self._notify(quality)
