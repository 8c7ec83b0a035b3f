"""The preparings that are going on: each in a process of its own, a few at once, one for a recording."""

import asyncio
import contextlib
import json
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from server.logs import logger
from server.vault import preparing
from server.vault.environment import child_environment
from server.vault.keys import KeysError
from server.vault.opening import CannotOpenError, KnownPart
from server.vault.places import Places
from server.vault.preparing import Ready, Sealing
from server.vault.source import PartSource, source_for

AT_ONCE: Final = 2
KILL_S: Final = 2.0

log = logger("vault")


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How far a preparing is. `done` 0 to 1; `code`: destroyed, no_key, missing, tampered, internal."""

    state: Literal["preparing", "ready", "failed"]
    done: float = 0.0
    manifest: Mapping[str, Any] | None = None
    code: str = ""


class _Job:
    def __init__(self) -> None:
        self.done = 0.0
        self.code: str | None = None  # empty: it went well
        self.task: asyncio.Task[None] | None = None


class Jobs:
    """Prepares recordings. What it made is found again after a restart; what was not finished is not."""

    def __init__(self, data_dir: Path, *, storage_url: str | None = None, at_once: int = AT_ONCE) -> None:
        self.data_dir = data_dir
        self._storage_url = storage_url or ""
        self._source: PartSource = source_for(data_dir, storage_url)
        self._jobs: dict[bytes, _Job] = {}
        self._room = asyncio.Semaphore(at_once)

    async def prepare(self, recording: bytes, known: Sequence[KnownPart]) -> State:
        """Begin to make the views, or say how far it is. A failure is told once; who asks again tries again.

        `recording` is 16 bytes. Raises OSError where the disk fails.
        """
        job = self._jobs.get(recording)
        if job is not None and job.code is None:
            return State(state="preparing", done=job.done)
        if job is not None and job.code:
            del self._jobs[recording]
            return State(state="failed", code=job.code)
        try:
            found = await asyncio.to_thread(self._ready, recording, known)
        except CannotOpenError as error:
            await self.destroy(recording)
            return State(state="failed", code=error.code)
        except KeysError:
            return State(state="failed", code="no_key")
        if found is not None:
            self._jobs.pop(recording, None)
            return State(state="ready", manifest=found.manifest)
        running = self._jobs.get(recording)
        if running is None or running.code is not None:  # nobody else began it meanwhile
            running = self._jobs[recording] = _Job()
            running.task = asyncio.create_task(self._run(recording, known, running))
        return State(state="preparing", done=running.done)

    async def views(self, recording: bytes) -> tuple[Sealing, Ready] | None:
        """What is needed to read the views there are; None where there are none.

        Raises:
            CannotOpenError: the recording is destroyed.
            KeysError: the vault has no secret.
            OSError: the disk fails.
        """

        def found() -> tuple[Sealing, Ready] | None:
            sealing = preparing.sealing_of(self.data_dir, recording)
            made = preparing.ready(self.data_dir, sealing)
            return None if made is None else (sealing, made)

        return await asyncio.to_thread(found)

    async def destroy(self, recording: bytes) -> bool:
        """Remove the views, those being made too. Whether there were any. Raises OSError."""
        job = self._jobs.pop(recording, None)
        if job is not None and job.task is not None:
            await _cancelled(job.task)
        return await asyncio.to_thread(self._remove, recording)

    async def tidy(self) -> None:
        """At a start: remove views that were never finished, or whose recording is destroyed."""
        await asyncio.to_thread(self._tidy)

    async def close(self) -> None:
        """End what is going on."""
        for job in tuple(self._jobs.values()):
            if job.task is not None:
                await _cancelled(job.task)

    def _ready(self, recording: bytes, known: Sequence[KnownPart]) -> Ready | None:
        sealing = preparing.sealing_of(self.data_dir, recording)
        found = preparing.ready(self.data_dir, sealing)
        stamp = preparing.made_of(recording, known, self._source)
        return found if found is not None and found.made_of == stamp else None

    def _remove(self, recording: bytes) -> bool:
        folder = preparing.folder_of(self.data_dir, recording)
        there = folder.exists()
        if there:
            shutil.rmtree(folder)
        return there

    def _tidy(self) -> None:
        for folder in Places(self.data_dir).views.iterdir():
            try:
                sealing = preparing.sealing_of(self.data_dir, bytes.fromhex(folder.name))
                made = preparing.ready(self.data_dir, sealing)
            except (CannotOpenError, KeysError, ValueError):
                made = None
            if made is None:
                shutil.rmtree(folder, ignore_errors=True)
            else:
                preparing.tidy(folder, made.generation)

    async def _run(self, recording: bytes, known: Sequence[KnownPart], job: _Job) -> None:
        code = "internal"
        try:
            async with self._room:
                code = await self._processed(recording, known, job)
        except OSError as error:
            log.warning("a recording was not prepared", recording=recording.hex(), exc_info=error)
        finally:
            job.code = code
        log.info("prepared", recording=recording.hex(), code=code or "ready")

    async def _processed(self, recording: bytes, known: Sequence[KnownPart], job: _Job) -> str:
        """Let another process do it. Answers with the code of the failure, empty for none."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "server.vault.preparing", str(self.data_dir), recording.hex(), self._storage_url),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=child_environment(),
            start_new_session=True,  # an interrupt in the terminal is for the server, which ends us in order
        )
        try:
            return await _told(process, known, job)
        finally:
            await _ended(process)


async def _told(process: asyncio.subprocess.Process, known: Sequence[KnownPart], job: _Job) -> str:
    if process.stdin is None or process.stdout is None:
        return "internal"
    with contextlib.suppress(ConnectionError):
        process.stdin.write(json.dumps([_entry(one) for one in known]).encode())
        await process.stdin.drain()
    process.stdin.close()
    async for line in process.stdout:
        said = json.loads(line)
        if "done" in said:
            job.done = float(said["done"])
        else:
            return str(said.get("code", ""))
    return "internal"


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Nothing of it is left when this returns."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(KILL_S):
            await process.communicate()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _entry(one: KnownPart) -> Mapping[str, object]:
    return {
        "part": one.part,
        "records": one.records,
        "size_bytes": one.size_bytes,
        "chain": one.chain.hex(),
        "ended": one.ended,
    }
