"""A server in parts or whole, on loopback, with a clock that tests set."""

import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from server.settings import Settings
from server.settings_loading import load
from server.storage.database import Database
from server.storage.upgrade import upgrade

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


class SetClock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> datetime:
        return self.time

    def pass_s(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def settings(tmp_path: Path, free_port: int) -> Settings:
    overrides = {
        "server": {"port": free_port, "data_dir": tmp_path / "data"},
        "media": {"workers": 1},
        "clinic": {"id": "demo", "name": "Test Clinic", "phone": "+1 310 555 0142"},
    }
    return load(overrides=overrides).settings


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'test.sqlite3'}")
    await upgrade(database)
    yield database
    await database.close()


