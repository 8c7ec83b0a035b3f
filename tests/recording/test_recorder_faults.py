"""A recorder whose disk is full, slow or gone, and workers that are killed: what is lost, and who is told."""

import asyncio
import contextlib
import errno
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

import pytest
import pytest_asyncio

from media import recorder, recording_thread
from media.bench.client import LoadPeer
from media.control import GetTotals, RemoveRoom, SetRouting, Totals
from media.interface import RecordingFailed, RecordingOrder, RecordingProgress, Routing
from tests.e2e.kit import disk
from tests.media.loopback import until
from tests.media.test_engine import Scene
from tests.recording.studio import RECORDING, Studio, found, kept, order, routes

ROOT = Path(__file__).parents[2]
KILLED = 36
SECOND_US = 1_000_000
DISK_BYTES = 256 * 1024
FORWARD_S_MAX = 0.1
"""On a machine others use too; alone it is a millisecond."""


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path, "p", "d")


def failed(code: str) -> RecordingFailed:
    return RecordingFailed(room="r", recording=RECORDING.hex(), code=code)  # type: ignore[arg-type]


@pytest.mark.timeout(120)
def test_workers_killed_at_any_moment_lose_a_second_at_most(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.recording.killed_recorder", str(tmp_path), str(KILLED), "7"]
    said = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    runs = [json.loads(line) for line in said.splitlines()]
    assert len(runs) == KILLED
    for run in runs:
        data = Path(run["file"]).read_bytes()
        assert found(data).status == "torn"
        last_us = max((each.at_us for _, each in kept([data])), default=0)
        assert run["handed_us"] - last_us <= SECOND_US
        numbers = [int.from_bytes(each.data[:4]) for _, each in kept([data])]
        assert numbers == list(range(1, len(numbers) + 1)), "of what is there nothing is missing"


@pytest.mark.parametrize(
    ("number", "code"),
    [(errno.ENOSPC, "disk_full"), (errno.EDQUOT, "disk_full"), (errno.EIO, "disk_error")],
)
def test_a_disk_that_takes_no_more_is_told_once_and_nothing_is_tried_until_somebody_resumes(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, number: int, code: str
) -> None:
    studio.record("p", "d")
    studio.say("p", b"one")
    studio.pass_s(1)
    whole = studio.parts()[0]

    def refuse(*_: object) -> int:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patched:
        patched.setattr("media.parts.os.write", refuse)
        for _ in range(5):
            studio.say("p", b"lost")
            studio.pass_s(1)
    studio.record("p", "d")
    studio.say("p", b"lost")
    studio.pass_s(1)
    assert [one for one in studio.told if isinstance(one, RecordingFailed)] == [failed(code)]
    assert studio.parts() == [whole]
    assert studio.recorder.waiting == 0
    studio.record("p", "d", first_part=2)
    studio.say("p", b"two")
    studio.pass_s(1)
    assert [each.data[-3:] for _, each in kept(studio.parts())] == [b"one", b"two"]
    assert studio.progress()[-1].part == 2


def test_after_a_routing_without_it_the_same_order_is_tried_again(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(recording_thread, "highest_part", lambda *_: Path("/nowhere").stat())
        studio.record("p", "d")
        studio.say("p", b"lost")
        studio.pass_s(1)
    assert studio.told == [failed("disk_error")]
    studio.route("p", "d")
    studio.record("p", "d")
    studio.say("p", b"one")
    studio.pass_s(1)
    assert len(kept(studio.parts())) == 1


def test_something_nobody_thought_of_ends_that_recording_and_is_told(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: object) -> int:
        raise RuntimeError("nobody thought of this")

    studio.record("p", "d")
    studio.say("p", b"lost")
    with monkeypatch.context() as patched:
        patched.setattr(recording_thread, "highest_part", break_down)
        studio.pass_s(1)
    assert studio.told == [failed("disk_error")]
    assert studio.room.peers["p"].sources["audio"].tap is None


def test_what_waits_for_a_disk_is_bounded_and_still_written_when_it_answers(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "BACKLOG_PACKETS_MAX", 500)
    studio.record("p", "d")
    for _ in range(1_000):  # the thread does nothing meanwhile
        studio.clock.now_s += 0.01
        studio.say("p", bytes(100))
        recorder.tick_all([studio.recorder])
    assert studio.told == [failed("disk_error")]
    assert studio.recorder.waiting == 501
    studio.worked_at_s = studio.clock.now_s
    studio.pass_s(1)
    assert found(studio.parts()[0]).ended == "failed"
    waited = len(kept(studio.parts()))
    assert studio.writer.recorded == waited == 501
    assert studio.recorder.waiting == 0


@dataclass
class Call:
    """Two people in an engine, of whom the first talks to the second, and how late each packet came."""

    scene: Scene
    loads: list[LoadPeer] = field(default_factory=list)
    late_s: list[float] = field(default_factory=list)
    revision: int = 0

    async def begin(self) -> None:
        self.loads = [await self.scene.join("a"), await self.scene.join("b")]

    def route(self, recording: RecordingOrder | None) -> None:
        self.revision += 1
        links = routes(("a", "b"), ("b", "a"))
        routing = Routing(revision=self.revision, routes=links, recording=recording)
        self.scene.engine.handle(SetRouting(room="r", routing=routing))

    async def talk(self, seconds: float, size_bytes: int = 400) -> int:
        """Send a packet every 5 ms and wait for each; returns how many came."""
        sender, receiver = self.loads
        until_s = time.monotonic() + seconds
        count = 0
        while time.monotonic() < until_s:
            sent_at_s, before = time.monotonic(), receiver.received
            sender._send(
                111, sender._audio_count, sender._audio_count * 960, sender.audio_ssrc, bytes(size_bytes)
            )
            sender._audio_count += 1
            while receiver.received == before and time.monotonic() < sent_at_s + 1:  # noqa: ASYNC110 - its latency
                await asyncio.sleep(0)
            count += receiver.received > before
            self.late_s.append(time.monotonic() - sent_at_s)
            await asyncio.sleep(0.005)
        return count

    def told(self) -> list[RecordingProgress | RecordingFailed]:
        return [one for one in self.scene.told if isinstance(one, RecordingProgress | RecordingFailed)]

    def packets(self) -> dict[str, int]:
        totals = self.scene.engine.handle(GetTotals())
        assert isinstance(totals, Totals)
        return totals.totals.packets


async def called(folder: Path) -> AsyncIterator[Call]:
    scene = Scene(folder)
    try:
        call = Call(scene)
        await call.begin()
        yield call
    finally:
        for load in scene.loads:
            await load.close()
        await scene.engine.close()


@pytest_asyncio.fixture
async def call(tmp_path: Path) -> AsyncIterator[Call]:
    async for made in called(tmp_path):
        yield made


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, with room for little."""
    with disk.small_disk(tmp_path / "disk", DISK_BYTES) as folder:
        yield folder


@pytest_asyncio.fixture
async def call_on_small_disk(small_disk: Path) -> AsyncIterator[Call]:
    async for made in called(small_disk):
        yield made


async def test_two_people_are_recorded_by_a_real_thread_and_counted(call: Call, tmp_path: Path) -> None:
    call.route(order("a", "b"))
    sent = await call.talk(0.8)
    call.scene.engine.handle(RemoveRoom(room="r"))
    await until(lambda: bool(call.told()) and getattr(call.told()[-1], "ended", "") == "ended", 3)
    (file,) = tmp_path.iterdir()
    assert found(file.read_bytes()).status == "complete"
    assert len(kept([file.read_bytes()])) == sent == call.packets()["recorded"]
    assert call.packets()["dropped_recording"] == 0


def fill(file: Path) -> None:
    """Write until the disk takes no more."""
    with contextlib.suppress(OSError), file.open("wb", buffering=0) as ballast:
        while ballast.write(bytes(4_096)) == 4_096:
            pass


async def test_on_a_full_disk_people_talk_on_it_is_told_and_the_part_can_be_read(
    call_on_small_disk: Call, small_disk: Path
) -> None:
    call = call_on_small_disk
    call.route(order("a", "b"))
    await call.talk(0.5, size_bytes=1_200)
    fill(small_disk / "ballast")
    asked = len(call.late_s)
    assert await call.talk(1.5, size_bytes=1_200) == len(call.late_s) - asked
    assert [one for one in call.told() if isinstance(one, RecordingFailed)] == [failed("disk_full")]
    (part,) = small_disk.glob("*.tcr")
    examined = found(part.read_bytes())
    assert examined.status == "torn"
    assert examined.records > 0
    (small_disk / "ballast").unlink()
    call.route(order("a", "b", first_part=2))
    await call.talk(0.8)
    assert isinstance(call.told()[-1], RecordingProgress)
    assert call.packets()["dropped_recording"] > 0


async def test_while_a_disk_does_not_answer_everything_is_forwarded_as_fast_as_ever(
    call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    answers, write = threading.Event(), os.write

    def slow(file: int, data: bytes) -> int:
        answers.wait(20)
        return write(file, data)

    monkeypatch.setattr("media.parts.os.write", slow)
    call.route(order("a", "b"))
    sent = await call.talk(2)
    assert sent == len(call.late_s)
    assert quantiles(call.late_s, n=100)[-1] < FORWARD_S_MAX
    assert not any(isinstance(one, RecordingFailed) for one in call.told())
    answers.set()
    call.scene.engine.handle(RemoveRoom(room="r"))
    await until(lambda: bool(call.told()) and getattr(call.told()[-1], "ended", "") == "ended", 3)
    (file,) = tmp_path.iterdir()
    assert len(kept([file.read_bytes()])) == sent


async def test_a_disk_that_never_answers_does_not_keep_a_worker_from_ending(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = threading.Event()

    def never(*_: object) -> int:
        answers.wait(20)
        raise OSError(errno.EIO, "gone")

    monkeypatch.setattr("media.parts.os.write", never)
    try:
        async for call in called(tmp_path):
            call.route(order("a", "b"))
            await call.talk(0.7)
            before_s = time.monotonic()
            await call.scene.engine.close()
            assert time.monotonic() - before_s < 2
    finally:
        answers.set()
