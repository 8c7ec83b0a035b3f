"""Brings the packets of a stream into the order in which they were sent; knows their clocks' counters. Pure.

What came is what a forwarder saw: out of order, some of it late because it had to be asked for again, some of
it twice.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Final, Generic, TypeVar

from media.rtp import unwrap

HOLE_US: Final = 2_000_000
"""How long a packet that is missing is waited for."""
AHEAD_MAX: Final = 4_096
"""Packets: so many wait for a missing one at most."""
BEFORE_FIRST: Final = 32
"""Packets before the first that came: so many may still come."""
TWICE_MAX: Final = 512
"""Packets: one that is so little behind after a silence has been given already."""
JUMP_US: Final = 10_000_000
"""A counter that is further from where it should be has begun anew."""
STRETCHES_MAX: Final = 500
"""Counters of one track that begin: nobody's does so often."""

T = TypeVar("T")


class Counting:
    """Makes the 32 bit timestamps of a stream unbounded, and notices when they begin anew.

    They are expected to go on as the time of arrival does, so that a long pause is no riddle. Fed with the
    same packets it says the same again.
    """

    __slots__ = ("_before", "_hz", "_last", "_last_us", "stretch")

    def __init__(self, hz: int, timestamp: int, at_us: int) -> None:
        self._hz = hz
        self._last = timestamp
        self._last_us = at_us
        self._before = (0, 0)
        self.stretch = 0
        """How often the counter began anew."""

    def see(self, timestamp: int, at_us: int) -> tuple[int, int]:
        """The stretch of a packet and its timestamp there."""
        expected = self._last + (at_us - self._last_us) * self._hz // 1_000_000
        found = unwrap(timestamp, expected, 32)
        far = JUMP_US * self._hz // 1_000_000
        if -far < found - expected < far:
            if found > self._last:
                self._last, self._last_us = found, at_us
            return self.stretch, found
        if self.stretch:
            last, last_us = self._before
            expected = last + (at_us - last_us) * self._hz // 1_000_000
            late = unwrap(timestamp, expected, 32)
            if -far < late - expected < far:
                return self.stretch - 1, late
        if self.stretch < STRETCHES_MAX:
            self.stretch += 1
        self._before = (self._last, self._last_us)
        self._last, self._last_us = found, at_us
        return self.stretch, found

    def peek(self, timestamp: int, at_us: int) -> int | None:
        """The timestamp of a report in the present stretch; None when it cannot be of it."""
        expected = self._last + (at_us - self._last_us) * self._hz // 1_000_000
        found = unwrap(timestamp, expected, 32)
        return found if abs(found - expected) < JUMP_US * self._hz // 1_000_000 else None


class Ordering(Generic[T]):
    """The packets of one stream that cannot be given on yet, because one before them is missing."""

    def __init__(self) -> None:
        self._next: int | None = None
        self._ahead: dict[int, T] = {}
        self._came: deque[tuple[int, int]] = deque()
        """When each of them came, and its number; in this order."""
        self._last_us = 0

    def add(self, number: int, at_us: int, packet: T) -> Sequence[tuple[T, bool]]:
        """Take a packet with its 16 bit number. Gives the packets whose turn it is, and whether some before
        are lost.
        """
        if self._next is None:
            self._next = number - BEFORE_FIRST
        place = unwrap(number, self._next)
        idle, self._last_us = at_us - self._last_us > HOLE_US, max(at_us, self._last_us)
        if place == self._next and not self._came:
            self._next += 1
            return ((packet, False),)
        given: list[tuple[T, bool]] = []
        if place != self._next and (idle or abs(place - self._next) > AHEAD_MAX):
            given += self.rest()
            if -TWICE_MAX <= place - self._next < 0:
                return given
            first = place - BEFORE_FIRST
            self._next = max(first, self._next) if place >= self._next else first
        elif place < self._next:
            return ()
        if place not in self._ahead:
            self._ahead[place] = packet
            self._came.append((at_us, place))
        given += self._in_order()
        return given + self.due(at_us) if self._came else given

    def due(self, now_us: int) -> list[tuple[T, bool]]:
        """The packets that have waited long enough."""
        given: list[tuple[T, bool]] = []
        while self._came and (now_us - self._came[0][0] > HOLE_US or len(self._ahead) > AHEAD_MAX):
            given += self._over_hole()
        return given

    def rest(self) -> list[tuple[T, bool]]:
        """Everything that waits."""
        given: list[tuple[T, bool]] = []
        while self._ahead:
            given += self._over_hole()
        return given

    def _over_hole(self) -> list[tuple[T, bool]]:
        self._next = min(self._ahead)
        given = self._in_order()
        given[0] = (given[0][0], True)
        return given

    def _in_order(self) -> list[tuple[T, bool]]:
        assert self._next is not None  # noqa: S101 (a packet came)
        given = []
        while self._next in self._ahead:
            given.append((self._ahead.pop(self._next), False))
            self._next += 1
        while self._came and self._came[0][1] < self._next:
            self._came.popleft()
        return given
