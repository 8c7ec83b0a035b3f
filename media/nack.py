"""Which packets of a source are missing, and when to ask for them again.

Pure: time is an argument, in seconds.
"""

from __future__ import annotations

REORDER_GUARD_S = 0.010
"""A packet may be overtaken by others; it is asked for only after this long."""
RETRY_S_MIN = 0.020
TRIES_MAX = 10
AGE_S_MAX = 2.0
"""As long as the sender's history can be expected to reach."""
MISSING_MAX = 512
"""More than that at once is an outage; a key frame is cheaper than repairing it."""


class NackTracker:
    """Follows the sequence numbers of one source."""

    def __init__(self) -> None:
        self._newest: int | None = None
        self._missing: dict[int, list[float]] = {}
        """Number -> [noticed at, ask at, tries], oldest first."""
        self.gave_up = 0
        self.recovered = 0

    @property
    def has_missing(self) -> bool:
        return bool(self._missing)

    def is_missing(self, number: int) -> bool:
        """Whether this packet was noticed missing and has not come since."""
        return number in self._missing

    def is_outage(self, number: int) -> bool:
        """Whether this packet comes after more missing ones than can be repaired; before `arrived`."""
        return self._newest is not None and number - self._newest - 1 > MISSING_MAX

    def arrived(self, number: int, now_s: float) -> bool:
        """Note an unwrapped sequence number.

        True when the packet had been missing, or is newer than all others.
        """
        newest = self._newest
        if newest is None:
            self._newest = number
            return True
        if number <= newest:
            if self._missing.pop(number, None) is None:
                return False
            self.recovered += 1
            return True
        if self.is_outage(number):
            self.gave_up += len(self._missing) + number - newest - 1
            self._missing.clear()
        else:
            for missing in range(newest + 1, number):
                self._missing[missing] = [now_s, now_s + REORDER_GUARD_S, 0]
            while len(self._missing) > MISSING_MAX:
                self._drop(next(iter(self._missing)))
        self._newest = number
        return True

    def keyframe(self, number: int) -> None:
        """A key frame begins at this number: what is missing before it is not worth asking for.

        What it has merely overtaken may still come by itself.
        """
        for missing, entry in self._missing.items():
            if missing < number:
                entry[2] = TRIES_MAX

    def due(self, now_s: float, rtt_s: float) -> list[int]:
        """The numbers to ask for now; each is then due again one round trip later."""
        wanted = []
        for number, entry in list(self._missing.items()):
            if entry[2] >= TRIES_MAX or now_s - entry[0] > AGE_S_MAX:
                if now_s >= entry[1]:
                    self._drop(number)
            elif now_s >= entry[1]:
                entry[1] = now_s + max(rtt_s, RETRY_S_MIN)
                entry[2] += 1
                wanted.append(number)
        return wanted

    def next_due_s(self) -> float | None:
        """When `due` has something to say next; None when nothing is missing."""
        return min((entry[1] for entry in self._missing.values()), default=None)

    def _drop(self, number: int) -> None:
        del self._missing[number]
        self.gave_up += 1
