"""Counts of interpreting, from a consult's events alone: searches, rings, times and minutes. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from statistics import quantiles

from signaling.consult import events, interpreting_events
from signaling.consult.events import Event
from signaling.consult.evolve import evolve
from signaling.consult.ids import ConsultId, ParticipantId, UserId
from signaling.consult.interpreting import EXPECTED_S, CloseReason, Stage
from signaling.consult.values import Consult, SeatState


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchCount:
    """One search for an interpreter. Times are UTC; None has not happened."""

    consult: ConsultId
    no: int
    language: str
    asked_at: datetime
    rings: int = 0  # desks rung
    declined: int = 0
    rounds: int = 1
    accepted_at: datetime | None = None
    connected_at: datetime | None = None
    by_phone: bool = False
    closed: CloseReason | None = None
    after_loss: bool = False

    @property
    def connect_s(self) -> float | None:
        """Seconds from asking until the interpreter was in the room."""
        return None if self.connected_at is None else (self.connected_at - self.asked_at).total_seconds()

    @property
    def abandoned(self) -> bool:
        """Whether it ended without an interpreter."""
        return self.connected_at is None and (self.closed is not None or self.by_phone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One stretch in which somebody interpreted, or was introduced: their media flowed to both sides."""

    consult: ConsultId
    participant: ParticipantId
    user: UserId | None
    language: str
    begun_at: datetime
    ended_at: datetime

    @property
    def minutes(self) -> float:
        """How long."""
        return (self.ended_at - self.begun_at).total_seconds() / 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What one consult's events say."""

    searches: tuple[SearchCount, ...] = ()
    turns: tuple[Turn, ...] = ()
    signals: tuple[str, ...] = ()


def count(history: Iterable[Event]) -> Counted:
    """Count one consult, from its first event on."""
    consult: Consult | None = None
    searches: dict[int, SearchCount] = {}
    turns: list[Turn] = []
    signals: list[str] = []
    begun: tuple[ParticipantId, datetime] | None = None
    for event in history:
        before, consult = consult, evolve(consult, event)
        _note(consult, event, searches)
        if isinstance(event, interpreting_events.SignalGiven):
            signals.append(event.kind)
        now = _interpreting(consult)
        was = _interpreting(before) if before is not None else None
        if was is not None and now != was and begun is not None:
            ended_at = _last_heard(before, event)
            turns.append(_turn(consult, begun, ended_at))
            begun = None
        if now is not None and now != was:
            begun = (now, event.at)
    if consult is not None and consult.over:
        for no, one in searches.items():
            if one.connected_at is None and one.closed is None:
                searches[no] = replace(one, closed="consult_over")
    return Counted(searches=tuple(searches.values()), turns=tuple(turns), signals=tuple(signals))


def _turn(consult: Consult, begun: tuple[ParticipantId, datetime], ended_at: datetime) -> Turn:
    person = consult.participant(begun[0])
    return Turn(
        consult=consult.id,
        participant=begun[0],
        user=person.user if person is not None else None,
        language=_language(consult),
        begun_at=begun[1],
        ended_at=max(begun[1], ended_at),
    )


def _language(consult: Consult) -> str:
    if consult.request is not None:
        return consult.request.wanted.patient_language
    return consult.interpreting.patient if consult.interpreting is not None else "und"


def _interpreting(consult: Consult) -> ParticipantId | None:
    """Who is heard by both sides as their interpreter now."""
    session = consult.session
    if session is None or session.stage is Stage.BRIEFING or not consult.physician_present:
        return None
    person = consult.participant(session.interpreter)
    return session.interpreter if person is not None and person.seat is SeatState.PRESENT else None


def _last_heard(before: Consult | None, event: Event) -> datetime:
    """Somebody is marked lost a while after their last packet."""
    if before is not None and isinstance(event, events.ParticipantLost):
        return event.at - timedelta(seconds=before.policy.lost_after_s)
    return event.at


def _note(consult: Consult, event: Event, searches: dict[int, SearchCount]) -> None:
    if isinstance(event, interpreting_events.InterpreterRequested):
        searches[event.request] = SearchCount(
            consult=consult.id,
            no=event.request,
            language=event.wanted.patient_language,
            asked_at=event.at,
            after_loss=event.lost is not None,
        )
        return
    request = consult.request
    known = searches.get(request.no) if request is not None else None
    if known is not None:
        searches[known.no] = _noted(known, event)


def _noted(known: SearchCount, event: Event) -> SearchCount:
    match event:
        case interpreting_events.InterpretersRung():
            rounds = max(known.rounds, event.round)
            return replace(known, rings=known.rings + len(event.users), rounds=rounds)
        case interpreting_events.RingDeclined():
            return replace(known, declined=known.declined + 1)
        case interpreting_events.RingAccepted():
            return replace(known, accepted_at=event.at)
        case interpreting_events.PhoneLineUsed():
            return replace(known, by_phone=True)
        case interpreting_events.RequestClosed():
            return replace(known, closed=event.reason)
        case interpreting_events.InterpreterConnected() if known.connected_at is None:
            return replace(known, connected_at=event.at)
    return known


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageCount:
    """One language over many consults."""

    language: str
    searches: int
    connected: int
    abandoned: int
    by_phone: int
    rings: int
    minutes: float
    connect_p50_s: float | None
    connect_p90_s: float | None


def by_language(counted: Sequence[Counted]) -> tuple[LanguageCount, ...]:
    """The counts of each language, the most asked for first."""
    searches = [one for consult in counted for one in consult.searches]
    turns = [one for consult in counted for one in consult.turns]
    languages = {one.language for one in searches} | {one.language for one in turns}
    found = [
        _of_language(
            language,
            [one for one in searches if one.language == language],
            [one for one in turns if one.language == language],
        )
        for language in languages
    ]
    return tuple(sorted(found, key=lambda one: (-one.searches, one.language)))


def _of_language(language: str, searches: Sequence[SearchCount], turns: Sequence[Turn]) -> LanguageCount:
    times = sorted(one.connect_s for one in searches if one.connect_s is not None)
    return LanguageCount(
        language=language,
        searches=len(searches),
        connected=len(times),
        abandoned=sum(one.abandoned for one in searches),
        by_phone=sum(one.by_phone for one in searches),
        rings=sum(one.rings for one in searches),
        minutes=sum(turn.minutes for turn in turns),
        connect_p50_s=percentile(times, 50),
        connect_p90_s=percentile(times, 90),
    )


def percentile(values: Sequence[float], percent: int) -> float | None:
    """A percentile of sorted values, by linear interpolation; None of none."""
    if len(values) < 2:
        return values[0] if values else None
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def usual_s(counted: Iterable[Counted]) -> int:
    """How many seconds it usually took until somebody was there; a guess where nobody knows."""
    times = sorted(s for consult in counted for one in consult.searches if (s := one.connect_s) is not None)
    half = percentile(times, 50)
    return EXPECTED_S if half is None else max(5, round(half))
