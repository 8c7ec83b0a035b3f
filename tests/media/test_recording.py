"""Recording by real worker processes, of real peers over loopback, and what becomes of it with them."""

import argparse
import asyncio
import os
import signal
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from media import worker as worker_module
from media.interface import RecordingProgress, Routing, WorkerLost
from media.worker import Worker
from tests.media.conftest import Plane
from tests.media.loopback import Participant, participants, until
from tests.media.test_plane import routing, worker_pid
from tests.recording.studio import found, kept, metas, order

pytestmark = pytest.mark.asyncio(loop_scope="module")

BOTH = (("p", "audio", "d", 0), ("p", "video", "d", 0), ("d", "audio", "p", 0), ("d", "video", "p", 0))
TRACKS = {0, 1, 4, 5}
LOST_S_MAX = 1.0


def recorded(revision: int, **changes: Any) -> Routing:
    """Two people who hear and see each other and have agreed to be recorded."""
    return replace(routing(revision, *BOTH), recording=order("p", "d", **changes))


def files(plane: Plane) -> list[bytes]:
    """The parts there are."""
    folder = plane.settings.data_dir / "recordings"
    return [file.read_bytes() for file in sorted(folder.glob("*.tcr"))]


def progress(plane: Plane) -> list[RecordingProgress]:
    return [one for one in plane.notices if isinstance(one, RecordingProgress)]


async def on_record(plane: Plane, patient: Participant, physician: Participant, epoch_ms: int) -> None:
    """Connect both, and wait until of both everything is recorded."""
    await asyncio.gather(patient.connect(plane), physician.connect(plane))
    await plane.route("r", recorded(1, epoch_ms=epoch_ms))
    await until(lambda: {track for track, _ in kept(files(plane))} == TRACKS, 10)


async def test_two_people_are_recorded_until_the_server_says_it_ends(plane: Plane) -> None:
    patient, physician = Participant("r", "p"), Participant("r", "d")
    async with participants(patient, physician):
        await on_record(plane, patient, physician, int(time.time() * 1_000))
        folder = plane.settings.data_dir / "recordings"
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert all(stat.S_IMODE(file.stat().st_mode) == 0o400 for file in folder.iterdir())
        frames = physician.audio_frames[0]
        await plane.route("r", replace(routing(2, *BOTH), recording_stop="ended"))
        await until(lambda: progress(plane)[-1].ended == "ended", 5)
        (data,) = files(plane)
        size_bytes, last = len(data), progress(plane)[-1]
        assert (found(data).status, found(data).records, size_bytes) == (
            "complete",
            last.records,
            last.size_bytes,
        )
        said = {about["source"]: set(about["codecs"].values()) for about in metas(data)[1:]}
        assert said.keys() == {"audio", "camera"}
        assert said["audio"] == {"opus"}
        assert "vp8" in said["camera"]
        assert (await plane.stats("r")).recorded == len(kept([data]))
        await until(lambda: physician.audio_frames[0] > frames + 10, 10)
        assert len(files(plane)[0]) == size_bytes
        assert progress(plane)[0].records == 0
        assert 0 <= kept([data])[0][1].at_us < 10_000_000


async def test_a_killed_worker_loses_a_second_at_most_and_the_next_one_begins_another_part(
    own_plane: Plane,
) -> None:
    patient, physician = Participant("r", "p"), Participant("r", "d")
    again, other = Participant("r", "p"), Participant("r", "d")
    async with participants(patient, physician, again, other):
        epoch_ms = int(time.time() * 1_000)
        await on_record(own_plane, patient, physician, epoch_ms)
        os.kill(worker_pid(own_plane), signal.SIGKILL)
        killed_us = int(time.time() * 1e6) - epoch_ms * 1_000
        await until(lambda: bool(own_plane.told(WorkerLost)), 2)
        (data,) = files(own_plane)
        assert found(data).status == "torn"
        assert killed_us - kept([data])[-1][1].at_us < LOST_S_MAX * 1e6
        await asyncio.gather(again.connect(own_plane), other.connect(own_plane))
        await until(lambda: len(files(own_plane)) == 2 and bool(kept(files(own_plane)[1:])), 10)
        assert files(own_plane)[0] == data
        assert progress(own_plane)[-1].part == 2


@pytest.mark.parametrize("how", ["told", "signalled"])
async def test_a_worker_that_ends_ends_its_parts_and_says_so(own_plane: Plane, how: str) -> None:
    patient, physician = Participant("r", "p"), Participant("r", "d")
    async with participants(patient, physician):
        await on_record(own_plane, patient, physician, int(time.time() * 1_000))
        if how == "told":
            await own_plane.stop()
        else:
            os.kill(worker_pid(own_plane), signal.SIGTERM)
        await until(lambda: progress(own_plane)[-1].ended == "worker-ended", 3)
        (data,) = files(own_plane)
        assert (found(data).status, found(data).ended) == ("complete", "worker-ended")


@contextmanager
def worker_alone(folder: Path) -> Iterator[Worker]:
    """A worker in this process, to which no server comes."""
    options = argparse.Namespace(
        worker=0, address=["127.0.0.1"], public=[], port=0, recordings=folder, orphan_s=60.0
    )
    yield Worker(options, "token")


async def test_without_a_server_nothing_is_recorded_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_module, "RECORD_ALONE_S", 0.02)
    with worker_alone(tmp_path) as worker:
        stopped: list[str] = []
        monkeypatch.setattr(worker.engine, "stop_recording", stopped.append)
        try:
            worker._alone()
            await until(lambda: bool(stopped), 2)
            worker._alone()
            worker._not_alone()
            await asyncio.sleep(0.05)
            assert stopped == ["server-lost"]
        finally:
            await worker.close()
