"""One worker as the server sees it: start it or adopt a living one, talk to it, notice its death, start it
again.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import secrets
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from media.addresses import local_addresses
from media.control import (
    PROTOCOL,
    BadFrame,
    Call,
    GetTotals,
    Hello,
    News,
    Refused,
    Reply,
    Request,
    Response,
    Shutdown,
    Totals,
    Welcome,
    encode,
    read_frame,
)
from media.interface import MediaSettings, Notice, WorkerTotals, WorkerUnavailable
from media.worker import TOKEN_VARIABLE

START_S_MAX = 15.0
CONNECT_PAUSE_S = 0.02
END_LOOK_S = 0.02
CALL_S_MAX = 5.0
STOP_S_MAX = 1.0
"""For each of its steps: the server that ends has a few seconds for everything."""
RESTART_PAUSE_S = 0.1
RESTART_PAUSE_S_MAX = 5.0
SOCKET_PATH_BYTES_MAX = 100
"""Linux allows 107, macOS 103."""
CALLS_MAX = 1_000
WATCH_S = 2.0
MISSES_MAX = 2
"""Unanswered calls in a row, of 5 s each, after which a worker hangs for good: its people get another."""

log = logging.getLogger(__name__)


class WorkerHandle:
    """Keeps one worker running.

    `on_welcome` is called when it is there, `on_lost` when it is gone, in turns.
    """

    def __init__(
        self,
        number: int,
        settings: MediaSettings,
        on_notice: Callable[[Notice], None],
        on_welcome: Callable[[WorkerHandle, Welcome], None],
        on_lost: Callable[[WorkerHandle], None],
    ) -> None:
        self.number = number
        self.welcome: Welcome | None = None
        self.totals: WorkerTotals | None = None
        """The last it told, at most some seconds ago; None while it is not there."""
        self._may_adopt = True
        self._settings = settings
        self._directory = control_directory(settings.data_dir)
        self._on_notice = on_notice
        self._on_welcome = on_welcome
        self._on_lost = on_lost
        self._process: subprocess.Popen[bytes] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._calls: dict[int, asyncio.Future[Response]] = {}
        self._call_number = 0
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self.up = asyncio.Event()

    def start(self) -> None:
        """Begin to keep the worker running; `up` is set when it can take requests."""
        self._task = asyncio.create_task(self._keep_running())

    async def stop(self) -> None:
        """End the worker; kill it when it hangs, because nobody could do so later."""
        self._stopping = True
        if self.welcome is not None:
            pid = self.welcome.pid
            try:
                async with asyncio.timeout(STOP_S_MAX):
                    await self.call(Shutdown())
            except (WorkerUnavailable, TimeoutError):
                _kill(pid)
        if self._task is not None:
            if self.welcome is not None:  # it has something to say yet: how its recordings ended
                await asyncio.wait({self._task}, timeout=STOP_S_MAX)
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self._end_process()

    async def leave(self) -> None:
        """Let the worker go on without this server: the next one takes it over, or it ends by itself."""
        self._stopping = True
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._process = None

    async def call(self, request: Request) -> Response:
        """Send a request and wait for its response; raises `WorkerUnavailable`."""
        if self._writer is None or len(self._calls) >= CALLS_MAX:
            raise WorkerUnavailable
        self._call_number += 1
        number = self._call_number
        future: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
        self._calls[number] = future
        try:
            self._writer.write(encode(Call(number=number, request=request)))
            async with asyncio.timeout(CALL_S_MAX):
                return await future
        except TimeoutError:
            raise WorkerUnavailable from None
        finally:
            self._calls.pop(number, None)

    async def _keep_running(self) -> None:
        pause_s = RESTART_PAUSE_S
        while not self._stopping:
            try:
                lived = await self._connect_or_start()
            except OSError as problem:  # no memory, no file handles, no space for the token
                log.error("media worker %d: %s", self.number, problem.strerror)  # noqa: TRY400 - the kind says all
                lived = False
            if lived:
                pause_s = RESTART_PAUSE_S
            else:
                log.error("media worker %d did not start; next try in %.1f s", self.number, pause_s)
                await asyncio.sleep(pause_s)
                pause_s = min(RESTART_PAUSE_S_MAX, pause_s * 2)

    async def _connect_or_start(self) -> bool:
        """One life of the worker, from its welcome to its end. False when it never said welcome."""
        token = self._read_token()
        streams = await self._open(deadline_s=0.0) if token else None
        is_ours = streams is None
        if streams is None:
            token = await self._spawn()
            streams = await self._open(deadline_s=START_S_MAX)
        if streams is None:
            await self._end_process()
            return False
        reader, writer = streams
        welcome = await self._greet(reader, writer, token, wanted=is_ours or self._may_adopt)
        if welcome is None:
            await self._end_process()
            return False
        self.welcome, self._writer, self._may_adopt = welcome, writer, False
        self._on_welcome(self, welcome)
        self.up.set()
        watch = asyncio.create_task(self._watch(welcome.pid))
        try:
            await self._read(reader)
        finally:
            watch.cancel()
            self._lost(writer)
        await self._end_process()
        return True

    async def _watch(self, pid: int) -> None:
        """Ask for the counters now and then; kill a worker that lives but does not answer."""
        misses = 0
        while misses < MISSES_MAX:
            await asyncio.sleep(WATCH_S)
            try:
                response = await self.call(GetTotals())
            except WorkerUnavailable:
                misses += 1
            else:
                misses = 0
                self.totals = response.totals if isinstance(response, Totals) else None
            if self._has_moved():
                log.warning("media worker %d: this machine has other addresses now", self.number)
                with contextlib.suppress(WorkerUnavailable):
                    await self.call(Shutdown())
        log.error("media worker %d hangs; it is killed", self.number)
        _kill(pid)

    def _has_moved(self) -> bool:
        """Whether none of the addresses the worker listens on is this machine's any more."""
        ours = local_addresses(self._settings.bind_addresses)
        return self.welcome is not None and not set(self.welcome.endpoint.addresses) & set(ours)

    async def _greet(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str, *, wanted: bool
    ) -> Welcome | None:
        """Say hello.

        A living worker of other settings, or of a version that speaks otherwise, is told to end: another
        takes its place. So is one this server has lost before (not `wanted`): its people are elsewhere.
        """
        writer.write(encode(Call(number=0, request=Hello(token=token))))
        try:
            async with asyncio.timeout(CALL_S_MAX):
                frame = await read_frame(reader)
        except (BadFrame, TimeoutError):
            frame = None
        welcome = frame.response if isinstance(frame, Reply) else None
        if not isinstance(welcome, Welcome):
            writer.close()
            if not (isinstance(welcome, Refused) and welcome.code == "taken"):
                self._token_path.unlink(missing_ok=True)
            return None
        endpoint = welcome.endpoint
        wanted = wanted and welcome.protocol == PROTOCOL
        if wanted and endpoint.port == self._port and set(endpoint.addresses) <= set(self._addresses):
            return welcome
        writer.write(encode(Call(number=1, request=Shutdown())))
        with contextlib.suppress(BadFrame, TimeoutError):
            async with asyncio.timeout(STOP_S_MAX):
                while await read_frame(reader) is not None:
                    pass
        writer.close()
        return None

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while (frame := await read_frame(reader)) is not None:
                match frame:
                    case Reply():
                        future = self._calls.get(frame.number)
                        if future is not None and not future.done():
                            future.set_result(frame.response)
                    case News():
                        self._on_notice(frame.notice)
                    case Call():
                        log.warning("media worker %d: it makes calls", self.number)
                        return
        except BadFrame as problem:
            log.warning("media worker %d: %s", self.number, problem)

    def _lost(self, writer: asyncio.StreamWriter) -> None:
        self.up.clear()
        self.welcome = self.totals = self._writer = None
        writer.close()
        for future in self._calls.values():
            if not future.done():
                future.set_exception(WorkerUnavailable())
        if not self._stopping:
            self._on_lost(self)

    async def _open(self, deadline_s: float) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        loop = asyncio.get_running_loop()
        until_s = loop.time() + deadline_s
        while True:
            try:
                return await asyncio.open_unix_connection(self._socket_path)
            except OSError:
                if loop.time() >= until_s or (self._process is not None and self._process.poll() is not None):
                    return None
            await asyncio.sleep(CONNECT_PAUSE_S)

    async def _spawn(self) -> str:
        token = secrets.token_hex(16)
        self._token_path.touch(mode=0o600)
        self._token_path.write_text(token)
        # Not asyncio's subprocess: that ends with the event loop, and a worker may outlive its server.
        starts = asyncio.ensure_future(
            asyncio.to_thread(
                subprocess.Popen,
                [sys.executable, "-m", "media.worker", *self._arguments()],
                env=_environment() | {TOKEN_VARIABLE: token},
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # an interrupt in the terminal is for the server, which ends us
            )
        )
        try:
            self._process = await asyncio.shield(starts)
        except asyncio.CancelledError:
            self._process = await starts  # whoever stops us ends it
            raise
        return token

    def _arguments(self) -> list[str]:
        arguments = [f"--worker={self.number}", f"--port={self._port}", f"--socket={self._socket_path}"]
        arguments += [f"--orphan-s={self._settings.orphan_s}"]
        arguments += [f"--recordings={recordings_directory(self._settings.data_dir)}"]
        arguments += [f"--address={a}" for a in local_addresses(self._settings.bind_addresses)]
        return arguments + [f"--public={a}" for a in self._settings.public_addresses]

    async def _end_process(self) -> None:
        """Make sure that the process we started is gone before another takes its port."""
        process = self._process
        if process is None:
            return
        # It is usually ending already; the signals are for one that does not.
        for signal_number in (signal.SIGTERM, signal.SIGKILL):
            try:
                async with asyncio.timeout(STOP_S_MAX):
                    await _ended(process)
            except TimeoutError:
                process.send_signal(signal_number)
            else:
                break
        await _ended(process)
        self._process = None  # not before: whoever cancels this has to end it

    def _read_token(self) -> str:
        try:
            return self._token_path.read_bytes().decode("ascii", "replace")
        except OSError:
            return ""

    @property
    def _port(self) -> int:
        return self._settings.port + self.number

    @property
    def _addresses(self) -> tuple[str, ...]:
        return (*self._settings.public_addresses, *local_addresses(self._settings.bind_addresses))

    @property
    def _socket_path(self) -> Path:
        return self._directory / f"worker-{self.number}.sock"

    @property
    def _token_path(self) -> Path:
        return self._directory / f"worker-{self.number}.token"


async def _ended(process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None:  # noqa: ASYNC110 (a thread that waits would hold up the end of the server)
        await asyncio.sleep(END_LOOK_S)


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGKILL)


def _environment() -> dict[str, str]:
    """Ours without our settings, some of which are secret; this checkout comes first on the import path."""
    root = str(Path(__file__).resolve().parent.parent)
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MERIDIAN_")}
    return kept | {"PYTHONPATH": os.pathsep.join(paths)}


def control_directory(data_dir: Path) -> Path:
    """Where the control sockets are: in the data directory, or beside it where its path is too long for a
    socket.
    """
    directory = data_dir.resolve() / "media"
    if len(os.fsencode(directory / "worker-99.sock")) > SOCKET_PATH_BYTES_MAX:
        name = hashlib.sha256(os.fsencode(directory)).hexdigest()[:16]
        directory = Path(tempfile.gettempdir()) / f"meridian-{os.getuid()}-{name}"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = directory.lstat()  # in a directory everybody can write, a link may lead anywhere
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PermissionError(f"{directory.name} must belong to this account alone")
    return directory


def recordings_directory(data_dir: Path) -> Path:
    """Where workers put the parts of recordings: for this account alone."""
    directory = data_dir.resolve() / "recordings"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return directory
