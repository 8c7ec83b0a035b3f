"""One server and one live call of three for all tests of this folder; each attack must leave it as it was."""

import socket
from collections.abc import AsyncIterator

import pytest_asyncio

from tests.e2e.kit.meridian import MEDIA_WORKERS, meridian
from tests.e2e.kit.ports import free_port
from tests.hostile.caller import Call, Caller


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def call() -> AsyncIterator[Call]:
    """A running demonstration with patient, physician and interpreter in their consult."""
    port = free_port(socket.SOCK_DGRAM, count=MEDIA_WORKERS)
    env = {"MERIDIAN_MEDIA__BIND": "127.0.0.1", "MERIDIAN_MEDIA__PORT": str(port)}
    async with meridian(env=env, log="hostile.log") as server:
        made = Call(server, port)
        try:
            await made.begin()
            yield made
        finally:
            await made.end()


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def companion(call: Call) -> Caller:
    """Somebody who was let in and does harm: a fourth person in the room, with media that is silent."""
    made = await call.invited("A companion")
    await call.admit(made)
    await made.connect_media(silent=True)
    return made


@pytest_asyncio.fixture(loop_scope="package")
async def intruder(companion: Caller) -> Caller:
    """The companion, on a fresh tab."""
    await companion.open()
    return companion
