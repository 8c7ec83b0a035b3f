"""What an event about interpreting makes of a consult."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from signaling.consult import interpreting_events as events
from signaling.consult.interpreting import (
    SIGNALS_KEPT,
    Request,
    RequestState,
    Rung,
    Session,
    Signal,
    Stage,
)
from signaling.consult.values import Consult, SeatState

_STAYS: Final = frozenset({SeatState.PRESENT, SeatState.LOST, SeatState.ON_HOLD})


def settled(consult: Consult) -> Consult:
    """Nobody interprets from a seat they have left, and nobody is looked for once it is over."""
    request, session = consult.request, consult.session
    if consult.over and request is not None and request.is_open:
        closed = replace(request, state=RequestState.CLOSED, until=None, reason="consult_over")
        consult = replace(consult, request=closed)
    if session is None:
        return consult
    seats = {p.id: p.seat for p in consult.participants}
    if seats.get(session.interpreter) not in _STAYS or consult.over:
        return replace(consult, session=None)
    if session.incoming is not None and seats.get(session.incoming) is not SeatState.PRESENT:
        return replace(consult, session=replace(session, incoming=None))
    return consult


def _request(consult: Consult, change: Callable[[Request], Request]) -> Consult:
    return consult if consult.request is None else replace(consult, request=change(consult.request))


def _session(consult: Consult, change: Callable[[Session], Session]) -> Consult:
    return consult if consult.session is None else replace(consult, session=change(consult.session))


def _in_state(request: Request, state: RequestState, at: datetime, until: datetime | None) -> Request:
    return replace(request, state=state, since=at, until=until)


def _requested(consult: Consult, event: events.InterpreterRequested) -> Consult:
    request = Request(
        no=event.request,
        wanted=event.wanted,
        asked_at=event.at,
        since=event.at,
        until=event.until,
        round=0 if event.lost else 1,
        expected_s=event.expected_s,
        lost=event.lost,
        relieves=event.relieves,
    )
    return replace(consult, request=request)


def _rung(consult: Consult, event: events.InterpretersRung) -> Consult:
    def ring(request: Request) -> Request:
        # In a new round everybody who has not declined is rung anew; a lost one rung alone rings on.
        again = event.round > request.round > 0
        kept = tuple(one for one in request.rung if one.declined or not again)
        new = tuple(Rung(user=user, tier=event.tier) for user in event.users)
        ringing = _in_state(request, RequestState.RINGING, event.at, event.until)
        return replace(ringing, tier=event.tier, round=event.round, rung=kept + new)

    return _request(consult, ring)


def _declining(request: Request, user: str) -> Request:
    rung = tuple(replace(one, declined=True) if one.user == user else one for one in request.rung)
    return replace(request, rung=rung)


def _declined(consult: Consult, event: events.RingDeclined) -> Consult:
    return _request(consult, lambda request: _declining(request, event.user))


def _accepted(consult: Consult, event: events.RingAccepted) -> Consult:
    return _request(
        consult,
        lambda request: replace(
            _in_state(request, RequestState.ACCEPTED, event.at, event.until),
            accepted_at=event.at,
            by_user=event.user,
            participant=event.participant,
        ),
    )


def _came_not(consult: Consult, event: events.InterpreterCameNot) -> Consult:
    """The others ring again; `until` is now, so that the clock goes on at once."""

    def again(request: Request) -> Request:
        ringing = _in_state(request, RequestState.RINGING, event.at, event.at)
        none = replace(ringing, accepted_at=None, by_user=None, participant=None)
        return _declining(none, event.user)

    return _request(consult, again)


def _unanswered(consult: Consult, event: events.RequestUnanswered) -> Consult:
    return _request(consult, lambda r: _in_state(r, RequestState.UNANSWERED, event.at, event.until))


def _widened(consult: Consult, event: events.RequestWidened) -> Consult:
    return _request(consult, lambda r: replace(r, wanted=replace(r.wanted, mode=event.mode)))


def _by_phone(consult: Consult, event: events.PhoneLineUsed) -> Consult:
    used = replace(consult, phone_used=consult.phone_used + 1)
    return _request(used, lambda r: _in_state(r, RequestState.BY_PHONE, event.at, event.until))


def _closed(consult: Consult, event: events.RequestClosed) -> Consult:
    return _request(
        consult,
        lambda r: replace(_in_state(r, RequestState.CLOSED, event.at, None), reason=event.reason),
    )


def _connected(consult: Consult, event: events.InterpreterConnected) -> Consult:
    request = consult.request
    if request is not None and request.is_open and event.participant in (request.participant, request.lost):
        done = _in_state(request, RequestState.CONNECTED, event.at, None)
        consult = replace(consult, request=replace(done, participant=event.participant))
    session = consult.session
    if event.incoming and session is not None:
        return replace(consult, session=replace(session, incoming=event.participant))
    if session is not None and session.interpreter == event.participant:
        return consult  # back where they were
    mode = session.mode if session is not None else "consecutive"
    new = Session(interpreter=event.participant, stage=event.stage, since=event.at, mode=mode)
    return replace(consult, session=new)


def _at_stage(stage: Stage) -> Callable[[Consult, Any], Consult]:
    """An evolver for an event after which the session is at `stage`."""
    return lambda consult, event: _session(consult, lambda s: replace(s, stage=stage, since=event.at))


def _mode(consult: Consult, event: events.ModeChanged) -> Consult:
    return _session(consult, lambda s: replace(s, mode=event.mode))


def _relieved(consult: Consult, event: events.InterpreterRelieved) -> Consult:
    return _session(consult, lambda s: replace(s, interpreter=event.participant, incoming=None))


def _signalled(consult: Consult, event: events.SignalGiven) -> Consult:
    signal = Signal(no=event.no, kind=event.kind, by=event.participant, at=event.at)
    return _session(consult, lambda s: replace(s, signals=(*s.signals, signal)[-SIGNALS_KEPT:]))


EVOLVERS: Final[Mapping[type[Any], Callable[[Consult, Any], Consult]]] = {
    events.InterpreterRequested: _requested,
    events.InterpretersRung: _rung,
    events.RingDeclined: _declined,
    events.RingAccepted: _accepted,
    events.InterpreterCameNot: _came_not,
    events.RequestUnanswered: _unanswered,
    events.RequestWidened: _widened,
    events.PhoneLineUsed: _by_phone,
    events.RequestClosed: _closed,
    events.InterpreterConnected: _connected,
    events.BriefingBegun: _at_stage(Stage.BRIEFING),
    events.BriefingEnded: _at_stage(Stage.INTRODUCTION),
    events.IntroductionEnded: _at_stage(Stage.INTERPRETING),
    events.ModeChanged: _mode,
    events.InterpreterRelieved: _relieved,
    events.SignalGiven: _signalled,
}
