"""Ends the programs a test has started: asked first, then made to."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator

STOP_S_MAX = 15


async def stop(
    process: asyncio.subprocess.Process,
    *,
    by: signal.Signals = signal.SIGTERM,
    within_s: float = STOP_S_MAX,
) -> int:
    """Send a signal and wait; SIGKILL after `within_s`. Returns the exit code (minus the signal's number)."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(by)
    try:
        return await asyncio.wait_for(process.wait(), within_s)
    except TimeoutError:
        process.kill()
        return await process.wait()


@contextlib.asynccontextmanager
async def stopped(process: asyncio.subprocess.Process) -> AsyncIterator[asyncio.subprocess.Process]:
    """The process, which does not outlive the block."""
    try:
        yield process
    finally:
        await stop(process)
