"""Who sees what of interpreting."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from signaling.consult.eligibility import Interpreter
from signaling.consult.ids import ParticipantId, UserId
from signaling.consult.interpreting import Request, RequestState, Session, Stage
from signaling.consult.listening import listening_policy
from signaling.consult.people import Notes
from signaling.consult.presence import ConsultPresence
from signaling.consult.values import STAFF, Consult, Participant, Role, SeatState
from signaling.protocol import interpreting_shapes as shapes
from signaling.protocol.recording_views import is_recorded

_UNANSWERED: Final = frozenset({RequestState.UNANSWERED, RequestState.BY_PHONE})
_MAX_LANGUAGES: Final = 24


def search_for(consult: Consult, me: Participant, phone_line: str) -> shapes.SearchView | None:
    """The search, for everybody who is here: how long it takes is no secret, who is rung is."""
    search = consult.request
    if search is None or me.seat not in (SeatState.PRESENT, SeatState.WAITING, SeatState.ON_HOLD):
        return None
    line = phone_line if phone_line and search.state in _UNANSWERED else None
    staff = me.role in STAFF
    return shapes.SearchView(
        no=search.no,
        state=search.state,
        asked_at=search.asked_at,
        until=search.until,
        languages=_languages(search),
        mode=search.wanted.mode,
        gender=search.wanted.gender if staff else None,
        tier=search.tier,
        rung=sum(search.rings_for(one.user) for one in search.rung) if staff else 0,
        expected_s=search.expected_s,
        comes_back=search.lost is not None,
        relieves=search.relieves,
        reason=search.reason,
        phone_line=line,
    )


def _languages(search: Request) -> list[str]:
    return [search.wanted.patient_language, search.wanted.clinician_language]


def session_for(
    consult: Consult, presence: ConsultPresence, me: Participant, notes: Notes
) -> shapes.SessionView | None:
    """Who interprets, for everybody in the room."""
    session = consult.session
    if session is None or me.seat is not SeatState.PRESENT:
        return None
    person = consult.participant(session.interpreter)
    user = person.user if person is not None else None
    return shapes.SessionView(
        interpreter=session.interpreter,
        number=notes.numbers.get(user) if user is not None else None,
        stage=session.stage,
        since=session.since,
        mode=session.mode,
        into=presence.of(session.interpreter).interprets_into,
        incoming=session.incoming,
        original=presence.of(me.id).prefers_original,
        signals=[shapes.SignalView(no=one.no, kind=one.kind, at=one.at) for one in session.signals],
    )


def interpreted(consult: Consult) -> bool:
    """Whether an interpreter was in the room: people are then asked how it was."""
    return any(p.admitted_at is not None or p.seat_no is not None for p in consult.of_role(Role.INTERPRETER))


def hearing_for(consult: Consult, presence: ConsultPresence, me: Participant) -> list[shapes.HearingView]:
    """How the viewer hears each of the others in the room."""
    return [
        shapes.HearingView(participant=who, level=heard.level, under=heard.under)
        for who, heard in listening_policy(consult, presence, me).items()
    ]


def case_for_view(consult: Consult, me: Participant, notes: Notes) -> shapes.CaseView | None:
    """The case card: for physicians, and for interpreters once they are in the room."""
    asked = consult.request is not None or consult.session is not None
    briefed = me.role is Role.PHYSICIAN or (me.role is Role.INTERPRETER and me.seat is SeatState.PRESENT)
    if not asked or not briefed or consult.over:
        return None
    return shapes.CaseView(text=notes.case, minutes=_minutes(consult), recorded=is_recorded(consult))


def _minutes(consult: Consult) -> int:
    return round((consult.ends_at - consult.starts_at).total_seconds() / 60)


def is_briefed_alone(consult: Consult) -> bool:
    """Whether physician and interpreter speak alone now, so that guests wait."""
    session: Session | None = consult.session
    return session is not None and session.stage is Stage.BRIEFING


def ring_for(consult: Consult, user: UserId) -> shapes.RingView | None:
    """The ring of a consult at this desk; None if it does not ring there."""
    search = consult.request
    if search is None or consult.over or not search.rings_for(user):
        return None
    lost = _user_of(consult, search.lost)
    return shapes.RingView(
        consult_id=consult.id,
        request=search.no,
        languages=_languages(search),
        mode=search.wanted.mode,
        minutes=_minutes(consult),
        recorded=False,
        since=search.asked_at,
        comes_back=lost == user,
        relieves=search.relieves,
    )


def _user_of(consult: Consult, participant: ParticipantId | None) -> UserId | None:
    person = consult.participant(participant) if participant is not None else None
    return person.user if person is not None else None


def is_coming(consult: Consult, user: UserId) -> bool:
    """Whether this interpreter has accepted and is not in the room yet."""
    search = consult.request
    return search is not None and search.state is RequestState.ACCEPTED and search.by_user == user


def desk_for(
    entry: Interpreter | None, consults: Iterable[Consult], user: UserId, number: str | None
) -> shapes.DeskView:
    """The desk of an interpreter; `entry` is None if they are not on the register."""
    ringing = list(consults)
    rings = [ring for one in ringing if (ring := ring_for(one, user)) is not None]
    rings.sort(key=_since)
    languages = sorted({tag for pair in entry.pairs for tag in pair}) if entry is not None else []
    return shapes.DeskView(
        registered=entry is not None and entry.vetted and entry.medical,
        availability=entry.availability if entry is not None else "away",
        number=number,
        busy=entry is not None and entry.busy,
        languages=languages[:_MAX_LANGUAGES],
        rings=rings[: shapes.RINGS_MAX],
        coming=[one.id for one in ringing if is_coming(one, user)][:2],
    )


def _since(ring: shapes.RingView) -> datetime:
    return ring.since
