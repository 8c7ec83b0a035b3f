"""What the media tests share: a plane with real workers on loopback, and aiortc peers that can use
loopback.
"""

import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import aioice.ice
import hypothesis
import pytest
import pytest_asyncio

from media.plane import MediaPlane, MediaSettings, Notice
from tests.media.loopback import with_loopback

# A deadline for one example measures how busy the machine is.
hypothesis.settings.register_profile("media", deadline=None)
hypothesis.settings.load_profile("media")


def free_ports(count: int) -> int:
    """The first of `count` UDP ports in a row that are free on loopback."""
    # Elsewhere for each process: two that test at once would both find the same ones free.
    for first in (20_000 + (os.getpid() * 50 + step) % 12_000 for step in range(0, 12_000, 50)):
        sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
        try:
            for number, sock in enumerate(sockets):
                sock.bind(("127.0.0.1", first + number))
        except OSError:
            continue
        else:
            return first
        finally:
            for sock in sockets:
                sock.close()
    raise AssertionError("no free ports")


class Plane(MediaPlane):
    """A plane that keeps what it was told."""

    def __init__(self, settings: MediaSettings) -> None:
        self.notices: list[Notice] = []
        self.settings = settings
        super().__init__(settings, self.notices.append)

    def told(self, kind: type[Notice]) -> list[Notice]:
        """The notices of one kind."""
        return [notice for notice in self.notices if isinstance(notice, kind)]


def plane_settings(data_dir: Path) -> MediaSettings:
    """One worker on loopback."""
    return MediaSettings(port=free_ports(2), workers=1, data_dir=data_dir, bind_addresses=("127.0.0.1",))


@pytest.fixture
def settings(tmp_path: Path) -> MediaSettings:
    """For a plane of one's own."""
    return plane_settings(tmp_path)


@pytest.fixture(autouse=True)
def _loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aioice.ice, "get_host_addresses", with_loopback)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def started(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Plane]:
    """A plane with one worker process for all tests of a file: starting one takes most of a second."""
    made = Plane(plane_settings(tmp_path_factory.mktemp("media")))
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def plane(started: Plane) -> AsyncIterator[Plane]:
    """The plane of the file, with nobody in room `r` and nothing told yet."""
    started.notices.clear()
    yield started
    await started.close_room("r")


@pytest_asyncio.fixture(loop_scope="module")
async def own_plane(settings: MediaSettings) -> AsyncIterator[Plane]:
    """A plane whose worker a test may kill."""
    made = Plane(settings)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()
