"""Looking after recordings: holds, deletion by two people, alerts; each with its entry in the audit log.

* `NotNowError`: the recording is not as that needs it; `why` is a code
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.audit.log import Entry, append
from server.identity.accounts import Account
from server.recordings.store import Recorded, one
from server.storage.audit_tables import AuditRow
from server.storage.database import Database
from server.storage.lasting import lasting
from server.storage.recording_tables import RecordingAlert, RecordingDeletion, RecordingRow
from server.storage.tables import StaffAccount
from signaling.consult.ids import ClinicId, RecordingId

LOG_ROWS_MAX: Final = 500
ALERTS_MAX: Final = 50


class NotNowError(Exception):
    """`why`: "running", "held", "gone", "asked", "not_asked" or "same_person"."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Somebody broke the glass. `who` is their name."""

    id: str
    recording: str
    who: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Accessed:
    """A line of a recording's log: `who` of the staff did what, with `at` in RFC 3339."""

    at: str
    who: str
    role: str
    kind: str
    purpose: str
    outcome: str


class Care:
    """What people do to recordings beside playing them. Everything raises `Unstored`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @lasting
    async def ask_deletion(self, recording: RecordingId, *, by: Account, reason: str, now: datetime) -> None:
        """Ask that a recording be deleted; again by the same person changes nothing. Raises `NotNowError`."""
        async with self._database.write() as connection:
            found = await _deletable(connection, recording)
            if found.deletion is not None:
                if found.deletion.by == by.user_id:
                    return
                raise NotNowError("asked")
            row = {"recording_id": recording, "asked_by": by.user_id, "asked_at": now, "reason": reason}
            await connection.execute(insert(RecordingDeletion).values(**row))
            await _tell(connection, "recording.delete_asked", found, by, now, reason)

    @lasting
    async def agree_to_deletion(
        self, recording: RecordingId, *, by: Account, reason: str, now: datetime
    ) -> None:
        """Agree to what another person asks: it is decided from here on. Raises `NotNowError`."""
        async with self._database.write() as connection:
            found = await one(connection, recording)
            if found is not None and found.destroying_why == "deleted":
                return
            found = await _deletable(connection, recording)
            if found.deletion is None:
                raise NotNowError("not_asked")
            if found.deletion.by == by.user_id:
                raise NotNowError("same_person")
            await _change(connection, recording, destroying_at=now, destroying_why="deleted", only_free=True)
            await _tell(connection, "recording.delete_agreed", found, by, now, reason)

    @lasting
    async def drop_deletion(self, recording: RecordingId, *, by: Account, now: datetime) -> None:
        """Take back, or do not agree to, what was asked; where nothing was, nothing changes."""
        async with self._database.write() as connection:
            found = await _deletable(connection, recording)
            if found.deletion is None:
                return
            mine = RecordingDeletion.recording_id == recording
            await connection.execute(delete(RecordingDeletion).where(mine))
            await _tell(connection, "recording.delete_dropped", found, by, now)

    @lasting
    async def hold(
        self, recording: RecordingId, *, held: bool, by: Account, reason: str, now: datetime
    ) -> None:
        """Put it under a legal hold, or end that. Raises `NotNowError` when it is too late for a hold."""
        async with self._database.write() as connection:
            found = await one(connection, recording)
            if found is None or found.is_gone:
                raise NotNowError("gone")
            if found.held == held:
                return
            await _change(connection, recording, held=held, only_free=False)
            kind = "recording.held" if held else "recording.released"
            await _tell(connection, kind, found, by, now, reason)

    @lasting
    async def break_glass(
        self, recording: RecordingId, *, alert: str, by: Account, purpose: str, reason: str, now: datetime
    ) -> None:
        """Write down that the glass is broken, and make the alert with this new id. Nothing is shown before.

        Raises `NotNowError`.
        """
        async with self._database.write() as connection:
            found = await one(connection, recording)
            if found is None or found.is_gone:
                raise NotNowError("gone")
            known = select(RecordingAlert.alert_id).where(RecordingAlert.alert_id == alert)
            if (await connection.execute(known)).scalar_one_or_none() is not None:
                return
            row = {
                "alert_id": alert,
                "clinic_id": found.clinic,
                "recording_id": recording,
                "user_id": by.user_id,
                "at": now,
                "reason": reason,
            }
            await connection.execute(insert(RecordingAlert).values(**row))
            await _tell(connection, "recording.break_glass", found, by, now, reason, purpose)

    @lasting
    async def alerts(self, clinic: ClinicId) -> Sequence[Alert]:
        """Those nobody has looked at yet, the newest first."""
        query = (
            select(RecordingAlert.__table__, StaffAccount.name)
            .join(StaffAccount, StaffAccount.user_id == RecordingAlert.user_id)
            .where(RecordingAlert.clinic_id == clinic, RecordingAlert.acknowledged_at.is_(None))
            .order_by(RecordingAlert.at.desc(), RecordingAlert.alert_id)
            .limit(ALERTS_MAX)
        )
        async with self._database.read() as connection:
            return [
                Alert(id=row.alert_id, recording=row.recording_id, who=row.name, at=row.at, reason=row.reason)
                for row in await connection.execute(query)
            ]

    @lasting
    async def acknowledge(self, alert: str, *, by: Account, now: datetime) -> bool:
        """Say that somebody has looked at an alert of their clinic; whether there is such an alert."""
        mine = (RecordingAlert.alert_id == alert, RecordingAlert.clinic_id == by.clinic_id)
        async with self._database.write() as connection:
            row = (await connection.execute(select(RecordingAlert.__table__).where(*mine))).one_or_none()
            found = await one(connection, RecordingId(row.recording_id)) if row else None
            if row is None or found is None:
                return False
            if row.acknowledged_at is None:
                done = {"acknowledged_by": by.user_id, "acknowledged_at": now}
                await connection.execute(update(RecordingAlert).where(*mine).values(**done))
                await _tell(connection, "recording.acknowledged", found, by, now)
        return True

    @lasting
    async def accesses(self, recording: RecordingId) -> Sequence[Accessed]:
        """What the staff did with a recording, from the audit log, the newest first."""
        query = (
            select(AuditRow.__table__, StaffAccount.name)
            .join(StaffAccount, StaffAccount.user_id == AuditRow.actor)
            .where(AuditRow.object == recording, AuditRow.kind.like("recording.%"))
            .order_by(AuditRow.seq.desc())
            .limit(LOG_ROWS_MAX)
        )
        async with self._database.read() as connection:
            return [
                Accessed(
                    at=row.at,
                    who=row.name,
                    role=row.role,
                    kind=row.kind,
                    purpose=row.purpose,
                    outcome=row.outcome,
                )
                for row in await connection.execute(query)
            ]


def entry_of(
    kind: str,
    found: Recorded,
    by: Account,
    *,
    purpose: str = "",
    reason: str = "",
    outcome: str = "ok",
    body: Mapping[str, object] | None = None,
) -> Entry:
    """An entry about a member of staff and a recording."""
    return Entry(
        kind=kind,
        actor=by.user_id,
        role=by.role,
        consult=found.consult,
        object=found.id,
        purpose=purpose,
        reason=reason,
        outcome=outcome,
        body=body or {},
    )


async def _deletable(connection: AsyncConnection, recording: RecordingId) -> Recorded:
    found = await one(connection, recording)
    if found is None or found.is_gone:
        raise NotNowError("gone")
    if not found.is_over:
        raise NotNowError("running")
    if found.held:
        raise NotNowError("held")
    return found


async def _change(
    connection: AsyncConnection, recording: RecordingId, *, only_free: bool, **values: object
) -> None:
    """Change the row unless somebody decided on its destruction, or (`only_free`) a hold, meanwhile."""
    mine = update(RecordingRow).where(
        RecordingRow.recording_id == recording, RecordingRow.destroying_at.is_(None)
    )
    free = mine.where(RecordingRow.held.is_(False)) if only_free else mine
    if (await connection.execute(free.values(**values))).rowcount != 1:
        raise NotNowError("gone" if not only_free else "held")


async def _tell(
    connection: AsyncConnection,
    kind: str,
    found: Recorded,
    by: Account,
    now: datetime,
    reason: str = "",
    purpose: str = "",
) -> None:
    await append(connection, entry_of(kind, found, by, purpose=purpose, reason=reason), now=now)
