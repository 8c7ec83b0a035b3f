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
"""A source that sent nothing for so long has its camera off; asking it is pointless until it sends again."""


class KeyframeRequests:
    """The key frame requests of one source. Times are seconds on one monotonic clock."""

    def __init__(self) -> None:
        self.wanted = False
        self.requests = 0
        self._tries = 0
        self._next_at_s = 0.0
        self._requested_at_s = float("-inf")

    def want(self, now_s: float) -> None:
        """Somebody cannot go on without a key frame."""
        if not self.wanted:
            self.wanted = True
            self._tries = 0
            self._next_at_s = max(now_s, self._requested_at_s + SPACING_S)

    def arrived(self) -> None:
        """A key frame came: everybody who waited has it."""
        self.wanted = False

    def due(self, now_s: float, rtt_s: float, last_media_s: float | None) -> bool:
        """Whether to send a request now (the caller does).

        `last_media_s`: when the source last sent anything.
        """
        if not self.wanted or now_s < self._next_at_s:
            return False
        if last_media_s is None or now_s - last_media_s > ACTIVE_S:
            return False
        self._requested_at_s = now_s
        self._next_at_s = now_s + min(RETRY_S_MAX, (rtt_s + RETRY_EXTRA_S) * (1 << min(self._tries, 8) // 3))
        self._tries += 1
        self.requests += 1
        return True
