"""The values that cross the border between the server and the media plane: settings, routing, notices,
statistics.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

SourceName = Literal["audio", "video", "screen"]
Level = Literal["good", "fair", "weak", "lost"]
RecordingFault = Literal["disk_full", "disk_error", "bad_order"]

SLOTS_PER_KIND = 5
"""People a participant can see and hear at once; the screen share has a slot of its own."""


class WorkerUnavailable(Exception):  # noqa: N818 - a name of its own
    """No worker can take the request now; `code` is stable, the caller may try again."""

    code = "media_unavailable"


class RefusedByWorker(Exception):  # noqa: N818 - a name of its own
    """The worker understood the request and said no; `code` is stable."""

    def __init__(self, code: str, hint: str) -> None:
        super().__init__(f"{code}: {hint}")
        self.code = code
        self.hint = hint


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaSettings:
    """What the media plane needs to know.

    Ports `port` to `port + workers - 1` are UDP and must be reachable.
    """

    port: int
    workers: int
    data_dir: Path
    public_addresses: tuple[str, ...] = ()
    """Addresses under which the network maps the same ports to us (a cloud's one-to-one address
    translation).
    """
    bind_addresses: tuple[str, ...] = ()
    """Local addresses to use; empty means all but loopback, and loopback when there is no other."""
    orphan_s: float = 120.0
    """How long a worker goes on forwarding without a server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Forward one source of `publisher` into one slot of `subscriber`."""

    publisher: str
    source: SourceName
    subscriber: str
    slot: int
    """0 to 4 for audio and video; ignored (0) for the screen share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingKey:
    """Who can open the parts of a recording once they are closed."""

    key_id: str
    """32 hexadecimal digits."""
    public: str
    """X25519, 64 hexadecimal digits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedTrack:
    """One source of a peer, and the number its packets have in the recording."""

    peer: str
    source: SourceName
    track: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingOrder:
    """Record these sources, as long as everybody whom the routing names has agreed."""

    recording: str
    """32 hexadecimal digits."""
    epoch_ms: int
    """Where the recording's own time begins, as milliseconds since 1970."""
    first_part: int
    """The number of the next part. The worker takes a higher one where there are such files already."""
    what: Literal["audio", "video"]
    shred: str = field(repr=False)
    """The recording's secret, 64 hexadecimal digits."""
    recipients: tuple[RecordingKey, ...]
    agreed: tuple[str, ...]
    """Peers who have agreed to being recorded."""
    tracks: tuple[RecordedTrack, ...]
    consents: str
    """The SHA-256 of the agreements, hexadecimal: it is written into each part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """Everything that is forwarded in a room; what is not in it is not forwarded, and not recorded."""

    revision: int
    routes: tuple[Route, ...]
    recording: RecordingOrder | None = None
    recording_stop: str = ""
    """Where there is no order any more: why the part ends ("" means "paused")."""
    recording_cut_ms: int = 0
    """What arrived after this moment (milliseconds since 1970; 0 means now) is not kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerConnected:
    """The peer's encrypted connection is up (again)."""

    room: str
    peer: str
    kind: Literal["peer_connected"] = "peer_connected"


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerLost:
    """The peer closed its connection, never made one, or nothing authentic has come from it for some
    seconds.
    """

    room: str
    peer: str
    kind: Literal["peer_lost"] = "peer_lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerQuality:
    """How a peer's connection is doing; sent when it changes, every few seconds at most."""

    room: str
    peer: str
    loss_pct_up: float
    loss_pct_down: float
    rtt_ms: float | None
    level: Level
    pictures_paused: int = 0
    """Pictures this peer is not sent for now, because its connection has no room for them."""
    kind: Literal["peer_quality"] = "peer_quality"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLost:
    """A worker died. Its rooms are gone; their participants have to connect again."""

    rooms: tuple[str, ...]
    kind: Literal["worker_lost"] = "worker_lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingProgress:
    """How far a part is on the disk: at its beginning, every ten seconds, and at its end."""

    room: str
    recording: str
    part: int
    records: int
    size_bytes: int
    chain: str
    """Of the records so far, 64 hexadecimal digits."""
    ended: str
    """Why the part is over; "" while it is not."""
    kind: Literal["recording_progress"] = "recording_progress"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingFailed:
    """Nothing is recorded any more, until an order comes after a routing without one, or with another
    `first_part`. Who talks is not affected.
    """

    room: str
    recording: str
    code: RecordingFault
    kind: Literal["recording_failed"] = "recording_failed"


Notice = PeerConnected | PeerLost | PeerQuality | WorkerLost | RecordingProgress | RecordingFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerTotals:
    """What one worker carries, and the packets it has handled since it started."""

    worker: int
    rooms: int
    peers: int
    packets: dict[str, int]
    """By what became of them: received, forwarded, retransmitted, recovered, recorded, and dropped_ with the
    reason.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceStats:
    """One upstream source of a peer since it appeared."""

    source: SourceName
    packets: int
    bytes: int
    lost: int
    loss_pct: float
    jitter_ms: float
    keyframes: int
    last_media_age_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerStats:
    """One peer since it connected."""

    peer: str
    connected: bool
    packets_in: int
    bytes_in: int
    packets_forwarded: int
    """Packets sent to this peer, retransmissions included."""
    loss_pct_up: float
    loss_pct_down: float
    rtt_ms: float | None
    last_media_age_s: float | None
    dropped_before_route: int
    """Packets it sent while no route named it as publisher of that source."""
    retransmitted: int
    recovered: int
    sources: tuple[SourceStats, ...] = field(default=())


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomStats:
    """All peers of a room, and the revision of the routing that is in force (-1: none yet)."""

    room: str
    routing_revision: int
    peers: tuple[PeerStats, ...]
    recorded: int = 0
    """Packets of this room that went into a recording."""
