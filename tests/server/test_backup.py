"""The drill: a copy of a running server's database, put back elsewhere, is the same clinic."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from server.storage.backup import BackupError, back_up, restore
from server.storage.consults import Consults
from server.storage.database import Database
from tests.e2e.kit import needs
from tests.e2e.kit.services import postgres_service
from tests.server.program import Demo, environment

CLINIC = "demo"


def run(folder: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """`python -m server …` with these settings."""
    return subprocess.run(
        [sys.executable, "-m", "server", *words],
        env=environment(folder) | settings,
        cwd=needs.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


async def consults(url: str) -> list[object]:
    """Every consult that has not ended, as it is folded from its events, with the names of its people."""
    database = Database(url)
    try:
        store = Consults(database)
        ids = await store.live(limit=100)
        return [(await store.load(one), await store.directory(one)) for one in sorted(ids)]
    finally:
        await database.close()


def test_a_copy_of_a_running_servers_database_opens_elsewhere_as_the_same_clinic(
    tmp_path: Path, free_port: int
) -> None:
    server = Demo(tmp_path, free_port)
    try:
        server.links()
        copy = tmp_path / "copy.backup"
        made = run(tmp_path, "db", "backup", str(copy))
        assert made.returncode == 0, made.stderr
        assert copy.stat().st_mode & 0o077 == 0
    finally:
        server.end()
    elsewhere = tmp_path / "elsewhere"
    put = run(elsewhere, "db", "restore", str(copy))
    assert put.returncode == 0, put.stderr
    here = f"sqlite+aiosqlite:///{tmp_path}/data/meridian.sqlite3"
    there = f"sqlite+aiosqlite:///{elsewhere}/data/meridian.sqlite3"
    before = asyncio.run(consults(here))
    assert before
    assert asyncio.run(consults(there)) == before
    again = Demo(elsewhere, free_port)
    try:
        assert again.links()["patient"]
    finally:
        assert again.end()[0] == 0


def test_postgresql_is_copied_and_put_back(tmp_path: Path) -> None:
    with postgres_service() as first, postgres_service() as second:
        urls = [one.url.replace("postgresql://", "postgresql+asyncpg://") for one in (first, second)]
        settings = [{"MERIDIAN_DATABASE__URL": url} for url in urls]
        assert run(tmp_path, "db", "upgrade", **settings[0]).returncode == 0
        account = ("user", "add", "dr@clinic.example", "--name", "Dr Chen", "--role", "physician")
        added = run(tmp_path, *account, **settings[0])
        assert added.returncode == 0, added.stderr
        copy = tmp_path / "copy.backup"
        assert run(tmp_path, "db", "backup", str(copy), **settings[0]).returncode == 0
        put = run(tmp_path, "db", "restore", str(copy), **settings[1])
        assert put.returncode == 0, put.stderr
        twice = run(tmp_path, *account, **settings[1])
        assert twice.returncode != 0, "the account is there already"
        full = run(tmp_path, "db", "restore", str(copy), **settings[1])
        assert full.returncode != 0
        assert "must be empty" in full.stderr


def test_nothing_is_overwritten_and_what_is_no_backup_is_refused(tmp_path: Path) -> None:
    there = tmp_path / "there.sqlite3"
    url = f"sqlite+aiosqlite:///{there}"
    with pytest.raises(BackupError, match="is not there"):
        back_up(url, tmp_path / "copy")
    torn = tmp_path / "torn"
    torn.write_bytes(b"SQLite format 3\0" + os.urandom(4000))
    with pytest.raises(BackupError, match="no whole backup"):
        restore(url, torn)
    assert not there.exists()
    there.write_bytes(b"")
    with pytest.raises(BackupError, match="exists"):
        restore(url, torn)
    with pytest.raises(BackupError, match="exists"):
        back_up(url, torn)
    assert list(tmp_path.glob("*.part")) == []
