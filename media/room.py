"""One room of a worker: its peers, and the routing that says who gets what.

Nothing else is ever forwarded.
"""

from __future__ import annotations

from media.interface import PeerQuality, PeerStats, RoomStats, Route, Routing, SourceName, SourceStats
from media.peer import Peer
from media.quality import level, worth_telling
from media.recorder import Recorder

PEERS_MAX = 32


class Room:
    """Peers by id, the routing in force, and the slots connected accordingly."""

    def __init__(self, name: str, recorder: Recorder | None = None) -> None:
        self.name = name
        self.recorder = recorder
        self.peers: dict[str, Peer] = {}
        self.routing = Routing(revision=-1, routes=())
        self._quality: dict[str, PeerQuality] = {}
        self._newest_revision = -1

    def route(self, routing: Routing) -> bool:
        """Put a routing in force; False when a newer one already is."""
        if routing.revision < self._newest_revision:
            return False
        self._newest_revision = routing.revision
        self.routing = routing
        if self.recorder is not None:
            self.recorder.route(routing)
        self.connect()
        return True

    def forget_revision(self) -> None:
        """Another server speaks now: its first routing holds, whatever the clock it counts by says."""
        self._newest_revision = -1

    def connect(self) -> None:
        """Attach every slot to the source the routing gives it, and to nothing when it gives it none."""
        wanted: dict[tuple[str, SourceName, int], Route] = {}
        published: set[tuple[str, SourceName]] = set()
        for route in self.routing.routes:
            wanted[route.subscriber, route.source, 0 if route.source == "screen" else route.slot] = route
            published.add((route.publisher, route.source))
        for identifier, peer in self.peers.items():
            for name, source in peer.sources.items():
                source.routed = (identifier, name) in published
            for (name, number), slot in peer.slots.items():
                chosen = wanted.get((identifier, name, number))
                publisher = self.peers.get(chosen.publisher) if chosen else None
                slot.attach(publisher.sources.get(name) if publisher else None)
        if self.recorder is not None:
            self.recorder.connect(self.peers)
        for peer in self.peers.values():
            for source in peer.sources.values():
                peer.uplink.request_keyframe(source)

    def quality(self, identifier: str, now_s: float) -> PeerQuality | None:
        """The quality of one peer's connection, when it has changed since it was last asked for."""
        peer = self.peers[identifier]
        peer.measure_loss()
        up, down = peer.loss_up.fraction, peer.loss_down.fraction
        rtt_ms = round(peer.rtt_s * 1000) if peer.rtt_known else None
        new = PeerQuality(
            room=self.name,
            peer=identifier,
            loss_pct_up=round(up * 100, 1),
            loss_pct_down=round(down * 100, 1),
            rtt_ms=rtt_ms,
            level=level(max(up, down) * 100, rtt_ms, now_s - peer.path.heard_at_s),
            pictures_paused=peer.pictures_paused,
        )
        if not worth_telling(self._quality.get(identifier), new):
            return None
        self._quality[identifier] = new
        return new

    def forget(self, identifier: str) -> Peer | None:
        """Take a peer out of the room; the caller closes it."""
        self._quality.pop(identifier, None)
        return self.peers.pop(identifier, None)

    def stats(self, now_s: float) -> RoomStats:
        """Counters of all peers."""
        return RoomStats(
            room=self.name,
            routing_revision=self.routing.revision,
            recorded=self.recorder.recorded if self.recorder is not None else 0,
            peers=tuple(_peer_stats(identifier, peer, now_s) for identifier, peer in self.peers.items()),
        )


def _peer_stats(identifier: str, peer: Peer, now_s: float) -> PeerStats:
    last_s = max((s.last_at_s for s in peer.sources.values() if s.last_at_s is not None), default=None)
    return PeerStats(
        peer=identifier,
        connected=peer.state == "connected",
        packets_in=peer.packets_in,
        bytes_in=peer.bytes_in,
        packets_forwarded=peer.packets_out,
        loss_pct_up=round(peer.loss_up.fraction * 100, 1),
        loss_pct_down=round(peer.loss_down.fraction * 100, 1),
        rtt_ms=round(peer.rtt_s * 1000, 1) if peer.rtt_known else None,
        last_media_age_s=None if last_s is None else round(now_s - last_s, 3),
        dropped_before_route=sum(s.dropped_before_route for s in peer.sources.values()),
        retransmitted=sum(slot.retransmitted for slot in peer.slots.values()),
        recovered=sum(s.recovered for s in peer.sources.values()),
        sources=tuple(
            SourceStats(
                source=name,
                packets=s.packets,
                bytes=s.octets,
                lost=s.lost,
                loss_pct=round(s.loss_fraction * 100, 1),
                jitter_ms=round(s.jitter * 1000 / s.rate_hz, 1),
                keyframes=s.keyframe_count,
                last_media_age_s=None if s.last_at_s is None else round(now_s - s.last_at_s, 3),
            )
            for name, s in peer.sources.items()
        ),
    )
