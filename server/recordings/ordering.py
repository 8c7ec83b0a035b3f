"""From what is to be recorded to what a media worker needs for it: a secret, whom to seal for, a part number.

The order of events matters: the recording's row is committed before a secret is made, and the secret is on
the disk before a worker hears of it. So no media is ever sealed under what could be lost.
"""

import asyncio
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from media.interface import RecordedTrack, RecordingKey, SourceName
from media.interface import RecordingOrder as MediaOrder
from server.logs import logger
from server.recordings.names import epoch_ms_of, hex_of
from server.recordings.secrets import FOLDER, SecretDestroyedError, Secrets
from server.storage.database import Database, DatabaseBusyError
from server.storage.recording_tables import RecordingPart
from server.vault.keys import KeysError, recipients
from signaling.consult.ids import ConsultId, RecordingId
from signaling.consult.values import Source
from signaling.ports import RecordingOrder

SOURCES: Final[dict[Source, SourceName]] = {"audio": "audio", "camera": "video", "screen": "screen"}

log = logger("recordings")


class CannotRecordError(Exception):
    """What a recording needs is not to be had; nothing of it is recorded."""


class Orders:
    """Makes the orders of one server. `first` numbers of parts are kept while a recording is on."""

    def __init__(self, database: Database, data_dir: Path) -> None:
        self._database = database
        self._data_dir = data_dir
        self._secrets = Secrets(data_dir / FOLDER)
        self._first: dict[ConsultId, tuple[RecordingId, int]] = {}

    async def of(self, consult: ConsultId, order: RecordingOrder) -> MediaOrder:
        """The order for a worker. Raises `CannotRecordError`."""
        try:
            name = hex_of(order.recording)
            first = await self._first_part(consult, order.recording)
            shred, keys = await asyncio.to_thread(self._keys, name)
        except (OSError, KeysError, SecretDestroyedError, SQLAlchemyError, DatabaseBusyError) as error:
            log.error("a recording cannot be made", why=type(error).__name__)  # noqa: TRY400 (says all)
            raise CannotRecordError from error
        return MediaOrder(
            recording=name,
            epoch_ms=epoch_ms_of(order.begun_at),
            first_part=first,
            what=order.what,
            shred=shred.hex(),
            recipients=keys,
            agreed=tuple(sorted(order.agreed)),
            tracks=tuple(
                RecordedTrack(peer=one.peer, source=SOURCES[one.source], track=one.number)
                for one in sorted(order.tracks, key=lambda one: (one.number, one.peer))
            ),
            consents=order.consents,
        )

    def over(self, consult: ConsultId) -> None:
        """Nothing is recorded for now; what comes next has a part number of its own."""
        self._first.pop(consult, None)

    async def _first_part(self, consult: ConsultId, recording: RecordingId) -> int:
        known = self._first.get(consult)
        if known is not None and known[0] == recording:
            return known[1]
        newest = select(func.max(RecordingPart.part)).where(RecordingPart.recording_id == recording)
        async with self._database.read() as connection:
            first = ((await connection.execute(newest)).scalar() or 0) + 1
        self._first[consult] = (recording, first)
        return first

    def _keys(self, name: str) -> tuple[bytes, tuple[RecordingKey, ...]]:
        keys = recipients(self._data_dir)
        if {key.role for key in keys} != {"clinic", "escrow"}:
            raise KeysError("no keys to seal for", hint="python -m server vault keys init")
        sealed_for = tuple(RecordingKey(key_id=key.key_id.hex(), public=key.public.hex()) for key in keys)
        return self._secrets.get_or_create(name), sealed_for


def cut_ms(at: datetime | None) -> int:
    """A moment as the worker takes it; 0 is at once."""
    return 0 if at is None else epoch_ms_of(at)
