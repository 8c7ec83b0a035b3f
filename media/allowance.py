"""Which pictures one subscriber is sent: smaller, then fewer while its line is congested. Pure."""

from __future__ import annotations

from media.downlink import Congestion

SETTLE_S = 1.0
"""After a picture less, until the queue has had time to empty."""
TRY_AGAIN_S = 8.0
TRY_AGAIN_AFTER_HEAVY_S = 30.0
TRY_AGAIN_S_MAX = 120.0
PROVEN_S = 20.0
"""A picture that has been back for so long without congestion is there to stay."""


class Allowance:
    """Starts with all; fewer when congested, back one at a time, ever more rarely where that fails."""

    def __init__(self) -> None:
        self._less = 0
        self._changed_at_s = float("-inf")
        self._added_at_s: float | None = None
        self._try_again_s = TRY_AGAIN_S
        self._clear_since_s = float("-inf")

    def steps(self, smaller: int, fewer: int, *, congestion: Congestion, now_s: float) -> tuple[int, int]:
        """How many pictures are sent small, and how many not at all. Call several times a second.

        Args:
            smaller: how many could be sent small; this comes first.
            fewer: how many there are.
        """
        self._less = min(self._less, smaller + fewer)
        if congestion != "none":
            self._clear_since_s = now_s
            if self._less < smaller + fewer and now_s - self._changed_at_s >= SETTLE_S:
                step = smaller if self._less < smaller else smaller + fewer
                self._take(step - self._less if congestion == "heavy" else 1, now_s)
        else:
            self._give_back(now_s)
        return min(self._less, smaller), max(0, self._less - smaller)

    def _take(self, steps: int, now_s: float) -> None:
        if steps > 1:
            self._try_again_s = max(self._try_again_s, TRY_AGAIN_AFTER_HEAVY_S)
        if self._added_at_s is not None and now_s - self._added_at_s < PROVEN_S:
            self._try_again_s = min(TRY_AGAIN_S_MAX, self._try_again_s * 2)
        self._added_at_s = None
        self._less += steps
        self._changed_at_s = now_s

    def _give_back(self, now_s: float) -> None:
        if self._added_at_s is not None and now_s - self._added_at_s >= PROVEN_S:
            self._try_again_s, self._added_at_s = TRY_AGAIN_S, None
        since_s = max(self._changed_at_s, self._clear_since_s)
        if self._less and now_s - since_s >= self._try_again_s:
            self._less -= 1
            self._changed_at_s = self._added_at_s = now_s
