"""When to ask a publisher for a key frame: one request for all who want one, repeated until it comes.

Pure.
"""

from __future__ import annotations

SPACING_S = 0.3
"""Between the last key frame or request and the next request: a key frame is big, and many may ask at once.
"""
RETRY_EXTRA_S = 0.1
"""What an encoder may take beyond the round trip."""
RETRY_S_MAX = 2.0
ACTIVE_S = 1.0
"""A source that sent nothing for so long has its camera off, or shows a screen on which nothing moves. The
one cannot answer, the other can: it is asked seldom, and again as soon as it sends.
"""


class KeyframeRequests:
    """The key frame requests of one source. Times are seconds on one monotonic clock."""

    def __init__(self) -> None:
        self.wanted = False
        self.requests = 0
        self._tries = 0
        self._next_at_s = 0.0
        self._spaced_at_s = float("-inf")
        """When the next request would still be too early for a new wish."""
        self._was_silent = False

    def want(self, now_s: float) -> None:
        """Somebody cannot go on without a key frame."""
        if not self.wanted:
            self.wanted = True
            self._tries = 0
            self._next_at_s = max(now_s, self._spaced_at_s)

    def arrived(self, now_s: float) -> None:
        """A key frame came: everybody who waited has it."""
        self.wanted = False
        self._spaced_at_s = now_s + SPACING_S

    def due(self, now_s: float, rtt_s: float, last_media_s: float | None) -> bool:
        """Whether to send a request now (the caller does).

        `last_media_s`: when the source last sent anything.
        """
        if not self.wanted or last_media_s is None:
            return False
        silent = now_s - last_media_s > ACTIVE_S
        if self._was_silent and not silent:
            self._next_at_s, self._tries = self._spaced_at_s, 0
        self._was_silent = silent
        if now_s < self._next_at_s:
            return False
        pause_s = (rtt_s + RETRY_EXTRA_S) * (1 << min(self._tries, 8) // 3)
        self._next_at_s = now_s + (RETRY_S_MAX if silent else min(RETRY_S_MAX, pause_s))
        self._spaced_at_s = now_s + SPACING_S
        self._tries += 1
        self.requests += 1
        return True
