"""Numbers what we send to one peer, over all its slots, and counts from its feedback what got lost. Pure.

This is what a congestion controller will read. Today it tells loss on the way down apart from loss on the way
up, which the subscriber's own reports cannot.
"""

from __future__ import annotations

from media.twcc import Arrival

DOUBTFUL_MAX = 1_000
"""Packets reported lost that may yet be reported late."""
STATUSES_PER_PACKET = 4
"""A packet may be spoken of more than once, when others came late; more than that only costs us time."""
STATUSES_MAX = 0x10000


class SendLog:
    """The transport-wide sequence numbers of one peer."""

    def __init__(self) -> None:
        self._next = 0
        self._doubtful: dict[int, None] = {}
        self._statuses = 0
        self.reported = 0
        """Packets the peer has said anything about."""
        self.lost = 0

    def number(self) -> int:
        """The 16 bit number for the next packet."""
        number = self._next
        self._next = (number + 1) & 0xFFFF
        self._doubtful.pop(number, None)
        self._statuses = min(STATUSES_MAX, self._statuses + STATUSES_PER_PACKET)
        return number

    def may_be_told(self, count: int) -> bool:
        """Whether a feedback about so many packets is worth reading, after what we have sent."""
        if count > self._statuses:
            return False
        self._statuses -= count
        return True

    def feedback(self, arrivals: list[Arrival]) -> None:
        """The peer says which packets came; one that was lost before may turn out to be late."""
        for arrival in arrivals:
            known_lost = arrival.number in self._doubtful
            if arrival.at_s is not None and known_lost:
                del self._doubtful[arrival.number]
                self.lost -= 1
            elif not known_lost:
                self.reported += 1
                if arrival.at_s is None:
                    self.lost += 1
                    self._doubtful[arrival.number] = None
        while len(self._doubtful) > DOUBTFUL_MAX:
            del self._doubtful[next(iter(self._doubtful))]
