"""Deciders about interpreting: briefing, introduction, mode, signals; and what follows from the seats."""

from datetime import datetime, timedelta
from typing import Final

from signaling.consult import deciding_request
from signaling.consult import interpreting_commands as commands
from signaling.consult import interpreting_events as happened
from signaling.consult.case import Case, Events
from signaling.consult.evolve import replay
from signaling.consult.interpreting import (
    BRIEFING_S,
    EXPECTED_S,
    INTRODUCTION_S,
    SAME_INTERPRETER_S,
    Request,
    RequestState,
    Session,
    Stage,
    Tier,
)
from signaling.consult.values import Consult, Participant, Role, SeatState
from signaling.errors import Code, Refused

STAGE_S: Final = {Stage.BRIEFING: BRIEFING_S, Stage.INTRODUCTION: INTRODUCTION_S}


def _session(case: Case) -> Session:
    if case.consult.session is None:
        raise Refused(Code.NOT_NOW, "nobody interprets")
    return case.consult.session


def begin_briefing(case: Case, _: commands.BeginBriefing) -> Events:
    """Physician and interpreter speak alone; guests wait."""
    session = _session(case)
    person = case.consult.participant(session.interpreter)
    if person is None or person.seat is not SeatState.PRESENT:
        raise Refused(Code.NOT_NOW, "the interpreter is not here")
    if session.stage is Stage.BRIEFING:
        return ()
    return (happened.BriefingBegun(at=case.now, by=case.by, participant=person.id),)


def end_briefing(case: Case, command: commands.EndBriefing) -> Events:
    """Everybody hears each other again."""
    session = _session(case)
    if session.stage is not Stage.BRIEFING:
        return ()
    return (
        happened.BriefingEnded(
            at=case.now, by=case.by, participant=session.interpreter, reason=command.reason
        ),
    )


def end_introduction(case: Case, _: commands.EndIntroduction) -> Events:
    """The introduction was said."""
    session = _session(case)
    if session.stage is not Stage.INTRODUCTION:
        return ()
    return (happened.IntroductionEnded(at=case.now, by=case.by, participant=session.interpreter),)


def advance(case: Case, command: commands.AdvanceRequest) -> Events:
    """Go on with the search, and end a stage that has lasted too long: nobody is left waiting."""
    return (*deciding_request.advance(case, command), *_end_stage(case))


def stage_ends_at(session: Session) -> datetime | None:
    """When a stage ends by itself; interpreting does not."""
    lasts_s = STAGE_S.get(session.stage)
    return None if lasts_s is None else session.since + timedelta(seconds=lasts_s)


def _end_stage(case: Case) -> Events:
    session = case.consult.session
    ends_at = stage_ends_at(session) if session is not None else None
    if session is None or ends_at is None or case.now < ends_at:
        return ()
    if session.stage is Stage.BRIEFING:
        return end_briefing(case, commands.EndBriefing(reason="too_long"))
    return end_introduction(case, commands.EndIntroduction())


def set_mode(case: Case, command: commands.SetMode) -> Events:
    """Change how is interpreted; nothing is negotiated anew."""
    if _session(case).mode == command.mode:
        return ()
    return (happened.ModeChanged(at=case.now, by=case.by, mode=command.mode),)


def take_over(case: Case, _: commands.TakeOver) -> Events:
    """Only whoever listens in takes over, from whoever interprets."""
    session = _session(case)
    if session.incoming != case.myself.id:
        raise Refused(Code.NOT_NOW, "not the one who listens in")
    return (_relieved(case, session, case.myself),)


def _relieved(case: Case, session: Session, by: Participant) -> happened.InterpreterRelieved:
    return happened.InterpreterRelieved(
        at=case.now, by=case.by, participant=by.id, relieved=session.interpreter
    )


def give_signal(case: Case, command: commands.GiveSignal) -> Events:
    """Show everybody what is asked for."""
    session = _session(case)
    if session.interpreter != case.myself.id:
        raise Refused(Code.NOT_NOW, "only whoever interprets")
    return (
        happened.SignalGiven(
            at=case.now,
            by=case.by,
            participant=case.myself.id,
            kind=command.kind,
            no=case.consult.version + 1,
        ),
    )


# --- what follows from the seats --------------------------------------------------------------------------


def follow(case: Case, before: Consult | None, after: Consult) -> Events:
    """What a change of seats means for interpreting: somebody is here, is back, is lost, or comes not."""
    if after.over:
        return ()
    was = {p.id: p.seat for p in before.participants} if before is not None else {}
    found: Events = ()
    for person in after.of_role(Role.INTERPRETER):
        if person.seat is was.get(person.id):
            continue
        now = replay(after, found) or after
        if person.seat is SeatState.PRESENT:
            found += _here(case, now, person)
        else:
            found += _away(case, before, now, person)
    return found


def _here(case: Case, consult: Consult, person: Participant) -> Events:
    session, search = consult.session, consult.request
    holder = consult.participant(session.interpreter) if session is not None else None
    other_interprets = holder is not None and holder.id != person.id and holder.seat is not SeatState.LOST
    if session is not None and session.incoming == person.id:
        return ()
    if session is not None and session.interpreter == person.id and not _is_looked_for(search, person):
        return ()
    asked_for = search is not None and search.participant == person.id
    stage = Stage.BRIEFING if asked_for and not other_interprets else Stage.INTERPRETING
    return (
        happened.InterpreterConnected(
            at=case.now, by=case.by, participant=person.id, stage=stage, incoming=other_interprets
        ),
    )


def _is_looked_for(search: Request | None, person: Participant) -> bool:
    return search is not None and search.is_open and person.id in (search.lost, search.participant)


def _away(case: Case, before: Consult | None, consult: Consult, person: Participant) -> Events:
    """Somebody who was here, or was coming, is not."""
    search = consult.request
    gone = person.seat not in (SeatState.INVITED, SeatState.WAITING, SeatState.ON_HOLD)
    if search is not None and search.state is RequestState.ACCEPTED and search.participant == person.id:
        return (deciding_request.came_not(case, search),) if gone else ()
    session = before.session if before is not None else None
    if session is None or session.interpreter != person.id or not gone:
        return ()
    incoming = consult.participant(session.incoming) if session.incoming is not None else None
    if incoming is not None and incoming.seat is SeatState.PRESENT:
        return _step_in(case, session, incoming, lost=person.seat is SeatState.LOST)
    if person.seat is SeatState.LOST and (search is None or not search.is_open):
        return _ring_the_same(case, consult, person)
    return ()


def _step_in(case: Case, session: Session, incoming: Participant, *, lost: bool) -> Events:
    """Whoever listens in takes over from somebody who has gone."""
    if lost:
        return (_relieved(case, session, incoming),)
    return (
        happened.InterpreterConnected(at=case.now, by=case.by, participant=incoming.id, stage=session.stage),
    )


def _ring_the_same(case: Case, consult: Consult, lost: Participant) -> Events:
    """Ring the lost interpreter alone for a while; then the tiers follow."""
    last = consult.request
    number = 1 if last is None else last.no + 1
    until = case.now + timedelta(seconds=SAME_INTERPRETER_S)
    asked = happened.InterpreterRequested(
        at=case.now,
        by=case.by,
        request=number,
        wanted=deciding_request.wanted_in(consult),
        expected_s=SAME_INTERPRETER_S + EXPECTED_S,
        lost=lost.id,
        until=until,
    )
    rung = happened.InterpretersRung(
        at=case.now,
        by=case.by,
        request=number,
        tier=Tier.KNOWN,
        round=0,
        users=() if lost.user is None else (lost.user,),
        until=until,
    )
    return (asked, rung)


# --- what would do something now --------------------------------------------------------------------------


def is_interpreted(case: Case) -> bool:
    """Whether somebody interprets."""
    return case.consult.session is not None


def _stage(case: Case) -> Stage | None:
    return None if case.consult.session is None else case.consult.session.stage


def may_begin_briefing(case: Case) -> bool:
    """Whether there is somebody to speak with alone."""
    session = case.consult.session
    person = case.consult.participant(session.interpreter) if session is not None else None
    return person is not None and person.seat is SeatState.PRESENT and _stage(case) is not Stage.BRIEFING


def may_end_briefing(case: Case) -> bool:
    """Whether physician and interpreter speak alone."""
    return _stage(case) is Stage.BRIEFING


def may_end_introduction(case: Case) -> bool:
    """Whether the introduction is being said."""
    return _stage(case) is Stage.INTRODUCTION


def may_take_over(case: Case) -> bool:
    """Whether the actor listens in."""
    session = case.consult.session
    return session is not None and case.me is not None and session.incoming == case.me.id


def may_signal(case: Case) -> bool:
    """Whether the actor interprets."""
    session = case.consult.session
    return session is not None and case.me is not None and session.interpreter == case.me.id
