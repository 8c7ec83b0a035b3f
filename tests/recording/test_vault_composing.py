"""One file of all views, asked for at the vault's socket: made once, sealed, cancelled without a trace."""

import asyncio
import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import av
import pytest

from media.compose.channel import END, FAILED, PROGRESS, READ, REQUEST, WRITE, Job
from server.vault.client import VaultClient, VaultState
from server.vault.composing import ComposingError, _Exchange
from server.vault.composing import _Job as ComposingJob
from server.vault.places import Places
from server.vault.run import running
from server.vault.sealed_file import SealedFile
from tests.recording.vaulted import RECORDING, Clinic, recorded

NAME = RECORDING.hex()
NAMES = {"p0": "Amal", "p1": "Ben"}
WAIT_S = 60


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    return recorded(tmp_path)


@pytest.fixture
async def client(clinic: Clinic) -> AsyncIterator[VaultClient]:
    async with running(clinic.data_dir):
        client = VaultClient(clinic.data_dir)
        yield client
        await client.close()


async def prepared(client: VaultClient, clinic: Clinic) -> None:
    async with asyncio.timeout(WAIT_S):
        while True:
            state = await client.prepare(NAME, clinic.told)
            if state.state == "ready":
                return
            assert state.state == "preparing", state
            await asyncio.sleep(0.02)


async def composed(client: VaultClient, names: dict[str, str] | None = None) -> VaultState:
    state = await client.compose(NAME, names or NAMES)
    async with asyncio.timeout(WAIT_S):
        while state.state == "preparing":
            await asyncio.sleep(0.02)
            state = await client.composing(NAME)
    return state


async def got(client: VaultClient, wanted: str | None = None) -> tuple[int, bytes]:
    async with client.view(NAME, "composed", wanted) as answer:
        return answer.status, b"".join([piece async for piece in answer.pieces()])


def files(clinic: Clinic) -> list[Path]:
    return sorted(Places(clinic.data_dir).views.rglob("composed-*"))


async def test_one_file_is_made_and_played_in_ranges(clinic: Clinic, client: VaultClient) -> None:
    assert (await client.composing(NAME)).state == "none"
    await prepared(client, clinic)
    assert (await composed(client)).state == "ready"
    status, body = await got(client)
    assert status == 200
    with av.open(io.BytesIO(body), "r") as container:
        assert [one.codec_context.name for one in container.streams] == ["vp8", "opus"]
        assert container.duration is not None
        assert container.duration > 4_000_000
    assert await got(client, "bytes=100-199") == (206, body[100:200])
    [file] = files(clinic)
    assert body[500:600] not in file.read_bytes()


async def test_it_is_made_once_and_again_for_other_names(
    clinic: Clinic, client: VaultClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await prepared(client, clinic)
    assert (await composed(client)).state == "ready"
    before = files(clinic)

    async def never(*_told: object) -> None:
        raise AssertionError

    with monkeypatch.context() as patch:
        patch.setattr("server.vault.composing._process", never)
        assert (await client.compose(NAME, NAMES)).state == "ready"
    assert (await composed(client, {"p0": "Zoë"})).state == "ready"
    [after] = files(clinic)
    assert after not in before


async def test_it_is_found_again_after_a_restart(clinic: Clinic) -> None:
    for expected in ("preparing", "ready"):
        async with running(clinic.data_dir):
            client = VaultClient(clinic.data_dir)
            await prepared(client, clinic)
            assert (await client.compose(NAME, NAMES)).state == expected
            assert (await composed(client)).state == "ready"
            await client.close()


async def test_before_the_views_there_is_nothing_to_compose(clinic: Clinic, client: VaultClient) -> None:
    state = await client.compose(NAME, NAMES)
    assert (state.state, state.code) == ("failed", "missing")
    assert (await got(client))[0] == 404


async def test_the_process_gets_neither_environment_nor_keys(
    clinic: Clinic, client: VaultClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await prepared(client, clinic)
    started: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    start = asyncio.create_subprocess_exec

    async def noted(*command: Any, **options: Any) -> asyncio.subprocess.Process:
        started.append((command, options))
        return await start(*command, **options)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", noted)
    assert (await composed(client)).state == "ready"
    [(command, options)] = started
    assert options["env"] == {}
    assert len(options["pass_fds"]) == 1
    assert not any(str(clinic.data_dir) in str(one) or NAME in str(one) for one in command)


async def test_it_can_be_cancelled_and_leaves_nothing(
    clinic: Clinic, client: VaultClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await prepared(client, clinic)
    at_work, ended = asyncio.Event(), asyncio.Event()

    async def for_ever(exchange: _Exchange) -> None:
        at_work.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    monkeypatch.setattr("server.vault.composing._process", for_ever)
    assert (await client.compose(NAME, NAMES)).state == "preparing"
    await at_work.wait()
    assert (await client.composing(NAME)).state == "preparing"
    assert len(files(clinic)) == 1
    await client.cancel_composing(NAME)
    assert ended.is_set()
    assert not files(clinic)
    assert (await client.composing(NAME)).state == "none"


async def test_a_process_that_dies_is_a_failure_that_is_said(
    clinic: Clinic, client: VaultClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await prepared(client, clinic)
    start = asyncio.create_subprocess_exec

    async def killed(*command: Any, **options: Any) -> asyncio.subprocess.Process:
        process = await start(*command, **options)
        process.kill()
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", killed)
    state = await composed(client)
    assert (state.state, state.code) == ("failed", "internal")
    assert not files(clinic)


async def test_a_destroyed_recording_takes_the_one_file_along(clinic: Clinic, client: VaultClient) -> None:
    await prepared(client, clinic)
    await composed(client)
    clinic.secrets.destroy(NAME)
    assert (await got(client))[0] == 410
    await client.destroy(NAME)
    assert not files(clinic)


@pytest.mark.parametrize(
    "said",
    [
        REQUEST.pack(READ, 1, 0, 10),  # a view there is not
        REQUEST.pack(READ, 0, 0, 1 << 30),
        REQUEST.pack(WRITE, 0, 1 << 50, 10) + bytes(10),
        REQUEST.pack(WRITE, 0, 0, 1 << 30),
        REQUEST.pack(b"?", 0, 0, 0),
        REQUEST.pack(FAILED, 0, 0, 11) + b"MemoryError",
        REQUEST.pack(FAILED, 0, 0, 1 << 20) + b"a line\n" * 100,
        REQUEST.pack(PROGRESS, 0, 3, 0),  # and then nothing more
        b"half",
        b"",
    ],
)
async def test_whatever_a_process_says_that_was_taken_over_ends_there(tmp_path: Path, said: bytes) -> None:
    key, view = bytes(32), tmp_path / "p0"
    with SealedFile.create(view, key, "p0") as file:
        file.write(b"content")
        file.finish()
    with SealedFile.create(tmp_path / "made", key, "made") as made, SealedFile.open(view, key, "p0") as file:
        job = ComposingJob()
        exchange = _Exchange([file], made, Job(sources=(), duration_us=0), job)
        server_end, process_end = await _pair(tmp_path)
        process_end[1].write(said)
        process_end[1].write_eof()
        with pytest.raises(ComposingError):
            await exchange.serve(*server_end)
        assert made.size_bytes == 0
        await _closed(server_end[1], process_end[1])


async def test_a_read_behind_the_end_is_empty_and_a_write_goes_into_the_one_file(tmp_path: Path) -> None:
    key, view = bytes(32), tmp_path / "p0"
    with SealedFile.create(view, key, "p0") as file:
        file.write(b"content")
        file.finish()
    with SealedFile.create(tmp_path / "made", key, "made") as made, SealedFile.open(view, key, "p0") as file:
        exchange = _Exchange([file], made, Job(sources=(), duration_us=0), ComposingJob())
        server_end, (reader, writer) = await _pair(tmp_path)
        writer.write(REQUEST.pack(READ, 0, 4, 100) + REQUEST.pack(READ, 0, 100, 5))
        writer.write(REQUEST.pack(WRITE, 0, 3, 4) + b"made" + REQUEST.pack(END, 0, 0, 0))
        await exchange.serve(*server_end)
        told = await reader.readexactly(4)
        await reader.readexactly(int.from_bytes(told, "big"))
        assert await reader.readexactly(4 + 3 + 4) == b"\0\0\0\3ent\0\0\0\0"
        made.seek(0)
        assert made.read() == b"\0\0\0made"
        await _closed(server_end[1], writer)


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _pair(folder: Path) -> tuple[Streams, Streams]:
    import socket

    one, other = socket.socketpair()
    return await asyncio.open_unix_connection(sock=one), await asyncio.open_unix_connection(sock=other)


async def _closed(*writers: asyncio.StreamWriter) -> None:
    for writer in writers:
        writer.close()
        await writer.wait_closed()
