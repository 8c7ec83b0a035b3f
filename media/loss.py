"""The share of packets lost over some time, from counters that only ever grow a little. Pure."""

from __future__ import annotations


class LossMeter:
    """Compares counters at least `window_s` apart; single reports cover too few packets to mean anything."""

    def __init__(self, window_s: float) -> None:
        self._window_s = window_s
        self._last: tuple[int, int, float] | None = None
        self.fraction = 0.0
        """0 to 1, over the last complete window."""

    def read(self, expected: int, lost: int, now_s: float) -> float:
        """Note the counters; returns `fraction`.

        One that went back, as after a new start, counts as no change.
        """
        if self._last is None:
            self._last = (expected, lost, now_s)
        elif now_s - self._last[2] >= self._window_s:
            due, gone = expected - self._last[0], lost - self._last[1]
            self.fraction = min(1.0, max(0, gone) / due) if due > 0 else 0.0
            self._last = (expected, lost, now_s)
        return self.fraction
