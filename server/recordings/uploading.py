"""Brings closed parts to where they are kept, and takes them out of the workers' folder only after that.

For each file: kept, its size compared, written down, removed. A crash in between is taken up where it was.
"""

import asyncio
import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError

from media.parts import part_file
from server.logs import logger
from server.recordings.names import id_of
from server.recordings.storage import PartStore, fsync_folder, name_of
from server.storage.database import Database, DatabaseBusyError
from server.storage.lasting import lasting
from server.storage.recording_tables import RecordingPart, RecordingRow
from signaling.errors import Unstored
from signaling.ports import Clock

EVERY_S: Final = 30.0
# So long after a recording's end nobody writes to its parts, said or not: a worker may have been killed, or
# have ended one while no server was there to hear of it.
SURELY_CLOSED: Final = timedelta(hours=1)
_NAME: Final = re.compile(r"([0-9a-f]{32})\.(\d{5,10})\.tcr")

log = logger("recordings")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What the rows say of a part. `is_whole`: it was told how it ended, so `size_bytes` is all of it."""

    size_bytes: int
    is_whole: bool
    is_closed: bool
    is_stored: bool
    is_shredded: bool


class Uploader:
    """Of one server: `folder` is where its media workers write. Without a store nothing is moved."""

    def __init__(self, database: Database, folder: Path, store: PartStore | None, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._folder = folder
        self._store = store

    async def run(self) -> None:
        """Look now and then, for ever."""
        while self._store is not None:
            try:
                await self.look()
            except (SQLAlchemyError, DatabaseBusyError, Unstored, OSError) as error:
                log.warning("parts not brought away, trying again later", kind=type(error).__name__)
            await asyncio.sleep(EVERY_S)

    async def look(self) -> int:
        """Bring away what is closed; how many parts were. Raises OSError where the store takes one not."""
        if self._store is None:
            return 0
        moved = 0
        for recording, part in await asyncio.to_thread(self._files):
            known = await self._known(recording, part)
            if known is not None and (known.is_closed or known.is_shredded):
                moved += await self._move(self._store, recording, part, known)
        return moved

    async def remove(self, recording: str) -> None:
        """Remove every file of a recording, here and where they are kept. Raises OSError."""
        await asyncio.to_thread(self._remove, recording)

    async def _move(self, store: PartStore, recording: str, part: int, known: _Known) -> bool:
        file = part_file(self._folder, bytes.fromhex(recording), part)
        if not known.is_stored and not known.is_shredded:
            size = file.stat().st_size
            if size < known.size_bytes or (known.is_whole and size != known.size_bytes):
                log.error("a closed part is not as long as it was; it stays where it is", part=part)
                return False
            await asyncio.to_thread(store.put, recording, part, file)
            if await asyncio.to_thread(store.size_bytes, recording, part) != size:
                raise OSError("the store has another size")
            await self._stored(recording, part, f"{store.where.rstrip('/')}/{name_of(recording, part)}")
        await asyncio.to_thread(self._unlink, file)
        return True

    @lasting
    async def _known(self, recording: str, part: int) -> _Known | None:
        columns = (
            RecordingPart.size_bytes,
            RecordingPart.ended,
            RecordingPart.stored,
            RecordingRow.ended_at,
            RecordingRow.shredded_at,
        )
        mine = (RecordingPart.recording_id == RecordingRow.recording_id) & (RecordingPart.part == part)
        query = (
            select(*columns)
            .select_from(RecordingRow)
            .join(RecordingPart, mine, isouter=True)
            .where(RecordingRow.recording_id == id_of(recording))
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            return None
        is_whole = bool(row.ended)
        is_over = row.ended_at is not None and row.ended_at <= self._clock.now() - SURELY_CLOSED
        return _Known(
            size_bytes=row.size_bytes or 0,
            is_whole=is_whole,
            is_closed=is_whole or is_over,
            is_stored=bool(row.stored),
            is_shredded=row.shredded_at is not None,
        )

    @lasting
    async def _stored(self, recording: str, part: int, where: str) -> None:
        mine = (RecordingPart.recording_id == id_of(recording), RecordingPart.part == part)
        async with self._database.write() as connection:
            await connection.execute(update(RecordingPart).where(*mine).values(stored=where))

    def _files(self) -> list[tuple[str, int]]:
        if not self._folder.is_dir():
            return []
        names = (_NAME.fullmatch(file.name) for file in self._folder.iterdir())
        return sorted((name[1], int(name[2])) for name in names if name)

    def _unlink(self, file: Path) -> None:
        file.unlink(missing_ok=True)
        fsync_folder(self._folder)

    def _remove(self, recording: str) -> None:
        for name, part in self._files():
            if name == recording:
                self._unlink(part_file(self._folder, bytes.fromhex(name), part))
        if self._store is not None:
            for one in self._store.parts(recording):
                self._store.delete(recording, one.part)
