"""A server in parts or whole, on loopback, with a clock that tests set."""

import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import ClientResponse, CookieJar, web
from aiohttp.test_utils import TestClient, TestServer
from argon2 import PasswordHasher
from sqlalchemy import text

from server import compose
from server.demo import Demo, prepare
from server.http.application import application
from server.http.keys import Services
from server.identity.passwords import Passwords
from server.identity.socket_tickets import TicketsInMemory
from server.settings import Settings
from server.settings_loading import Values, load
from server.storage.database import Database
from server.storage.tables import Base, SchemaUse
from server.storage.upgrade import upgrade
from signaling.consult.ids import UserId
from tests.server.recorded import FakeVault

# Checking a password takes a quarter of a second by design, and that many times over in tests.
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


class SetClock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> datetime:
        return self.time

    def pass_s(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def settings(tmp_path: Path, free_port: int) -> Settings:
    overrides: Values = {
        "server": {"port": free_port, "data_dir": tmp_path / "data"},
        "media": {"workers": 1},
        "clinic": {"id": "demo", "name": "Test Clinic", "phone": "+1 310 555 0142"},
    }
    return load(overrides=overrides).settings


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'test.sqlite3'}")
    await upgrade(database)
    yield database
    await database.close()


@pytest.fixture
async def postgres(postgres_url: str) -> AsyncIterator[Database]:
    """An empty, upgraded PostgreSQL database."""
    database = Database(postgres_url.replace("postgresql://", "postgresql+asyncpg://"))
    await upgrade(database)
    yield database
    async with database.write() as connection:
        filled = {SchemaUse.__tablename__}  # by migrations
        tables = ", ".join(table.name for table in Base.metadata.sorted_tables if table.name not in filled)
        await connection.execute(text("set local session_replication_role = replica"))  # no triggers
        await connection.execute(text(f"truncate {tables}"))
    await database.close()


@pytest.fixture(params=["database", "postgres"], ids=["sqlite", "postgresql"])
def each_database(request: pytest.FixtureRequest) -> Database:
    """The same test on both databases."""
    found: Database = request.getfixturevalue(request.param)
    return found


class Site:
    """The HTTP side over a real socket, with the demo's day in its database."""

    def __init__(
        self, client: TestClient[web.Request, web.Application], services: Services, demo: Demo
    ) -> None:
        self.client = client
        self.services = services
        self.demo = demo
        self.hung_up: list[UserId] = []

    @property
    def origin(self) -> str:
        return self.services.site.origins[0]

    def secret(self, link: str) -> str:
        return self.demo.links[link].partition("#")[2]

    async def post(self, path: str, body: object = None, **headers: str) -> ClientResponse:
        """POST as a page of ours does."""
        sent = {"Sec-Fetch-Site": "same-origin", "Origin": self.origin} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        return await self.client.post(path, json={} if body is None else body, headers=sent)

    async def get(self, path: str, **headers: str) -> ClientResponse:
        sent = {"Accept": "text/html"} | {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.get(path, headers=sent, allow_redirects=False)

    async def enter(self, link: str, language: str = "ar") -> str:
        """Take the seat of a demo link; returns the page."""
        body = {"secret": self.secret(link), "language": language, "has_camera_interface": True}
        answer = await self.post("/api/invitation/exchange", body)
        assert answer.status == 200, await answer.text()
        return str((await answer.json())["url"])

    async def sign_in(self, link: str) -> None:
        answer = await self.post("/api/demo/enter", {"secret": self.secret(link)})
        assert answer.status == 200, await answer.text()


@pytest.fixture
def vault() -> FakeVault:
    """What opens recordings for `http`."""
    return FakeVault(NOON)


@pytest.fixture
async def http(
    settings: Settings, database: Database, clock: SetClock, vault: FakeVault
) -> AsyncIterator[Site]:
    hung_up: list[UserId] = []

    async def hang_up(user: UserId, _devices: object) -> None:
        hung_up.append(user)

    made = compose.services(
        settings,
        database=database,
        passwords=Passwords(QUICK),
        clock=clock,
        demo=True,
        tickets=TicketsInMemory(),
        hang_up=hang_up,
        media_workers=lambda: (1, 1),
        hearing=lambda: None,
        media_packets=lambda: {(0, "forwarded"): 7},
        vault=vault,
    )
    demo = await prepare(made, compose.policy(settings))
    app = application(made, socket_routes=())
    jar = CookieJar(unsafe=True)
    async with TestClient(TestServer(app, port=settings.server.port), cookie_jar=jar) as client:
        site = Site(client, made, demo)
        site.hung_up = hung_up
        yield site
