"""Keeps a vault running beside the server, where `recording.vault` is "child"."""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from server.logs import logger
from server.settings import Settings
from server.vault.client import VaultClient
from server.vault.environment import child_environment

LOOK_S: Final = 0.1
STOP_S_MAX: Final = 2.0
RESTART_PAUSE_S: Final = 0.2
RESTART_PAUSE_S_MAX: Final = 10.0
LIVED_S: Final = 10.0
"""A vault that lived so long is started again at once."""

log = logger("vault_child")


class VaultChild:
    """A vault process that ends with this one, and is started again when it dies."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """Of the process that runs now."""
        return self._process.pid if self._process is not None else None

    @property
    def is_kept(self) -> bool:
        """Whether it was started, and is started again when it dies."""
        return self._task is not None

    async def start(self) -> None:
        """Begin to keep it running. It need not be there when this returns: `ready` waits for it."""
        self._task = asyncio.create_task(self._keep_running())

    async def ready(self, client: VaultClient, wait_s: float) -> bool:
        """Whether it answers, at the latest after `wait_s`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                while not await client.is_open():  # noqa: ASYNC110 (another process comes up)
                    await asyncio.sleep(LOOK_S)
                return True
        return False

    async def stop(self) -> None:
        """End it; nothing of it is left when this returns."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        await self._end()

    async def _keep_running(self) -> None:
        pause_s, loop = RESTART_PAUSE_S, asyncio.get_running_loop()
        while True:
            began_s = loop.time()
            try:
                await self._spawn()
                await self._until_it_ends()
            except OSError as error:
                log.warning("the vault cannot be started", exc_info=error)
            await self._end()
            if loop.time() - began_s >= LIVED_S:
                pause_s = RESTART_PAUSE_S
            await asyncio.sleep(pause_s)
            pause_s = min(RESTART_PAUSE_S_MAX, pause_s * 2)

    async def _spawn(self) -> None:
        # Not asyncio's subprocess: that ends with the event loop, in no order.
        spawning = asyncio.ensure_future(asyncio.to_thread(self._spawned))
        try:
            self._process = await asyncio.shield(spawning)
        except asyncio.CancelledError:
            self._process = await spawning  # whoever stops us ends it
            raise

    async def _until_it_ends(self) -> None:
        if self._process is not None:
            await _until(self._process, forever)
            log.warning("the vault has ended; another is started", code=self._process.returncode)

    def _spawned(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603 (our own program, our own arguments)
            [sys.executable, "-m", "server.vault.run", *self._arguments()],
            env=child_environment(),
            stdin=subprocess.PIPE,  # its end tells the vault that this process is gone
            start_new_session=True,  # an interrupt in the terminal is for the server, which ends it in order
        )

    def _arguments(self) -> list[str]:
        server, url = self._settings.server, self._settings.recording.storage_url
        return [
            f"--data-dir={Path(server.data_dir).resolve()}",
            f"--log-format={server.log_format}",
            f"--log-level={server.log_level}",
            *([f"--storage-url={url}"] if url else []),
        ]

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        deadline_s = asyncio.get_running_loop().time() + STOP_S_MAX
        await _until(process, lambda: asyncio.get_running_loop().time() >= deadline_s)
        if process.returncode is None:
            process.kill()
            await _until(process, forever)


def forever() -> bool:
    """Waits for the process alone."""
    return False


async def _until(process: subprocess.Popen[bytes], is_over: Callable[[], bool]) -> None:
    while process.poll() is None and not is_over():  # noqa: ASYNC110 (a waiting thread would hold us up)
        await asyncio.sleep(LOOK_S)
