"""What is measured: our own media plane, and Janus' VideoRoom next to it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Protocol

from media.bench.client import LoadPeer
from media.bench.descriptions import answer, offer, remote
from media.bench.janus import Janus
from media.dtls import Certificate, fingerprint_of
from media.plane import MediaPlane, MediaSettings, Route, Routing

PORT = 38_900
"""Of the worker that is measured."""


class Target(Protocol):
    """One forwarding unit, started for one measurement."""

    name: str

    async def start(self) -> None:
        """Start it."""

    async def stop(self) -> None:
        """End it."""

    def pids(self) -> list[int]:
        """The processes whose CPU time counts."""

    async def consult(self, room: int, people: int) -> list[LoadPeer]:
        """Connect a consult in which everybody receives everybody else; returns those who send."""

    def receivers(self) -> list[LoadPeer]:
        """All connections that receive."""


class Ours:
    """One worker of the media plane."""

    name = "Meridian"

    def __init__(self, data_dir: Path, address: str, certificate: Certificate) -> None:
        self._address, self._certificate = address, certificate
        settings = MediaSettings(port=PORT, workers=1, data_dir=data_dir, bind_addresses=(address,))
        self.plane = MediaPlane(settings, lambda notice: None)
        self._peers: list[LoadPeer] = []
        self.routings: dict[str, Routing] = {}
        """Those in force."""

    async def start(self) -> None:
        """Start the worker process."""
        await self.plane.start()

    async def stop(self) -> None:
        """End it and its load."""
        await asyncio.gather(*(peer.close() for peer in self._peers))
        await self.plane.stop()

    def pids(self) -> list[int]:
        """The worker."""
        return self.plane.worker_pids

    def make_peer(self) -> LoadPeer:
        """One participant."""
        return LoadPeer(self._certificate, self._address)

    async def consult(self, room: int, people: int) -> list[LoadPeer]:
        """One connection each, slots for all others."""
        peers = [self.make_peer() for _ in range(people)]
        self._peers += peers
        names = [f"p{n}" for n in range(people)]
        await asyncio.gather(
            *(self._join(str(room), name, peer, people) for name, peer in zip(names, peers, strict=True))
        )
        routes = [
            Route(publisher=publisher, source=source, subscriber=name, slot=slot)
            for name in names
            for slot, publisher in enumerate(other for other in names if other != name)
            for source in ("audio", "video")
        ]
        self.routings[str(room)] = Routing(revision=1, routes=tuple(routes))
        await self.plane.route(str(room), self.routings[str(room)])
        return peers

    async def _join(self, room: str, name: str, peer: LoadPeer, people: int) -> None:
        down = ("audio",) * (people - 1) + ("video",) * (people - 1)
        text = offer(peer, self._address, fingerprint_of(self._certificate), down)
        await peer.connect(remote(await self.plane.connect(room, name, text), answered=True))

    def receivers(self) -> list[LoadPeer]:
        """Those who send receive as well."""
        return self._peers


class JanusRoom:
    """Debian's Janus: one connection up and one down for each participant."""

    name = "Janus"

    def __init__(self, data_dir: Path, address: str, certificate: Certificate) -> None:
        self._address, self._certificate = address, certificate
        self._janus = Janus(data_dir, address)
        self._senders: list[LoadPeer] = []
        self._receivers: list[LoadPeer] = []

    async def start(self) -> None:
        """Start the Janus process."""
        await self._janus.start()

    async def stop(self) -> None:
        """End it and its load."""
        await asyncio.gather(*(peer.close() for peer in (*self._senders, *self._receivers)))
        await self._janus.stop()

    def pids(self) -> list[int]:
        """Janus."""
        return [self._janus.pid]

    async def consult(self, room: int, people: int) -> list[LoadPeer]:
        """Publish everybody, then subscribe everybody to all others."""
        fingerprint = fingerprint_of(self._certificate)
        await self._janus.create(room)
        peers, ids = [], []
        for _ in range(people):
            peer = LoadPeer(self._certificate, self._address)
            identifier, text = await self._janus.publish(room, offer(peer, self._address, fingerprint))
            await peer.connect(remote(text, answered=True))
            peers.append(peer)
            ids.append(identifier)
        for own in ids:
            handle, text = await self._janus.subscribe(room, [other for other in ids if other != own])
            peer = LoadPeer(self._certificate, self._address)
            await self._janus.begin(handle, answer(text, peer, self._address, fingerprint))
            await peer.connect(remote(text, answered=False))
            self._receivers.append(peer)
        self._senders += peers
        return peers

    def receivers(self) -> list[LoadPeer]:
        """The connections down."""
        return self._receivers
