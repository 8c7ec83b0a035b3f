"""How one subscriber's line takes what we send: how long packets queue on the way, how many get lost. Pure.

From transport-wide feedback alone. A packet's time on the way has an unknown constant in it, the two clocks'
difference; the smallest seen in the last half minute stands for an empty queue, and what is above it is the
queue (RFC 8836's delay signal; the minimum over a short while, so that jitter is no queue).
"""

from __future__ import annotations

from array import array
from collections import deque
from typing import Literal

from media.twcc import Arrival

KEPT = 8_192
"""Packets remembered until they are reported; at 2,000 a second that is four seconds. A power of two."""
WINDOW_S = 0.6
BASE_S = 15.0
"""Half of the time an empty queue is remembered for."""
QUEUE_S_MAX = 0.15
LOSS_MAX = 0.15
LOSS_HEAVY = 0.35
"""More than half as much again is sent as goes through."""
SAME_S = 3.0
"""Between two moments of one congestion."""
LIMIT_KEPT_S = 60.0
"""A line may have become better since."""
BETTER = 1.2
PACKETS_MIN = 20
"""In a window, before it says anything."""

Congestion = Literal["none", "some", "heavy"]


class Downlink:
    """The recent past of one connection; times on our clock but for arrivals, which are on the peer's."""

    def __init__(self) -> None:
        self._sent_at_s = array("d", bytes(8 * KEPT))
        self._numbers = array("l", [-1]) * KEPT
        self._sizes = array("l", bytes(8 * KEPT))
        self._recent: deque[tuple[float, float | None, int]] = deque()
        """When it was reported, its time on the way, None for a lost one, and its bytes."""
        self._limit_kbps: float | None = None
        self._limited_at_s = 0.0
        self._bases = [float("inf"), float("inf")]
        self._base_since_s: float | None = None

    def sent(self, number: int, now_s: float, *, size: int) -> None:
        """A packet of `size` bytes with this 16 bit number goes out."""
        place = number % KEPT
        self._sizes[place] = size
        self._sent_at_s[place] = now_s
        self._numbers[place] = number

    def reported(self, arrivals: list[Arrival], now_s: float) -> None:
        """The peer says which packets came, and when."""
        if self._base_since_s is None or now_s - self._base_since_s > BASE_S:
            self._base_since_s = now_s
            self._bases = [self._bases[1], float("inf")]
        for arrival in arrivals:
            place = arrival.number % KEPT
            if self._numbers[place] != arrival.number:
                continue
            self._numbers[place] = -1
            on_way_s = None if arrival.at_s is None else arrival.at_s - self._sent_at_s[place]
            if on_way_s is not None:
                self._bases[1] = min(self._bases[1], on_way_s)
            self._recent.append((now_s, on_way_s, self._sizes[place]))
        self._forget(now_s)

    def congestion(self, now_s: float) -> Congestion:
        """Whether more is sent than goes through: a queue that does not empty, or many packets lost."""
        self._forget(now_s)
        if len(self._recent) < PACKETS_MIN:
            return "none"
        came = [on_way_s for _, on_way_s, _ in self._recent if on_way_s is not None]
        lost = 1 - len(came) / len(self._recent)
        queued = bool(came) and min(came) - min(self._bases) > QUEUE_S_MAX
        if not queued and lost <= LOSS_MAX:
            return "none"
        self._note_limit(now_s)
        return "heavy" if lost > LOSS_HEAVY else "some"

    def _note_limit(self, now_s: float) -> None:
        """What goes through a full line is what it can do; at the begin of a congestion it is less."""
        before_kbps = self._limit_kbps or 0.0 if now_s - self._limited_at_s < SAME_S else 0.0
        self._limit_kbps, self._limited_at_s = max(self._carried_kbps(), before_kbps), now_s

    def may_carry(self, more_kbps: float, now_s: float) -> bool:
        """Whether so much more may go through; not if that is more than it carried when it was full."""
        if self._limit_kbps is None or now_s - self._limited_at_s > LIMIT_KEPT_S:
            return True
        return self._carried_kbps() + more_kbps <= self._limit_kbps * BETTER

    def _carried_kbps(self) -> float:
        """What has arrived of late."""
        came = sum(size for _, on_way_s, size in self._recent if on_way_s is not None)
        return came * 8 / 1_000 / WINDOW_S

    def _forget(self, now_s: float) -> None:
        while self._recent and now_s - self._recent[0][0] > WINDOW_S:
            self._recent.popleft()
