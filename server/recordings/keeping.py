"""What a consult's events change in the rows of its recordings, and who has agreed in the audit log."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final, get_args

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.audit.log import Entry, append
from server.recordings.names import epoch_ms_of
from server.storage.recording_tables import RecordingRow
from signaling.consult import recording_events as happened
from signaling.consult.events import Event
from signaling.consult.ids import CLOCK, ActorId, ParticipantId, UserId
from signaling.consult.recording_events import RecordingEvent
from signaling.consult.values import Consult

# How long a recording is kept where nothing else is set: six years, as records about care are under HIPAA.
KEPT: Final = timedelta(days=6 * 365 + 2)
_EVENTS: Final = get_args(RecordingEvent)


async def put_recording(
    connection: AsyncConnection, after: Consult, events: Sequence[Event], *, kept: timedelta = KEPT
) -> None:
    """Store what belongs to these events, and an entry each in the audit log.

    To be called last in a transaction: entries of others wait from then on. `kept`: from a recording's end
    until it is destroyed.
    """
    mine = [event for event in events if isinstance(event, _EVENTS)]
    for event in mine:
        await _put(connection, after, event, kept)
    for event in mine:
        await append(connection, _entry(after, event), now=event.at)


async def _put(connection: AsyncConnection, after: Consult, event: RecordingEvent, kept: timedelta) -> None:
    if isinstance(event, happened.RecordingAsked):
        row = {
            "recording_id": event.recording,
            "consult_id": after.id,
            "clinic_id": after.clinic,
            "no": event.no,
            "what": event.what,
            "state": "asked",
            "asked_at": event.at,
        }
        await connection.execute(insert(RecordingRow).values(**row))
        return
    changed = _changed(event)
    if changed:
        mine = update(RecordingRow).where(RecordingRow.recording_id == event.recording)
        await connection.execute(mine.values(**changed))
    if isinstance(event, happened.RecordingStopped):
        begun = update(RecordingRow).where(
            RecordingRow.recording_id == event.recording, RecordingRow.started_at.is_not(None)
        )
        await connection.execute(begun.values(keep_until=event.at + kept))


def _changed(event: RecordingEvent) -> dict[str, Any]:
    match event:
        case happened.RecordingBegun():
            return {"state": "on", "started_at": event.at, "epoch_ms": epoch_ms_of(event.at)}
        case happened.RecordingPaused():
            return {"state": "paused"}
        case happened.RecordingResumed():
            return {"state": "on"}
        case happened.RecordingStopped():
            return {"state": "stopped", "ended_at": event.at, "ended_why": event.why}
        case happened.RecordingAsked() | happened.RecordingAgreed() | happened.RecordingRefused():
            return {}


def _entry(after: Consult, event: RecordingEvent) -> Entry:
    what = after.recording.what if after.recording and after.recording.id == event.recording else ""
    return Entry(
        kind=_kind(event),
        actor=event.by,
        role=_role(after, event.by),
        consult=after.id,
        object=event.recording,
        purpose=f"{what}_recording" if what else "",
        body=_body(event),
    )


def _kind(event: RecordingEvent) -> str:
    if isinstance(event, happened.RecordingAgreed):
        return "consent.given"
    if isinstance(event, happened.RecordingRefused):
        return "consent.revoked" if event.revoked else "consent.refused"
    return event.type.replace("_", ".")


def _role(after: Consult, by: ActorId) -> str:
    if by == CLOCK:
        return "clock"
    found = after.participant(ParticipantId(by)) or after.of_user(UserId(by))
    return found.role.value if found else "staff"


def _body(event: RecordingEvent) -> dict[str, object]:
    """The event's own facts: ids, codes and hashes."""
    about = ("participant", "what", "no", "why", "text_id", "text_hash", "language", "method")
    return {name: getattr(event, name) for name in about if hasattr(event, name)}
