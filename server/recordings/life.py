"""How long recordings are kept, and how they are destroyed so that no crash leaves it half done unseen.

    1. decided   the row says so, with the place of its secret        (one transaction, in the audit log)
    2. done      the secret is destroyed; views, files and copies too (again after a crash: nothing changes)
    3. certified the row says so, with the certificate                (one transaction, in the audit log)

What is decided and not certified is taken up again. A legal hold stops the first step and nothing later.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from server.audit.log import Entry, append
from server.logs import logger
from server.recordings.keeping import KEPT
from server.recordings.names import hex_of
from server.recordings.secrets import Secrets
from server.recordings.store import Recorded, one
from server.recordings.vault import Vault
from server.storage.database import Database, DatabaseBusyError
from server.storage.lasting import lasting
from server.storage.recording_tables import RecordingDeletion, RecordingRow, RecordingWrap
from server.vault.client import VaultUnavailableError
from signaling.consult.ids import RecordingId
from signaling.errors import Unstored
from signaling.ports import Clock

EVERY_S: Final = 3600.0
AT_ONCE_MAX: Final = 50

log = logger("recordings")

RemoveFiles = Callable[[str], Awaitable[None]]


async def no_files(_recording: str) -> None:
    """Where there are no files that could be removed."""


class Life:
    """Destroys what is due.

    Args:
        remove_files: removes the sealed files of a recording, named in hex, wherever they are. Without its
            secret nobody reads them; what cannot be removed now is no reason to wait.
        kept: for recordings whose end has set no time.
    """

    def __init__(
        self,
        database: Database,
        secrets: Secrets,
        vault: Vault,
        clock: Clock,
        *,
        remove_files: RemoveFiles = no_files,
        kept: timedelta = KEPT,
    ) -> None:
        self._database = database
        self._secrets = secrets
        self._vault = vault
        self._clock = clock
        self._remove_files = remove_files
        self._kept = kept

    async def run(self) -> None:
        """Look once an hour, for ever."""
        while True:
            try:
                await self.look()
            except (SQLAlchemyError, DatabaseBusyError, Unstored, OSError) as error:
                log.warning("recordings not looked at, trying again later", exc_info=error)
            await asyncio.sleep(EVERY_S)

    async def look(self) -> int:
        """Destroy what is due; how many were."""
        destroyed = passed = 0
        while due := await self.due(passed=passed):
            for recording in due:
                done = await self._tried(recording)
                destroyed += done
                passed += not done  # or those that another server is to destroy would hide all behind them
        return destroyed

    async def _tried(self, recording: RecordingId) -> bool:
        """What cannot be done to one keeps no other waiting."""
        try:
            return await self.destroy(recording)
        except VaultUnavailableError:
            log.warning("a recording is not destroyed to the end: the vault does not answer")
        except OSError as error:
            log.warning("a recording is not destroyed to the end", kind=type(error).__name__)
        return False

    @lasting
    async def due(self, *, passed: int = 0) -> list[RecordingId]:
        """Recordings that are over and not held, and are to be destroyed, behind the first `passed` ones."""
        now = self._clock.now()
        late = or_(
            RecordingRow.keep_until <= now,
            RecordingRow.keep_until.is_(None) & (RecordingRow.ended_at <= now - self._kept),
        )
        begun = (RecordingRow.started_at.is_not(None), RecordingRow.ended_at.is_not(None))
        free = RecordingRow.held.is_(False) & late
        query = (
            select(RecordingRow.recording_id)
            .where(RecordingRow.shredded_at.is_(None), *begun)
            .where(or_(RecordingRow.destroying_at.is_not(None), free))
            .order_by(RecordingRow.keep_until, RecordingRow.recording_id)
            .limit(AT_ONCE_MAX)
            .offset(passed)
        )
        async with self._database.read() as connection:
            return [RecordingId(row) for row in (await connection.execute(query)).scalars()]

    async def destroy(self, recording: RecordingId) -> bool:
        """Destroy one that is due, or was decided to be; whether this server did.

        Raises:
            VaultUnavailableError, Unstored, OSError: not to the end; doing it again goes on.
        """
        name = hex_of(recording)
        if not await self._decide(recording, name):
            return False
        await asyncio.to_thread(self._secrets.destroy, name)
        await self._vault.destroy(name)
        try:
            await self._remove_files(name)
        except OSError as error:
            log.warning("files of a destroyed recording stay; nobody reads them", kind=type(error).__name__)
        await self._certify(recording)
        log.info("a recording was destroyed")
        return True

    @lasting
    async def _decide(self, recording: RecordingId, name: str) -> bool:
        """Write down that it is going to be destroyed, and that this server does it."""
        place = await asyncio.to_thread(self._secrets.place)
        is_here = await asyncio.to_thread(self._has_or_had, name)
        now = self._clock.now()
        async with self._database.write() as connection:
            mine = update(RecordingRow).where(RecordingRow.recording_id == recording)
            # Changes nothing; it keeps a hold from coming between.
            locked = mine.where(RecordingRow.shredded_at.is_(None)).values(no=RecordingRow.no)
            if (await connection.execute(locked)).rowcount != 1:
                return False
            found = await one(connection, recording)
            if found is None or not found.is_over:
                return False
            if found.destroying_place is not None:
                return found.destroying_place == place
            if not is_here and found.parts:
                return False  # another server has its secret
            if found.destroying_at is None and (found.held or not self._is_late(found, now)):
                return False
            why = found.destroying_why or "retention"
            decided = {"destroying_at": found.destroying_at or now, "destroying_why": why}
            await connection.execute(mine.values(destroying_place=place, **decided))
            body: dict[str, object] = {"why": why}
            await append(connection, _entry("recording.destroying", found, body), now=now)
        return True

    def _has_or_had(self, name: str) -> bool:
        return self._secrets.has(name) or self._secrets.is_destroyed(name)

    def _is_late(self, found: Recorded, now: datetime) -> bool:
        until = found.keep_until or (found.ended_at + self._kept if found.ended_at else None)
        return until is not None and until <= now

    @lasting
    async def _certify(self, recording: RecordingId) -> None:
        """The mark and the certificate, together."""
        now = self._clock.now()
        async with self._database.write() as connection:
            mine = RecordingRow.recording_id == recording
            fresh = update(RecordingRow).where(mine, RecordingRow.shredded_at.is_(None))
            if (await connection.execute(fresh.values(shredded_at=now))).rowcount != 1:
                return
            found = await one(connection, recording)
            if found is None:
                return
            for table in (RecordingDeletion, RecordingWrap):
                await connection.execute(delete(table).where(table.recording_id == recording))
            await append(connection, _entry("recording.destroyed", found, _certificate(found)), now=now)


def _entry(kind: str, found: Recorded, body: dict[str, object]) -> Entry:
    return Entry(
        kind=kind,
        actor="clock",
        role="server",
        consult=found.consult,
        object=found.id,
        body=body,
    )


def _certificate(found: Recorded) -> dict[str, object]:
    """What was destroyed, why and when; the chains say which files exactly."""
    return {
        "why": found.destroying_why,
        "decided_at": found.destroying_at.isoformat() if found.destroying_at else None,
        "destroyed_at": found.shredded_at.isoformat() if found.shredded_at else None,
        "asked_by": found.deletion.by if found.deletion else None,
        "parts": [part.as_json() for part in found.parts],
    }
