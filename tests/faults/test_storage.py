"""A database that is away, locked or full: calls go on, and what could not be stored is said, not skipped."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.e2e.kit import disk, needs
from tests.e2e.kit.services import postgres_service
from tests.e2e.kit.tab import eventually
from tests.e2e.three_party import story
from tests.faults.stage import Stage, heard, least, note, stage

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]

LOCKED_S = 5
NO_GAP_S = 0.3
DISK_BYTES = 12_000_000
MESSAGES = "() => [...document.querySelectorAll('[data-part=log] .said')].map((one) => one.textContent)"
NOT_SAVED = "The clinic could not save this."


async def write(on: Stage, text: str) -> None:
    """The physician writes a message; what comes of it is for the caller to see."""
    page = on.guests["physician"].page
    await story.press(page, "tab-chat")
    await page.fill("#panel-chat [name=text]", text)
    await story.press(page, "send")


async def shown(on: Stage) -> list[str]:
    return list(await on.guests["physician"].page.evaluate(MESSAGES))


async def stored(on: Stage, text: str) -> None:
    await eventually(
        lambda: shown(on), lambda texts: texts[-1:] == [text], within_s=15, what=f"{text} is stored"
    )


def upgraded(url: str) -> None:
    env = {**os.environ, "MERIDIAN_DATABASE__URL": url, "PYTHONPATH": str(needs.ROOT)}
    command = [sys.executable, "-m", "server", "db", "upgrade"]
    subprocess.run(command, cwd=needs.ROOT, env=env, check=True, capture_output=True)


def rows(database: Path) -> int:
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        return int(connection.execute("select count(*) from chat_message").fetchone()[0])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def small_disk(tmp_path_factory: Any) -> AsyncIterator[Path]:
    """A disk of its own that can be filled."""
    with disk.small_disk(tmp_path_factory.mktemp("disk"), DISK_BYTES) as folder:
        yield folder


def fill(file: Path) -> None:
    """Take all the room there is on its disk."""
    with file.open("wb", buffering=0) as filler:
        while True:
            filler.write(b"\0" * 4096)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def on(small_disk: Path) -> AsyncIterator[Stage]:
    async with stage(folder=small_disk) as made:
        yield made


async def test_a_database_locked_for_five_seconds_delays_what_is_written_and_nothing_else(on: Stage) -> None:
    await write(on, "Before")
    await stored(on, "Before")
    await on.mark()
    with sqlite3.connect(on.server.data / "meridian.sqlite3", isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        await write(on, "Meanwhile")
        await asyncio.sleep(LOCKED_S)
        assert await shown(on) == ["Before"]
        other.execute("ROLLBACK")
    await stored(on, "Meanwhile")
    gaps = await on.longest()
    note(f"SQLite locked for {LOCKED_S} s, sound", heard(gaps))
    assert heard(gaps) <= NO_GAP_S, gaps


async def test_a_full_disk_is_said_to_whoever_writes_and_leaves_the_call_alone(on: Stage) -> None:
    page = on.guests["physician"].page
    await on.mark()
    before = rows(on.server.data / "meridian.sqlite3")
    filler = on.server.data / "filler"
    with pytest.raises(OSError, match="No space"):
        fill(filler)
    await write(on, "word " * 390)
    await expect(page.locator("[data-part=error]:visible")).to_contain_text(NOT_SAVED, timeout=10_000)
    assert rows(on.server.data / "meridian.sqlite3") == before
    gaps = await on.longest()
    note("disk full, sound", heard(gaps))
    assert heard(gaps) <= NO_GAP_S, gaps
    filler.unlink()
    await write(on, "There is room again")
    await stored(on, "There is room again")


async def test_a_database_killed_and_started_again_loses_nothing_and_cuts_nothing(small_disk: Path) -> None:
    del small_disk
    with postgres_service() as service:
        # Over a socket in the file system, which all network namespaces share.
        url = f"postgresql+asyncpg://test@/postgres?host={service.folder}&port={urlsplit(service.url).port}"
        await asyncio.to_thread(upgraded, url)
        async with stage(env={"MERIDIAN_DATABASE__URL": url}) as on:
            await write(on, "Before")
            await stored(on, "Before")

            async def silence() -> float:
                said = await shown(on)
                await on.mark()
                await asyncio.to_thread(service.end, signal.SIGQUIT)
                await write(on, "Meanwhile")
                await asyncio.sleep(1)
                await asyncio.to_thread(service.start_again)
                await eventually(
                    lambda: shown(on), lambda now: len(now) > len(said), within_s=15, what="it is stored"
                )
                assert await shown(on) == [*said, "Meanwhile"], "once"
                gaps = await on.longest()
                note("PostgreSQL killed and started again, sound", heard(gaps))
                return heard(gaps)

            assert await least(silence, NO_GAP_S) <= NO_GAP_S
