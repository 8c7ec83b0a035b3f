"""Presence kept in this process, and what the other servers said of theirs.

The server a person is connected to writes that person's presence, and says so to the others. When somebody
moves to another server, that one writes from then on; of two presences the one with the later stamp counts.
So no server waits for another, or for Redis, to know who is here.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from signaling.consult.ids import ConsultId, ParticipantId
from signaling.consult.news import PresenceEntry, ServerId, Stamp, is_newer, next_stamp
from signaling.consult.presence import EMPTY, ConsultPresence, with_person

THIS_SERVER: Final = ServerId("this")


class Presences:
    """The presence of every consult somebody is connected to, here or elsewhere."""

    def __init__(self, server: ServerId = THIS_SERVER) -> None:
        """Nobody is here yet."""
        self.server = server
        self._consults: dict[ConsultId, ConsultPresence] = {}
        self._stamps: dict[ConsultId, dict[ParticipantId, Stamp]] = {}
        self._unsaid: set[ConsultId] = set()

    async def get(self, consult: ConsultId) -> ConsultPresence:
        """The presence of a consult; empty if nobody was ever here."""
        return self._consults.get(consult, EMPTY)

    async def update(
        self, consult: ConsultId, change: Callable[[ConsultPresence], ConsultPresence]
    ) -> ConsultPresence:
        """Apply `change` and return the result."""
        before = self._consults.get(consult, EMPTY)
        after = change(before)
        if after is before:
            return after
        self._consults[consult] = after
        stamps = self._stamps.setdefault(consult, {})
        for participant, person in after.people.items():
            if before.people.get(participant) != person:
                stamps[participant] = next_stamp(stamps.values(), self.server)
                self._unsaid.add(consult)
        return after

    async def forget(self, consult: ConsultId) -> None:
        """Drop the presence of a consult."""
        self._consults.pop(consult, None)
        self._stamps.pop(consult, None)
        self._unsaid.discard(consult)

    async def known(self) -> Sequence[ConsultId]:
        """The consults that have presence here."""
        return tuple(self._consults)

    def is_mine(self, consult: ConsultId, participant: ParticipantId) -> bool:
        """Whether no other server has written this person's presence since this one did."""
        stamp = self._stamps.get(consult, {}).get(participant)
        return stamp is None or stamp.server == self.server

    def entries(self, consult: ConsultId) -> tuple[PresenceEntry, ...]:
        """Everything that is known of a consult's people, to tell others."""
        people = self._consults.get(consult, EMPTY).people
        return tuple(
            PresenceEntry(participant=participant, person=people[participant], stamp=stamp)
            for participant, stamp in self._stamps.get(consult, {}).items()
        )

    def merge(self, consult: ConsultId, entries: Iterable[PresenceEntry]) -> bool:
        """Take over what another server said, as far as it is newer. Returns whether anything was."""
        before = after = self._consults.get(consult, EMPTY)
        stamps = self._stamps.get(consult, {})
        for entry in entries:
            if is_newer(entry, stamps.get(entry.participant)):
                stamps = {**stamps, entry.participant: entry.stamp}
                after = with_person(after, entry.participant, entry.person)
        if stamps:
            self._consults[consult] = after
            self._stamps[consult] = stamps
        return after is not before

    def written_by(self, server: ServerId) -> tuple[tuple[ConsultId, ParticipantId], ...]:
        """Whose presence this server was the last to write."""
        return tuple(
            (consult, participant)
            for consult, stamps in self._stamps.items()
            for participant, stamp in stamps.items()
            if stamp.server == server
        )

    def take_unsaid(self, consult: ConsultId) -> bool:
        """Whether anything was written here since the last time this was asked."""
        was = consult in self._unsaid
        self._unsaid.discard(consult)
        return was
