"""Who may do what, and when: the table `PERMITTED`, and `decide`, which applies it.

Nothing about permission is anywhere else. The deciders named in the table turn a permitted command into
events; they live in `deciding_*.py` by topic.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from signaling.consult import (
    commands,
    deciding_plan,
    deciding_recording,
    deciding_request,
    deciding_room,
    deciding_seats,
    deciding_session,
)
from signaling.consult import (
    interpreting_commands as interpreting,
)
from signaling.consult import (
    recording_commands as recording,
)
from signaling.consult.case import Case, Events
from signaling.consult.commands import Command
from signaling.consult.evolve import replay
from signaling.consult.ids import CLOCK, ActorId
from signaling.consult.listening import SEPARABLE
from signaling.consult.values import (
    BARRED,
    GUESTS,
    OPEN,
    STAFF,
    TAKEN,
    Actor,
    Consult,
    Participant,
    Phase,
    Role,
    SeatHolder,
    SeatState,
    StaffUser,
    TheClock,
)
from signaling.errors import Code, Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One row of the table. What is not permitted here is refused."""

    decide: Callable[[Case, Any], Events]  # takes the command class it is listed under; a test compares
    who: frozenset[Role]  # empty: only the clock
    when: frozenset[Phase]
    own: frozenset[SeatState] | None = None  # needs a seat in the consult, in one of these states
    on: frozenset[SeatState] | None = None  # is about a person whose seat is in one of these states
    on_roles: frozenset[Role] = frozenset(Role)  # and who is one of these
    on_oneself: bool = False  # and may be the actor
    outsider: bool = False  # only for a physician who does not take part yet
    desk: bool = False  # also for an interpreter without a seat here, from their desk
    needs_physician: bool = False  # unless by a coordinator, only while a physician is in the room
    useful: Callable[[Case], bool] | None = None  # whether it would do something: offered only then
    together: bool = False  # patient, companion and interpreter: only while a physician is in the room


def _refuse(case: Case, _: Command) -> Events:
    raise Refused(Code.NOT_NOW, f"the consult exists since version 1 of {case.consult.version}")


ALL: Final = frozenset(Role)
COORDINATOR: Final = frozenset({Role.COORDINATOR})
PHYSICIAN: Final = frozenset({Role.PHYSICIAN})
INTERPRETER: Final = frozenset({Role.INTERPRETER})
BRIEFED: Final = PHYSICIAN | INTERPRETER
NOBODY: Final[frozenset[Role]] = frozenset()  # the clock
NOT_YET: Final[frozenset[Phase]] = frozenset()  # before the consult exists
BEFORE: Final = frozenset({Phase.SCHEDULED, Phase.WAITING})
RUNNING: Final = frozenset({Phase.WAITING, Phase.IN_PROGRESS})
IN_ROOM: Final = frozenset({SeatState.PRESENT})
ON_HOLD: Final = frozenset({SeatState.ON_HOLD})
NOT_BARRED: Final = frozenset(SeatState) - BARRED
CAME: Final = TAKEN | {SeatState.LEFT}

INTERPRETING: Final[Mapping[type[Command], Rule]] = {
    interpreting.RequestInterpreter: Rule(
        decide=deciding_request.request,
        who=STAFF,
        when=OPEN,
        needs_physician=True,
        useful=deciding_request.may_ask,
    ),
    interpreting.AdvanceRequest: Rule(decide=deciding_session.advance, who=NOBODY, when=OPEN),
    interpreting.AcceptRing: Rule(decide=deciding_request.accept, who=INTERPRETER, when=OPEN, desk=True),
    interpreting.DeclineRing: Rule(decide=deciding_request.decline, who=INTERPRETER, when=OPEN, desk=True),
    interpreting.RingAgain: Rule(
        decide=deciding_request.ring_again, who=STAFF, when=OPEN, useful=deciding_request.may_ring_again
    ),
    interpreting.UsePhoneLine: Rule(
        decide=deciding_request.use_phone_line, who=STAFF, when=OPEN, useful=deciding_request.may_use_phone
    ),
    interpreting.CloseRequest: Rule(
        decide=deciding_request.close, who=STAFF, when=OPEN, useful=deciding_request.may_close
    ),
    interpreting.BeginBriefing: Rule(
        decide=deciding_session.begin_briefing,
        who=PHYSICIAN,
        when=OPEN,
        own=IN_ROOM,
        useful=deciding_session.may_begin_briefing,
    ),
    interpreting.EndBriefing: Rule(
        decide=deciding_session.end_briefing,
        who=BRIEFED,
        when=OPEN,
        own=IN_ROOM,
        together=True,
        useful=deciding_session.may_end_briefing,
    ),
    interpreting.EndIntroduction: Rule(
        decide=deciding_session.end_introduction,
        who=BRIEFED,
        when=OPEN,
        own=IN_ROOM,
        together=True,
        useful=deciding_session.may_end_introduction,
    ),
    interpreting.SetMode: Rule(
        decide=deciding_session.set_mode,
        who=BRIEFED,
        when=OPEN,
        own=IN_ROOM,
        useful=deciding_session.is_interpreted,
    ),
    interpreting.TakeOver: Rule(
        decide=deciding_session.take_over,
        who=INTERPRETER,
        when=OPEN,
        own=IN_ROOM,
        useful=deciding_session.may_take_over,
    ),
    interpreting.GiveSignal: Rule(
        decide=deciding_session.give_signal,
        who=INTERPRETER,
        when=OPEN,
        own=IN_ROOM,
        together=True,
        useful=deciding_session.may_signal,
    ),
    interpreting.SetDirection: Rule(decide=deciding_room.nothing, who=INTERPRETER, when=OPEN, own=NOT_BARRED),
    interpreting.PreferOriginal: Rule(decide=deciding_room.nothing, who=ALL, when=OPEN, own=NOT_BARRED),
}
RECORDING: Final[Mapping[type[Command], Rule]] = {
    recording.AskRecording: Rule(
        decide=deciding_recording.ask,
        who=PHYSICIAN,
        when=frozenset({Phase.IN_PROGRESS}),
        own=IN_ROOM,
        useful=deciding_recording.may_ask,
    ),
    recording.AgreeToRecording: Rule(
        decide=deciding_recording.agree,
        who=ALL,
        when=OPEN,
        own=IN_ROOM,
        useful=deciding_recording.may_agree,
    ),
    # Whoever is on hold may still say no.
    recording.RefuseRecording: Rule(
        decide=deciding_recording.refuse,
        who=ALL,
        when=OPEN,
        own=IN_ROOM | ON_HOLD,
        useful=deciding_recording.may_refuse,
    ),
    recording.StopRecording: Rule(
        decide=deciding_recording.stop,
        who=PHYSICIAN,
        when=OPEN,
        own=IN_ROOM,
        useful=deciding_recording.may_stop,
    ),
    recording.ReportRecordingFailed: Rule(decide=deciding_recording.report_failed, who=NOBODY, when=OPEN),
}
PERMITTED: Final[Mapping[type[Command], Rule]] = {
    commands.Schedule: Rule(decide=_refuse, who=COORDINATOR, when=NOT_YET),
    commands.Reschedule: Rule(decide=deciding_plan.reschedule, who=COORDINATOR, when=BEFORE),
    commands.Cancel: Rule(decide=deciding_plan.cancel, who=STAFF, when=BEFORE),
    commands.Invite: Rule(decide=deciding_plan.invite, who=STAFF, when=OPEN),
    commands.RevokeInvitation: Rule(
        decide=deciding_plan.revoke_invitation, who=STAFF, when=OPEN, on=NOT_BARRED
    ),
    commands.RenewInvitation: Rule(
        decide=deciding_plan.renew_invitation, who=STAFF, when=OPEN, on=NOT_BARRED
    ),
    commands.Cover: Rule(decide=deciding_plan.cover, who=PHYSICIAN, when=OPEN, outsider=True),
    commands.Arrive: Rule(
        decide=deciding_seats.arrive, who=ALL, when=OPEN, own=NOT_BARRED, useful=deciding_seats.may_arrive
    ),
    commands.Admit: Rule(decide=deciding_seats.admit, who=STAFF, when=OPEN, on=TAKEN, needs_physician=True),
    commands.Decline: Rule(decide=deciding_seats.decline, who=STAFF, when=OPEN, on=TAKEN),
    commands.Hold: Rule(
        decide=deciding_seats.hold, who=STAFF, when=OPEN, on=IN_ROOM, on_roles=ALL - PHYSICIAN
    ),
    commands.Resume: Rule(decide=deciding_seats.resume, who=STAFF, when=OPEN, on=ON_HOLD),
    commands.Leave: Rule(decide=deciding_seats.leave, who=ALL, when=OPEN, own=TAKEN),
    commands.Remove: Rule(decide=deciding_seats.remove, who=STAFF, when=OPEN, on=CAME),
    commands.GiveConsent: Rule(decide=deciding_room.give_consent, who=GUESTS, when=OPEN, own=NOT_BARRED),
    commands.TellLocation: Rule(decide=deciding_room.tell_location, who=GUESTS, when=OPEN, own=NOT_BARRED),
    commands.Rename: Rule(decide=deciding_room.rename, who=ALL, when=OPEN, on=NOT_BARRED, on_oneself=True),
    commands.AskToMute: Rule(decide=deciding_room.nothing, who=STAFF, when=OPEN, on=IN_ROOM),
    commands.SetMedia: Rule(decide=deciding_room.nothing, who=ALL, when=OPEN, own=NOT_BARRED),
    commands.ReportDeviceCheck: Rule(decide=deciding_room.nothing, who=ALL, when=OPEN, own=NOT_BARRED),
    commands.ReportConnection: Rule(decide=deciding_room.nothing, who=ALL, when=OPEN, own=NOT_BARRED),
    commands.StartSharing: Rule(
        decide=deciding_room.start_sharing, who=ALL, when=OPEN, own=IN_ROOM, together=True
    ),
    commands.StopSharing: Rule(decide=deciding_room.stop_sharing, who=ALL, when=OPEN, own=IN_ROOM),
    commands.SendMessage: Rule(
        decide=deciding_room.send_message, who=ALL, when=OPEN, own=IN_ROOM, together=True
    ),
    commands.SendNotice: Rule(decide=deciding_room.send_notice, who=STAFF, when=OPEN),
    commands.Extend: Rule(decide=deciding_plan.extend, who=STAFF, when=RUNNING),
    commands.End: Rule(decide=deciding_plan.end, who=STAFF, when=frozenset({Phase.IN_PROGRESS})),
    commands.ContinueConsult: Rule(
        decide=deciding_plan.continue_consult, who=STAFF, when=frozenset({Phase.ENDED})
    ),
    commands.OpenWaitingRoom: Rule(decide=deciding_plan.open_waiting_room, who=NOBODY, when=OPEN),
    commands.MarkLost: Rule(decide=deciding_plan.mark_lost, who=NOBODY, when=OPEN),
    commands.ReleaseSeat: Rule(decide=deciding_plan.release_seat, who=NOBODY, when=OPEN),
    commands.ReleaseDevice: Rule(decide=deciding_seats.release_device, who=NOBODY, when=OPEN),
    commands.MarkNoShow: Rule(decide=deciding_plan.mark_no_show, who=NOBODY, when=BEFORE),
    commands.EndAbandoned: Rule(decide=deciding_plan.end_abandoned, who=NOBODY, when=OPEN),
    **INTERPRETING,
    **RECORDING,
}
_OVER_CODE: Final = {
    Phase.ENDED: Code.ENDED,
    Phase.CANCELLED: Code.CANCELLED,
    Phase.NO_SHOW: Code.NO_SHOW,
}
_BARRED_CODE: Final = {
    SeatState.DECLINED: Code.DECLINED,
    SeatState.REMOVED: Code.REMOVED,
    SeatState.REVOKED: Code.REVOKED,
}


def decide(consult: Consult | None, command: Command, *, by: Actor, now: datetime) -> Events:
    """Return the events `command` causes, or raise `Refused`. Changes nothing.

    The events of `ContinueConsult` are the first ones of a new consult; all others are of `consult`.
    """
    if consult is None:
        return _decide_first(command, by=by, now=now)
    rule = PERMITTED[type(command)]
    case = case_for(consult, by=by, now=now)
    if isinstance(by, TheClock) and consult.phase not in rule.when:
        return ()  # too late to matter: what the clock asks is always looked at again
    check(case, rule)
    if rule.on is not None:
        check_target(case, rule, case.target(command.participant))  # type: ignore[union-attr]
    happened = rule.decide(case, command)
    if isinstance(command, commands.ContinueConsult):
        return happened
    after = replay(consult, happened) or consult
    happened += deciding_session.follow(case, consult, after)
    happened += deciding_seats.start_if_met(case, after)
    return (*happened, *deciding_recording.follow(case, replay(consult, happened) or consult))


def _decide_first(command: Command, *, by: Actor, now: datetime) -> Events:
    if not isinstance(command, commands.Schedule):
        raise Refused(Code.NOT_FOUND, "no such consult")
    if not isinstance(by, StaffUser) or by.role not in PERMITTED[commands.Schedule].who:
        raise Refused(Code.NOT_PERMITTED, "only a coordinator schedules")
    if by.clinic != command.clinic:
        raise Refused(Code.NOT_PERMITTED, "only in one's own clinic")
    return deciding_plan.schedule(command, by=ActorId(by.user), now=now)


def case_for(consult: Consult, *, by: Actor, now: datetime) -> Case:
    """Who acts, and as what. People from elsewhere are told the consult does not exist."""
    match by:
        case TheClock():
            return Case(consult=consult, by=CLOCK, role=None, me=None, now=now)
        case SeatHolder():
            me = consult.participant(by.participant)
            if me is None:
                raise Refused(Code.NOT_FOUND, "no such participant")
            return Case(consult=consult, by=ActorId(me.id), role=me.role, me=me, now=now)
        case StaffUser():
            if by.clinic != consult.clinic:
                raise Refused(Code.NOT_FOUND, "no such consult")
            if by.role not in STAFF and by.role is not Role.INTERPRETER:
                raise Refused(Code.NOT_PERMITTED, f"a {by.role} acts from their seat only")
            me = consult.of_user(by.user) if by.role is Role.PHYSICIAN else None
            return Case(consult=consult, by=ActorId(by.user), role=by.role, me=me, now=now)


def check(case: Case, rule: Rule) -> None:
    """Refuse what the table does not permit this actor now, whomever it is about."""
    if (case.role not in rule.who) if case.role is not None else bool(rule.who):
        raise Refused(Code.NOT_PERMITTED, f"not for a {case.role or 'clock'}")
    if case.me is not None and case.me.seat in BARRED:
        raise Refused(_BARRED_CODE[case.me.seat])
    if rule.desk != (case.me is None and case.role is Role.INTERPRETER):
        raise Refused(Code.NOT_PERMITTED, "an interpreter answers from the desk, all else from their seat")
    outsider = case.me is None and case.role is Role.PHYSICIAN
    if outsider != rule.outsider:
        raise Refused(Code.NOT_PERMITTED if outsider else Code.ALREADY_HERE, "who takes part")
    if case.consult.phase not in rule.when:
        raise Refused(_OVER_CODE.get(case.consult.phase, Code.NOT_NOW), f"not while {case.consult.phase}")
    if rule.own is not None and (case.me is None or case.me.seat not in rule.own):
        raise Refused(Code.NOT_NOW, "not from this seat now")
    _check_company(case, rule)


def _check_company(case: Case, rule: Rule) -> None:
    if case.consult.physician_present:
        return
    if rule.needs_physician and case.role is not Role.COORDINATOR:
        raise Refused(Code.PHYSICIAN_ABSENT, "a physician must be in the room")
    if rule.together and case.role in SEPARABLE:
        raise Refused(Code.SEPARATED, "wait for the physician")


def check_target(case: Case, rule: Rule, person: Participant) -> None:
    """Refuse what the table does not permit to be done to this person now."""
    if not rule.on_oneself and case.me is not None and case.me.id == person.id:
        raise Refused(Code.NOT_PERMITTED, "not to oneself")
    if person.role not in rule.on_roles:
        raise Refused(Code.NOT_PERMITTED, f"not to a {person.role}")
    if rule.on is None or person.seat not in rule.on:
        raise Refused(Code.NOT_NOW, f"not while they are {person.seat}")


def verb(command: type[Command]) -> str:
    """The literal `type` of a command class."""
    return str(command.__dataclass_fields__["type"].default)


def allowed(consult: Consult, *, by: Actor, now: datetime) -> frozenset[str]:
    """The verbs the table permits this actor now, whomever they are about."""
    case = case_for(consult, by=by, now=now)
    return frozenset(verb(command) for command, rule in PERMITTED.items() if _passes(case, rule))


def _passes(case: Case, rule: Rule) -> bool:
    if rule.useful is not None and not rule.useful(case):
        return False
    try:
        check(case, rule)
    except Refused:
        return False
    return True


def allowed_on(consult: Consult, person: Participant, *, by: Actor, now: datetime) -> frozenset[str]:
    """The verbs this actor may use on `person` now."""
    case = case_for(consult, by=by, now=now)
    return frozenset(
        verb(command)
        for command, rule in PERMITTED.items()
        if rule.on is not None and _passes(case, rule) and _passes_on(case, rule, person)
    )


def _passes_on(case: Case, rule: Rule, person: Participant) -> bool:
    try:
        check_target(case, rule, person)
    except Refused:
        return False
    waits = person.seat is SeatState.WAITING or person.lost_from is SeatState.WAITING
    if rule.decide is deciding_seats.admit:
        return person.seat is SeatState.WAITING or person.further_device is not None
    if rule.decide is deciding_seats.decline:
        return waits or person.further_device is not None
    if rule.decide is deciding_plan.renew_invitation:
        return person.user is None
    if rule.decide is deciding_room.rename:
        return case.role in STAFF or (case.me is not None and case.me.id == person.id)
    return True
