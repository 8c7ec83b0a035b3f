"""Searches for interpreters: who can be rung is looked up here, and desks are told what rings."""

from dataclasses import replace
from typing import Final

from signaling.consult import interpreting_commands as asks
from signaling.consult.commands import Command
from signaling.consult.deciding_request import wanted_in
from signaling.consult.eligibility import Candidate, candidates
from signaling.consult.ids import ClinicId, ConsultId
from signaling.consult.interpreting import Wanted
from signaling.consult.values import Consult, Role, TheClock
from signaling.errors import Code, Refused
from signaling.ports import BoardEntry, Clock, Interpreters
from signaling.protocol import interpreting_messages as messages
from signaling.protocol.interpreting_shapes import DeskView
from signaling.protocol.interpreting_views import desk_for
from signaling.service.connections import Connections
from signaling.service.consults import Consults
from signaling.service.publishing import Publisher

SEEN_EVERY_S: Final = 15.0


class Searching:
    """Looks up who can be rung, and lets desks be rung and set."""

    def __init__(
        self,
        *,
        consults: Consults,
        connections: Connections,
        publisher: Publisher,
        interpreters: Interpreters,
        clock: Clock,
    ) -> None:
        """Search on the register of `interpreters`."""
        self._consults = consults
        self._connections = connections
        self._publisher = publisher
        self._interpreters = interpreters
        self._clock = clock

    async def prepared(self, consult: Consult, command: Command) -> Command:
        """The command with everybody who can be rung for it by now, where it rings."""
        match command:
            case asks.RequestInterpreter():
                wanted = command.wanted
                usual = await self._interpreters.expected_s(consult.clinic, wanted.patient_language)
                found = await self._candidates(consult, wanted)
                return replace(command, candidates=found, expected_s=usual)
            case asks.RingAgain() if consult.request is not None:
                wanted = consult.request.wanted
                if command.audio_only:
                    wanted = replace(wanted, mode="audio")
                return replace(command, candidates=await self._candidates(consult, wanted))
            case asks.AdvanceRequest():
                return replace(command, candidates=await self._candidates(consult, wanted_in(consult)))
            case _:
                return command

    async def _candidates(self, consult: Consult, wanted: Wanted) -> tuple[Candidate, ...]:
        register = await self._interpreters.register(consult)
        return candidates(register, wanted, now=self._clock.now())

    async def desk(self, entry: BoardEntry) -> DeskView | None:
        """What an interpreter's desk shows; None for anybody else's board."""
        if entry.role is not Role.INTERPRETER:
            return None
        line = await self._interpreters.entry(entry.user)
        ringing = [
            (await self._consults.load(one)).consult
            for one in await self._consults.store.ringing(entry.clinic)
        ]
        number = line.number if line is not None else None
        return desk_for(line.interpreter if line is not None else None, ringing, entry.user, number)

    async def set_availability(self, entry: BoardEntry, message: messages.SetAvailability) -> None:
        """Be rung or not, from here on: searches that go on ring whoever has become free."""
        now = self._clock.now()
        await self._interpreters.at_desk([entry.user], now=now)
        if not await self._interpreters.set_availability(entry.user, message.availability, now=now):
            raise Refused(Code.NOT_FOUND, "not on the register")
        if message.availability == "available":
            await self.ring_on(entry.clinic)

    async def ring_on(self, clinic: ClinicId) -> None:
        """Ring whoever has become free, in every search of a clinic that goes on."""
        for consult_id in await self._consults.store.ringing(clinic):
            async with self._consults.hold(consult_id):
                await self._ring_on(consult_id)

    async def _ring_on(self, consult_id: ConsultId) -> None:
        consult = (await self._consults.load(consult_id)).consult
        command = await self.prepared(consult, asks.AdvanceRequest())
        try:
            _, happened = await self._consults.act(consult_id, command, by=TheClock())
        except Refused:  # over meanwhile
            return
        if happened:
            await self._publisher.publish(consult_id)

    async def say_who_is_at_their_desk(self) -> None:
        """Whoever has a desk open here can be rung."""
        await self._interpreters.at_desk(self._connections.desks(), now=self._clock.now())

    async def opened(self, entry: BoardEntry) -> None:
        """A desk opened."""
        if entry.role is Role.INTERPRETER:
            await self._interpreters.at_desk([entry.user], now=self._clock.now())
            await self.ring_on(entry.clinic)
