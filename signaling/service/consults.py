"""Consults as the service works on them: one lock each, loaded once, appended with bounded retries."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Final

from signaling.consult import deadlines
from signaling.consult.case import Events
from signaling.consult.commands import Command
from signaling.consult.engagement import engaged
from signaling.consult.evolve import replay
from signaling.consult.ids import ConsultId, ParticipantId
from signaling.consult.people import NO_NOTES, Notes, Person
from signaling.consult.rules import decide
from signaling.consult.values import Actor, Consult
from signaling.errors import Code, Engaged, Refused, VersionConflict
from signaling.ports import NO_ROWS, Clinics, Clock, ConsultStore, SideRows
from signaling.protocol.views import Seen
from signaling.service.locks import KeyedLocks
from signaling.service.presences import Presences

ATTEMPTS_MAX: Final = 5  # on a version conflict; another server writes at most a few events a second
LOADED_MAX: Final = 1000  # consults kept in memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A consult with the rows its views need."""

    consult: Consult
    people: Mapping[ParticipantId, Person]
    continued_as: ConsultId | None
    notes: Notes = NO_NOTES


def no_rows(_: Events) -> SideRows:
    """The rows of a command that has none."""
    return NO_ROWS


def _with_engaged(rows: SideRows, before: Consult, after: Consult) -> SideRows:
    """Say which interpreters are taken up, where that changes."""
    if engaged(before) == engaged(after):
        return rows
    return replace(rows, engaged=engaged(after))


class Consults:
    """Loads, decides and appends. Callers hold the consult's lock around `act` and what follows from it."""

    def __init__(self, *, store: ConsultStore, clock: Clock, presence: Presences, clinics: Clinics) -> None:
        """Work on the consults of `store`."""
        self.store = store
        self.presence = presence
        self._clock = clock
        self._clinics = clinics
        self._locks = KeyedLocks()
        self._loaded: OrderedDict[ConsultId, Loaded] = OrderedDict()
        self._unsaid: set[ConsultId] = set()
        self._overtaken: set[ConsultId] = set()  # read anew after another server wrote; nobody was shown that

    def hold(self, key: str) -> AbstractAsyncContextManager[None]:
        """The lock of a consult (or of whoever makes a new one)."""
        return self._locks.hold(key)

    async def load(self, consult_id: ConsultId) -> Loaded:
        """The consult, or `Refused` with `not_found`."""
        found = self._loaded.get(consult_id)
        if found is not None:
            self._loaded.move_to_end(consult_id)
            return found
        consult = await self.store.load(consult_id)
        if consult is None:
            raise Refused(Code.NOT_FOUND, "no such consult")
        return self._keep(
            Loaded(
                consult=consult,
                people=await self.store.directory(consult_id),
                continued_as=await self.store.continued_as(consult_id) if consult.over else None,
                notes=await self.store.notes(consult_id),
            )
        )

    def peek(self, consult_id: ConsultId) -> Consult | None:
        """The consult as it is kept in memory, perhaps about to change; None if it is not."""
        found = self._loaded.get(consult_id)
        return None if found is None else found.consult

    def _keep(self, loaded: Loaded) -> Loaded:
        self._loaded[loaded.consult.id] = loaded
        self._loaded.move_to_end(loaded.consult.id)
        if len(self._loaded) > LOADED_MAX:
            self._loaded.popitem(last=False)
        return loaded

    def loaded(self) -> tuple[ConsultId, ...]:
        """The consults kept in memory."""
        return tuple(self._loaded)

    def drop(self, consult_id: ConsultId) -> None:
        """Load this consult anew next time: it has changed elsewhere."""
        self._loaded.pop(consult_id, None)

    def drop_older(self, consult_id: ConsultId, version: int) -> bool:
        """Load this consult anew next time if it has come to `version`. Returns whether what was shown of it
        here is older.
        """
        known = self._loaded.get(consult_id)
        if known is not None and known.consult.version >= version and consult_id not in self._overtaken:
            return False
        self._overtaken.discard(consult_id)
        self.drop(consult_id)
        return True

    def take_unsaid(self, consult_id: ConsultId) -> bool:
        """Whether anything of this consult was written here since the last time this was asked."""
        was = consult_id in self._unsaid
        self._unsaid.discard(consult_id)
        return self.presence.take_unsaid(consult_id) or was

    async def seen(self, consult_id: ConsultId) -> Seen:
        """Everything a view of this consult is made from."""
        loaded = await self.load(consult_id)
        return Seen(
            consult=loaded.consult,
            presence=await self.presence.get(consult_id),
            people=loaded.people,
            clinic=self._clinics.facts(loaded.consult.clinic),
            continued_as=loaded.continued_as,
            notes=loaded.notes,
        )

    async def act(
        self,
        consult_id: ConsultId,
        command: Command,
        *,
        by: Actor,
        rows: Callable[[Events], SideRows] = no_rows,
    ) -> tuple[Consult, Events]:
        """Decide and append, again if another writer was faster. Returns the consult and what happened.

        Raises:
            Refused: the command is not permitted, or does not exist for this consult.
            VersionConflict: others were faster each time.
        """
        for attempt in range(ATTEMPTS_MAX):
            before = await self.load(consult_id)
            happened = decide(before.consult, command, by=by, now=self._clock.now())
            if not happened:
                return before.consult, ()
            after = replay(before.consult, happened) or before.consult
            beside = _with_engaged(rows(happened), before.consult, after)
            try:
                await self._append(after, happened, before.consult.version, beside)
            except Engaged as error:
                raise Refused(Code.BUSY, "taken up by another consult") from error
            except VersionConflict:
                self.drop(consult_id)
                self._overtaken.add(consult_id)
                if await self._is_done(beside):
                    return (await self.load(consult_id)).consult, ()
                if attempt == ATTEMPTS_MAX - 1:
                    raise
                continue
            people, notes = before.people, before.notes
            if beside.people:
                people = await self.store.directory(consult_id)
            if beside.case is not None or beside.engaged is not None:
                notes = await self.store.notes(consult_id)
            self._keep(replace(before, consult=after, people=people, notes=notes))
            return after, happened
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _is_done(self, rows: SideRows) -> bool:
        """Whether the other writer did this very command, sent to it as well."""
        command = rows.command
        return command is not None and await self.store.done(command.actor, command.command_id) is not None

    async def create(self, happened: Events, *, rows: SideRows) -> Consult:
        """Store the first events of a new consult.

        Raises:
            VersionConflict: it exists, or the consult it continues is continued already.
        """
        consult = replay(None, happened)
        if consult is None:
            raise ValueError("a consult begins with an event")
        await self._append(consult, happened, 0, rows)
        people = await self.store.directory(consult.id)
        self._keep(Loaded(consult=consult, people=people, continued_as=None))
        if consult.continues is not None:
            self.drop(consult.continues)
        return consult

    async def _append(self, after: Consult, happened: Events, version: int, rows: SideRows) -> None:
        due_at = deadlines.due_at(after)
        await self.store.append(after, happened, expected_version=version, due_at=due_at, rows=rows)
        self._unsaid.add(after.id)
