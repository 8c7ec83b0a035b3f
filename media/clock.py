"""The time as all parts of a worker see it; read once for each datagram and each tick, set by hand in
tests.
"""

from __future__ import annotations

import time


class Clock:
    """`now_s` is monotonic. `wall_s` is the wall clock at the start plus what has passed: it never jumps."""

    def __init__(self, now_s: float | None = None, wall_s: float | None = None) -> None:
        self.now_s = time.monotonic() if now_s is None else now_s
        self._wall_minus_now_s = (time.time() if wall_s is None else wall_s) - self.now_s

    @property
    def wall_s(self) -> float:
        """Seconds since 1970, for sender reports."""
        return self.now_s + self._wall_minus_now_s

    def read(self) -> float:
        """Bring `now_s` up to date and return it."""
        self.now_s = time.monotonic()
        return self.now_s
