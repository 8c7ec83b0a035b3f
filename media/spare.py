"""A worker process that has loaded everything and waits. When a worker dies, it takes its place at once.

Loading takes 0.5 s of a free core and 1.5 s of a busy one: most of what people had to wait for whose worker
was killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

BEGIN_AFTER_S = 10.0
"""Not while a server starts, or while whoever lost a worker connects anew."""
END_S_MAX = 1.0
STANDBY = "--standby"

log = logging.getLogger(__name__)


class Spare:
    """At most one process in waiting. It ends by itself when this server does: its standard input closes."""

    def __init__(self, environment: Mapping[str, str], data_dir: Path) -> None:
        self._environment = dict(environment)
        self._data_dir = data_dir
        self._process: subprocess.Popen[bytes] | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process in waiting."""
        return None if self._process is None else self._process.pid

    def prepare(self) -> None:
        """Have a process wait, some time from now."""
        self._task = asyncio.get_running_loop().create_task(self._begin())

    async def _begin(self) -> None:
        await asyncio.sleep(BEGIN_AFTER_S)
        command = [sys.executable, "-m", "media.worker", STANDBY, str(self._data_dir)]
        try:
            # Not asyncio's subprocess: that ends with the event loop, and a worker may outlive its server.
            self._process = await asyncio.to_thread(
                subprocess.Popen,
                command,
                env=self._environment,
                stdin=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as problem:  # no memory, no file handles: a worker is then started when it is needed
            log.warning("no media worker in waiting: %s", problem.strerror)

    def take(self, arguments: Sequence[str], token: str) -> subprocess.Popen[bytes] | None:
        """Make the process in waiting a worker with these arguments; None if none waits."""
        process, self._process = self._process, None
        if process is None or process.stdin is None:
            return None
        self.prepare()
        try:
            with process.stdin as waits_for:
                waits_for.write(json.dumps({"arguments": [*arguments], "token": token}).encode() + b"\n")
        except OSError:  # it has ended
            process.kill()
            process.wait()
            return None
        return process

    async def end(self) -> None:
        """Let nobody wait any more."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        process, self._process = self._process, None
        if process is None or process.stdin is None:
            return
        process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            await asyncio.to_thread(process.wait, END_S_MAX)
            return
        process.kill()
        await asyncio.to_thread(process.wait)
