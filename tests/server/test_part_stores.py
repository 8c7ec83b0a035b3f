"""Stores of closed parts keep one contract; parts leave the workers' folder only when they are kept."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from obstore.store import LocalStore, MemoryStore
from sqlalchemy import update

from media.parts import part_file
from server.recordings.storage import FolderStore, Objects, PartStore, store_for
from server.recordings.store import Recordings
from server.recordings.uploading import Uploader
from server.storage.database import Database
from server.storage.recording_tables import RecordingRow
from server.vault.source import WINDOW_BYTES, FolderParts
from server.vault.stored import StoredParts
from tests.contracts.part_store import PartStoreContract
from tests.server.conftest import SetClock
from tests.server.imitated_s3 import imitated_s3
from tests.server.recorded import Progress, Script

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


class TestFolder(PartStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> PartStore:
        return FolderStore(tmp_path / "kept")


class TestMemoryObjects(PartStoreContract):
    @pytest.fixture
    def store(self) -> PartStore:
        return Objects(MemoryStore(), "memory")


class TestLocalObjects(PartStoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> PartStore:
        return Objects(LocalStore(tmp_path / "kept", mkdir=True), "local")


class TestImitatedS3(PartStoreContract):
    """Over HTTP, as the setting makes it; an imitation, so it says nothing about S3's own rules."""

    @pytest.fixture
    def store(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[PartStore]:
        with imitated_s3() as address:
            for name, value in {
                "AWS_ENDPOINT": address,
                "AWS_ALLOW_HTTP": "true",
                "AWS_ACCESS_KEY_ID": "id",
                "AWS_SECRET_ACCESS_KEY": "made up",
                "AWS_REGION": "us-west-2",
            }.items():
                monkeypatch.setenv(name, value)
            store = store_for("s3://bucket/clinic/recordings")
            assert store is not None
            yield store


def test_without_a_setting_there_is_no_store() -> None:
    assert store_for(None) is None


class Moving:
    """A closed part and one that is written, in a workers' folder, and a store."""

    def __init__(self, database: Database, tmp_path: Path, script: Script) -> None:
        self.folder = tmp_path / "recordings"
        self.folder.mkdir()
        self.script, self.database = script, database
        self.store = FolderStore(tmp_path / "kept")
        self.clock = SetClock()
        self.clock.pass_s(600)
        self.uploader = Uploader(database, self.folder, self.store, self.clock)
        for part in (1, 2, 3):
            self.file(part).write_bytes(bytes([part]) * 5000)

    def file(self, part: int) -> Path:
        return part_file(self.folder, bytes.fromhex(self.script.name), part)

    async def stored(self) -> list[str]:
        found = await Recordings(self.database).one(self.script.recording)
        assert found is not None
        return [part.stored for part in found.parts]


@pytest.fixture
async def moving(each_database: Database, tmp_path: Path) -> Moving:
    script = Script(each_database, NOON)
    await script.recorded(await script.scheduled())
    recordings = Recordings(each_database)
    closed = Progress(recording=script.name, part=1, records=9, size_bytes=5000, ended="rotated")
    await recordings.progress(closed, now=NOON)
    open_one = Progress(recording=script.name, part=2, records=9, size_bytes=4000)
    await recordings.progress(open_one, now=NOON)
    return Moving(each_database, tmp_path, script)


async def test_a_closed_part_is_brought_away_and_an_open_or_unknown_one_stays(moving: Moving) -> None:
    assert await moving.uploader.look() == 1
    assert [moving.file(part).exists() for part in (1, 2, 3)] == [False, True, True]
    assert moving.store.read(moving.script.name, 1, 0, 5000) == b"\x01" * 5000
    first, second = await moving.stored()
    assert first == f"{moving.store.where}/{moving.script.name}/00001.tcr"
    assert second == ""
    assert await moving.uploader.look() == 0


async def test_long_after_its_recording_a_part_is_brought_away_though_nobody_said_how_it_ended(
    moving: Moving,
) -> None:
    moving.file(3).unlink()
    moving.clock.pass_s(3600)
    assert await moving.uploader.look() == 2
    assert moving.store.size_bytes(moving.script.name, 2) == 5000
    assert list(moving.folder.iterdir()) == []
    assert all(await moving.stored())


async def test_long_after_its_recording_a_part_nobody_spoke_of_is_brought_away(moving: Moving) -> None:
    moving.clock.pass_s(3600)
    assert await moving.uploader.look() == 3
    assert moving.store.size_bytes(moving.script.name, 3) == 5000
    assert list(moving.folder.iterdir()) == []


async def test_what_lacks_something_that_was_written_stays_for_whoever_looks_into_it(moving: Moving) -> None:
    moving.file(2).write_bytes(b"cut" * 1000)
    moving.clock.pass_s(3600)
    assert await moving.uploader.look() == 2
    assert moving.file(2).exists()


async def test_a_part_that_the_store_has_not_whole_stays(
    moving: Moving, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as cut:
        cut.setattr(moving.store, "size_bytes", lambda *_: 4999)
        with pytest.raises(OSError):
            await moving.uploader.look()
    assert moving.file(1).exists()
    assert await moving.stored() == ["", ""]
    assert await moving.uploader.look() == 1


async def test_a_crash_between_writing_down_and_removing_is_taken_up(moving: Moving) -> None:
    content = moving.file(1).read_bytes()
    assert await moving.uploader.look() == 1
    moving.file(1).write_bytes(content)
    assert await moving.uploader.look() == 1
    assert not moving.file(1).exists()


async def test_a_part_that_has_changed_is_not_brought_away(moving: Moving) -> None:
    moving.file(1).write_bytes(b"shorter")
    assert await moving.uploader.look() == 0
    assert moving.file(1).exists()
    assert moving.store.size_bytes(moving.script.name, 1) is None


async def test_of_a_destroyed_recording_no_file_is_left_anywhere(moving: Moving) -> None:
    await moving.uploader.look()
    await moving.uploader.remove(moving.script.name)
    assert list(moving.store.parts()) == []
    assert list(moving.folder.iterdir()) == []
    moving.file(2).write_bytes(b"came late")
    async with moving.database.write() as connection:
        await connection.execute(update(RecordingRow).values(shredded_at=NOON))
    await moving.uploader.look()
    assert list(moving.folder.iterdir()) == []


def test_the_vault_reads_parts_here_and_there_the_same(tmp_path: Path) -> None:
    recording = bytes(16)
    content = bytes(range(256)) * (WINDOW_BYTES // 256 * 2 + 3)
    folder, store = FolderParts(tmp_path), Objects(MemoryStore(), "memory")
    file = part_file(tmp_path, recording, 1)
    file.write_bytes(content)
    store.put(recording.hex(), 1, file)
    store.put(recording.hex(), 2, file)
    source = StoredParts(folder, store)
    assert [(one.part, one.size_bytes) for one in source.list(recording)] == [
        (1, len(content)),
        (2, len(content)),
    ]
    assert list(source.recordings()) == [recording]
    for part in (1, 2):
        with source.open(recording, part) as data:
            assert len(data) == len(content)
            at = WINDOW_BYTES - 10
            assert data[at : at + 2_000_000] == content[at : at + 2_000_000]
            assert data[len(content) - 5 : len(content) + 5] == content[-5:]
    with pytest.raises(FileNotFoundError), source.open(recording, 3):
        pass
