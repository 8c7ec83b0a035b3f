"""From a message about interpreting to the command it asks for, and the rows that are stored with it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from signaling.consult import events
from signaling.consult import interpreting_commands as asks
from signaling.consult.case import Events
from signaling.consult.commands import Command
from signaling.consult.deciding_request import wanted_in
from signaling.consult.ids import ParticipantId, UserId
from signaling.consult.interpreting import EXPECTED_S
from signaling.consult.values import Consult
from signaling.errors import Code, Refused
from signaling.ports import PersonChange, SideRows
from signaling.protocol import interpreting_messages as messages
from signaling.service.consults import no_rows

Rows = Callable[[Events], SideRows]
# The message, its consult, an id for whoever it invites, and the account that acts from a board or desk.
Plan = Callable[[Any, Consult, ParticipantId, UserId | None], tuple[Command, Rows]]


def _request(
    message: messages.RequestInterpreter, consult: Consult, _: ParticipantId, __: UserId | None
) -> tuple[Command, Rows]:
    booked = wanted_in(replace(consult, request=None))
    wanted = replace(
        booked,
        patient_language=message.language or booked.patient_language,
        gender=message.gender,
        mode=message.mode,
    )
    rows = SideRows(case=message.case)
    return asks.RequestInterpreter(wanted=wanted, candidates=(), expected_s=EXPECTED_S), lambda _: rows


def _ring_again(
    message: messages.RingAgain, _: Consult, __: ParticipantId, ___: UserId | None
) -> tuple[Command, Rows]:
    return asks.RingAgain(audio_only=message.audio_only, candidates=()), no_rows


def _close(
    message: messages.CloseRequest, _: Consult, __: ParticipantId, ___: UserId | None
) -> tuple[Command, Rows]:
    return asks.CloseRequest(another_time=message.another_time), no_rows


def _end_briefing(
    message: messages.EndBriefing, _: Consult, __: ParticipantId, ___: UserId | None
) -> tuple[Command, Rows]:
    return asks.EndBriefing(reason="skipped" if message.skipped else "done"), no_rows


def _set_mode(
    message: messages.SetMode, _: Consult, __: ParticipantId, ___: UserId | None
) -> tuple[Command, Rows]:
    return asks.SetMode(mode=message.mode), no_rows


def _signal(
    message: messages.GiveSignal, _: Consult, __: ParticipantId, ___: UserId | None
) -> tuple[Command, Rows]:
    return asks.GiveSignal(kind=message.kind), no_rows


def _accept(
    message: messages.AcceptRing, consult: Consult, participant: ParticipantId, user: UserId | None
) -> tuple[Command, Rows]:
    language = consult.request.wanted.patient_language if consult.request is not None else "en"
    command = asks.AcceptRing(
        request=message.request, user=_desk(user), participant=participant, language=language
    )

    def rows(happened: Events) -> SideRows:
        invited = (event for event in happened if isinstance(event, events.ParticipantInvited))
        people = tuple(PersonChange(participant=one.participant, user=one.user) for one in invited)
        return SideRows(people=people)

    return command, rows


def _decline(
    message: messages.DeclineRing, _: Consult, __: ParticipantId, user: UserId | None
) -> tuple[Command, Rows]:
    return asks.DeclineRing(request=message.request, user=_desk(user)), no_rows


def _desk(user: UserId | None) -> UserId:
    if user is None:
        raise Refused(Code.NOT_PERMITTED, "a ring is answered at the desk")
    return user


def _plain(command: Callable[[], Command]) -> Plan:
    """A plan for a command that says nothing further."""
    return lambda *_: (command(), no_rows)


PLANS: Final[Mapping[type[Any], Plan]] = {
    messages.RequestInterpreter: _request,
    messages.RingAgain: _ring_again,
    messages.UsePhoneLine: _plain(asks.UsePhoneLine),
    messages.CloseRequest: _close,
    messages.BeginBriefing: _plain(asks.BeginBriefing),
    messages.EndBriefing: _end_briefing,
    messages.EndIntroduction: _plain(asks.EndIntroduction),
    messages.SetMode: _set_mode,
    messages.TakeOver: _plain(asks.TakeOver),
    messages.GiveSignal: _signal,
    messages.AcceptRing: _accept,
    messages.DeclineRing: _decline,
}
