"""What of a room is recorded, decided in the event loop: from the routing in force, packet by packet.

The server's order names who has agreed. It is not believed alone: while the routing lets anybody publish or
receive who is not among them, nothing is kept, whatever the order says.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from media import rtcp
from media.clock import Clock
from media.interface import (
    Notice,
    RecordingFailed,
    RecordingFault,
    RecordingOrder,
    RecordingProgress,
    Routing,
    SourceName,
)
from media.parts import OnDisk, Recipient
from media.recording_thread import Plan, Take, Writer
from media.source import Source

STARVED_S: Final = 0.7
"""A whole picture of which nothing has come for so long: the small one is recorded instead."""
KEYFRAME_EVERY_S: Final = 10.0
"""Left alone, browsers hardly ever send one."""
SOURCES: Final[dict[SourceName, str]] = {"audio": "audio", "video": "camera", "screen": "screen"}
BACKLOG_PACKETS_MAX: Final = 25_000
"""What all recordings of a worker may have waiting for the disk, of 1,500 bytes at most: half a minute of a
consult of three. It is looked at ten times a second, so that a packet costs nothing but its place.
"""
SHRED_BYTES: Final = 32
ID_BYTES: Final = 16


class Publisher(Protocol):
    """A peer, as far as it is recorded."""

    @property
    def sources(self) -> Mapping[SourceName, Source]:
        """What it sends."""


class Recorder:
    """The recording of one room."""

    def __init__(
        self,
        room: str,
        clock: Clock,
        writer: Writer,
        notify: Callable[[Notice], None],
        wall_s: Callable[[], float] = time.time,
    ) -> None:
        """`wall_s`: the server's clock, in which it says when something began or ended."""
        self._room = room
        self._clock = clock
        self._writer = writer
        self._notify = notify
        self._wall_s = wall_s
        self._order: RecordingOrder | None = None
        """What is being recorded."""
        self._take: Take | None = None
        self._ending: list[Take] = []
        """Takes that were told to stop, and what they hold back may still be forbidden."""
        self._tracks: dict[Source, Track] = {}
        self._failed: tuple[str, int] | None = None
        """The order that came to nothing: it is not tried again."""
        self._recorded_before = 0

    @property
    def recorded(self) -> int:
        """Packets that went into files."""
        return self._recorded_before + sum(take.recorded for take in self._takes)

    def route(self, routing: Routing) -> None:
        """This routing is in force now; `connect` has to follow."""
        order = routing.recording
        if order is None or _identity(order) != self._failed:
            self._failed = None
        wanted = order if order is not None and may_record(routing) and self._failed is None else None
        if self._order is not None and (wanted is None or _changes(self._order, wanted)):
            self._end(_reason(self._order, routing), self._clock.now_s)
        self._cut(routing)
        if wanted is not None and self._take is None:
            self._begin(wanted)
        self._order = wanted if self._take is not None else None

    def forget_failure(self) -> None:
        """Another server speaks now, which has not heard what came to nothing: it is tried again, or told."""
        self._failed = None

    def connect(self, peers: Mapping[str, Publisher]) -> None:
        """Follow the sources of the order that are there; the peers or the routing have changed."""
        found = dict(_sources(self._order, peers)) if self._order is not None else {}
        for source, track in tuple(self._tracks.items()):
            if found.get(source) != track.number:
                self._tracks.pop(source).detach()
        if self._take is None:
            return
        for source, number in found.items():
            if source not in self._tracks:
                self._tracks[source] = Track(source, number, self._take, self._clock)

    @property
    def waiting(self) -> int:
        """Packets that are in no file yet."""
        return sum(len(take.held) for take in self._takes)

    def tick(self, *, is_overfull: bool) -> None:
        """Ten times a second: ask for the key frames a change of layers needs.

        `is_overfull`: the disk is so slow that no more can wait for it. What waits is still written.
        """
        order = self._order
        if is_overfull and order is not None:
            self.stop("failed")
            self._fail(order, "disk_error")
        for track in self._tracks.values():
            track.look()

    def stop(self, reason: str) -> None:
        """End the part now; nothing is recorded before the next routing."""
        if self._take is not None:
            self._end(reason, self._clock.now_s)
        self._order = None

    @property
    def _takes(self) -> list[Take]:
        return self._ending if self._take is None else [*self._ending, self._take]

    def _begin(self, order: RecordingOrder) -> None:
        # The clock of the worker never jumps, the machine's may have been set since: so both are read now.
        epoch_s = self._clock.now_s - max(0.0, self._wall_s() - order.epoch_ms / 1_000)
        try:
            plan = read_order(order, epoch_s)
        except ValueError:
            self._fail(order, "bad_order")
            return

        def progress(there: OnDisk) -> None:
            self._progress(order, there)

        def failed(fault: RecordingFault) -> None:
            take.discard()
            if take is self._take:
                self._ending.append(take)
                self._forget_take()
                self._order = None
            self._fail(order, fault)

        take = self._take = Take(plan, self._writer, progress, failed, after=tuple(self._ending))
        self._writer.begin(take)

    def _end(self, reason: str, cut_s: float) -> None:
        take = self._take
        if take is not None:
            self._forget_take()
            self._ending.append(take)
            take.stop(reason, cut_s)

    def _forget_take(self) -> None:
        for track in self._tracks.values():
            track.detach()
        self._tracks.clear()
        self._take = None
        self._recorded_before += sum(one.recorded for one in self._ending if one.is_over)
        self._ending = [one for one in self._ending if not one.is_over]

    def _fail(self, order: RecordingOrder, fault: RecordingFault) -> None:
        self._failed = _identity(order)
        self._notify(RecordingFailed(room=self._room, recording=order.recording, code=fault))

    def _progress(self, order: RecordingOrder, there: OnDisk) -> None:
        if not there.upto.records:  # so that the part can be played where the one before it is lost
            for track in self._tracks.values():
                track.want_keyframe()
        self._notify(
            RecordingProgress(
                room=self._room,
                recording=order.recording,
                part=there.part,
                records=there.upto.records,
                size_bytes=there.upto.size_bytes,
                chain=there.upto.chain.hex(),
                ended=there.ended,
            )
        )

    def _cut(self, routing: Routing) -> None:
        """Take away what arrived after the routing's cut, as far as it is still held back."""
        if routing.recording_cut_ms:
            ago_s = max(0.0, self._wall_s() - routing.recording_cut_ms / 1_000)
            for take in self._ending:
                take.stop("", self._clock.now_s - ago_s)


class Track:
    """One source of the order: attached to it, and to its small layer where there is one.

    Of two layers the whole one is recorded, and the small one only while nothing comes of the whole one. Each
    begins with its key frame.
    """

    def __init__(self, source: Source, number: int, take: Take, clock: Clock) -> None:
        self.number = number
        self.is_audio = source.is_audio
        self.about: Mapping[str, object] = {
            "kind": "track",
            "track": number,
            "source": SOURCES[source.name],
            "codecs": {str(codec.payload_type): codec.name for codec in source.codecs.values()},
            "level": source.extensions.audio_level,
        }
        self._whole, self._small = source, source.small
        self._current = source
        self._key_at_s = float("-inf")
        self._hold = take.held.append
        self._clock = clock
        source.tap = self
        if source.small is not None:
            source.small.tap = self
        self.want_keyframe()

    def detach(self) -> None:
        """Record nothing of it any more."""
        for source in (self._whole, self._small):
            if source is not None and source.tap is self:
                source.tap = None

    def packet(self, source: Source, data: bytes, *, keyframe: bool) -> None:
        """A packet that has just arrived, or was repaired."""
        if source is not self._current:
            if not keyframe or (source is self._small and self._is_whole_live()):
                return
            self._current = source
        if keyframe:
            self._key_at_s = self._clock.now_s
        self._hold((self._clock.now_s, self, data, keyframe))

    def report(self, report: rtcp.SenderReport) -> None:
        """The sender told its clock. Of both layers: whoever plays one needs it as soon as it begins."""
        wall_s = report.ntp_s - rtcp.NTP_EPOCH_S
        data = rtcp.sender_report(report.ssrc, wall_s, report.timestamp, 0, 0)
        self._hold((self._clock.now_s, self, data, False))

    def restart(self, source: Source) -> None:
        """A source begins anew."""
        if source is self._current:
            self.want_keyframe()

    def look(self) -> None:
        """Ask for the key frame of the layer that should be recorded and is not, or of one that has long had
        none: whoever jumps in a recording waits until all is decoded since the last.
        """
        now_s = self._clock.now_s
        if now_s - self._key_at_s > KEYFRAME_EVERY_S and self._current.is_live(now_s, STARVED_S):
            self.want_keyframe()
        if self._small is None:
            return
        wanted = self._whole
        if not self._is_whole_live() and self._small.is_live(self._clock.now_s, STARVED_S):
            wanted = self._small
        if wanted is not self._current:
            wanted.keyframes.want(self._clock.now_s)

    def want_keyframe(self) -> None:
        """Nothing can be played without a key frame; whoever asks the sender does so until it comes."""
        if not self.is_audio:
            self._current.keyframes.want(self._clock.now_s)

    def _is_whole_live(self) -> bool:
        return self._whole.is_live(self._clock.now_s, STARVED_S)


def tick_all(recorders: Sequence[Recorder]) -> None:
    """The regular work of all recorders of a worker, which share its disk."""
    is_overfull = sum(one.waiting for one in recorders) > BACKLOG_PACKETS_MAX
    for one in recorders:
        one.tick(is_overfull=is_overfull)


def may_record(routing: Routing) -> bool:
    """Whether everybody whom the routing names has agreed to what it orders."""
    order = routing.recording
    if order is None:
        return False
    named = {one for route in routing.routes for one in (route.publisher, route.subscriber)}
    return named <= set(order.agreed)


def read_order(order: RecordingOrder, epoch_s: float) -> Plan:
    """What the thread needs of an order; `epoch_s` is its epoch on the monotonic clock.

    Raises:
        ValueError: its keys are not what they should be.
    """
    recording, shred = bytes.fromhex(order.recording), bytes.fromhex(order.shred)
    recipients = tuple(
        Recipient(
            key_id=bytes.fromhex(one.key_id),
            key=X25519PublicKey.from_public_bytes(bytes.fromhex(one.public)),
        )
        for one in order.recipients
    )
    lengths = {len(recording), *(len(one.key_id) for one in recipients)}
    if lengths != {ID_BYTES} or len(shred) != SHRED_BYTES or not recipients or order.first_part < 1:
        raise ValueError("an order nobody can follow")
    return Plan(
        recording=recording,
        epoch_s=epoch_s,
        first_part=order.first_part,
        shred=shred,
        recipients=recipients,
        about={
            "kind": "recording",
            "epoch_ms": order.epoch_ms,
            "what": order.what,
            "consents": order.consents,
        },
    )


def _sources(order: RecordingOrder, peers: Mapping[str, Publisher]) -> list[tuple[Source, int]]:
    found = []
    for one in order.tracks:
        peer = peers.get(one.peer) if one.peer in order.agreed else None
        source = peer.sources.get(one.source) if peer is not None else None
        if source is not None and (order.what == "video" or source.is_audio):
            found.append((source, one.track))
    return found


def _identity(order: RecordingOrder) -> tuple[str, int]:
    return order.recording, order.first_part


def _changes(before: RecordingOrder, now: RecordingOrder) -> bool:
    """Whether it needs another part: what the present one says of itself would not be true any more."""

    def said(order: RecordingOrder) -> tuple[object, ...]:
        return (
            order.recording,
            order.epoch_ms,
            order.what,
            order.shred,
            order.recipients,
            order.consents,
        )

    return said(before) != said(now)


def _reason(before: RecordingOrder, routing: Routing) -> str:
    order = routing.recording
    if order is None:
        return routing.recording_stop or "paused"
    if not may_record(routing):
        return "paused"
    return "rotated" if order.recording == before.recording else "ended"
