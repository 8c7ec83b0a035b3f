"""What the media tests share: a plane with real workers on loopback, and aiortc peers that can use
loopback.
"""

import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aioice.ice
import pytest

from media.plane import MediaPlane, MediaSettings, Notice
from tests.media.loopback import with_loopback


def free_ports(count: int) -> int:
    """The first of `count` UDP ports in a row that are free on loopback."""
    for first in range(20_000, 32_000, 50):
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


PlaneMaker = Callable[..., Plane]


@pytest.fixture
def settings(tmp_path: Path) -> MediaSettings:
    """Two workers at most, on loopback only."""
    return MediaSettings(port=free_ports(2), workers=1, data_dir=tmp_path, bind_addresses=("127.0.0.1",))


@pytest.fixture
async def plane(settings: MediaSettings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Plane]:
    """A started plane with one worker process."""
    monkeypatch.setattr(aioice.ice, "get_host_addresses", with_loopback)
    made = Plane(settings)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()
