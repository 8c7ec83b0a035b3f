"""The demo starts on ports of its own, answers, and ends when it is asked to."""

import aiohttp

from tests.e2e.kit.meridian import meridian
from tests.e2e.kit.process import stop

STOP_S_MAX = 10


async def test_the_demo_serves_by_the_time_its_links_are_known_and_ends_when_asked() -> None:
    async with meridian(log="start.log") as server, aiohttp.ClientSession() as client:
        assert set(server.links) >= {"patient", "physician", "interpreter"}
        for url in (f"{server.origin}/healthz", f"{server.origin}/readyz", *server.links.values()):
            async with client.get(url) as answer:
                assert answer.status == 200, url
        assert await stop(server.process, within_s=STOP_S_MAX) == 0
        assert "Traceback" not in server.logged()


async def test_no_link_of_the_demo_is_in_the_log() -> None:
    async with meridian(log="secrets.log", env={"MERIDIAN_SERVER__LOG_LEVEL": "debug"}) as server:
        async with aiohttp.ClientSession() as client:
            for url in server.links.values():
                await (await client.get(url)).read()
        logged = server.logged()
        for url in server.links.values():
            _, _, secret = url.partition("#")
            assert len(secret) > 20
            assert logged.count(secret) <= 1, "printed for the person who started it, and not logged"
