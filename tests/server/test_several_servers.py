"""Two servers, one database: people on both are in one consult, and neither Redis nor a server may end it.

Real processes, PostgreSQL, Redis and media; the patient is at server A, the physician at server B. The tests
use the same consult, one after the other: it goes on through all of them.
"""

import asyncio
import contextlib
import itertools
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aioice.ice
import pytest
import pytest_asyncio
from aiohttp import ClientError, ClientSession
from yarl import URL

from server.http.cookies import STAFF
from server.identity.accounts import Accounts
from server.identity.passwords import Passwords
from server.identity.random_values import SystemClock
from server.identity.sign_ins import SignIns
from server.settings import SignIn
from server.storage.database import Database
from server.storage.interpreters import Interpreters
from signaling.consult.ids import UserId
from tests.e2e.kit.ports import free_port
from tests.e2e.kit.services import Service, postgres_service, redis_service
from tests.e2e.kit.tab import eventually
from tests.faults.stage import note
from tests.media.loopback import Participant, until, with_loopback
from tests.server.browser import Browser, Tab
from tests.server.program import ROOT, START_S_MAX, Demo, environment
from tests.server.test_restart import (
    SILENT_S_MAX,
    Page,
    longest_silence_s,
    patient_waits,
    physician_admits,
    sign_in,
)
from tests.server.test_rings import DESKS, account, line

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]

NEWS_S_MAX = 0.5
RUNG_S_MAX = 20.0  # two hundred desks on one machine
LATE_NEWS_S_MAX = 3.0  # of the database, looked at each second
TAKEN_OVER_S_MAX = 15.0
SECRET = "a secret of thirty-two characters or more"


class Server(Demo):
    """One of several servers: A has the demonstration's day, B serves the same clinic."""

    def __init__(self, folder: Path, name: str, shared: dict[str, str]) -> None:
        self.folder = folder / name
        self.folder.mkdir(exist_ok=True)
        self.port = free_port()
        self.site = f"http://127.0.0.1:{self.port}"
        self.file = self.folder / "demo.json"
        self.log = self.folder / "stderr"
        self.env = environment(self.folder, self.port) | shared
        self.env["MERIDIAN_CLUSTER__ADDRESS"] = f"127.0.0.1:{free_port()}"
        self.is_demo = name == "a"
        self.process = self.started()

    def started(self) -> "subprocess.Popen[bytes]":
        demo = ["--demo", "--demo-json", str(self.file)] if self.is_demo else []
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "server", "serve", *demo],
                cwd=ROOT,
                env=self.env,
                stdout=log,
                stderr=log,
            )

    def start_again(self) -> None:
        self.process = self.started()

    def kill(self, *, workers: bool = False) -> None:
        """As the kernel does; its media workers live on unless they go with it, as with their machine."""
        self.process.kill()
        self.process.wait()
        if workers:
            subprocess.run(["pkill", "-KILL", "-f", f"media.worker.*{self.folder}"], check=True)

    async def ready(self) -> tuple[int, dict[str, Any]]:
        async with ClientSession() as http, http.get(self.site + "/readyz") as answer:
            return answer.status, await answer.json()

    async def is_ready(self) -> None:
        """Until it is, and hears the others."""
        deadline = time.monotonic() + START_S_MAX
        while True:
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            with contextlib.suppress(ClientError):
                if (await self.ready())[1] == {"ready": True, "database": True, "media": True, "redis": True}:
                    return
            await asyncio.sleep(0.05)


@dataclass
class Two:
    """Two servers with patient and physician in one room."""

    a: Server
    b: Server
    redis: Service
    database_url: str
    patient: Page
    physician: Page
    silences: list["asyncio.Task[float]"] = field(default_factory=list)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    commands: int = 0

    def watch(self) -> None:
        """Measure silence from now on."""
        self.stop = asyncio.Event()
        for page in (self.patient, self.physician):
            page.tab.told.clear()
        pages = (self.patient, self.physician)
        self.silences = [asyncio.create_task(longest_silence_s(page, self.stop)) for page in pages]

    async def no_silence(self, fault: str) -> None:
        self.stop.set()
        longest_s = max(await asyncio.gather(*self.silences))
        note(fault, longest_s)
        assert longest_s < SILENT_S_MAX

    async def command(self, page: Page, kind: str, **fields: Any) -> dict[str, Any]:
        self.commands += 1
        return await page.tab.send(type=kind, command_id=f"command-{self.commands}", **fields)

    async def says(self, speaker: Page, text: str, *, to: Page, within_s: float) -> None:
        """The other page is sent a view with this in it, unasked, and so finds the words."""
        answer = await self.command(speaker, "send_message", text=text)
        assert answer["type"] == "accepted"
        async with asyncio.timeout(within_s):
            while not any(seen.get("version", 0) >= answer["version"] for seen in to.tab.told):
                to.tab.news.clear()
                await to.tab.news.wait()
        chat = await to.tab.send(type="fetch_chat", after_seq=0)
        assert chat["messages"][-1]["text"] == text

    async def hear_each_other(self, *, within_s: float = 10) -> None:
        heard = self.patient.heard, self.physician.heard
        await until(
            lambda: self.patient.heard > heard[0] + 25 and self.physician.heard > heard[1] + 25, within_s
        )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def two(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Two]:
    folder = tmp_path_factory.mktemp("servers")
    async with AsyncExitStack() as stack:
        patched = stack.enter_context(pytest.MonkeyPatch.context())
        patched.setattr(aioice.ice, "get_host_addresses", with_loopback)
        redis = stack.enter_context(redis_service())
        postgres = stack.enter_context(postgres_service())
        shared = {
            "MERIDIAN_DATABASE__URL": postgres.url.replace("postgresql:", "postgresql+asyncpg:"),
            "MERIDIAN_REDIS__URL": redis.url,
            "MERIDIAN_CLUSTER__SECRET": SECRET,
            "MERIDIAN_CLINIC__ID": "demo",
        }
        # The secret is of no use to who upgrades, and half of `cluster` alone is refused.
        env = os.environ | {
            "MERIDIAN_DATABASE__URL": shared["MERIDIAN_DATABASE__URL"],
            "PYTHONPATH": str(ROOT),
        }
        upgrade = [sys.executable, "-m", "server", "db", "upgrade"]
        await asyncio.to_thread(subprocess.run, upgrade, cwd=ROOT, env=env, check=True, capture_output=True)
        servers = [Server(folder, name, shared) for name in ("a", "b")]
        for server in servers:
            stack.callback(server.end)
        a, b = servers
        links = await asyncio.to_thread(a.links)
        await b.is_ready()
        await a.is_ready()
        patient, physician = await _in_room(a, b, links, stack)
        yield Two(a, b, redis, shared["MERIDIAN_DATABASE__URL"], patient, physician)
        for server in servers:
            assert "Traceback" not in server.log.read_text(), server.log.read_text()


async def _in_room(a: Server, b: Server, links: dict[str, str], stack: AsyncExitStack) -> tuple[Page, Page]:
    at_a, at_b = Browser(a.site), Browser(b.site)
    for browser in (at_a, at_b):
        stack.push_async_callback(browser.close)
    patient = await patient_waits(at_a, links, stack)
    # The demonstration's staff links are in the memory of the server that made them; a sign-in is not.
    at_b.site = a.site
    await sign_in(at_b, links)
    at_b.site = b.site
    return patient, await physician_admits(at_b, patient, stack)


async def test_two_servers_serve_one_consult(two: Two) -> None:
    await two.hear_each_other()
    await two.says(two.patient, "Hello from A", to=two.physician, within_s=NEWS_S_MAX)
    await two.says(two.physician, "Hello from B", to=two.patient, within_s=NEWS_S_MAX)


async def _signed_in_interpreters(url: str) -> dict[UserId, str]:
    """So many interpreters of Arabic on the register, each with the cookie of a browser that is signed in."""
    database, clock = Database(url), SystemClock()
    register = Interpreters(database, clock)
    sign_ins = SignIns(database, Accounts(database, Passwords()), SignIn())
    cookies: dict[UserId, str] = {}
    try:
        for n in range(DESKS):
            one = line(f"u-{n:03}")
            await account(database, one.user, clock, clinic="demo")
            await register.put(one)
            cookies[one.user] = await sign_ins.begin(one.user, replaces=None, now=clock.now())
    finally:
        await database.close()
    return cookies


async def _desks(two: Two, cookies: dict[UserId, str], stack: AsyncExitStack) -> dict[UserId, Tab]:
    """A desk each, by turns at the one server and the other."""

    async def desk(site: str, cookie: str) -> Tab:
        browser = Browser(site)
        stack.push_async_callback(browser.close)
        browser.http.cookie_jar.update_cookies({STAFF: cookie}, URL(site))
        async with few:
            return await browser.open({"board": True})

    few = asyncio.Semaphore(4)  # who comes in from one address at once
    sites = itertools.cycle((two.a.site, two.b.site))
    tabs = await asyncio.gather(*(desk(next(sites), cookie) for cookie in cookies.values()))
    return dict(zip(cookies, tabs, strict=True))


async def test_of_200_desks_at_both_servers_that_accept_at_once_exactly_one_wins(two: Two) -> None:
    cookies = await _signed_in_interpreters(two.database_url)
    async with AsyncExitStack() as stack:
        desks = await _desks(two, cookies, stack)
        asked = await two.command(two.physician, "request_interpreter", language="ar")
        assert asked["type"] == "accepted", asked
        consult = two.patient.seat["consult_id"]
        await asyncio.gather(*(_rings(desk) for desk in desks.values()))
        accept = {"type": "accept_ring", "consult_id": consult, "request": 1}
        answers = await asyncio.gather(
            *(desk.send(command_id=f"accept-{user}", **accept) for user, desk in desks.items())
        )
        assert Counter(one.get("code", one["type"]) for one in answers) == {"accepted": 1, "taken": DESKS - 1}
        closed = await two.command(two.physician, "close_request")
        assert closed["type"] == "accepted", closed


async def _rings(desk: Tab) -> None:
    """Until this desk was told of a ring."""
    async with asyncio.timeout(RUNG_S_MAX):
        while not any((told.get("desk") or {}).get("rings") for told in desk.told):
            desk.news.clear()
            await desk.news.wait()


async def test_no_fault_of_redis_ends_a_call_or_loses_a_word(two: Two) -> None:
    two.watch()
    two.redis.end(signal.SIGKILL)
    await two.says(two.patient, "Redis is dead", to=two.physician, within_s=LATE_NEWS_S_MAX)
    await eventually(lambda: redis_of(two.b), lambda redis: not redis, within_s=8, what="B says so")
    assert (await two.b.ready())[0] == 200, "all servers would be taken out at once"
    await asyncio.to_thread(two.redis.start_again)
    for server in (two.a, two.b):
        await server.is_ready()
    await two.says(two.physician, "Redis is back", to=two.patient, within_s=NEWS_S_MAX)

    two.redis.process.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    await two.says(two.physician, "Redis stands still", to=two.patient, within_s=LATE_NEWS_S_MAX)
    await asyncio.sleep(10 - (time.monotonic() - began))
    two.redis.process.send_signal(signal.SIGCONT)
    for server in (two.a, two.b):
        await server.is_ready()
    _cli(two.redis, "FLUSHALL")
    await two.says(two.patient, "Redis is empty", to=two.physician, within_s=NEWS_S_MAX)

    await two.hear_each_other()
    await two.no_silence("Redis killed, frozen for 10 s, emptied, sound")
    assert _told(two) == set()


async def test_a_lost_listener_is_noticed_and_the_server_says_it_is_not_ready(two: Two) -> None:
    _cli(two.redis, "ACL", "SETUSER", "default", "-subscribe")
    _cli(two.redis, "CLIENT", "KILL", "TYPE", "pubsub")
    await eventually(lambda: redis_of(two.b), lambda redis: not redis, within_s=8, what="B says so")
    assert (await two.b.ready())[0] == 503
    await two.says(two.patient, "Nobody hears", to=two.physician, within_s=LATE_NEWS_S_MAX)
    _cli(two.redis, "ACL", "SETUSER", "default", "+subscribe")
    await two.b.is_ready()


async def test_the_server_with_the_media_is_killed_and_nobody_hears_it(two: Two) -> None:
    two.watch()
    two.a.kill()
    browser = two.patient.browser
    browser.site = two.b.site  # as a balancer would send it
    await two.patient.open()
    view = await two.patient.tab.view(type="consult_view")
    assert (view["screen"], view["me"]["admitted"]) == ("room", True)
    two.a.start_again()
    await asyncio.to_thread(two.a.links)
    await two.a.is_ready()
    await two.says(two.patient, "Still here", to=two.physician, within_s=NEWS_S_MAX)
    await two.hear_each_other()
    await two.no_silence("of two servers the one with the media killed, sound")
    assert _told(two) == set()


async def test_a_machine_that_is_gone_is_replaced_by_the_other(two: Two) -> None:
    began = time.monotonic()
    two.a.kill(workers=True)
    two.patient.browser.site = two.b.site
    await two.patient.open()
    # Each page sees by itself that nothing comes any more.
    await asyncio.gather(_anew(two.patient, 440), _anew(two.physician, 660))
    await two.hear_each_other()
    took_s = time.monotonic() - began
    note("of two servers the one with the media gone with its machine, heard again", took_s)
    assert took_s < TAKEN_OVER_S_MAX


async def _anew(page: Page, hertz: float) -> None:
    """Connect media again, asking until it is granted, as a page does."""

    class Asking:
        async def connect(self, room: str, name: str, offer: str) -> str:
            while True:
                answer = await page.tab.send(type="connect_media", offer=offer)
                if answer["type"] == "media_answer":
                    return str(answer["answer"])
                assert answer["code"] == "media_unavailable"
                await asyncio.sleep(1)

    await page.media.close()
    page.media = Participant(page.media.room, page.media.name, hertz=hertz)
    async with asyncio.timeout(TAKEN_OVER_S_MAX):
        await page.media.negotiate(Asking())  # type: ignore[arg-type]
        await until(lambda: page.media.connection.connectionState == "connected", 8)


async def redis_of(server: Server) -> bool:
    return bool((await server.ready())[1]["redis"])


def _cli(redis: Service, *words: str) -> None:
    host, _, port = redis.url.rpartition("@")[2].partition("/")[0].partition(":")
    password = redis.url.split(":")[2].partition("@")[0]
    command = ["redis-cli", "-h", host, "-p", port, "-a", password, "--no-auth-warning", *words]
    subprocess.run(command, check=True, capture_output=True)


def _told(two: Two) -> set[str]:
    """What no page may have been told when nothing happened to it."""
    told = {message["type"] for page in (two.patient, two.physician) for message in page.tab.told}
    return told & {"media_lost", "displaced"}
