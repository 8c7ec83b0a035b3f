"""The worker process: `python -m media.worker`.

Serves one control connection; goes on alone for a while when it is lost.
"""

from __future__ import annotations

import argparse
import asyncio
import hmac
import logging
import os
import resource
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import uvloop

from media.control import BadFrame, Call, Frame, Hello, News, Refused, Reply, encode, read_frame
from media.engine import Engine
from media.interface import Notice

RECORD_ALONE_S = 10.0
"""How long a recording goes on without a server. Who revokes consent meanwhile reaches nobody who could tell
us: so what is recorded against somebody's will is never longer than this, nor than a server takes to start.
"""
TOKEN_VARIABLE = "MERIDIAN_MEDIA_TOKEN"  # noqa: S105 - the name of the variable, not a secret
HELLO_S_MAX = 5.0
WRITE_BUFFER_BYTES_MAX = 4 << 20
"""A server that reads nothing for so long that this fills up is taken for dead."""

log = logging.getLogger("media.worker")


class Worker:
    """The control connection of an engine: at most one, only with the right token, and what happens
    without.
    """

    def __init__(self, options: argparse.Namespace, token: str) -> None:
        self._token = token
        self._orphan_s: float = options.orphan_s
        self._writer: asyncio.StreamWriter | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()
        self.engine = Engine(
            options.worker,
            tuple(options.address),
            tuple(options.public),
            options.port,
            self._notify,
            options.recordings,
        )
        self._timers: tuple[asyncio.TimerHandle, ...] = ()
        """What happens while there is no server."""
        self._alone()

    async def close(self) -> None:
        """End the control connection and the engine."""
        self._not_alone()
        await self.engine.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A control connection was opened."""
        task = self._loop.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One control connection, from its first frame to its end."""
        try:
            if await self._greet(reader, writer):
                await self._answer_calls(reader)
        except BadFrame as problem:
            log.warning("control connection closed: %s", problem)
        finally:
            if self._writer is writer:
                self._writer = None
                self._alone()
            writer.close()

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        try:
            async with asyncio.timeout(HELLO_S_MAX):
                frame = await read_frame(reader)
        except TimeoutError:
            return False
        if not isinstance(frame, Call) or not isinstance(frame.request, Hello):
            return False
        if not hmac.compare_digest(frame.request.token.encode("utf-8", "replace"), self._token.encode()):
            refusal = Refused(code="wrong_token", hint="this worker belongs to another server")
        elif self._writer is not None:
            refusal = Refused(code="taken", hint="another server is connected")
        else:
            self._not_alone()
            self._writer = writer
            self._write(Reply(number=frame.number, response=self.engine.begin_server()))
            return True
        writer.write(encode(Reply(number=frame.number, response=refusal)))
        return False

    async def _answer_calls(self, reader: asyncio.StreamReader) -> None:
        while (frame := await read_frame(reader)) is not None:
            if not isinstance(frame, Call):
                raise BadFrame("only calls are expected here")
            self._write(Reply(number=frame.number, response=self.engine.handle(frame.request)))

    def _notify(self, notice: Notice) -> None:
        self._write(News(notice=notice))

    def _write(self, frame: Frame) -> None:
        if self._writer is None:
            return
        if self._writer.transport.get_write_buffer_size() > WRITE_BUFFER_BYTES_MAX:
            log.error("the server does not read; closing the control connection")
            self._writer.transport.abort()
            return
        self._writer.write(encode(frame))

    def _alone(self) -> None:
        """No server: forward as before, soon without recording it, and end when none comes."""
        self._timers = (
            self._loop.call_later(RECORD_ALONE_S, self.engine.stop_recording, "server-lost"),
            self._loop.call_later(self._orphan_s, self.engine.shutdown.set),
        )

    def _not_alone(self) -> None:
        for timer in self._timers:
            timer.cancel()


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m media.worker", description=__doc__)
    parser.add_argument("--worker", type=int, required=True, help="number of this worker")
    parser.add_argument("--port", type=int, required=True, help="UDP port on every address")
    parser.add_argument("--socket", type=Path, required=True, help="Unix socket for the control connection")
    parser.add_argument("--address", action="append", default=[], help="local address to listen on (repeat)")
    parser.add_argument(
        "--public", action="append", default=[], help="address under which others see us (repeat)"
    )
    parser.add_argument("--recordings", type=Path, required=True, help="folder for the parts of recordings")
    parser.add_argument("--orphan-s", type=float, default=120.0, help="seconds to go on without a server")
    options = parser.parse_args(arguments)
    if not options.address:
        parser.error("at least one --address is needed")
    return options


async def _run(options: argparse.Namespace, token: str) -> None:
    worker = Worker(options, token)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, worker.engine.shutdown.set)
    loop.add_signal_handler(signal.SIGINT, worker.engine.shutdown.set)
    # Only now, with the port ours: the file may be that of a worker that lives.
    options.socket.unlink(missing_ok=True)
    server = await asyncio.start_unix_server(worker.accept, path=options.socket)
    try:
        await worker.engine.shutdown.wait()
    finally:
        options.socket.unlink(missing_ok=True)  # while the port is ours: afterwards it may be our successor's
        server.close()
        await worker.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM, a shutdown request, or too long without a server."""
    if not __debug__:
        sys.stderr.write("media.worker does not run with -O: aiortc's checks are assertions\n")
        return 2
    options = _options(sys.argv[1:] if arguments is None else arguments)
    token = os.environ.pop(TOKEN_VARIABLE, "")
    if not token:
        sys.stderr.write(f"media.worker: {TOKEN_VARIABLE} is not set\n")
        return 2
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold keys and speech
    os.umask(0o177)  # the control socket is for this account alone, and nothing to execute
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        uvloop.run(_run(options, token))
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # we are ending; the status shall say how
    except OSError as problem:
        sys.stderr.write(f"media.worker: {problem.strerror or 'cannot start'} (port {options.port})\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
