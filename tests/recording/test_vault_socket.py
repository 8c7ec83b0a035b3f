"""The vault on its real socket: prepares, plays ranges, forgets, and is there again after a restart."""

import asyncio
import os
import signal
import statistics
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from server.settings import Server, Settings
from server.vault import preparing
from server.vault.child import VaultChild
from server.vault.client import VaultClient, VaultState, VaultUnavailableError
from server.vault.jobs import Jobs
from server.vault.places import Places, socket_path
from server.vault.ranges import NotSatisfiableError, Range, parsed
from server.vault.run import VaultError, running
from server.vault.sealed_file import SealedFile
from tests.recording.generated import duration_us, read
from tests.recording.vaulted import PART_SECONDS, RECORDING, SECOND_US, Clinic, recorded

NAME = RECORDING.hex()
PREPARE_S_MAX = 60
RANGE_BYTES = 256 * 1024
RANGE_MS_P99 = 20.0
ROUNDS_MAX = 3  # a machine that is busy with other things spoils one, not all


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    return recorded(tmp_path)


@pytest.fixture
async def client(clinic: Clinic) -> AsyncIterator[VaultClient]:
    client = VaultClient(clinic.data_dir)
    yield client
    await client.close()


@pytest.fixture
async def vault(clinic: Clinic) -> AsyncIterator[Path]:
    async with running(clinic.data_dir) as path:
        yield path


async def prepared(client: VaultClient, clinic: Clinic, name: str = NAME) -> VaultState:
    """Ask until it is no longer being prepared."""
    async with asyncio.timeout(PREPARE_S_MAX):
        while True:
            state = await client.prepare(name, clinic.told)
            if state.state != "preparing":
                return state
            await asyncio.sleep(0.02)


async def got(client: VaultClient, view: str, wanted: str | None = None) -> tuple[int, dict[str, str], bytes]:
    async with client.view(NAME, view, wanted) as answer:
        body = b"".join([piece async for piece in answer.pieces()])
        return answer.status, dict(answer.headers), body


def lengthened(clinic: Clinic, size_bytes: int) -> bytes:
    """Put a view of this size in the place of the one that was made; its content."""
    sealing = preparing.sealing_of(clinic.data_dir, RECORDING)
    made = preparing.ready(clinic.data_dir, sealing)
    assert made is not None
    path = preparing.folder_of(clinic.data_dir, RECORDING) / made.generation / "p0"
    path.unlink()
    content = os.urandom(size_bytes)
    with SealedFile.create(path, sealing.key("p0"), "p0") as file:
        file.write(content)
        file.finish()
    return content


@pytest.mark.usefixtures("vault")
async def test_a_recording_is_prepared_and_played(clinic: Clinic, client: VaultClient) -> None:
    assert await client.is_open()
    state = await prepared(client, clinic)
    assert state.state == "ready", state
    manifest = state.manifest
    assert (manifest["status"], manifest["what"]) == ("complete", "")
    assert [one["status"] for one in manifest["parts"]] == ["complete", "complete"]
    assert [one["view"] for one in manifest["views"]] == ["p0", "p1"]
    for entry in manifest["views"]:
        assert entry["kind"] == "person"
        assert entry["mime"] == "video/webm"
        assert entry["has_video"]
        assert entry["spans"]
        assert entry["speech"]
        status, headers, body = await got(client, entry["view"])
        assert status == 200
        assert headers == {
            "Content-Type": "video/webm",
            "Content-Length": str(entry["bytes"]),
            "Accept-Ranges": "bytes",
        }
        assert len(body) == entry["bytes"]
        assert abs(duration_us(body) - manifest["duration_us"]) < SECOND_US
        sounds = [one for one in read(body, "audio") if one.true_us is not None]
        assert len(sounds) > (2 * PART_SECONDS - 1) * 45


@pytest.mark.usefixtures("vault")
async def test_nothing_plain_is_left_on_the_disk(clinic: Clinic, client: VaultClient) -> None:
    state = await prepared(client, clinic)
    _, _, body = await got(client, "p0")
    pieces = [body[at : at + 64] for at in range(500, len(body) - 64, 500)]
    files = [file for file in clinic.data_dir.rglob("*") if file.is_file()]
    assert state.state == "ready"
    assert pieces
    assert not any(piece in file.read_bytes() for file in files for piece in pieces)


@pytest.mark.parametrize(
    ("wanted", "status", "start", "end"),
    [
        ("bytes=0-0", 206, 0, 1),
        ("bytes=0-", 206, 0, None),
        ("bytes=1000-1999", 206, 1000, 2000),
        ("bytes=-500", 206, -500, None),
        ("bytes=60000-140000", 206, 60_000, 140_001),
        ("bytes=100-99999999", 206, 100, None),
        ("bytes=0-1,5-6", 200, 0, None),
        ("lines=0-1", 200, 0, None),
        ("bytes=9-3", 200, 0, None),
        ("bytes=", 200, 0, None),
    ],
)
@pytest.mark.usefixtures("vault")
async def test_a_player_gets_the_range_it_asks_for(
    clinic: Clinic, client: VaultClient, wanted: str, status: int, start: int, end: int | None
) -> None:
    await prepared(client, clinic)
    whole = lengthened(clinic, 200_000)
    found, headers, body = await got(client, "p0", wanted)
    assert (found, body) == (status, whole[start:end])
    assert ("Content-Range" in headers) == (status == 206)
    if status == 206:
        first = start % len(whole)
        assert headers["Content-Range"] == f"bytes {first}-{first + len(body) - 1}/{len(whole)}"


@pytest.mark.usefixtures("vault")
async def test_a_range_behind_the_end_is_refused_with_the_size(clinic: Clinic, client: VaultClient) -> None:
    state = await prepared(client, clinic)
    size = state.manifest["views"][0]["bytes"]
    status, headers, _ = await got(client, "p0", f"bytes={size}-")
    assert (status, headers["Content-Range"]) == (416, f"bytes */{size}")


def test_ranges_are_read_as_the_standard_has_them() -> None:
    assert parsed("bytes=5-9", 100) == Range(5, 10)
    assert parsed("bytes = 5 - 9", 100) == Range(5, 10)
    assert parsed("bytes=-200", 100) == Range(0, 100)
    assert parsed(None, 100) is None
    for nothing in ("bytes=100-", "bytes=-0", "bytes=999999999999999999-"):
        with pytest.raises(NotSatisfiableError):
            parsed(nothing, 100)
    with pytest.raises(NotSatisfiableError):
        parsed("bytes=0-", 0)


@pytest.mark.usefixtures("vault")
async def test_two_who_ask_at_once_share_one_preparing(
    clinic: Clinic, client: VaultClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = []
    process = Jobs._processed

    async def counted(self: Jobs, *told: Any) -> str:
        began.append(told)
        return await process(self, *told)

    monkeypatch.setattr(Jobs, "_processed", counted)
    states = await asyncio.gather(*(prepared(client, clinic) for _ in range(5)))
    assert [one.state for one in states] == ["ready"] * 5
    assert len(began) == 1


@pytest.mark.usefixtures("vault")
async def test_it_says_how_far_it_is(
    clinic: Clinic, client: VaultClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, go_on = asyncio.Event(), asyncio.Event()

    async def slowly(_self: Jobs, _recording: bytes, _known: object, job: Any) -> str:
        job.done = 0.42
        told.set()
        await go_on.wait()
        return "internal"

    monkeypatch.setattr(Jobs, "_processed", slowly)
    first = await client.prepare(NAME, clinic.told)
    await told.wait()
    second = await client.prepare(NAME, clinic.told)
    go_on.set()
    assert (first.state, first.done) == ("preparing", 0.0)
    assert (second.state, second.done) == ("preparing", 0.42)
    last = await prepared(client, clinic)
    assert (last.state, last.code) == ("failed", "internal")


@pytest.mark.usefixtures("vault")
async def test_so_many_are_prepared_at_once_and_no_more(
    clinic: Clinic, client: VaultClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [bytes([number]) * 16 for number in range(1, 6)]
    for name in names:
        clinic.secrets.get_or_create(name.hex())
    now, most, all_waited = 0, 0, asyncio.Event()

    async def counted(*_told: object) -> str:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0)
        now -= 1
        if now == 0:
            all_waited.set()
        return "internal"

    monkeypatch.setattr(Jobs, "_processed", counted)
    await asyncio.gather(*(client.prepare(name.hex(), []) for name in names))
    await all_waited.wait()
    assert most <= 2


async def test_views_are_found_again_after_a_restart(clinic: Clinic, client: VaultClient) -> None:
    async with running(clinic.data_dir):
        before = await prepared(client, clinic)
        files = sorted(Places(clinic.data_dir).views.rglob("*"))
    await client.close()
    async with running(clinic.data_dir):
        after = await client.prepare(NAME, clinic.told)
        assert (after.state, after.manifest) == ("ready", before.manifest)
        assert sorted(Places(clinic.data_dir).views.rglob("*")) == files
        assert (await got(client, "p1"))[0] == 200


async def test_what_a_killed_vault_left_unfinished_is_removed(clinic: Clinic, client: VaultClient) -> None:
    async with running(clinic.data_dir):
        await prepared(client, clinic)
    await client.close()
    views = Places(clinic.data_dir).views
    (views / NAME / "0123456789abcdef").mkdir()
    (views / NAME / "0123456789abcdef" / "p0").write_bytes(b"half")
    (views / ("ab" * 16) / "0123456789abcdef").mkdir(parents=True)
    async with running(clinic.data_dir):
        assert not (views / NAME / "0123456789abcdef").exists()
        assert not (views / ("ab" * 16)).exists()
        assert (await client.prepare(NAME, clinic.told)).state == "ready"


@pytest.mark.usefixtures("vault")
async def test_what_the_log_has_learned_since_is_looked_at_anew(clinic: Clinic, client: VaultClient) -> None:
    assert (await prepared(client, clinic)).manifest["status"] == "complete"
    told = clinic.known.pop()
    clinic.known.append(told.__class__(part=2, records=told.records + 5, size_bytes=1, chain=bytes(32)))
    assert (await prepared(client, clinic)).manifest["status"] == "tampered"


@pytest.mark.usefixtures("vault")
async def test_a_destroyed_secret_takes_the_views_along(clinic: Clinic, client: VaultClient) -> None:
    await prepared(client, clinic)
    clinic.secrets.destroy(NAME)
    assert (await got(client, "p0"))[0] == 410
    state = await client.prepare(NAME, clinic.told)
    assert (state.state, state.code) == ("failed", "destroyed")
    assert not (Places(clinic.data_dir).views / NAME).exists()


@pytest.mark.usefixtures("vault")
async def test_an_answer_ends_when_its_recording_is_destroyed(clinic: Clinic, client: VaultClient) -> None:
    await prepared(client, clinic)
    lengthened(clinic, 20_000_000)
    async with client.view(NAME, "p0", None) as answer:
        pieces = answer.pieces()
        await anext(pieces)
        await asyncio.to_thread(clinic.secrets.destroy, NAME)
        with pytest.raises(VaultUnavailableError):
            _ = [piece async for piece in pieces]


@pytest.mark.usefixtures("vault")
async def test_views_are_removed_when_told(clinic: Clinic, client: VaultClient) -> None:
    await prepared(client, clinic)
    await client.destroy(NAME)
    assert not (Places(clinic.data_dir).views / NAME).exists()
    assert (await got(client, "p0"))[0] == 404
    await client.destroy(NAME)


@pytest.mark.usefixtures("vault")
async def test_destroying_ends_a_preparing(
    clinic: Clinic, client: VaultClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = asyncio.Event()

    async def for_ever(*_told: object) -> str:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        return ""

    monkeypatch.setattr(Jobs, "_processed", for_ever)
    await client.prepare(NAME, clinic.told)
    await asyncio.sleep(0)
    await client.destroy(NAME)
    assert ended.is_set()


@pytest.mark.usefixtures("vault")
async def test_without_keys_it_says_so(clinic: Clinic, client: VaultClient) -> None:
    for file in Places(clinic.data_dir).keys.glob("*.key"):
        file.unlink()
    state = await prepared(client, clinic)
    assert (state.state, state.code) == ("failed", "no_key")


@pytest.mark.usefixtures("vault")
async def test_a_recording_nobody_has_is_missing(clinic: Clinic, client: VaultClient) -> None:
    state = await prepared(client, clinic, "ff" * 16)
    assert (state.state, state.code) == ("failed", "missing")


@pytest.mark.usefixtures("vault")
async def test_a_damaged_view_is_no_answer(clinic: Clinic, client: VaultClient) -> None:
    await prepared(client, clinic)
    [file] = Places(clinic.data_dir).views.rglob("p0")
    data = bytearray(file.read_bytes())
    data[-20] ^= 1
    file.write_bytes(data)
    assert (await got(client, "p0"))[0] == 500


async def test_what_makes_no_sense_is_refused(vault: Path) -> None:
    connector = aiohttp.UnixConnector(path=str(vault))
    async with aiohttp.ClientSession(connector=connector) as session:
        for path, body, status in (
            (f"/recordings/{NAME}/prepare", b"no json", 400),
            (f"/recordings/{NAME}/prepare", b'{"parts": [{"part": 1}]}', 400),
            (f"/recordings/{NAME}/prepare", b'{"parts": 7}', 400),
            (f"/recordings/{NAME}/prepare", b"[]", 400),
            ("/recordings/xyz/prepare", b"{}", 404),
            (f"/recordings/{NAME}x/destroy", b"{}", 404),
        ):
            async with session.post(f"http://vault{path}", data=body) as response:
                assert response.status == status, path
        async with session.get(f"http://vault/recordings/{NAME}/views/..%2fmanifest") as response:
            assert response.status == 404


async def test_the_socket_is_for_one_account_alone(clinic: Clinic, vault: Path) -> None:
    assert vault.stat().st_mode & 0o777 == 0o600
    assert vault == socket_path(clinic.data_dir)


async def test_a_separate_vault_lets_the_group_of_its_folder_in(clinic: Clinic) -> None:
    async with running(clinic.data_dir, shared=True) as path:
        assert path.stat().st_mode & 0o777 == 0o660


@pytest.mark.usefixtures("vault")
async def test_a_second_vault_does_not_take_the_place_of_the_first(
    clinic: Clinic, client: VaultClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.vault.run.WAIT_S", 0.1)
    with pytest.raises(VaultError, match="another"):
        async with running(clinic.data_dir):
            pass
    assert await client.is_open()


async def test_a_vault_that_is_not_there_is_said(client: VaultClient) -> None:
    assert not await client.is_open()
    with pytest.raises(VaultUnavailableError):
        await client.prepare(NAME, [])
    with pytest.raises(VaultUnavailableError):
        async with client.view(NAME, "p0", None):
            pass


async def test_the_child_is_started_again_when_it_dies_and_ends_with_the_server(
    clinic: Clinic, client: VaultClient
) -> None:
    child = VaultChild(Settings(server=Server(data_dir=clinic.data_dir)))
    await child.start()
    try:
        assert await child.ready(client, wait_s=30)
        first = child.pid
        assert first is not None
        limits = Path(f"/proc/{first}/limits")
        if limits.exists():
            [line] = [one for one in limits.read_text().splitlines() if one.startswith("Max core file size")]
            assert line.split()[4] == "0", "no dump with keys in it"
        os.kill(first, signal.SIGKILL)
        await client.close()
        async with asyncio.timeout(30):
            while child.pid in (first, None):  # noqa: ASYNC110 (another process comes up)
                await asyncio.sleep(0.02)
        assert await child.ready(client, wait_s=30)
        last = child.pid
    finally:
        await child.stop()
    assert last is not None
    with pytest.raises(ProcessLookupError):
        os.kill(last, 0)
    assert not socket_path(clinic.data_dir).exists()


@pytest.mark.usefixtures("vault")
async def test_a_range_is_answered_within_20_ms(clinic: Clinic, client: VaultClient) -> None:
    await prepared(client, clinic)
    content = lengthened(clinic, 20 * RANGE_BYTES)
    rounds_ms = []
    for _ in range(ROUNDS_MAX):
        took_ms = []
        for number in range(200):
            start = number * 20_011
            began = time.perf_counter()
            _, _, body = await got(client, "p0", f"bytes={start}-{start + RANGE_BYTES - 1}")
            took_ms.append((time.perf_counter() - began) * 1000)
            assert body == content[start : start + RANGE_BYTES]
        rounds_ms.append(statistics.quantiles(took_ms, n=100)[-1])
        if rounds_ms[-1] < RANGE_MS_P99:
            return
    pytest.fail(f"p99 of each round in ms: {rounds_ms}")
