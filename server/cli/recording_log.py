"""What the database knows for `recording`: checkpoints of parts, and where an export is written down.

* `NoLogError`: it does not answer, or knows nothing of recordings
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from server.settings import Settings
    from server.storage.database import Database
    from server.vault.opening import KnownPart

T = TypeVar("T")


class NoLogError(Exception):
    """The database cannot be asked."""


def known_of(settings: "Settings", name: bytes | None) -> "dict[bytes, list[KnownPart]]":
    """The last checkpoint of each part: of one recording (16 bytes), or of all that are not destroyed.

    Raises:
        NoLogError: the database cannot be asked.
    """
    return _asked(settings, lambda database: _known(database, name))


def record_export(settings: "Settings", name: bytes) -> None:
    """Write into the audit log that somebody at this machine takes a recording out.

    Raises:
        NoLogError: the database cannot be asked, or has no such recording.
    """
    _asked(settings, lambda database: _record(database, name))


async def _known(database: "Database", name: bytes | None) -> "dict[bytes, list[KnownPart]]":
    from sqlalchemy import select

    from server.recordings.names import hex_of, id_of
    from server.storage.recording_tables import RecordingPart, RecordingRow
    from server.vault.opening import KnownPart
    from signaling.consult.ids import RecordingId

    query = select(RecordingPart).join(RecordingRow, RecordingRow.recording_id == RecordingPart.recording_id)
    if name is None:
        query = query.where(RecordingRow.shredded_at.is_(None))
    else:
        query = query.where(RecordingRow.recording_id == id_of(name.hex()))
    found: dict[bytes, list[KnownPart]] = defaultdict(list)
    async with database.read() as connection:
        for row in await connection.execute(query):
            known = KnownPart(
                part=row.part,
                records=row.records,
                size_bytes=row.size_bytes,
                chain=bytes.fromhex(row.chain),
                ended=row.ended,
            )
            found[bytes.fromhex(hex_of(RecordingId(row.recording_id)))].append(known)
    return dict(found)


async def _record(database: "Database", name: bytes) -> None:
    from sqlalchemy import select

    from server.audit.log import Audit, Entry
    from server.identity.random_values import SystemClock
    from server.recordings.names import id_of
    from server.storage.recording_tables import RecordingRow

    recording = id_of(name.hex())
    query = select(RecordingRow.consult_id).where(RecordingRow.recording_id == recording)
    async with database.read() as connection:
        consult = (await connection.execute(query)).scalar_one_or_none()
    if consult is None:
        raise NoLogError("the database has no such recording")
    entry = Entry(
        kind="recording.exported",
        role="operator",
        consult=consult,
        object=recording,
        body={"by": "command line"},
    )
    await Audit(database, SystemClock()).record(entry)


def _asked(settings: "Settings", work: "Callable[[Database], Coroutine[Any, Any, T]]") -> T:
    from sqlalchemy.exc import SQLAlchemyError

    from server.storage.database import Database
    from server.storage.upgrade import NewerDatabaseError, is_usable
    from signaling.errors import Unstored

    async def asked() -> T:
        database = Database(settings.database_url)
        try:
            if not await is_usable(database):
                raise NoLogError("the database is not of this version")
            return await work(database)
        finally:
            await database.close()

    if settings.database.url is None and not (settings.server.data_dir / "meridian.sqlite3").exists():
        raise NoLogError("there is no database")  # asking would make one
    try:
        return asyncio.run(asked())
    except (SQLAlchemyError, OSError, Unstored, NewerDatabaseError, ValueError) as error:
        raise NoLogError(f"the database does not answer ({type(error).__name__})") from error
