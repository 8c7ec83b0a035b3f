"""Deciders about the search for an interpreter: asking, ringing tier by tier, accepting, or nobody does.

`candidates` in a command are everybody who may be rung now, with the tier from which on they are.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from signaling.consult import events
from signaling.consult import interpreting_commands as commands
from signaling.consult import interpreting_events as happened
from signaling.consult.case import Case, Events
from signaling.consult.eligibility import Candidate
from signaling.consult.evolve import replay
from signaling.consult.ids import UserId
from signaling.consult.interpreting import (
    CHOOSE_WITHIN_S,
    COME_WITHIN_S,
    EXPECTED_S,
    PHONE_S,
    ROUNDS_MAX,
    TIER_S,
    TIERS,
    CloseReason,
    Request,
    RequestState,
    Tier,
    Wanted,
)
from signaling.consult.values import (
    BARRED,
    PARTICIPANTS_MAX,
    Consult,
    Participant,
    Role,
    SeatState,
)
from signaling.errors import Code, Refused

_TIER_S: Final = dict(zip(TIERS, TIER_S, strict=True))
_HERE: Final = frozenset({SeatState.PRESENT, SeatState.LOST, SeatState.ON_HOLD})


def request(case: Case, command: commands.RequestInterpreter) -> Events:
    """Look for an interpreter, unless one is being looked for."""
    current = case.consult.request
    if current is not None and current.is_open:
        raise Refused(Code.ALREADY_ASKED, "an interpreter is being looked for")
    if not has_seats(case.consult):
        raise Refused(Code.CONSULT_FULL, "no seat is left for another person")
    return _begin(case, command.wanted, command.candidates, command.expected_s)


def has_seats(consult: Consult) -> bool:
    """Whether another person finds a seat, and may be invited."""
    given = sum(p.seat_no is not None for p in consult.participants)
    return len(consult.participants) < PARTICIPANTS_MAX and given < consult.policy.participants_max


def _begin(case: Case, wanted: Wanted, candidates: Iterable[Candidate], expected_s: int) -> Events:
    current = case.consult.request
    asked = happened.InterpreterRequested(
        at=case.now,
        by=case.by,
        request=1 if current is None else current.no + 1,
        wanted=wanted,
        expected_s=expected_s,
        relieves=case.consult.session is not None,
        until=case.now,
    )
    after = replay(case.consult, (asked,)) or case.consult
    return (asked, *_ring_on(case, after, candidates))


def _ring_on(case: Case, consult: Consult, candidates: Iterable[Candidate], *, again: bool = False) -> Events:
    """Ring the first tier with somebody to ring: of a new round, or after the present tier."""
    search = _open(consult)
    able = _able(consult, candidates)
    rung = {one.user for one in search.rung if one.declined or not again}
    begin = again or not search.rung
    number = search.round + 1 if again else max(1, search.round)
    first = 0 if begin or search.round == 0 else TIERS.index(search.tier) + 1
    for tier in TIERS[first:]:
        new = _new(able, tier, rung)
        if new:
            return (_rung(case, search, tier, new, number, case.now + timedelta(seconds=_TIER_S[tier])),)
    until = case.now + timedelta(seconds=CHOOSE_WITHIN_S)
    return (happened.RequestUnanswered(at=case.now, by=case.by, request=search.no, until=until),)


def _new(able: Iterable[Candidate], tier: Tier, rung: Iterable[UserId]) -> tuple[UserId, ...]:
    """Who is rung in `tier`, or should have been in one before it, and is not yet."""
    reached = TIERS[: TIERS.index(tier) + 1]
    return tuple(one.user for one in able if one.tier in reached and one.user not in rung)


def _rung(
    case: Case, search: Request, tier: Tier, users: tuple[UserId, ...], number: int, until: datetime
) -> happened.InterpretersRung:
    return happened.InterpretersRung(
        at=case.now, by=case.by, request=search.no, tier=tier, round=number, users=users, until=until
    )


def _open(consult: Consult) -> Request:
    if consult.request is None or not consult.request.is_open:
        raise Refused(Code.NOT_NOW, "no interpreter is being looked for")
    return consult.request


def _able(consult: Consult, candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Those who are not here already, and were not sent away from this consult."""
    barred = {p.user for p in consult.participants if p.seat in _HERE or p.seat in BARRED}
    return tuple(one for one in candidates if one.user not in barred)


def is_stuck(search: Request) -> bool:
    """Whether no desk rings any more, so that waiting is of no use. A lost guest comes back unrung."""
    if search.state is not RequestState.RINGING or (search.round == 0 and not search.rung):
        return False
    return all(one.declined for one in search.rung)


def advance(case: Case, command: commands.AdvanceRequest) -> Events:
    """Go on where a state's time has passed, and ring whoever has become free meanwhile."""
    consult, now = case.consult, case.now
    search = consult.request
    if search is None or not search.is_open:
        return _ring_as_booked(case, command) if search is None else ()
    passed = search.until is not None and search.until <= now
    match search.state:
        case RequestState.RINGING:
            return _advance_ringing(case, search, command.candidates, passed=passed)
        case RequestState.ACCEPTED if passed:
            return _gave_no_sign(case, search)
        case RequestState.UNANSWERED if passed and search.round < ROUNDS_MAX:
            return _ring_anew(case, consult, command.candidates)
        case RequestState.UNANSWERED | RequestState.BY_PHONE if passed:
            return (_closed(case, search, "gave_up"),)
    return ()


def _advance_ringing(
    case: Case, search: Request, candidates: tuple[Candidate, ...], *, passed: bool
) -> Events:
    if passed or is_stuck(search):
        return _ring_on(case, case.consult, candidates)
    if search.round == 0:  # a lost interpreter is rung alone
        return ()
    rung = {one.user for one in search.rung}
    new = _new(_able(case.consult, candidates), search.tier, rung)
    until = search.until or case.now
    return (_rung(case, search, search.tier, new, search.round, until),) if new else ()


def _ring_anew(case: Case, consult: Consult, candidates: tuple[Candidate, ...]) -> Events:
    """Another round. One that finds nobody to ring counts too, or the last would never come."""
    ringing = _ring_on(case, consult, candidates, again=True)
    if isinstance(ringing[0], happened.InterpretersRung):
        return ringing
    search = _open(consult)
    nobody = _rung(case, search, TIERS[-1], (), search.round + 1, case.now)
    return (nobody, *ringing)


def _ring_as_booked(case: Case, command: commands.AdvanceRequest) -> Events:
    if not is_due_as_booked(case.consult):
        return ()
    return _begin(case, wanted_in(case.consult), command.candidates, EXPECTED_S)


def wanted_in(consult: Consult) -> Wanted:
    """What is looked for in a consult, or would be: as asked, as booked, or as its people speak."""
    if consult.request is not None:
        return consult.request.wanted
    if consult.interpreting is not None:
        pair = consult.interpreting
        return Wanted(patient_language=pair.patient, clinician_language=pair.clinician)
    patient = next(consult.of_role(Role.PATIENT), None)
    physician = next(consult.of_role(Role.PHYSICIAN), None)
    return Wanted(
        patient_language=patient.language if patient is not None else "en",
        clinician_language=physician.language if physician is not None else "en",
    )


def is_due_as_booked(consult: Consult) -> bool:
    """Whether an interpreter was booked to be rung as soon as a physician is in the room, and one is."""
    if not consult.on_demand or consult.over or consult.request is not None or consult.session is not None:
        return False
    return consult.interpreting is not None and consult.physician_present


def _gave_no_sign(case: Case, search: Request) -> Events:
    if search.by_user is None or search.participant is None:
        return ()
    return (came_not(case, search),)


def came_not(case: Case, search: Request) -> happened.InterpreterCameNot:
    """Whoever accepted is not coming."""
    if search.by_user is None or search.participant is None:
        raise ValueError("nobody has accepted")
    return happened.InterpreterCameNot(
        at=case.now,
        by=case.by,
        request=search.no,
        user=search.by_user,
        participant=search.participant,
    )


def _closed(case: Case, search: Request, reason: CloseReason) -> happened.RequestClosed:
    return happened.RequestClosed(at=case.now, by=case.by, request=search.no, reason=reason)


def accept(case: Case, command: commands.AcceptRing) -> Events:
    """The first who accepts comes; whoever is later is told that somebody else does."""
    search = case.consult.request
    if search is None or search.no != command.request:
        raise Refused(Code.TAKEN, "this search is over")
    if search.by_user == command.user and search.state is RequestState.ACCEPTED:
        return ()
    if search.state is not RequestState.RINGING:
        raise Refused(Code.TAKEN, f"this search is {search.state}")
    if not search.rings_for(command.user):
        raise Refused(Code.NOT_NOW, "this desk was not rung, or declined")
    known = case.consult.of_user(command.user)
    participant = command.participant if known is None else known.id
    accepted = happened.RingAccepted(
        at=case.now,
        by=case.by,
        request=search.no,
        user=command.user,
        participant=participant,
        until=case.now + timedelta(seconds=COME_WITHIN_S),
    )
    return (*_invited(case, command, known), *_replaced(case, search, command.user), accepted)


def _invited(case: Case, command: commands.AcceptRing, known: Participant | None) -> Events:
    if known is not None:
        return ()
    return (
        events.ParticipantInvited(
            at=case.now,
            by=case.by,
            participant=command.participant,
            role=Role.INTERPRETER,
            language=command.language,
            user=command.user,
        ),
    )


def _replaced(case: Case, search: Request, user: UserId) -> Events:
    """The lost interpreter somebody else comes for has no seat any more; back, they wait like anybody."""
    lost = case.consult.participant(search.lost) if search.lost is not None else None
    if lost is None or lost.user == user or lost.seat is not SeatState.LOST:
        return ()
    return (events.ParticipantLeft(at=case.now, by=case.by, participant=lost.id),)


def decline(case: Case, command: commands.DeclineRing) -> Events:
    """Silence one desk for this search."""
    search = case.consult.request
    if search is None or search.no != command.request or not search.rings_for(command.user):
        return ()
    return (happened.RingDeclined(at=case.now, by=case.by, request=search.no, user=command.user),)


def ring_again(case: Case, command: commands.RingAgain) -> Events:
    """Ring everybody again, if wanted for somebody who is heard only."""
    search = _open(case.consult)
    if search.state is RequestState.ACCEPTED:
        raise Refused(Code.ALREADY_ASKED, "an interpreter is on their way")
    widened: Events = ()
    if command.audio_only and search.wanted.mode != "audio":
        widened = (happened.RequestWidened(at=case.now, by=case.by, request=search.no, mode="audio"),)
    after = replay(case.consult, widened) or case.consult
    return (*widened, *_ring_anew(case, after, command.candidates))


def use_phone_line(case: Case, _: commands.UsePhoneLine) -> Events:
    """Record that the clinic's telephone interpreters are called."""
    search = _open(case.consult)
    if search.state not in (RequestState.RINGING, RequestState.UNANSWERED):
        raise Refused(Code.NOT_NOW, f"not while the search is {search.state}")
    until = case.now + timedelta(seconds=PHONE_S)
    return (happened.PhoneLineUsed(at=case.now, by=case.by, request=search.no, until=until),)


def close(case: Case, command: commands.CloseRequest) -> Events:
    """Look no longer. Whoever has accepted is told so by the seat that is taken back."""
    search = _open(case.consult)
    closed = _closed(case, search, "another_time" if command.another_time else "cancelled")
    coming = case.consult.participant(search.participant) if search.participant is not None else None
    if search.state is not RequestState.ACCEPTED or coming is None or coming.seat in _HERE | BARRED:
        return (closed,)
    return (events.InvitationRevoked(at=case.now, by=case.by, participant=coming.id), closed)


# --- what would do something now --------------------------------------------------------------------------


def _state(case: Case) -> RequestState:
    return RequestState.CLOSED if case.consult.request is None else case.consult.request.state


def may_ask(case: Case) -> bool:
    """Whether nobody is looked for."""
    return _state(case) in (RequestState.CLOSED, RequestState.CONNECTED) and has_seats(case.consult)


def may_ring_again(case: Case) -> bool:
    """Whether somebody is looked for, and nobody on their way."""
    return _state(case) in (RequestState.RINGING, RequestState.UNANSWERED, RequestState.BY_PHONE)


def may_use_phone(case: Case) -> bool:
    """Whether somebody is looked for in vain."""
    return _state(case) in (RequestState.RINGING, RequestState.UNANSWERED)


def may_close(case: Case) -> bool:
    """Whether somebody is looked for, or on their way."""
    return case.consult.request is not None and case.consult.request.is_open
