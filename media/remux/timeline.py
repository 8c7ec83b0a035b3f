"""Where a packet belongs in the time of the recording. Pure.

A sender's reports tie the counters of all its streams to one clock of its own, so what it captured together
stays together. That clock is tied to ours by the reports that were the least delayed: the lower envelope of
(arrival - clock), which nothing but the clocks' drift can bend. Streams without reports go by the arrival of
their packets in the same way.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from media.remux.survey import Knot, Stretch, Survey

DRIFT_PPM_MAX: Final = 500
"""Clocks differ by less; a delay that changes faster is a queue in the network."""
SAME_CLOCK_US: Final = 60_000
"""Delays of one clock differ by less when they are measured at the same time."""
LEVEL_US: Final = 60_000_000
"""A delay that is different for so long is no queue: a clock was stopped or set."""
SET_US: Final = 400_000
CLIFF_US: Final = 300_000
"""No drift puts two knots so far apart: something stood still between them."""
EARLIER_US_MAX, LATER_US_MAX = 6_000_000, 500_000
"""How far from its arrival a packet may belong."""


@dataclass(slots=True)
class _Clock:
    """A sender's clock while it was not set: (clock, delay) in its order."""

    points: list[tuple[int, int]]
    last_us: int
    """Arrival of the latest report of it."""

    def delay_us(self, ntp_us: int) -> int:
        return round(_between(self.points, ntp_us))


def _between(points: list[tuple[int, int]], at: int) -> float:
    """The value of a broken line at a place; level before its first point and after its last."""
    index = bisect_right(points, (at, 1 << 62))
    if index == 0 or index == len(points):
        return points[max(0, index - 1)][1]
    (left, low), (right, high) = points[index - 1], points[index]
    return low + (high - low) * (at - left) / (right - left)


def envelope(points: Iterable[tuple[int, int]], hz: int = 1_000_000) -> list[tuple[int, int]]:
    """The highest broken line below all points that rises and falls by no more than clocks drift.

    Points are (place in 1/hz s, microseconds); the answer has each place once.
    """
    lowest: dict[int, int] = {}
    for at, value in points:
        lowest[at] = min(value, lowest.get(at, value))
    places = sorted(lowest)
    step = DRIFT_PPM_MAX / hz
    for order in (places, places[::-1]):
        before, low = order[0], float(lowest[order[0]])
        for at in order:
            low = min(lowest[at], low + abs(at - before) * step)
            lowest[at] = round(low)
            before = at
    return [(at, lowest[at]) for at in places]


class _Mapping:
    """From the timestamps of a stretch to the recording: a broken line, read from left to right mostly."""

    def __init__(self, points: list[tuple[int, int]], hz: int) -> None:
        self._points = points
        self._hz = hz
        self._from = self._until = 0
        self._value = self._rise = self._slope = 0.0

    def at_us(self, timestamp: int, arrived_us: int) -> int:
        if not self._from <= timestamp < self._until:
            self._find(timestamp)
        at_us = timestamp * 1_000_000 // self._hz
        if abs(self._rise) > CLIFF_US:  # it happened somewhere here, and the arrival tells on which side
            left, right = at_us + self._value, at_us + self._value + self._rise
            return int(left if abs(left - arrived_us) < abs(right - arrived_us) else right)
        return at_us + int(self._value + self._slope * (timestamp - self._from))

    def _find(self, timestamp: int) -> None:
        points = self._points
        index = bisect_right(points, (timestamp, 1 << 62))
        if index == 0 or index == len(points):
            edge = points[max(0, index - 1)]
            self._from, self._until = (edge[0], 1 << 62) if index else (-(1 << 62), edge[0])
            self._value, self._rise, self._slope = edge[1], 0.0, 0.0
            return
        (left, low), (right, high) = points[index - 1], points[index]
        self._from, self._until = left, right
        self._value, self._rise, self._slope = low, high - low, (high - low) / (right - left)


class Timeline:
    """What a survey comes to."""

    def __init__(self, survey: Survey) -> None:
        self._mappings: dict[tuple[int, int, int], _Mapping] = {}
        people: dict[int, list[tuple[int, int, int, Stretch]]] = {}
        for track, there in survey.tracks.items():
            for (ssrc, number), stretch in there.stretches.items():
                stretch.flush()
                people.setdefault(track >> 2, []).append((track, ssrc, number, stretch))
        for streams in people.values():
            self._place(streams)

    def at_us(self, track: int, ssrc: int, stretch: int, timestamp: int, arrived_us: int) -> int:
        """When it was captured, in microseconds of the recording, but for what the network takes at least.

        `stretch` and `timestamp` as `ordering.Counting` says them.
        """
        mapping = self._mappings.get((track, ssrc, stretch))
        if mapping is None:
            return arrived_us
        found = mapping.at_us(timestamp, arrived_us)
        if arrived_us - EARLIER_US_MAX <= found <= arrived_us + LATER_US_MAX:
            return max(0, found)
        return arrived_us

    def _place(self, streams: list[tuple[int, int, int, Stretch]]) -> None:
        """Tie the streams of one sender to the recording."""
        knots = [(knot, index) for index, one in enumerate(streams) for knot in one[3].knots]
        clocks = _clocks(sorted(knots, key=lambda one: one[0].at_us))
        points: list[list[tuple[int, int]]] = [[] for _ in streams]
        for clock, known in clocks:
            for knot, index in known:
                ntp_us = knot.timestamp * 1_000_000 // streams[index][3].hz + knot.offset_us
                points[index].append((knot.timestamp, knot.offset_us + clock.delay_us(ntp_us)))
        for (track, ssrc, number, stretch), found in zip(streams, points, strict=True):
            line = sorted(dict(found).items())
            if not line:
                arrivals = zip(stretch.arrivals[::2], stretch.arrivals[1::2], strict=True)
                line = envelope(arrivals, stretch.hz)
            self._mappings[track, ssrc, number] = _Mapping(line, stretch.hz)


def _clocks(knots: list[tuple[Knot, int]]) -> list[tuple[_Clock, list[tuple[Knot, int]]]]:
    """The clocks a sender had, one after the other, each with the knots that were told by it."""
    found: list[tuple[_Clock, list[tuple[Knot, int]]]] = []
    latest: dict[int, int] = {}  # stream -> its clock
    for knot, stream in knots:
        known = latest.get(stream)
        if known is None or knot.stepped:
            known = _same(found, knot)
        if known is None:
            known = len(found)
            found.append((_Clock([], knot.at_us), []))
        latest[stream] = known
        clock, members = found[known]
        clock.points.append((knot.ntp_us, knot.delay_us))
        clock.last_us = knot.at_us
        members.append((knot, stream))
    return [part for whole in found for part in _unstopped(*whole)]


def _same(found: list[tuple[_Clock, list[tuple[Knot, int]]]], knot: Knot) -> int | None:
    """Which of the clocks a stream goes by that begins, or whose clock was set."""
    for number in range(len(found) - 1, -1, -1):
        clock = found[number][0]
        if abs(clock.points[-1][1] - knot.delay_us) <= SAME_CLOCK_US:
            return number
    return None


def _unstopped(clock: _Clock, members: list[tuple[Knot, int]]) -> list[tuple[_Clock, list[tuple[Knot, int]]]]:
    """Take a clock apart where it stood still (its computer slept), and draw its envelopes."""
    parts: list[list[tuple[Knot, int]]] = [[]]
    members = sorted(members, key=lambda one: one[0].at_us)
    for index, (knot, stream) in enumerate(members):
        if index and abs(knot.delay_us - members[index - 1][0].delay_us) > SET_US / 2:
            before, after = _floor(members, index, -1), _floor(members, index, 1)
            if abs(before - after) > SET_US:
                parts.append([])
        parts[-1].append((knot, stream))
    return [
        (_Clock(envelope((knot.ntp_us, knot.delay_us) for knot, _ in part), clock.last_us), part)
        for part in parts
    ]


def _floor(members: list[tuple[Knot, int]], index: int, way: int) -> int:
    """The smallest delay in the minute before a knot, or in the one that it begins."""
    here = members[index][0].at_us
    place = index if way > 0 else index - 1
    low = members[place][0].delay_us
    while 0 <= place < len(members) and abs(members[place][0].at_us - here) <= LEVEL_US:
        low = min(low, members[place][0].delay_us)
        place += way
    return low
