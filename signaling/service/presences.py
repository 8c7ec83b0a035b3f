"""Presence kept in this process: what one server needs."""

from collections.abc import Callable, Sequence

from signaling.consult.presence import EMPTY, ConsultPresence
from signaling.consult.values import ConsultId


class InProcessPresence:
    """A `PresenceStore` for one server. Bounded by the consults people are connected to."""

    def __init__(self) -> None:
        """Nobody is here yet."""
        self._consults: dict[ConsultId, ConsultPresence] = {}

    async def get(self, consult: ConsultId) -> ConsultPresence:
        """The presence of a consult; empty if nobody was ever here."""
        return self._consults.get(consult, EMPTY)

    async def update(
        self, consult: ConsultId, change: Callable[[ConsultPresence], ConsultPresence]
    ) -> ConsultPresence:
        """Apply `change` and return the result."""
        after = change(self._consults.get(consult, EMPTY))
        if after is not EMPTY:
            self._consults[consult] = after
        return after

    async def forget(self, consult: ConsultId) -> None:
        """Drop the presence of a consult."""
        self._consults.pop(consult, None)

    async def known(self) -> Sequence[ConsultId]:
        """The consults that have presence here."""
        return tuple(self._consults)
