"""What is started, in which order, and how it ends: storage, media plane, consult service, gateway, HTTP.

Each part is ended in the opposite order, whatever happened; the whole within `STOP_S_MAX`.
"""

import asyncio
import contextlib
import signal
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from server import compose, data_dir
from server.http.application import application
from server.http.keys import Services
from server.http.tickets import Tickets
from server.identity.random_values import SystemClock, SystemIds
from server.logs import logger
from server.media_adapter import MediaAdapter, worker_count
from server.settings import Settings
from server.storage.database import Database
from server.storage.upgrade import is_current, upgrade
from signaling.gateway import Gateway
from signaling.service.presences import InProcessPresence
from signaling.service.service import Service

STOP_S_MAX: Final = 4.5
# How long requests that are being answered may still take when the server ends.
FINISH_S_MAX: Final = 1.0
TIDY_EVERY_S: Final = 3600.0

log = logger("app")


class StartError(Exception):
    """The server cannot start. `hint` is the next step."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


async def run(settings: Settings, *, demo: bool, serving: Callable[["Demo | None"], None]) -> None:
    """Serve until SIGTERM or SIGINT. `serving` is told once people can come, with the demo's links."""
    told_to_end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told_to_end.set)
    stack = AsyncExitStack()
    try:
        made = await stack.enter_async_context(running(settings, demo=demo))
        serving(made)
        log.info("serving", demo=demo)
        await told_to_end.wait()
        log.info("ending")
    finally:
        try:
            async with asyncio.timeout(STOP_S_MAX):
                await stack.aclose()
        except TimeoutError:
            log.warning("ended late", limit_s=STOP_S_MAX)
