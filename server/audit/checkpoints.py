"""Checkpoints while the server runs: signed every so often, stored, and written as files to be shipped."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Row, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from server.audit import anchors
from server.audit.chain import time_text
from server.audit.notes import Checkpoint, NoteError, SigningKey, opened, parsed
from server.audit.tree import Peaks
from server.audit.walking import Fault, Walk, pages
from server.logs import logger
from server.storage.audit_tables import AuditCheckpoint, AuditRow
from server.storage.database import Database, DatabaseBusyError
from server.storage.interpreting import insert_new
from signaling.ports import Clock

ENTRIES_MAX: Final = 1000
AGE_MAX: Final = timedelta(minutes=10)
LOOK_EVERY_S: Final = 5.0

log = logger("audit")


class BrokenLogError(Exception):
    """The log is not what it was: nothing is signed. `fault` says what and from which entry on."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(f"{fault.what} at {fault.seq}: {fault.why}")
        self.fault = fault


class Checkpoints:
    """Makes checkpoints of one log.

    What was signed is remembered: a table written anew behind the server's back is not signed again.
    """

    def __init__(self, database: Database, clock: Clock, key: SigningKey, folder: Path) -> None:
        """`folder` is for the files; its parent must be there."""
        self._database = database
        self._clock = clock
        self._key = key
        self._folder = folder
        self._walk: Walk | None = None
        self._shipped: int | None = None
        self._not_before: datetime | None = None

    async def keep(self) -> bool:
        """Make a checkpoint if it is time for one, and write the files that are missing.

        Returns whether one was made.

        Raises:
            BrokenLogError: the log is not what it was.
        """
        async with self._database.read() as connection:
            is_due = await self._is_due(connection)
        made = is_due and await self.make()
        await self._ship()
        return made

    async def make(self) -> bool:
        """Make a checkpoint of all entries there are. Returns whether there was anything new.

        Raises:
            BrokenLogError: the log is not what it was.
        """
        now = self._clock.now()
        shipped = await asyncio.to_thread(anchors.newest, self._folder)
        async with self._database.read() as connection:
            stored = await _newest(connection)
            walk = self._walk or await self._start(connection, stored)
            notes = [note for note in (shipped, stored.note if stored else None) if note is not None]
            fault = await _go_on(connection, walk, notes)
        if fault is not None:
            # It stays so: whoever reads the log of the server need not be told every few seconds.
            self._not_before = now + AGE_MAX
            raise BrokenLogError(fault)
        self._walk, size = walk, walk.peaks.size
        if size <= (stored.size if stored else 0):
            return False
        note = self._key.sign(Checkpoint(self._key.public.name, size, walk.peaks.root()))
        row = {"size": size, "at": time_text(now), "note": note, "peaks": walk.peaks.stored()}
        async with self._database.write() as connection:
            # Another server may have made one of this size meanwhile.
            await connection.execute(insert_new(connection, AuditCheckpoint, row))
        return True

    async def _is_due(self, connection: AsyncConnection) -> bool:
        now = self._clock.now()
        if self._not_before is not None and now < self._not_before:
            return False
        stored = await _newest(connection)
        new = await _last_seq(connection) - (stored.size if stored else 0)
        is_old = stored is None or stored.at <= time_text(now - AGE_MAX)
        return new < 0 or new >= ENTRIES_MAX or (new > 0 and is_old)

    async def _start(self, connection: AsyncConnection, stored: Row[Any] | None) -> Walk:
        """Where to go on: at the newest stored checkpoint if we have signed it, else at the beginning."""
        if stored is None:
            return Walk(Peaks())
        try:
            signed = opened(stored.note, [self._key.public])
            peaks = Peaks.loaded(stored.size, stored.peaks)
        except (NoteError, ValueError):
            return Walk(Peaks())
        last = select(AuditRow.hash).where(AuditRow.seq == stored.size)
        last_hash = (await connection.execute(last)).scalar_one_or_none()
        if (signed.size, signed.root) != (stored.size, peaks.root()) or last_hash is None:
            return Walk(Peaks())
        return Walk(peaks, last_hash)

    async def _ship(self) -> None:
        """Write a file of each checkpoint newer than the newest file; other servers' are among them."""
        if self._shipped is None:
            self._shipped = await asyncio.to_thread(anchors.newest_size, self._folder)
        query = select(AuditCheckpoint.size, AuditCheckpoint.note).where(AuditCheckpoint.size > self._shipped)
        async with self._database.read() as connection:
            rows = (await connection.execute(query.order_by(AuditCheckpoint.size))).all()
        for row in rows:
            await asyncio.to_thread(anchors.write, self._folder, row.size, row.note)
            self._shipped = row.size


async def _go_on(connection: AsyncConnection, walk: Walk, notes: Sequence[str]) -> Fault | None:
    """Walk on to the end of the log, and compare with the newest checkpoints on the way."""
    try:
        known = sorted((parsed(note) for note in notes), key=lambda one: one.size)
    except NoteError:
        return Fault("checkpoint", 0, "the newest checkpoint is none")
    size = max([walk.peaks.size, *(one.size for one in known)])
    last = await _last_seq(connection)
    if last < size:
        return Fault("tail cut", last + 1, f"there were {size} entries, there are {last}")
    for one in known:
        fault = await _walk_to(connection, walk, one.size)
        if fault is not None:
            return fault
        if walk.peaks.size == one.size and walk.peaks.root() != one.root:
            return Fault("rebuilt", 1, f"the entries up to {one.size} are not those of their checkpoint")
    return await _walk_to(connection, walk, last)


async def _walk_to(connection: AsyncConnection, walk: Walk, until: int) -> Fault | None:
    if walk.peaks.size >= until:
        return None
    async for rows in pages(connection, after=walk.peaks.size):
        fault = walk.go_on(rows, until=until)
        if fault is not None or walk.peaks.size >= until:
            return fault
    return None


async def _newest(connection: AsyncConnection) -> Row[Any] | None:
    query = select(*AuditCheckpoint.__table__.c).order_by(AuditCheckpoint.size.desc()).limit(1)
    return (await connection.execute(query)).one_or_none()


async def _last_seq(connection: AsyncConnection) -> int:
    last = select(AuditRow.seq).order_by(AuditRow.seq.desc()).limit(1)
    return (await connection.execute(last)).scalar_one_or_none() or 0


async def keep_checkpoints(checkpoints: Checkpoints, *, every_s: float = LOOK_EVERY_S) -> None:
    """Make checkpoints until cancelled: after `ENTRIES_MAX` entries, or `AGE_MAX` if there is any new one."""
    while True:
        try:
            await checkpoints.keep()
        except BrokenLogError as error:
            log.exception("the audit log is not what it was", what=error.fault.what, seq=error.fault.seq)
        except (SQLAlchemyError, DatabaseBusyError, OSError) as error:
            log.warning("no checkpoint of the audit log, trying again", exc_info=error)
        await asyncio.sleep(every_s)
