"""What must not be played although it is sealed: what arrived after somebody had taken their consent back.

A recorder holds packets back so that a revocation keeps them out of the file. Where it hears of one later
than that, the part says so in a meta record of kind `cut`: from `at_us` on until that record nothing counts.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from typing import Final

CUTS_MAX: Final = 10_000
"""Far more than anybody revokes; whoever writes more has everything left out from there on."""


class Cuts:
    """The cuts of a recording, taken in the order of its records."""

    def __init__(self) -> None:
        self._begins: list[int] = []
        self._ends: list[int] = []

    def meta(self, at_us: int, body: bytes) -> None:
        """Take a meta record that was written at `at_us`; those of other kinds say nothing here."""
        try:
            said = json.loads(body)
        except (ValueError, RecursionError):
            return
        if not isinstance(said, dict) or said.get("kind") != "cut" or not isinstance(said.get("at_us"), int):
            return
        begin_us = max(0, said["at_us"])
        while self._begins and begin_us <= self._begins[-1]:
            self._begins.pop()
            self._ends.pop()
        if len(self._begins) < CUTS_MAX:
            self._begins.append(begin_us)
            self._ends.append(at_us)

    def keeps(self, at_us: int) -> bool:
        """Whether what arrived then may be played."""
        place = bisect_right(self._begins, at_us - 1) - 1
        return place < 0 or at_us > self._ends[place]
