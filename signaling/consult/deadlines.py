"""When a consult is next due, and what the clock asks then. Doubles are harmless: deciders look again."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from signaling.consult import commands, deciding_request, deciding_session, interpreting_commands
from signaling.consult.commands import Command
from signaling.consult.values import GUESTS, OPEN, Consult, Participant, Phase, SeatState

OVERRUN_MAX_S: Final = 12 * 3600  # a forgotten browser does not keep a consult open for ever


def opening_at(consult: Consult) -> datetime | None:
    """When the waiting room is to open; None if it has, or never will."""
    if consult.phase not in OPEN or consult.opened:
        return None
    return consult.opens_at


def release_at(consult: Consult, participant: Participant) -> datetime | None:
    """When a lost person's place is no longer kept; None unless they are lost."""
    if consult.phase not in OPEN or participant.seat is not SeatState.LOST or participant.lost_at is None:
        return None
    return participant.lost_at + timedelta(seconds=consult.policy.rejoin_grace_s)


def no_show_at(consult: Consult) -> datetime | None:
    """When the consult is missed; None once a patient or companion has come."""
    if consult.phase not in (Phase.SCHEDULED, Phase.WAITING):
        return None
    if any(p.arrived_at is not None for p in consult.participants if p.role in GUESTS):
        return None
    return consult.starts_at + timedelta(seconds=consult.policy.no_show_after_s)


def abandoned_at(consult: Consult) -> datetime | None:
    """When the consult is over because everybody has gone, or because it has run for far too long."""
    if consult.phase not in OPEN or no_show_at(consult) is not None:
        return None
    overrun = consult.ends_at + timedelta(seconds=OVERRUN_MAX_S)
    if consult.empty_since is None:
        return overrun
    empty_since = consult.empty_since
    if consult.phase is not Phase.IN_PROGRESS:  # they may still come back for the planned time
        empty_since = max(empty_since, consult.ends_at)
    return min(overrun, empty_since + timedelta(seconds=consult.policy.abandoned_after_s))


def request_at(consult: Consult) -> datetime | None:
    """When something about interpreting goes on by itself: a ring, a choice, a stage, what was booked."""
    if consult.phase not in OPEN:
        return None
    search, session = consult.request, consult.session
    times = [deciding_session.stage_ends_at(session) if session is not None else None]
    if search is not None and search.is_open:
        times.append(search.since if deciding_request.is_stuck(search) else search.until)
    elif deciding_request.is_due_as_booked(consult):
        times.append(consult.starts_at - timedelta(days=1))  # at once
    return min((at for at in times if at is not None), default=None)


def _all(consult: Consult) -> Iterator[tuple[datetime | None, Command]]:
    yield opening_at(consult), commands.OpenWaitingRoom()
    for participant in consult.participants:
        yield release_at(consult, participant), commands.ReleaseSeat(participant=participant.id)
    yield no_show_at(consult), commands.MarkNoShow()
    yield abandoned_at(consult), commands.EndAbandoned()
    yield request_at(consult), interpreting_commands.AdvanceRequest()


def due_at(consult: Consult) -> datetime | None:
    """When something is next due; None if nothing ever is."""
    return min((at for at, _ in _all(consult) if at is not None), default=None)


def due(consult: Consult, now: datetime) -> tuple[Command, ...]:
    """What the clock asks of `consult` at `now`."""
    return tuple(command for at, command in _all(consult) if at is not None and at <= now)
