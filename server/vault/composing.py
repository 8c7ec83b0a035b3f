"""One file of all views of a recording: a process without keys, network or files makes it, this one seals it.

See `media/compose`. What that process sends is only ever written into the sealed file it was started for.
"""

import asyncio
import contextlib
import hashlib
import json
import socket
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from media.compose.channel import (
    END,
    FAILED,
    LENGTH,
    PIECE_BYTES_MAX,
    PROGRESS,
    READ,
    REQUEST,
    WALLS,
    WHY_BYTES_MAX,
    WRITE,
    Job,
    Source,
)
from media.compose.walls import EMPTY_ROOT, NO_FILES, OWN_NETWORK
from server.logs import logger
from server.vault.environment import ROOT
from server.vault.jobs import Jobs, State
from server.vault.preparing import Ready, Sealing, folder_of
from server.vault.sealed_file import BrokenViewError, SealedFile

COMPOSED: Final = "composed"
MIME: Final = "video/webm"
SILENT_S_MAX: Final = 300.0
KILL_S: Final = 2.0
FREE_BYTES: Final = 64 << 20
BYTES_A_SECOND_MAX: Final = 1 << 20

log = logger("vault")


class ComposingError(Exception):
    """The process ended early, or said what makes no sense."""


@dataclass(slots=True)
class _Job:
    done: float = 0.0
    code: str | None = None  # empty: it went well
    task: asyncio.Task[None] | None = None


@dataclass(frozen=True, slots=True)
class _Views:
    """What is composed."""

    sealing: Sealing
    made: Ready
    folder: Path
    names: Mapping[str, str]

    @property
    def name(self) -> str:
        """Of the file: another one for other names."""
        told = json.dumps(sorted(self.names.items())).encode()
        return f"{COMPOSED}-{hashlib.sha256(told).hexdigest()[:16]}"


class Composing:
    """Composes recordings, one at a time."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._running: dict[bytes, _Job] = {}
        self._room = asyncio.Semaphore(1)

    async def start(self, recording: bytes, names: Mapping[str, str]) -> State:
        """Begin to make the file, or say how far it is; `names` are drawn: view to name.

        Raises:
            CannotOpenError, KeysError, OSError: as `Jobs.views`.
        """
        job = self._running.get(recording)
        if job is not None and job.code is None:
            return State(state="preparing", done=job.done)
        views = await self._views(recording, names)
        if views is None:
            return State(state="failed", code="missing")
        if await asyncio.to_thread(_is_whole, views):
            self._running.pop(recording, None)
            return State(state="ready")
        job = self._running.get(recording)
        if job is None or job.code is not None:  # nobody else began it meanwhile
            job = self._running[recording] = _Job()
            job.task = asyncio.create_task(self._run(recording, views, job))
        return State(state="preparing", done=job.done)

    async def state(self, recording: bytes) -> State | None:
        """How far it is; None where nobody has asked for it.

        Raises:
            CannotOpenError, KeysError, OSError: as `Jobs.views`.
        """
        job = self._running.get(recording)
        if job is not None and job.code is None:
            return State(state="preparing", done=job.done)
        if job is not None and job.code:
            return State(state="failed", code=job.code)
        return None if await self.open(recording) is None else State(state="ready")

    async def open(self, recording: bytes) -> tuple[Sealing, Path, str] | None:
        """Where the file is: what opens it, its path, the name it is sealed under. None: there is none.

        Raises:
            CannotOpenError, KeysError, OSError: as `Jobs.views`.
        """
        job = self._running.get(recording)
        views = None if job is not None and job.code is None else await self._views(recording, {})
        if views is None:
            return None
        found = await asyncio.to_thread(lambda: sorted(views.folder.glob(f"{COMPOSED}-*")))
        return (views.sealing, found[0], found[0].name) if found else None

    async def cancel(self, recording: bytes) -> None:
        """End it; nothing of it stays."""
        job = self._running.pop(recording, None)
        if job is not None and job.task is not None:
            job.task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await job.task

    async def close(self) -> None:
        """End what is going on."""
        for recording in tuple(self._running):
            await self.cancel(recording)

    async def _views(self, recording: bytes, names: Mapping[str, str]) -> _Views | None:
        found = await self._jobs.views(recording)
        if found is None or not found[1].manifest["views"]:
            return None
        folder = folder_of(self._jobs.data_dir, recording) / found[1].generation
        return _Views(*found, folder, names)

    async def _run(self, recording: bytes, views: _Views, job: _Job) -> None:
        code = "internal"
        try:
            async with self._room:
                await _composed(views, job)
            code = ""
        except (ComposingError, BrokenViewError, OSError, EOFError) as error:
            log.warning("a recording was not composed", recording=recording.hex(), why=_why(error))
        finally:
            job.code = code


def _why(error: Exception) -> str:
    return str(error) if isinstance(error, ComposingError) else type(error).__name__


def _is_whole(views: _Views) -> bool:
    try:
        with SealedFile.open(views.folder / views.name, views.sealing.key(views.name), views.name):
            return True
    except (FileNotFoundError, BrokenViewError):
        return False


async def _composed(views: _Views, job: _Job) -> None:
    """Make the file; those made before, or half, are removed."""
    for other in views.folder.glob(f"{COMPOSED}-*"):
        other.unlink()
    path = views.folder / views.name
    with contextlib.ExitStack() as stack:
        made = stack.enter_context(SealedFile.create(path, views.sealing.key(views.name), views.name))
        stack.callback(_unless_whole, path, views)
        files = []
        for entry in views.made.manifest["views"]:
            name = entry["view"]
            key = views.sealing.key(name)
            files.append(stack.enter_context(SealedFile.open(views.folder / name, key, name)))
        await _process(_Exchange(files, made, _job_of(views), job))
        await asyncio.to_thread(made.finish)


def _unless_whole(path: Path, views: _Views) -> None:
    if not _is_whole(views):
        path.unlink(missing_ok=True)


def _job_of(views: _Views) -> Job:
    manifest = views.made.manifest
    sources = [
        Source(
            name=views.names.get(entry["view"], ""),
            is_screen=entry["kind"] == "screen",
            has_video=entry["has_video"],
            size_bytes=entry["bytes"],
        )
        for entry in manifest["views"]
    ]
    return Job(sources=tuple(sources), duration_us=manifest["duration_us"])


async def _process(exchange: "_Exchange") -> None:
    """Start the process, serve it until it is done, and end it whatever happens."""
    ours, theirs = socket.socketpair()
    with tempfile.TemporaryDirectory(prefix="meridian-compose-") as empty:
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-s", "-m", "media.compose", str(theirs.fileno()), empty),
                env={},
                cwd=ROOT,
                pass_fds=(theirs.fileno(),),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,  # what it says there may quote what people sent
                start_new_session=True,
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        reader, writer = await asyncio.open_unix_connection(sock=ours)
        try:
            await exchange.serve(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


class _Exchange:
    """This end of the socket."""

    def __init__(self, views: list[SealedFile], made: SealedFile, told: Job, job: _Job) -> None:
        self._views = views
        self._made = made
        self._told = told
        self._job = job
        sizes = sum(one.size_bytes for one in views)
        self._bytes_max = 2 * sizes + FREE_BYTES + BYTES_A_SECOND_MAX * (told.duration_us // 1_000_000)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer until all is written.

        Raises:
            ComposingError: it ended early, or said what makes no sense.
            OSError, BrokenViewError: a file cannot be read or written.
        """
        writer.write(self._told.encoded())
        try:
            while True:
                async with asyncio.timeout(SILENT_S_MAX):
                    head = await reader.readexactly(REQUEST.size)
                    op, view, number, length = REQUEST.unpack(head)
                    if op == END:
                        return
                    await self._answer(reader, writer, op, (view, number, length))
        except (asyncio.IncompleteReadError, ConnectionError, TimeoutError) as error:
            raise ComposingError("the process ended early") from error

    async def _answer(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        op: bytes,
        told: tuple[int, int, int],
    ) -> None:
        view, number, length = told
        if length > PIECE_BYTES_MAX or (op == READ and view >= len(self._views)):
            raise ComposingError("the process asks for what there is not")
        if op == READ:
            piece = await asyncio.to_thread(_piece, self._views[view], number, length)
            writer.write(LENGTH.pack(len(piece)) + piece)
            await writer.drain()
        elif op == WRITE:
            if number + length > self._bytes_max:
                raise ComposingError("the process writes too much")
            await asyncio.to_thread(_put, self._made, number, await reader.readexactly(length))
        elif op == PROGRESS:
            self._job.done = min(1.0, number / 1000)
        elif op == WALLS:
            _look_at(number)
        elif op == FAILED:
            why = (await reader.readexactly(min(length, WHY_BYTES_MAX))).decode("ascii", "replace")
            raise ComposingError(why if why.isidentifier() else "it failed")
        else:
            raise ComposingError("the process says what makes no sense")


def _piece(file: SealedFile, offset: int, length: int) -> bytes:
    file.seek(offset)
    return file.read(length)


def _put(file: SealedFile, offset: int, data: bytes) -> None:
    file.seek(offset)
    file.write(data)


def _look_at(walls: int) -> None:
    """A machine that lets us raise none of the walls around files or the network is worth a line."""
    if not walls & OWN_NETWORK or not walls & (EMPTY_ROOT | NO_FILES):
        log.warning("composing runs without walls that this machine does not allow", walls=walls)
