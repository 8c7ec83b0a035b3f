"""Deciders about seats: arriving, admitting, holding, leaving, removing. Who may ask is the table's."""

from signaling.consult import commands, events
from signaling.consult.case import Case, Events
from signaling.consult.interpreting import RequestState
from signaling.consult.values import TAKEN, Consult, Participant, Role, SeatState
from signaling.errors import Code, Refused


def arrive(case: Case, command: commands.Arrive) -> Events:
    """Take one's seat, return to it, or ask to move it to another device."""
    me = case.myself
    if me.seat in TAKEN:
        return _return(case, me, command)
    if case.now < case.consult.opens_at and not case.consult.opened:
        raise Refused(Code.TOO_EARLY, "the waiting room is not open yet")
    # A physician is the host; an interpreter whom one asked for has been let in by asking.
    at_once = me.role is Role.PHYSICIAN or _is_asked_for(case.consult, me)
    return (
        events.ParticipantArrived(
            at=case.now,
            by=case.by,
            participant=me.id,
            device=command.device,
            further=command.further and not at_once,
            seat=SeatState.PRESENT if at_once else SeatState.WAITING,
            seat_no=_seat_no(case.consult, me) if at_once else None,
        ),
    )


def _is_asked_for(consult: Consult, me: Participant) -> bool:
    search = consult.request
    if search is None or search.state is not RequestState.ACCEPTED or not consult.physician_present:
        return False
    return search.participant == me.id and me.user is not None


def _return(case: Case, me: Participant, command: commands.Arrive) -> Events:
    at, by, device = case.now, case.by, command.device
    if device == me.device:
        if me.seat is not SeatState.LOST:
            return ()
        return (events.ParticipantReturned(at=at, by=by, participant=me.id),)
    if me.role is Role.PHYSICIAN:  # signed in on both devices: nobody has to confirm who it is
        return (events.SeatMoved(at=at, by=by, participant=me.id, device=device),)
    if me.unconfirmed and not command.further:  # whoever was faster, the first device has the better right
        return (events.FirstDeviceArrived(at=at, by=by, participant=me.id, device=device),)
    if device == me.further_device:
        return ()
    return (events.FurtherDeviceArrived(at=at, by=by, participant=me.id, device=device),)


def _seat_no(consult: Consult, participant: Participant) -> int:
    """The number of the person's seat: theirs for the whole consult once given."""
    if participant.seat_no is not None:
        return participant.seat_no
    given = sum(p.seat_no is not None for p in consult.participants)
    if given >= consult.policy.participants_max:
        raise Refused(Code.CONSULT_FULL, f"all {given} seats have been given")
    return given


def admit(case: Case, command: commands.Admit) -> Events:
    """Let a waiting person in, or move a seat to the person's further device."""
    person = case.target(command.participant)
    waits = person.seat is SeatState.WAITING or person.lost_from is SeatState.WAITING
    further = person.further_device is not None and command.device == person.further_device
    if not further:
        if command.device != person.device:
            raise Refused(Code.NOT_NOW, "another device is waiting by now")
        if person.seat is not SeatState.WAITING:
            raise Refused(Code.ALREADY_HERE if not waits else Code.NOT_NOW, "not in the waiting room")
        if person.unconfirmed and not command.further:
            raise Refused(Code.IDENTITY_UNCONFIRMED, "not the first device: confirm whose it is")
    if person.role is Role.PATIENT:
        _check_patient(person, confirmed=command.identity_confirmed)
    happened: Events = ()
    if further:
        happened = (events.SeatMoved(at=case.now, by=case.by, participant=person.id, device=command.device),)
    if waits:
        admitted = events.ParticipantAdmitted(
            at=case.now,
            by=case.by,
            participant=person.id,
            device=command.device,
            seat_no=_seat_no(case.consult, person),
            identity_confirmed=command.identity_confirmed,
        )
        happened = (*happened, admitted)
    return happened


def _check_patient(patient: Participant, *, confirmed: bool) -> None:
    if patient.consent is None:
        raise Refused(Code.CONSENT_MISSING, "ask them to accept the telehealth consent on their screen")
    if not confirmed:
        raise Refused(Code.IDENTITY_UNCONFIRMED, "confirm who it is first")


def decline(case: Case, command: commands.Decline) -> Events:
    """Send a waiting person away, or only their further device."""
    person = case.target(command.participant)
    if command.further_device:
        if not person.further_waits:
            return ()
        return (
            events.FurtherDeviceDeclined(
                at=case.now, by=case.by, participant=person.id, reason=command.reason
            ),
        )
    if SeatState.WAITING not in (person.seat, person.lost_from):
        raise Refused(Code.NOT_NOW, "not in the waiting room")
    return (
        events.ParticipantDeclined(at=case.now, by=case.by, participant=person.id, reason=command.reason),
    )


def hold(case: Case, command: commands.Hold) -> Events:
    """Put a person on hold."""
    return (events.ParticipantHeld(at=case.now, by=case.by, participant=command.participant),)


def resume(case: Case, command: commands.Resume) -> Events:
    """Bring a person back from hold."""
    return (events.ParticipantResumed(at=case.now, by=case.by, participant=command.participant),)


def leave(case: Case, _: commands.Leave) -> Events:
    """Go."""
    return (events.ParticipantLeft(at=case.now, by=case.by, participant=case.myself.id),)


def remove(case: Case, command: commands.Remove) -> Events:
    """Take a person out for good."""
    return (events.ParticipantRemoved(at=case.now, by=case.by, participant=command.participant),)


def release_device(case: Case, command: commands.ReleaseDevice) -> Events:
    """The device no longer asks for the seat."""
    person = case.target(command.participant)
    if person.further_device != command.device:
        return ()
    return (events.FurtherDeviceLeft(at=case.now, by=case.by, participant=person.id, device=command.device),)


def start_if_met(case: Case, consult: Consult) -> Events:
    """The consult begins when patient and physician are in the room together for the first time."""
    patient = any(p.seat is SeatState.PRESENT for p in consult.of_role(Role.PATIENT))
    if consult.started_at is not None or consult.over or not (patient and consult.physician_present):
        return ()
    return (events.ConsultStarted(at=case.now, by=case.by),)


def may_arrive(case: Case) -> bool:
    """Whether arriving would do something from the device that holds the seat, or from a first one."""
    me = case.me
    opened = case.consult.opened or case.now >= case.consult.opens_at
    return me is not None and opened and me.seat in (SeatState.INVITED, SeatState.LEFT)
