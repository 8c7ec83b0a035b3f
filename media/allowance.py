"""Which pictures one subscriber is sent: smaller, then fewer while its line is congested. Pure."""

from __future__ import annotations

from typing import Literal

from media.downlink import Congestion

SETTLE_S = 2.5
"""After a step down: the small picture's key frame takes a round trip, and the queue its time to empty."""
PAUSE_AFTER_S = 1.5
"""Of congestion without a break: a moment's queue is no reason to take a picture away."""
TRY_AGAIN_S = {"whole": 8.0, "shown": 4.0}
"""Without congestion, until a picture is made whole, or shown at all, again."""
WHOLE_AFTER_HEAVY_S = 30.0
TRY_AGAIN_S_MAX = 120.0
PROVEN_S = 20.0
"""A picture that has been back for so long without congestion is there to stay."""

Step = Literal["whole", "shown"]


class Allowance:
    """Begins with everything; steps down when congested, and back up one by one, rarer where that fails."""

    def __init__(self) -> None:
        self._less = 0
        self._changed_at_s = float("-inf")
        self._added: tuple[Step, float] | None = None
        """The last step back up, and when."""
        self._try_again_s = dict(TRY_AGAIN_S)
        self._clear_since_s = self._congested_since_s = float("-inf")

    def steps(
        self, smaller: int, fewer: int, *, congestion: Congestion, now_s: float, whole_fits: bool = True
    ) -> tuple[int, int]:
        """How many pictures are sent small, and how many not at all. Call several times a second.

        Args:
            smaller: how many could be sent small; this comes first.
            fewer: how many there are.
            whole_fits: whether another small one may be made whole, by what the line has carried.
        """
        self._less = min(self._less, smaller + fewer)
        if congestion != "none":
            self._clear_since_s = now_s
            lasts_s = now_s - self._congested_since_s
            may = self._less < smaller or lasts_s >= PAUSE_AFTER_S
            if may and self._less < smaller + fewer and now_s - self._changed_at_s >= SETTLE_S:
                stage = smaller if self._less < smaller else smaller + fewer
                self._take(stage - self._less if congestion == "heavy" else 1, now_s)
        else:
            self._congested_since_s = now_s
            step: Step = "shown" if self._less > smaller else "whole"
            if step == "shown" or whole_fits:
                self._give_back(step, now_s)
        return min(self._less, smaller), max(0, self._less - smaller)

    def _take(self, steps: int, now_s: float) -> None:
        if steps > 1:
            self._try_again_s["whole"] = max(self._try_again_s["whole"], WHOLE_AFTER_HEAVY_S)
        if self._added is not None and now_s - self._added[1] < PROVEN_S:
            step = self._added[0]
            self._try_again_s[step] = min(TRY_AGAIN_S_MAX, self._try_again_s[step] * 2)
        self._added = None
        self._less += steps
        self._changed_at_s = now_s

    def _give_back(self, step: Step, now_s: float) -> None:
        if self._added is not None and now_s - self._added[1] >= PROVEN_S:
            self._try_again_s[self._added[0]] = TRY_AGAIN_S[self._added[0]]
            self._added = None
        since_s = max(self._changed_at_s, self._clear_since_s)
        if self._less and now_s - since_s >= self._try_again_s[step]:
            self._less -= 1
            self._changed_at_s = now_s
            self._added = (step, now_s)
