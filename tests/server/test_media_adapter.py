"""What a worker is told of a recording, and what becomes of what it tells."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from media.interface import RecordingProgress
from media.interface import Routing as MediaRouting
from server.media_adapter import MediaAdapter, MediaListener
from server.recordings.names import hex_of, id_of
from server.recordings.ordering import Orders
from server.settings import Server, Settings
from server.storage.database import Database
from server.storage.upgrade import upgrade
from server.vault.keys import ensure_keys
from signaling.consult.ids import ConsultId, PeerId
from signaling.ports import RecordedTrack, RecordingOrder, Routing
from tests.signaling.fakes import FakeClock

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
CONSULT = ConsultId("c")
RECORDING = id_of("00" * 15 + "07")
ORDER = RecordingOrder(
    recording=RECORDING,
    what="video",
    begun_at=NOW,
    agreed=frozenset({PeerId("p")}),
    tracks=frozenset({RecordedTrack(peer=PeerId("p"), source="camera", number=1)}),
    consents="0" * 64,
)


@dataclass
class Plane:
    """Keeps the routings it is given."""

    routings: list[MediaRouting] = field(default_factory=list)

    async def route(self, room: str, routing: MediaRouting) -> None:
        assert room == CONSULT
        self.routings.append(routing)


@dataclass
class Told:
    """Keeps which recordings were said to have failed."""

    failed: list[str] = field(default_factory=list)

    async def media_recording_failed(self, consult: ConsultId, recording: str) -> None:
        self.failed.append(recording)


@dataclass
class Store:
    """Takes what it is told."""

    kept: list[int] = field(default_factory=list)

    async def progress(self, notice: RecordingProgress, *, now: datetime) -> bool:
        del now
        self.kept.append(notice.part)
        return True


def adapter(folder: Path, orders: Orders | None) -> tuple[MediaAdapter, Plane]:
    made, plane = MediaAdapter(Settings(server=Server(data_dir=folder)), orders), Plane()
    made._media = plane  # type: ignore[assignment]
    return made, plane


async def told(made: MediaAdapter) -> list[str]:
    listener = Told()
    while not made._notices.empty():
        await _pass_on(made, listener)
    return listener.failed


async def _pass_on(made: MediaAdapter, listener: Any) -> None:
    from server import media_adapter

    taken: MediaListener = listener
    await media_adapter._told(made._notices.get_nowait(), taken)


@pytest.fixture
async def database(tmp_path: Path) -> Any:
    made = Database(f"sqlite+aiosqlite:///{tmp_path / 'd.sqlite3'}")
    await upgrade(made)
    yield made
    await made.close()


async def test_an_order_has_a_secret_both_keys_and_keeps_its_part_number_until_it_is_over(
    tmp_path: Path, database: Database
) -> None:
    ensure_keys(tmp_path, NOW)
    made, plane = adapter(tmp_path, Orders(database, tmp_path))
    for revision in (1, 2):
        await made.route(CONSULT, Routing(revision=revision, links=frozenset(), recording=ORDER))
    first, second = (routing.recording for routing in plane.routings)
    assert first is not None
    assert first == second
    assert first.recording == hex_of(RECORDING)
    assert len(first.recipients) == 2
    assert (tmp_path / "recording-secrets" / f"{first.recording}.secret").read_bytes().hex() == first.shred
    assert await told(made) == []


async def test_a_revocation_carries_when_it_was_received(tmp_path: Path, database: Database) -> None:
    made, plane = adapter(tmp_path, Orders(database, tmp_path))
    await made.route(
        CONSULT,
        Routing(revision=1, links=frozenset(), recording_end="revoked", recording_cut_at=NOW),
    )
    [routing] = plane.routings
    assert routing.recording is None
    assert (routing.recording_stop, routing.recording_cut_ms) == ("revoked", int(NOW.timestamp() * 1000))


@pytest.mark.parametrize("enabled", [True, False])
async def test_where_there_are_no_keys_or_nothing_may_be_recorded_everybody_is_told_and_the_consult_goes_on(
    tmp_path: Path, database: Database, *, enabled: bool
) -> None:
    made, plane = adapter(tmp_path, Orders(database, tmp_path) if enabled else None)
    await made.route(CONSULT, Routing(revision=1, links=frozenset(), recording=ORDER))
    assert [routing.recording for routing in plane.routings] == [None]
    assert await told(made) == [RECORDING]


async def test_what_a_worker_says_last_is_stored_after_its_end(tmp_path: Path) -> None:
    made, _ = adapter(tmp_path, None)
    for part in (1, 2):
        made._noticed(
            RecordingProgress(
                room=CONSULT,
                recording=hex_of(RECORDING),
                part=part,
                records=3,
                size_bytes=100,
                chain="0" * 64,
                ended="worker-ended",
            )
        )
    store = Store()
    await made.keep_rest(store, FakeClock())  # type: ignore[arg-type]
    assert store.kept == [1, 2]


async def test_what_could_not_be_stored_before_the_end_is_stored_after_it(tmp_path: Path) -> None:
    made, _ = adapter(tmp_path, None)
    made._noticed(
        RecordingProgress(
            room=CONSULT,
            recording=hex_of(RECORDING),
            part=1,
            records=3,
            size_bytes=9,
            chain="0" * 64,
            ended="",
        )
    )
    store, away = Store(), asyncio.Event()

    async def hanging(_notice: RecordingProgress, *, now: datetime) -> bool:
        del now
        away.set()
        return await asyncio.Event().wait()

    class Away(Store):
        progress = staticmethod(hanging)  # type: ignore[assignment]

    keeping = asyncio.create_task(made.keep_progress(Away(), FakeClock()))  # type: ignore[arg-type]
    await away.wait()
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping
    await made.keep_rest(store, FakeClock())  # type: ignore[arg-type]
    assert store.kept == [1]
