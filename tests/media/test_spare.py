"""A process in waiting takes the place of a worker that died, and is in nobody's way."""

import asyncio
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from media import spare
from media.plane import MediaSettings, WorkerLost
from media.spare import STANDBY
from tests.media.conftest import Plane
from tests.media.loopback import until
from tests.media.offers import FIREFOX

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_process_in_waiting_takes_the_place_of_a_dead_worker_and_another_waits(
    settings: MediaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spare, "BEGIN_AFTER_S", 0.0)
    plane = Plane(replace(settings, spare=True))
    await plane.start()
    try:
        waiting = plane._spare
        assert waiting is not None
        await until(lambda: waiting.pid is not None, 5)
        first = waiting.pid
        await plane.connect("r", "p", FIREFOX)
        os.kill(plane.worker_pids[0], signal.SIGKILL)
        await until(lambda: bool(plane.told(WorkerLost)), 5)
        await until(lambda: plane.workers_up == 1, 10)
        assert plane.worker_pids[0] == first
        assert await plane.connect("r", "p", FIREFOX)
        await until(lambda: waiting.pid not in (None, first), 5)
        second = waiting.pid
    finally:
        await plane.stop()
    for pid in (first, second):
        assert not Path(f"/proc/{pid}").exists()


async def test_a_process_in_waiting_that_was_killed_is_no_reason_not_to_start_a_worker(
    settings: MediaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spare, "BEGIN_AFTER_S", 0.0)
    plane = Plane(replace(settings, spare=True))
    await plane.start()
    try:
        waiting = plane._spare
        assert waiting is not None
        await until(lambda: waiting.pid is not None, 5)
        assert waiting.pid is not None
        os.kill(waiting.pid, signal.SIGKILL)
        os.kill(plane.worker_pids[0], signal.SIGKILL)
        await until(lambda: bool(plane.told(WorkerLost)), 5)
        await until(lambda: plane.workers_up == 1, 15)
    finally:
        await plane.stop()


async def test_a_process_in_waiting_ends_with_its_server(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "media.worker", STANDBY, str(tmp_path)]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    assert process.stdin is not None
    process.stdin.close()  # as the kernel does for a server that is killed
    async with asyncio.timeout(10):
        assert await process.wait() == 0
