"""Deciders about a consult as a whole: its times, who is invited, its end, and what the clock asks."""

from datetime import datetime, timedelta
from typing import Final

from signaling.consult import commands, deadlines, events
from signaling.consult.case import Case, Events
from signaling.consult.ids import ActorId, UserId
from signaling.consult.values import BARRED, HERE, PARTICIPANTS_MAX, Participant, Role, SeatState
from signaling.errors import Code, Refused

LENGTH_MIN: Final = timedelta(minutes=5)
LENGTH_MAX: Final = timedelta(hours=8)
AHEAD_MAX: Final = timedelta(days=730)
CONTINUE_WITHIN: Final = timedelta(hours=24)


def schedule(command: commands.Schedule, *, by: ActorId, now: datetime) -> Events:
    """Make a new consult: one patient, at least one physician, each person once."""
    _check_times(command.starts_at, command.ends_at, now=now)
    people = command.seatings
    roles = [s.role for s in people]
    users = [s.user for s in people if s.user is not None]
    if roles.count(Role.PATIENT) != 1 or Role.PHYSICIAN not in roles:
        raise Refused(Code.BAD_PEOPLE, "one patient and at least one physician")
    if len({s.participant for s in people}) != len(people) or len(set(users)) != len(users):
        raise Refused(Code.BAD_PEOPLE, "each person once")
    if len(people) > command.policy.participants_max:
        raise Refused(Code.TOO_MANY, f"at most {command.policy.participants_max}")
    scheduled = events.ConsultScheduled(
        at=now,
        by=by,
        consult=command.consult,
        clinic=command.clinic,
        starts_at=command.starts_at,
        ends_at=command.ends_at,
        interpreting=command.interpreting,
        continues=None,
        on_demand=command.on_demand,
        policy=command.policy,
    )
    return (scheduled, *(_invited(s, by=by, now=now) for s in people))


def _check_times(starts_at: datetime, ends_at: datetime, *, now: datetime) -> None:
    if not LENGTH_MIN <= ends_at - starts_at <= LENGTH_MAX:
        raise Refused(Code.BAD_TIMES, "5 minutes to 8 hours")
    if ends_at <= now or starts_at > now + AHEAD_MAX:
        raise Refused(Code.BAD_TIMES, "between now and two years ahead")


def _invited(seating: commands.Seating, *, by: ActorId, now: datetime) -> events.ParticipantInvited:
    if seating.role in (Role.PHYSICIAN, Role.COORDINATOR) and seating.user is None:
        raise Refused(Code.BAD_PEOPLE, f"a {seating.role} signs in: a staff account is needed")
    return events.ParticipantInvited(
        at=now,
        by=by,
        participant=seating.participant,
        role=seating.role,
        language=seating.language,
        user=seating.user,
    )


def reschedule(case: Case, command: commands.Reschedule) -> Events:
    """Move a consult that has not begun."""
    _check_times(command.starts_at, command.ends_at, now=case.now)
    if (command.starts_at, command.ends_at) == (case.consult.starts_at, case.consult.ends_at):
        return ()
    return (
        events.ConsultRescheduled(
            at=case.now, by=case.by, starts_at=command.starts_at, ends_at=command.ends_at
        ),
    )


def cancel(case: Case, command: commands.Cancel) -> Events:
    """Call off a consult that has not begun."""
    return (events.ConsultCancelled(at=case.now, by=case.by, reason=command.reason),)


def invite(case: Case, command: commands.Invite) -> Events:
    """Invite one more person; a consult has one patient."""
    seating = command.seating
    if seating.role is Role.PATIENT and any(p.seat not in BARRED for p in case.consult.of_role(Role.PATIENT)):
        raise Refused(Code.BAD_PEOPLE, "a consult has one patient")
    _check_room_for(case, seating.user)
    if case.consult.participant(seating.participant) is not None:
        raise Refused(Code.ALREADY_HERE, "this id is taken")
    return (_invited(seating, by=case.by, now=case.now),)


def _check_room_for(case: Case, user: UserId | None) -> None:
    if user is not None and case.consult.of_user(user) is not None:
        raise Refused(Code.ALREADY_HERE, "this account takes part already")
    if len(case.consult.participants) >= PARTICIPANTS_MAX:
        raise Refused(Code.TOO_MANY, f"at most {PARTICIPANTS_MAX} people are ever invited")


def revoke_invitation(case: Case, command: commands.RevokeInvitation) -> Events:
    """Take an invitation back."""
    return (events.InvitationRevoked(at=case.now, by=case.by, participant=command.participant),)


def renew_invitation(case: Case, command: commands.RenewInvitation) -> Events:
    """Give someone a new link, unless they sign in."""
    if case.target(command.participant).user is not None:
        raise Refused(Code.BAD_PEOPLE, "whoever has a staff account signs in")
    return (events.InvitationRenewed(at=case.now, by=case.by, participant=command.participant),)


def cover(case: Case, command: commands.Cover) -> Events:
    """Take part in a colleague's consult."""
    user = UserId(case.by)
    _check_room_for(case, user)
    seating = commands.Seating(
        participant=command.participant, role=Role.PHYSICIAN, language=command.language, user=user
    )
    return (_invited(seating, by=case.by, now=case.now),)


def extend(case: Case, command: commands.Extend) -> Events:
    """Plan more time, up to the longest a consult may be."""
    ends_at = max(case.consult.ends_at, case.now) + timedelta(minutes=command.minutes)
    if ends_at - case.consult.starts_at > LENGTH_MAX:
        raise Refused(Code.BAD_TIMES, "at most 8 hours")
    return (events.ConsultExtended(at=case.now, by=case.by, ends_at=ends_at),)


def end(case: Case, command: commands.End) -> Events:
    """End the consult for everyone."""
    return (events.ConsultEnded(at=case.now, by=case.by, reason=command.reason),)


def continue_consult(case: Case, command: commands.ContinueConsult) -> Events:
    """The first events of a new consult with the same people. They are not events of the ended one."""
    old = case.consult
    if old.ended_at is None or case.now - old.ended_at > CONTINUE_WITHIN:
        raise Refused(Code.NOT_NOW, "only within 24 hours; schedule a new one")
    scheduled = events.ConsultScheduled(
        at=case.now,
        by=case.by,
        consult=command.new_consult,
        clinic=old.clinic,
        starts_at=case.now,
        ends_at=case.now + timedelta(minutes=command.minutes),
        interpreting=old.interpreting,
        continues=old.id,
        on_demand=old.on_demand,
        policy=old.policy,
    )
    again = (_again(p, case) for p in old.participants if p.seat not in BARRED)
    return (scheduled, *again, events.WaitingRoomOpened(at=case.now, by=case.by))


def _again(participant: Participant, case: Case) -> events.ParticipantInvited:
    return events.ParticipantInvited(
        at=case.now,
        by=case.by,
        participant=participant.id,
        role=participant.role,
        language=participant.language,
        user=participant.user,
        consent=participant.consent,
        location_told=participant.location_told,
    )


def _passed(at: datetime | None, now: datetime) -> bool:
    return at is not None and at <= now


def open_waiting_room(case: Case, _: commands.OpenWaitingRoom) -> Events:
    """Open it, once, in time."""
    if not _passed(deadlines.opening_at(case.consult), case.now):
        return ()
    return (events.WaitingRoomOpened(at=case.now, by=case.by),)


def mark_lost(case: Case, command: commands.MarkLost) -> Events:
    """Someone who was here is lost."""
    person = case.target(command.participant)
    if person.seat not in HERE:
        return ()
    return (events.ParticipantLost(at=case.now, by=case.by, participant=person.id),)


def release_seat(case: Case, command: commands.ReleaseSeat) -> Events:
    """Someone has been lost for too long: their place is no longer kept."""
    person = case.target(command.participant)
    if person.seat is not SeatState.LOST or not _passed(deadlines.release_at(case.consult, person), case.now):
        return ()
    return (events.ParticipantLeft(at=case.now, by=case.by, participant=person.id),)


def mark_no_show(case: Case, _: commands.MarkNoShow) -> Events:
    """No patient has come."""
    if not _passed(deadlines.no_show_at(case.consult), case.now):
        return ()
    return (events.ConsultMissed(at=case.now, by=case.by),)


def end_abandoned(case: Case, _: commands.EndAbandoned) -> Events:
    """Everybody has gone."""
    if not _passed(deadlines.abandoned_at(case.consult), case.now):
        return ()
    return (events.ConsultEnded(at=case.now, by=case.by, reason="abandoned"),)
