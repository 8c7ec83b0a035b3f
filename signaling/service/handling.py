"""One message of one connection: planned, decided, stored, answered, published."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from signaling.consult.case import Events
from signaling.consult.ids import ActorId, ConnectionId, ConsultId, ParticipantId
from signaling.consult.interpreting_events import RingAccepted
from signaling.consult.news import Continued, MuteAsked
from signaling.consult.rules import case_for
from signaling.consult.values import (
    STAFF,
    Actor,
    Consult,
    Participant,
    Role,
    SeatHolder,
    SeatState,
    StaffUser,
)
from signaling.errors import Code, Refused
from signaling.ports import BoardEntry, Clock, CommandRow, ConsentTexts, Ids, Others, Outbox, SeatEntry
from signaling.protocol import asked, messages
from signaling.protocol import interpreting_messages as interpreting
from signaling.protocol import recording_messages as recording
from signaling.protocol.views import holds_seat
from signaling.service import consent_texts, planning
from signaling.service.boards import Boards, staff
from signaling.service.connections import Connections
from signaling.service.consults import Consults
from signaling.service.memory import Answers
from signaling.service.own_seat import OwnSeat
from signaling.service.publishing import Publisher
from signaling.service.scheduling import Scheduler
from signaling.service.searching import Searching


class Handler:
    """Handles the messages of seats and boards."""

    def __init__(
        self,
        *,
        consults: Consults,
        connections: Connections,
        boards: Boards,
        publisher: Publisher,
        scheduler: Scheduler,
        own_seat: OwnSeat,
        searching: Searching,
        texts: ConsentTexts,
        outbox: Outbox,
        others: Others,
        clock: Clock,
        ids: Ids,
    ) -> None:
        """Work on the consults and connections of one service."""
        self._consults = consults
        self._connections = connections
        self._boards = boards
        self._publisher = publisher
        self._scheduler = scheduler
        self._own_seat = own_seat
        self._searching = searching
        self._texts = texts
        self._outbox = outbox
        self._others = others
        self._clock = clock
        self._ids = ids
        self._answers = Answers()

    async def from_board(
        self, connection: ConnectionId, entry: BoardEntry, message: messages.ClientMessage
    ) -> messages.Answer:
        """Handle what a board sent."""
        if isinstance(message, messages.OpenBoard):
            board = self._boards.open_day(connection, message.day)
            await self._boards.show(connection, board, self._outbox)
            return messages.Accepted()
        if isinstance(message, interpreting.DeskMessage):
            return await self._from_desk(entry, message)
        if entry.role not in STAFF:
            raise Refused(Code.NOT_PERMITTED, "an interpreter's list is for looking at")
        if isinstance(message, messages.Schedule):
            async with self._consults.hold(entry.user):
                return await self._once(ActorId(entry.user), message, lambda: self._schedule(entry, message))
        if not isinstance(message, asked.About) or message.consult_id is None:
            raise Refused(Code.NOT_PERMITTED, "not from a board")
        async with self._consults.hold(message.consult_id):
            return await self._about(message.consult_id, message, staff(entry), ActorId(entry.user), None)

    async def _from_desk(self, entry: BoardEntry, message: interpreting.DeskMessage) -> messages.Answer:
        """An interpreter answers a ring, or says whether to be rung."""
        if entry.role is not Role.INTERPRETER:
            raise Refused(Code.NOT_PERMITTED, "only at an interpreter's desk")
        if isinstance(message, interpreting.SetAvailability):
            await self._searching.set_availability(entry, message)
            self._boards.mark(entry.clinic)
            return messages.Accepted()
        async with self._consults.hold(message.consult_id):
            return await self._about(message.consult_id, message, staff(entry), ActorId(entry.user), None)

    async def from_seat(
        self, connection: ConnectionId, entry: SeatEntry, message: messages.ClientMessage
    ) -> messages.Answer:
        """Handle what a seat sent. Only the device that holds the seat speaks for it."""
        if isinstance(message, recording.RefuseRecording) and self._is_recorded(entry):
            async with self._publisher.unrecorded(entry.consult):
                return await self._from_seat(connection, entry, message)
        return await self._from_seat(connection, entry, message)

    def _is_recorded(self, entry: SeatEntry) -> bool:
        """Whether this person may be in what is recorded now; so they may where that is not known."""
        consult = self._consults.peek(entry.consult)
        if consult is None:
            return True
        me = consult.participant(entry.participant)
        return me is not None and me.seat is SeatState.PRESENT and holds_seat(me, entry.device)

    async def _from_seat(
        self, connection: ConnectionId, entry: SeatEntry, message: messages.ClientMessage
    ) -> messages.Answer:
        async with self._consults.hold(entry.consult):
            if self._connections.entry(connection) is not entry:
                raise Refused(Code.NOT_NOW, "this connection is being closed")
            consult = (await self._consults.load(entry.consult)).consult
            me = consult.participant(entry.participant)
            if me is None:
                raise Refused(Code.NOT_FOUND, "no such participant")
            if not holds_seat(me, entry.device) and not isinstance(message, messages.TakeSeat):
                raise Refused(Code.ELSEWHERE, "another device holds the seat")
            return await self._from_holder(connection, entry, consult, me, message)

    async def _from_holder(
        self,
        connection: ConnectionId,
        entry: SeatEntry,
        consult: Consult,
        me: Participant,
        message: messages.ClientMessage,
    ) -> messages.Answer:
        match message:
            case (
                messages.SetMedia()
                | messages.ReportDeviceCheck()
                | messages.ReportConnection()
                | interpreting.SetDirection()
                | interpreting.PreferOriginal()
            ):
                return await self._own_seat.report(consult, me, message)
            case messages.FetchChat():
                return await self._own_seat.chat(consult, me, message)
            case messages.ConnectMedia():
                return await self._own_seat.connect_media(consult, me, message, connection)
            case messages.CloseMedia():
                return await self._own_seat.close_media(consult, me, message)
            case asked.Asked():
                by = SeatHolder(participant=me.id)
                return await self._about(consult.id, message, by, ActorId(me.id), entry)
            case _:
                raise Refused(Code.NOT_PERMITTED, "not from a seat")

    async def _about(
        self,
        consult_id: ConsultId,
        message: asked.Asked,
        by: Actor,
        actor: ActorId,
        entry: SeatEntry | None,
    ) -> messages.Answer:
        async def work() -> messages.Accepted:
            case_for((await self._consults.load(consult_id)).consult, by=by, now=self._clock.now())
            if isinstance(message, messages.ContinueConsult):
                return await self._continue(consult_id, message, by)
            return await self._command(consult_id, message, by, actor, entry)

        return await self._once(actor, message, work)

    async def _once(
        self,
        actor: ActorId,
        message: asked.Asked,
        work: Callable[[], Awaitable[messages.Accepted]],
    ) -> messages.Answer:
        """Do `work` unless this actor was answered to this command already."""
        answered = self._answers.get(actor, message.command_id) or await self._done(actor, message)
        if answered is not None:
            return answered
        answer = await work()
        self._answers.put(actor, message.command_id, answer)
        return answer

    async def _done(self, actor: ActorId, message: asked.Asked) -> messages.Answer | None:
        """What came of a command another server did, or this one before it was started again."""
        row = await self._consults.store.done(actor, message.command_id)
        if row is None:
            return None
        return messages.Accepted(consult_id=row.consult, participant=row.participant)

    async def _schedule(self, entry: BoardEntry, message: messages.Schedule) -> messages.Accepted:
        accepted = await self._scheduler.schedule(staff(entry), message)
        self._boards.mark(entry.clinic)
        return accepted

    async def _continue(
        self, consult_id: ConsultId, message: messages.ContinueConsult, by: Actor
    ) -> messages.Accepted:
        old = await self._consults.load(consult_id)
        accepted = await self._scheduler.continue_consult(old, message, by)
        self._consults.drop(consult_id)
        if accepted.consult_id is not None:
            for connection, _ in self._connections.seats(consult_id):
                self._outbox.send(connection, messages.ConsultContinued(consult_id=accepted.consult_id))
            self._others.say(Continued(consult=consult_id, continued_as=accepted.consult_id))
        await self._publisher.publish(consult_id)
        return accepted

    async def _command(
        self,
        consult_id: ConsultId,
        message: asked.Asked,
        by: Actor,
        actor: ActorId,
        entry: SeatEntry | None,
    ) -> messages.Accepted:
        loaded = await self._consults.load(consult_id)
        if isinstance(message, messages.Invite):
            await self._scheduler.check_account(loaded.consult.clinic, message.person)
        if isinstance(message, consent_texts.ShowsText):
            consent_texts.check(message, self._texts, _person(loaded.consult, entry))
        planned = planning.plan(
            message,
            planning.Scene(
                consult=loaded.consult,
                me=entry.participant if entry else None,
                device=entry.device if entry else None,
                further=entry.further if entry else False,
                user=by.user if isinstance(by, StaffUser) else None,
                ids=self._ids,
            ),
        )
        done = CommandRow(
            actor=actor,
            command_id=message.command_id,
            at=self._clock.now(),
            consult=consult_id,
            participant=planned.invited,
        )
        after, happened = await self._consults.act(
            consult_id,
            await self._searching.prepared(loaded.consult, planned.command),
            by=by,
            rows=lambda happened: replace(
                planned.rows(happened), command=replace(done, participant=_whom(happened, planned.invited))
            ),
        )
        if isinstance(message, messages.AskToMute):
            await self._ask_to_mute(after, message.participant)
        if happened:
            await self._publisher.publish(consult_id)
        if isinstance(message, interpreting.AcceptRing) and after.request is not None:
            return messages.Accepted(consult_id=after.id, participant=after.request.participant)
        links = await self._scheduler.links(after, planned.invited) if planned.invited else []
        return messages.Accepted(version=after.version, participant=planned.invited, invitations=links)

    async def _ask_to_mute(self, consult: Consult, participant: ParticipantId) -> None:
        if not await self._publisher.tell(consult.id, participant, messages.AskedToMute()):
            self._others.say(MuteAsked(consult=consult.id, participant=participant))


def _person(consult: Consult, entry: SeatEntry | None) -> Participant | None:
    return None if entry is None else consult.participant(entry.participant)


def _whom(happened: Events, invited: ParticipantId | None) -> ParticipantId | None:
    """Whom the answer names: whoever was invited, or the seat of whoever accepted a ring."""
    accepted = (event.participant for event in happened if isinstance(event, RingAccepted))
    return next(accepted, invited)
