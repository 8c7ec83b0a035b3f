"""The first pass: what there is in a recording, and everything its senders said of their clocks. Pure.

Of ten hours it remembers some hundred kilobytes for a track: reports are boiled down to one knot for each
twenty seconds while they come.
"""

from __future__ import annotations

import json
from array import array
from dataclasses import dataclass, field
from statistics import median_low
from typing import Final, Literal

from media import rtcp
from media.gathering import Packet
from media.remux.ordering import STRETCHES_MAX, Counting

Codec = Literal["opus", "vp8", "h264"]
AUDIO, CAMERA, SCREEN = 0, 1, 2
TRACKS_MAX: Final = 48
STREAMS_MAX: Final = 256
"""SSRCs of a track: a page that is loaded again has a new one."""
KNOT_US: Final = 20_000_000
STEP_US: Final = 40_000
"""A sender's clock that differs by more from one report to the next was set."""
KNOTS_MAX: Final = 20_000
"""Of one stretch: a hundred hours, if nobody lies."""
REPORT_PAUSE_US: Final = 200_000
META_BYTES_MAX: Final = 65_536
HZ: Final = {AUDIO: 48_000, CAMERA: 90_000, SCREEN: 90_000}
_SENDER_REPORT: Final = 200
_RTCP_FIRST, _RTCP_LAST = 192, 223


_Report = tuple[int, int, int, int]
"""Timestamp, the sender's clock minus it, the sender's clock, arrival; the last three in microseconds."""


def source_of(track: int) -> int:
    """Whether a track is sound, camera or screen."""
    return track & 3


@dataclass(slots=True)
class Described:
    """What the latest meta record says of a track."""

    codecs: dict[int, Codec] = field(default_factory=dict)
    level: int = 0


@dataclass(slots=True)
class Knot:
    """What some reports of a stream, next to each other, say together."""

    timestamp: int
    offset_us: int
    """The sender's clock minus the timestamp, both in microseconds."""
    ntp_us: int
    delay_us: int
    """Arrival minus the sender's clock: the smallest of them, and the sender's clock then."""
    at_us: int
    stepped: bool
    """The sender's clock, or its counter, was set before."""


class Stretch:
    """A stream's packets whose timestamps go on from each other."""

    def __init__(self, hz: int) -> None:
        self.hz = hz
        self.knots: list[Knot] = []
        self.arrivals = array("q")
        """Timestamp and arrival minus timestamp (microseconds), the smallest of each 20 s; in pairs."""
        self._bin = -1
        self._pending: list[_Report] = []
        self._doubtful: _Report | None = None
        self._report_us = -REPORT_PAUSE_US

    def packet(self, timestamp: int, at_us: int) -> None:
        """Take the arrival of a packet."""
        offset = at_us - timestamp * 1_000_000 // self.hz
        if at_us // KNOT_US != self._bin:
            self._bin = at_us // KNOT_US
            self.arrivals.extend((timestamp, offset))
        elif offset < self.arrivals[-1]:
            self.arrivals[-2], self.arrivals[-1] = timestamp, offset

    def report(self, timestamp: int, ntp_us: int, at_us: int) -> None:
        """Take a sender report. One that contradicts those before counts once another agrees with it."""
        if at_us - self._report_us < REPORT_PAUSE_US or len(self.knots) > KNOTS_MAX:
            return
        self._report_us = at_us
        one = (timestamp, ntp_us - timestamp * 1_000_000 // self.hz, ntp_us, at_us)
        if not self._pending:
            self._pending.append(one)
        elif abs(one[1] - self._pending[-1][1]) <= STEP_US:
            self._doubtful = None
            if at_us // KNOT_US != self._pending[0][3] // KNOT_US:
                self.flush()
            self._pending.append(one)
        elif self._doubtful is not None and abs(one[1] - self._doubtful[1]) <= STEP_US:
            last, first = self._pending[-1], self._doubtful
            self.flush()
            self.knots.append(self._knot(self.knots[-1].offset_us, last[0], [last]))
            self.knots.append(self._knot(first[1], first[0], [first], stepped=True))
            self._pending, self._doubtful = [self._doubtful, one], None
        else:
            self._doubtful = one

    def flush(self) -> None:
        """Tie the reports so far into a knot."""
        if self._pending:
            offset = median_low([one[1] for one in self._pending])
            timestamp = median_low([one[0] for one in self._pending])
            self.knots.append(self._knot(offset, timestamp, self._pending))
            self._pending = []

    def _knot(self, offset: int, timestamp: int, ones: list[_Report], *, stepped: bool = False) -> Knot:
        _, _, ntp_us, at_us = min(ones, key=lambda one: one[3] - one[2])
        return Knot(timestamp, offset, ntp_us, at_us - ntp_us, at_us, stepped)


class Streams:
    """The streams of one track, each with its counter. Both passes count with one of these."""

    def __init__(self, hz: int) -> None:
        self._hz = hz
        self.counting: dict[int, Counting] = {}

    def see(self, ssrc: int, timestamp: int, at_us: int) -> tuple[int, int] | None:
        """The stretch of a packet and its timestamp there; None when there are too many streams."""
        counting = self.counting.get(ssrc)
        if counting is None:
            if len(self.counting) >= STREAMS_MAX:
                return None
            counting = self.counting[ssrc] = Counting(self._hz, timestamp, at_us)
        return counting.see(timestamp, at_us)


@dataclass(slots=True)
class Surveyed:
    """What is known of a track."""

    hz: int
    streams: Streams
    stretches: dict[tuple[int, int], Stretch] = field(default_factory=dict)
    seconds: dict[Codec, int] = field(default_factory=dict)
    """In how many seconds packets of each codec came."""
    second: int = -1


class Survey:
    """Is shown every record of a recording, in order."""

    def __init__(self) -> None:
        self.tracks: dict[int, Surveyed] = {}
        self.described: dict[int, Described] = {}
        self.end_us = 0
        """When the last packet came."""

    def meta(self, body: bytes) -> None:
        """Take a meta record; others than those about tracks say nothing here."""
        read_meta(body, self.described)

    def packet(self, track: int, packet: Packet) -> None:
        """Take a packet or report of a track."""
        data, at_us = packet.data, packet.at_us
        if len(data) < 12 or not _is_track(track):
            return
        self.end_us = max(self.end_us, at_us)
        if _RTCP_FIRST <= data[1] <= _RTCP_LAST:
            self._reports(track, data, at_us)
            return
        described = self.described.get(track)
        codec = described.codecs.get(data[1] & 0x7F) if described else None
        if codec is None or data[0] >> 6 != 2:
            return
        there = self.tracks.get(track)
        if there is None:
            hz = HZ[source_of(track)]
            there = self.tracks[track] = Surveyed(hz, Streams(hz))
        if at_us // 1_000_000 != there.second:
            there.second = at_us // 1_000_000
            there.seconds[codec] = there.seconds.get(codec, 0) + 1
        ssrc = int.from_bytes(data[8:12], "big")
        seen = there.streams.see(ssrc, int.from_bytes(data[4:8], "big"), at_us)
        if seen is None:
            return
        stretch = there.stretches.get((ssrc, seen[0]))
        if stretch is None:
            if len(there.stretches) >= STRETCHES_MAX:
                return
            stretch = there.stretches[ssrc, seen[0]] = Stretch(there.hz)
        stretch.packet(seen[1], at_us)

    def _reports(self, track: int, data: bytes, at_us: int) -> None:
        there = self.tracks.get(track)
        if there is None or data[1] != _SENDER_REPORT:
            return
        try:
            said = [one for one in rtcp.parse(data) if isinstance(one, rtcp.SenderReport)]
        except rtcp.BadRtcp:
            return
        for one in said:
            counting = there.streams.counting.get(one.ssrc)
            timestamp = counting.peek(one.timestamp, at_us) if counting else None
            if counting is None or timestamp is None:
                continue
            stretch = there.stretches.get((one.ssrc, counting.stretch))
            if stretch is not None:
                stretch.report(timestamp, int(one.ntp_s * 1_000_000), at_us)

    def codec(self, track: int) -> Codec | None:
        """What most of a track is in."""
        there = self.tracks.get(track)
        return max(there.seconds.items(), key=lambda one: one[1])[0] if there else None


def _is_track(track: int) -> bool:
    return 0 <= track < TRACKS_MAX and source_of(track) in HZ


def read_meta(body: bytes, described: dict[int, Described]) -> None:
    """Note what a meta record says of a track, if it does."""
    if len(body) > META_BYTES_MAX:
        return
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return
    if not isinstance(said, dict) or said.get("kind") != "track":
        return
    track, codecs, level = said.get("track"), said.get("codecs"), said.get("level", 0)
    if not isinstance(track, int) or not _is_track(track) or not isinstance(codecs, dict):
        return
    known: dict[int, Codec] = {}
    for number, name in codecs.items():
        codec = _codec(name, sound=source_of(track) == AUDIO)
        if codec and number.isascii() and number.isdigit() and int(number) < 128:
            known[int(number)] = codec
    usable = isinstance(level, int) and 0 <= level <= 255
    described[track] = Described(known, int(level) if usable else 0)


def _codec(name: object, *, sound: bool) -> Codec | None:
    found = name.lower() if isinstance(name, str) else ""
    if sound:
        return "opus" if found == "opus" else None
    if found == "vp8":
        return "vp8"
    return "h264" if found == "h264" else None
