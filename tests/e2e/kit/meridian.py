"""Starts the real server for a test, with ports and data of its own, and ends it as an operator would."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.kit import needs
from tests.e2e.kit.ports import free_port
from tests.e2e.kit.process import stop
from tests.e2e.kit.tab import eventually

START_S_MAX = 60
MEDIA_WORKERS = 2
LINKS = "links.json"


@dataclass(slots=True, kw_only=True)
class Meridian:
    """A running server; `links` are the demo's: patient, physician, interpreter."""

    origin: str
    links: dict[str, str]
    data: Path
    log: Path
    process: asyncio.subprocess.Process
    again: Callable[[], Awaitable[asyncio.subprocess.Process]]

    def logged(self) -> str:
        return self.log.read_text(errors="replace")

    async def restart(self) -> None:
        """Start it again after its end, with the same data, ports and log; the links are new ones."""
        told = self.data.parent / LINKS
        told.unlink(missing_ok=True)
        self.process = await self.again()
        self.links = await _links(self.process, told, self.log)


@contextlib.asynccontextmanager
async def meridian(
    *arguments: str,
    env: dict[str, str] | None = None,
    log: str = "server.log",
    prefix: Sequence[str] = (),
    folder: Path | None = None,
) -> AsyncIterator[Meridian]:
    """`python -m server serve --demo` until the block ends; its log is left in tests/e2e/.out.

    `prefix` are words in front of the command; `folder` is one of the caller's to keep the data in.
    """
    with tempfile.TemporaryDirectory(prefix="meridian-") as made:
        port, top = free_port(), folder or Path(made)
        own = {
            "PYTHONPATH": str(needs.ROOT),
            "MERIDIAN_SERVER__PORT": str(port),
            "MERIDIAN_SERVER__DATA_DIR": str(top / "data"),
            "MERIDIAN_MEDIA__PORT": str(free_port(socket.SOCK_DGRAM, count=MEDIA_WORKERS)),
            "MERIDIAN_MEDIA__WORKERS": str(MEDIA_WORKERS),
        }
        path, told = needs.out(log), top / LINKS
        path.write_bytes(b"")

        async def start() -> asyncio.subprocess.Process:
            with path.open("ab") as output:
                return await asyncio.create_subprocess_exec(
                    *(*prefix, sys.executable, "-m", "server", "serve", "--demo", "--demo-json", str(told)),
                    *arguments,
                    cwd=needs.ROOT,
                    env={**os.environ, **own, **(env or {})},
                    stdout=output,
                    stderr=asyncio.subprocess.STDOUT,
                )

        process = await start()
        running = None
        try:
            links = await _links(process, told, path)
            origin = "/".join(links["patient"].split("/")[:3])
            running = Meridian(
                origin=origin, links=links, data=top / "data", log=path, process=process, again=start
            )
            yield running
        finally:
            # A terminal's way to end it: SIGTERM would leave consults running for the next server.
            await stop(process if running is None else running.process, by=signal.SIGINT)


async def _links(process: asyncio.subprocess.Process, told: Path, log: Path) -> dict[str, str]:
    """The links, which the server writes once it serves."""

    async def written() -> bool:
        if process.returncode is not None:
            raise AssertionError(f"the server ended ({process.returncode}):\n{log.read_text()[-4000:]}")
        return told.exists() and told.read_text().rstrip().endswith("}")

    await eventually(written, bool, within_s=START_S_MAX, what=f"the server serves; its log is {log}")
    links: dict[str, str] = json.loads(told.read_text())
    return links
