"""What an event makes of a consult. Never refuses: an event has happened."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import reduce
from typing import Any, Final

from signaling.consult import events, evolving_interpreting, evolving_recording
from signaling.consult.events import Event
from signaling.consult.ids import ParticipantId
from signaling.consult.values import (
    GUESTS,
    HERE,
    TAKEN,
    Consent,
    Consult,
    Notice,
    Participant,
    Phase,
    SeatState,
)


def evolve(consult: Consult | None, event: Event) -> Consult:
    """Return `consult` after `event`; the first event of a consult makes it."""
    if isinstance(event, events.ConsultScheduled):
        return _scheduled(event)
    if consult is None:
        raise ValueError(f"a consult begins with consult_scheduled, not {event.type}")
    after = _EVOLVERS[type(event)](consult, event)
    return _settled(replace(after, version=consult.version + 1), event)


def replay(consult: Consult | None, happened: Iterable[Event]) -> Consult | None:
    """Fold events onto a consult, or from nothing."""
    return reduce(evolve, happened, consult)


def _scheduled(event: events.ConsultScheduled) -> Consult:
    return Consult(
        id=event.consult,
        clinic=event.clinic,
        version=1,
        starts_at=event.starts_at,
        ends_at=event.ends_at,
        interpreting=event.interpreting,
        on_demand=event.on_demand,
        continues=event.continues,
        policy=event.policy,
    )


def _settled(consult: Consult, event: Event) -> Consult:
    """Bring what follows from the seats up to date: the phase, who shares, since when it is empty."""
    people = consult.participants
    phase = consult.phase
    if phase in (Phase.SCHEDULED, Phase.WAITING):
        waits = any(p.role in GUESTS and p.seat in TAKEN for p in people)
        phase = Phase.WAITING if waits else Phase.SCHEDULED
    sharing = consult.sharing
    if sharing is not None and not any(p.id == sharing and p.seat is SeatState.PRESENT for p in people):
        sharing = None
    empty_since = None
    if not any(p.seat in HERE for p in people) and any(p.arrived_at is not None for p in people):
        empty_since = consult.empty_since or event.at
    settled = evolving_interpreting.settled(consult)
    if (phase, sharing, empty_since) == (settled.phase, settled.sharing, settled.empty_since):
        return settled
    return replace(settled, phase=phase, sharing=sharing, empty_since=empty_since)


def _with(consult: Consult, who: ParticipantId, change: Callable[[Participant], Participant]) -> Consult:
    people = tuple(change(p) if p.id == who else p for p in consult.participants)
    return replace(consult, participants=people)


def _rescheduled(consult: Consult, event: events.ConsultRescheduled) -> Consult:
    moved = replace(consult, starts_at=event.starts_at, ends_at=event.ends_at, notice=None)
    if event.at >= moved.opens_at:
        return moved
    # The waiting room closes again: whoever had come is invited anew, for the new time.
    people = tuple(
        replace(_out(p, SeatState.INVITED), arrived_at=None)
        if p.seat in TAKEN or p.seat is SeatState.LEFT
        else p
        for p in moved.participants
    )
    return replace(moved, opened=False, participants=people)


def _cancelled(consult: Consult, event: events.ConsultCancelled) -> Consult:
    return replace(consult, phase=Phase.CANCELLED, ended_at=event.at, cancel_reason=event.reason)


def _invited(consult: Consult, event: events.ParticipantInvited) -> Consult:
    new = Participant(
        id=event.participant,
        role=event.role,
        language=event.language,
        user=event.user,
        invited_at=event.at,
        consent=event.consent,
        location_told=event.location_told,
    )
    return replace(consult, participants=(*consult.participants, new))


def _opened(consult: Consult, _: events.WaitingRoomOpened) -> Consult:
    return replace(consult, opened=True)


def _out(p: Participant, seat: SeatState) -> Participant:
    """Nobody's device holds the seat or asks for it any more."""
    return replace(
        p,
        seat=seat,
        device=None,
        unconfirmed=False,
        further_device=None,
        lost_from=None,
        lost_at=None,
    )


def _arrived(consult: Consult, event: events.ParticipantArrived) -> Consult:
    in_room = event.seat is SeatState.PRESENT
    return _with(
        consult,
        event.participant,
        lambda p: replace(
            p,
            seat=event.seat,
            device=event.device,
            unconfirmed=event.further,
            further_device=None,
            arrived_at=event.at,
            admitted_at=event.at if in_room else None,
            seat_no=p.seat_no if event.seat_no is None else event.seat_no,
            identity_confirmed=False,
        ),
    )


def _back(p: Participant) -> Participant:
    return replace(p, seat=p.lost_from or p.seat, lost_from=None, lost_at=None)


def _returned(consult: Consult, event: events.ParticipantReturned) -> Consult:
    return _with(consult, event.participant, _back)


def _further_device(consult: Consult, event: events.FurtherDeviceArrived) -> Consult:
    return _with(consult, event.participant, lambda p: replace(p, further_device=event.device))


def _first_device(consult: Consult, event: events.FirstDeviceArrived) -> Consult:
    def take(p: Participant) -> Participant:
        asks = p.further_device if p.seat is SeatState.LOST else p.device  # a lost one asks for nothing
        return replace(_back(p), device=event.device, unconfirmed=False, further_device=asks)

    return _with(consult, event.participant, take)


def _seat_moved(consult: Consult, event: events.SeatMoved) -> Consult:
    return _with(
        consult,
        event.participant,
        lambda p: replace(_back(p), device=event.device, unconfirmed=False, further_device=None),
    )


def _admitted(consult: Consult, event: events.ParticipantAdmitted) -> Consult:
    return _with(
        consult,
        event.participant,
        lambda p: replace(
            p,
            seat=SeatState.PRESENT,
            device=event.device,
            unconfirmed=False,
            seat_no=event.seat_no,
            admitted_at=event.at,
            identity_confirmed=event.identity_confirmed,
        ),
    )


def _further_device_left(consult: Consult, event: events.FurtherDeviceLeft) -> Consult:
    return _with(consult, event.participant, lambda p: replace(p, further_device=None))


def _further_device_declined(consult: Consult, event: events.FurtherDeviceDeclined) -> Consult:
    def without(p: Participant) -> Participant:
        if p.further_device is not None:
            return replace(p, further_device=None)
        return _out(p, SeatState.INVITED)  # it waited in the seat itself: the first one may still come

    return _with(consult, event.participant, without)


def _seat(seat: SeatState) -> Callable[[Consult, Any], Consult]:
    """An evolver that puts the event's participant into `seat`; out of the consult, no device holds it."""
    holds = seat in TAKEN

    def put(p: Participant) -> Participant:
        return replace(p, seat=seat) if holds else _out(p, seat)

    return lambda consult, event: _with(consult, event.participant, put)


def _lost(consult: Consult, event: events.ParticipantLost) -> Consult:
    return _with(
        consult,
        event.participant,
        lambda p: replace(p, seat=SeatState.LOST, lost_from=p.seat, lost_at=event.at),
    )


def _consented(consult: Consult, event: events.ConsentGiven) -> Consult:
    consent = Consent(text_id=event.text_id, text_hash=event.text_hash, language=event.language, at=event.at)
    return _with(consult, event.participant, lambda p: replace(p, consent=consent))


def _located(consult: Consult, event: events.LocationTold) -> Consult:
    return _with(consult, event.participant, lambda p: replace(p, location_told=True))


def _unchanged(consult: Consult, _: events.ParticipantRenamed | events.InvitationRenewed) -> Consult:
    return consult


def _sharing(consult: Consult, event: events.SharingStarted) -> Consult:
    return replace(consult, sharing=event.participant)


def _sharing_over(consult: Consult, _: events.SharingStopped) -> Consult:
    return replace(consult, sharing=None)


def _message(consult: Consult, event: events.MessageSent) -> Consult:
    return replace(consult, chat_seq=event.seq)


def _noticed(consult: Consult, event: events.NoticeSent) -> Consult:
    return replace(consult, notice=Notice(kind=event.kind, minutes=event.minutes, at=event.at))


def _started(consult: Consult, event: events.ConsultStarted) -> Consult:
    return replace(consult, phase=Phase.IN_PROGRESS, started_at=event.at, notice=None)


def _extended(consult: Consult, event: events.ConsultExtended) -> Consult:
    return replace(consult, ends_at=event.ends_at)


def _ended(consult: Consult, event: events.ConsultEnded) -> Consult:
    return replace(consult, phase=Phase.ENDED, ended_at=event.at, end_reason=event.reason, sharing=None)


def _missed(consult: Consult, event: events.ConsultMissed) -> Consult:
    return replace(consult, phase=Phase.NO_SHOW, ended_at=event.at)


# Each function takes the event class it is listed under; a test compares the annotations.
_EVOLVERS: Final[Mapping[type[Event], Callable[[Consult, Any], Consult]]] = {
    events.ConsultRescheduled: _rescheduled,
    events.ConsultCancelled: _cancelled,
    events.ParticipantInvited: _invited,
    events.InvitationRevoked: _seat(SeatState.REVOKED),
    events.InvitationRenewed: _unchanged,
    events.WaitingRoomOpened: _opened,
    events.ParticipantArrived: _arrived,
    events.ParticipantReturned: _returned,
    events.FurtherDeviceArrived: _further_device,
    events.FirstDeviceArrived: _first_device,
    events.FurtherDeviceLeft: _further_device_left,
    events.SeatMoved: _seat_moved,
    events.ParticipantAdmitted: _admitted,
    events.ParticipantDeclined: _seat(SeatState.DECLINED),
    events.FurtherDeviceDeclined: _further_device_declined,
    events.ParticipantHeld: _seat(SeatState.ON_HOLD),
    events.ParticipantResumed: _seat(SeatState.PRESENT),
    events.ParticipantLost: _lost,
    events.ParticipantLeft: _seat(SeatState.LEFT),
    events.ParticipantRemoved: _seat(SeatState.REMOVED),
    events.ConsentGiven: _consented,
    events.LocationTold: _located,
    events.ParticipantRenamed: _unchanged,
    events.SharingStarted: _sharing,
    events.SharingStopped: _sharing_over,
    events.MessageSent: _message,
    events.NoticeSent: _noticed,
    events.ConsultStarted: _started,
    events.ConsultExtended: _extended,
    events.ConsultEnded: _ended,
    events.ConsultMissed: _missed,
    **evolving_interpreting.EVOLVERS,
    **evolving_recording.EVOLVERS,
}
