"""Fixtures of the signalling tests: a clinic on fakes, and a server with browsers."""

from collections.abc import AsyncIterator, Callable

import pytest

from tests.signaling.sockets import Browser, Running, running
from tests.signaling.world import World


@pytest.fixture
async def world() -> World:
    return World()


@pytest.fixture
async def server() -> AsyncIterator[Running]:
    async with running() as started:
        yield started


@pytest.fixture
async def browsers() -> AsyncIterator[Callable[[], Browser]]:
    opened: list[Browser] = []

    def make() -> Browser:
        opened.append(Browser())
        return opened[-1]

    yield make
    for browser in opened:
        await browser.sio.disconnect()
        await browser.http.close()
