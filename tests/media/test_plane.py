"""The plane with real worker processes and real peers over loopback: who hears and sees whom, and what
happens then.
"""

import asyncio
import errno
import os
import signal
import socket
import stat
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from media import supervisor
from media.control import PROTOCOL
from media.plane import (
    BadSdp,
    MediaSettings,
    PeerConnected,
    PeerLost,
    RefusedByWorker,
    Route,
    Routing,
    WorkerLost,
    WorkerUnavailable,
)
from tests.media.conftest import Plane
from tests.media.loopback import Participant, participants, until
from tests.media.offers import FIREFOX

pytestmark = pytest.mark.asyncio(loop_scope="module")


def routing(revision: int, *routes: tuple[str, str, str, int]) -> Routing:
    """Routes as (publisher, source, subscriber, slot)."""
    return Routing(
        revision=revision,
        routes=tuple(
            Route(publisher=publisher, source=source, subscriber=subscriber, slot=slot)  # type: ignore[arg-type]
            for publisher, source, subscriber, slot in routes
        ),
    )


def worker_pid(plane: Plane) -> int:
    """The process of the first worker."""
    welcome = plane._workers[0].welcome
    assert welcome is not None
    return welcome.pid


async def test_a_hears_and_sees_b_in_the_right_slot_and_nobody_else_does(plane: Plane) -> None:
    patient, physician = Participant("r", "p", brightness=200), Participant("r", "d", brightness=60)
    async with participants(patient, physician):
        await asyncio.gather(patient.connect(plane), physician.connect(plane))
        await plane.route("r", routing(1, ("p", "audio", "d", 1), ("p", "video", "d", 0)))
        await until(lambda: physician.video_frames[0] > 5 and physician.audio_frames[1] > 20, 10)
        assert abs(physician.brightness[0] - 200) < 8
        assert physician.loudness[1] > 2_000
        assert physician.audio_frames[0] == physician.video_frames[1] == 0
        assert patient.audio_frames == patient.video_frames == [0, 0]
    assert {notice.peer for notice in plane.told(PeerConnected) if isinstance(notice, PeerConnected)} == {
        "p",
        "d",
    }


async def test_nothing_is_forwarded_before_it_is_routed_and_it_is_counted(plane: Plane) -> None:
    patient, physician = Participant("r", "p"), Participant("r", "d")
    async with participants(patient, physician):
        await asyncio.gather(patient.connect(plane), physician.connect(plane))
        await asyncio.sleep(0.3)
        stats = {peer.peer: peer for peer in (await plane.stats("r")).peers}
        assert stats["p"].connected
        assert stats["p"].dropped_before_route > 5
        assert stats["d"].packets_forwarded == stats["p"].packets_forwarded == 0
        assert physician.audio_frames == [0, 0]


async def test_a_route_that_is_gone_stops_at_once_and_an_older_routing_is_ignored(plane: Plane) -> None:
    patient, physician = Participant("r", "p"), Participant("r", "d")
    async with participants(patient, physician):
        await plane.route("r", routing(5, ("p", "audio", "d", 0)))
        await asyncio.gather(patient.connect(plane), physician.connect(plane))
        await until(lambda: physician.audio_frames[0] > 5, 10)
        await plane.route("r", routing(6))
        await plane.route("r", routing(5, ("p", "audio", "d", 0)))
        before = {p.peer: p.packets_forwarded for p in (await plane.stats("r")).peers}
        await asyncio.sleep(0.2)
        stats = await plane.stats("r")
        assert stats.routing_revision == 6
        assert {p.peer: p.packets_forwarded for p in stats.peers} == before


async def test_a_participant_who_comes_back_under_a_new_id_continues_in_the_same_slot(plane: Plane) -> None:
    first, second, viewer = (
        Participant("r", "p1", brightness=200),
        Participant("r", "p2", brightness=120),
        Participant("r", "d"),
    )
    async with participants(first, second, viewer):
        await asyncio.gather(first.connect(plane), viewer.connect(plane))
        await plane.route("r", routing(1, ("p1", "video", "d", 0), ("p1", "audio", "d", 0)))
        await until(lambda: viewer.video_frames[0] > 3 and viewer.audio_frames[0] > 3, 10)
        await plane.close_peer("r", "p1")
        await second.connect(plane)
        await plane.route("r", routing(2, ("p2", "video", "d", 0), ("p2", "audio", "d", 0)))
        frames = viewer.audio_frames[0]
        await until(lambda: abs(viewer.brightness[0] - 120) < 8 and viewer.audio_frames[0] > frames + 10, 10)


async def test_empty_and_foreign_datagrams_do_not_disturb(plane: Plane) -> None:
    patient, physician = Participant("r", "p"), Participant("r", "d")
    async with participants(patient, physician):
        await plane.route("r", routing(1, ("p", "audio", "d", 0)))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for number in range(500):
                for data in (
                    b"",
                    b"\x16\xfe\xff" + bytes(20),
                    b"\x80" + os.urandom(40),
                    b"\x00\x01" + os.urandom(18),
                ):
                    stranger.sendto(data, ("127.0.0.1", plane.settings.port))
                if number % 100 == 0:
                    await asyncio.sleep(0)
            await asyncio.gather(patient.connect(plane), physician.connect(plane))
            for _ in range(500):
                stranger.sendto(b"", ("127.0.0.1", plane.settings.port))
        await until(lambda: physician.audio_frames[0] > 20, 10)


async def test_hanging_up_is_noticed_at_once(plane: Plane) -> None:
    patient = Participant("r", "p")
    await patient.connect(plane)
    await patient.close()
    await until(lambda: PeerLost(room="r", peer="p") in plane.notices, 2)


async def test_a_killed_worker_is_announced_and_replaced_and_the_routing_is_kept(own_plane: Plane) -> None:
    patient, physician = Participant("r", "p"), Participant("r", "d")
    async with participants(patient, physician):
        await own_plane.route("r", routing(1, ("p2", "audio", "d2", 0)))
        await patient.connect(own_plane)
        pid = worker_pid(own_plane)
        os.kill(pid, signal.SIGKILL)
        await until(lambda: bool(own_plane.told(WorkerLost)), 2)
        assert own_plane.told(WorkerLost) == [WorkerLost(rooms=("r",))]
        again, other = Participant("r", "p2"), Participant("r", "d2")
        async with participants(again, other):
            await asyncio.gather(again.connect(own_plane), other.connect(own_plane))
            assert worker_pid(own_plane) != pid
            await until(lambda: other.audio_frames[0] > 5, 10)


async def test_a_starting_server_adopts_the_worker_a_dead_one_left_and_nobody_is_interrupted(
    own_plane: Plane, settings: MediaSettings
) -> None:
    patient, physician = Participant("r", "p"), Participant("r", "d")
    async with participants(patient, physician):
        await own_plane.route("r", routing(1, ("p", "audio", "d", 0)))
        await asyncio.gather(patient.connect(own_plane), physician.connect(own_plane))
        pid = worker_pid(own_plane)
        worker = own_plane._workers[0]
        assert worker._task is not None
        assert worker._writer is not None
        worker._task.cancel()
        worker._writer.transport.abort()
        frames = physician.audio_frames[0]
        await until(lambda: physician.audio_frames[0] > frames + 10, 10)
        heir = Plane(settings)
        await heir.start()
        try:
            assert worker_pid(heir) == pid
            assert {p.peer for p in (await heir.stats("r")).peers if p.connected} == {"p", "d"}
            await heir.route("r", routing(2))
            await asyncio.sleep(0.1)
            frames = physician.audio_frames[0]
            await asyncio.sleep(0.2)
            assert physician.audio_frames[0] <= frames + 2
        finally:
            await heir.stop()


async def test_a_worker_without_server_ends_by_itself(settings: MediaSettings) -> None:
    short = Plane(replace(settings, orphan_s=0.3))
    await short.start()
    worker = short._workers[0]
    assert worker._task is not None
    assert worker._writer is not None
    assert worker._process is not None
    worker._task.cancel()
    worker._writer.transport.abort()
    async with asyncio.timeout(5):
        assert await asyncio.to_thread(worker._process.wait) == 0


async def test_sigterm_ends_a_worker_cleanly_and_another_takes_its_place(own_plane: Plane) -> None:
    process = own_plane._workers[0]._process
    assert process is not None
    process.terminate()
    async with asyncio.timeout(5):
        assert await asyncio.to_thread(process.wait) == 0
    await until(lambda: own_plane._workers[0].up.is_set() and worker_pid(own_plane) != process.pid, 5)


async def lose_server(plane: Plane) -> None:
    """End the server's side as kill -9 would: the worker goes on alone."""
    worker = plane._workers[0]
    assert worker._task is not None
    assert worker._writer is not None
    worker._task.cancel()
    worker._writer.transport.abort()
    await asyncio.sleep(0)


async def test_what_an_adopted_worker_goes_on_with_and_nobody_asks_for_is_ended(
    own_plane: Plane, settings: MediaSettings
) -> None:
    for room in ("r", "s"):
        await own_plane.connect(room, "p", FIREFOX)
    await lose_server(own_plane)
    heir = Plane(replace(settings, orphan_s=0.5))
    await heir.start()
    try:
        await heir.route("s", routing(1))
        assert (await heir.stats("r")).peers
        await until(lambda: "r" not in heir._pins, 3)
        assert (await heir.stats("r")).peers == ()
        assert (await heir.stats("s")).peers
    finally:
        await heir.stop()


async def test_a_worker_that_was_lost_once_is_ended_and_not_adopted_again(
    own_plane: Plane, settings: MediaSettings
) -> None:
    pid = worker_pid(own_plane)
    await own_plane.connect("r", "p", FIREFOX)
    await lose_server(own_plane)
    heir = Plane(settings)
    await heir.start()
    try:
        assert worker_pid(heir) == pid
        writer = heir._workers[0]._writer
        assert writer is not None
        writer.transport.abort()
        await until(lambda: bool(heir.told(WorkerLost)), 2)
        await until(lambda: heir.workers_up == 1, 10)
        assert worker_pid(heir) != pid
        assert (await heir.stats("r")).peers == ()
    finally:
        await heir.stop()


async def test_a_worker_of_a_version_that_speaks_otherwise_is_ended_and_replaced(
    own_plane: Plane, settings: MediaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = worker_pid(own_plane)
    await own_plane.connect("r", "p", FIREFOX)
    await lose_server(own_plane)
    monkeypatch.setattr(supervisor, "PROTOCOL", PROTOCOL + 1)
    heir = Plane(settings)
    heir_start = asyncio.create_task(heir.start())
    try:
        await until(lambda: not Path(f"/proc/{pid}/cmdline").read_bytes(), 10)  # ended, and not waited for
        monkeypatch.undo()  # the one that replaces it is of the heir's version
        await heir_start
        assert worker_pid(heir) != pid
        assert await heir.connect("r", "p", FIREFOX)
    finally:
        await heir.stop()


async def test_a_worker_that_hangs_is_killed_and_replaced(
    settings: MediaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "WATCH_S", 0.1)
    plane = Plane(settings)
    await plane.start()
    try:
        await plane.connect("r", "p", FIREFOX)
        await until(lambda: bool(plane.totals()), 3)
        assert plane.totals()[0].peers == 1
        pid = worker_pid(plane)
        monkeypatch.setattr(supervisor, "CALL_S_MAX", 0.2)
        os.kill(pid, signal.SIGSTOP)
        await until(lambda: plane.told(WorkerLost) == [WorkerLost(rooms=("r",))], 5)
        assert plane.totals() == ()
        monkeypatch.setattr(supervisor, "CALL_S_MAX", 5.0)
        await until(lambda: plane.workers_up == 1, 10)
        assert worker_pid(plane) != pid
    finally:
        await plane.stop()


async def test_a_worker_that_hangs_does_not_outlive_its_server(
    settings: MediaSettings,
) -> None:
    plane = Plane(settings)
    await plane.start()
    pid = worker_pid(plane)
    os.kill(pid, signal.SIGSTOP)
    async with asyncio.timeout(4):
        await plane.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_worker_starts_anew_when_the_machine_has_moved_to_another_network(
    settings: MediaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "WATCH_S", 0.1)
    plane = Plane(replace(settings, bind_addresses=()))
    monkeypatch.setattr(supervisor, "local_addresses", lambda wanted: wanted or ("127.0.0.1",))
    await plane.start()
    try:
        pid = worker_pid(plane)
        await until(lambda: bool(plane.totals()), 3)
        monkeypatch.setattr(supervisor, "local_addresses", lambda wanted: wanted or ("127.0.0.2",))
        await until(lambda: plane.workers_up == 1 and worker_pid(plane) != pid, 10)
        assert "127.0.0.2" in await plane.connect("r", "p", FIREFOX)
    finally:
        await plane.stop()


async def test_a_worker_that_cannot_be_started_is_tried_again(
    settings: MediaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, failures = subprocess.Popen, [OSError(errno.EAGAIN, "no more processes")]

    def sometimes(*arguments: Any, **options: Any) -> subprocess.Popen[bytes]:
        if failures:
            raise failures.pop()
        return start(*arguments, **options)

    monkeypatch.setattr(subprocess, "Popen", sometimes)
    plane = Plane(settings)
    await plane.start()
    await plane.stop()
    assert failures == []


async def test_the_control_socket_is_for_this_account_alone_and_no_secret_goes_to_the_worker(
    settings: MediaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MERIDIAN_DATABASE__URL", "secret")
    plane = Plane(settings)
    await plane.start()
    try:
        folder = settings.data_dir / "media"
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())}
        assert modes == {"media": 0o700, "worker-0.sock": 0o600, "worker-0.token": 0o600}
        assert b"DATABASE" not in Path(f"/proc/{worker_pid(plane)}/environ").read_bytes()
    finally:
        await plane.stop()
    assert not (folder / "worker-0.sock").exists()


async def test_a_second_server_leaves_a_worker_that_is_taken_alone(
    own_plane: Plane, settings: MediaSettings
) -> None:
    other = Plane(settings)
    handle = supervisor.WorkerHandle(0, settings, other._on_notice, other._welcomed, other._lost)
    assert not await handle._connect_or_start()
    assert (settings.data_dir / "media" / "worker-0.token").exists()
    assert own_plane.workers_up == 1


async def test_all_who_wait_for_a_worker_for_the_same_room_get_the_same_one(settings: MediaSettings) -> None:
    two = Plane(replace(settings, workers=2))
    await two.start()
    try:
        for worker in two._workers:
            worker.up.clear()
        waiting = [asyncio.create_task(two.connect("r", name, FIREFOX)) for name in ("p", "d", "i")]
        await asyncio.sleep(0)
        for worker in two._workers:
            worker.up.set()
        answers = await asyncio.gather(*waiting)
        ports = {
            line.split()[5] for text in answers for line in text.split("\r\n") if "a=candidate:1 " in line
        }
        assert len(ports) == 1
    finally:
        await two.stop()


async def test_who_gives_up_waiting_for_a_worker_leaves_nothing_running(own_plane: Plane) -> None:
    os.kill(worker_pid(own_plane), signal.SIGKILL)
    await until(lambda: own_plane.workers_up == 0, 2)
    before = len(asyncio.all_tasks())
    for _ in range(5):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await own_plane.connect("r", "p", FIREFOX)
    await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) <= before + 1


async def test_rooms_are_spread_over_the_workers(settings: MediaSettings) -> None:
    two = Plane(replace(settings, workers=2))
    await two.start()
    try:
        answers = [await two.connect(room, "p", FIREFOX) for room in ("a", "b")]
        ports = {
            line.split()[5] for text in answers for line in text.split("\r\n") if "a=candidate:1 " in line
        }
        assert ports == {str(settings.port), str(settings.port + 1)}
    finally:
        await two.stop()


async def test_a_bad_offer_is_refused_and_leaves_nothing_behind(plane: Plane) -> None:
    with pytest.raises(BadSdp):
        await plane.connect("r", "p", "v=0\r\n")
    assert (await plane.stats("r")).peers == ()


async def test_a_room_has_a_bounded_number_of_peers(plane: Plane) -> None:
    for number in range(32):
        await plane.connect("r", f"p{number}", FIREFOX)
    with pytest.raises(RefusedByWorker) as refused:
        await plane.connect("r", "one more", FIREFOX)
    assert refused.value.code == "room_full"
    await plane.close_room("r")
    await plane.connect("r", "one more", FIREFOX)


async def test_a_plane_that_is_not_started_is_unavailable(settings: MediaSettings) -> None:
    with pytest.raises(WorkerUnavailable):
        await Plane(settings).connect("r", "p", FIREFOX)
