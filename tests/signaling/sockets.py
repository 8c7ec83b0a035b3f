"""A server on a loopback port for the gateway tests, real Socket.IO clients, and bare sockets."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import socketio
from aiohttp import web

from signaling.consult.values import Role
from signaling.gateway import Gateway, Limits
from signaling.ports import BoardEntry, SeatEntry
from tests.signaling.fakes import CountingIds, MemoryTickets
from tests.signaling.world import CLINIC, MARIA, PHONE, World

ORIGIN = "https://clinic.test"
HEADERS = {"Origin": ORIGIN}
WITHIN_S = 5.0


@dataclass
class Running:
    """A server on a loopback port."""

    url: str
    gateway: Gateway
    world: World
    tickets: MemoryTickets
    addresses: list[str] = field(default_factory=lambda: ["192.0.2.1"])

    async def open_sockets(self, count: int) -> None:
        """Wait until so many sockets are open."""

        async def reached() -> bool:
            return self.gateway.connections == count

        await eventually(reached)

    def seat(self, role: Role = Role.PATIENT) -> str:
        """A ticket for a seat of the scheduled consult."""
        participant = self.world.people[role]
        return self.tickets.make(SeatEntry(consult=self.world.consult, participant=participant, device=PHONE))

    def board(self) -> str:
        """A ticket for the coordinator's board."""
        return self.tickets.make(BoardEntry(clinic=CLINIC, user=MARIA, role=Role.COORDINATOR))


@asynccontextmanager
async def running(limits: Limits | None = None) -> AsyncIterator[Running]:
    """A server with a scheduled consult."""
    world, tickets, addresses = World(), MemoryTickets(), ["192.0.2.1"]
    gateway = Gateway(
        tickets=tickets,
        ids=CountingIds(),
        origins=frozenset({ORIGIN}),
        address_of=lambda _: addresses[0],
        limits=limits,
    )
    await world.scheduled()
    world.sent = gateway  # type: ignore[assignment]
    world.service = world.restarted()
    gateway.bind(world.service)
    app = web.Application()
    app.add_routes(gateway.routes())
    runner = web.AppRunner(app, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield Running(
            url=f"http://127.0.0.1:{port}",
            gateway=gateway,
            world=world,
            tickets=tickets,
            addresses=addresses,
        )
    finally:
        await gateway.shutdown()
        await runner.cleanup()


class Browser:
    """A Socket.IO client that keeps what it is told."""

    def __init__(self) -> None:
        self.http = aiohttp.ClientSession(headers=HEADERS)  # the client sends its own only once
        self.sio = socketio.AsyncClient(reconnection=False, http_session=self.http)
        self.told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.gone = asyncio.Event()
        self.sio.on("message", self.told.put)
        self.sio.on("disconnect", self._gone)

    async def _gone(self, *_: object) -> None:
        self.gone.set()

    async def open(self, server: Running, ticket: str, transports: list[str] | None = None) -> "Browser":
        await self.sio.connect(
            server.url,
            headers=HEADERS,
            auth={"ticket": ticket},
            transports=transports or ["websocket"],
            wait_timeout=5,
        )
        return self

    async def ask(self, message: object) -> dict[str, Any]:
        answer: dict[str, Any] = await self.sio.call("message", message, timeout=5)
        return answer

    async def until(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        async with asyncio.timeout(WITHIN_S):
            while True:
                message = await self.told.get()
                if wanted(message):
                    return message

    async def wait_gone(self) -> None:
        async with asyncio.timeout(WITHIN_S):
            await self.gone.wait()


@asynccontextmanager
async def raw(
    server: Running, headers: dict[str, str] | None = None
) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    """A bare engine.io WebSocket, opened."""
    url = f"{server.url}/socket.io/?EIO=4&transport=websocket"
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(url, headers=HEADERS if headers is None else headers) as socket,
    ):
        yield socket


async def authenticated(socket: aiohttp.ClientWebSocketResponse, ticket: str) -> None:
    """CONNECT by hand."""
    assert (await socket.receive_str()).startswith("0")
    await socket.send_str("40" + json.dumps({"ticket": ticket}))
    assert (await socket.receive_str(timeout=WITHIN_S)).startswith("40")


async def closed_by_server(socket: aiohttp.ClientWebSocketResponse, *, lets_go: bool = True) -> list[str]:
    """What a socket is still sent before the server closes it, or (if it does not let go) cuts it."""
    said = []
    async with asyncio.timeout(WITHIN_S):
        async for message in socket:
            said.append(message.data)
            if message.data == "2":
                await socket.send_str("3")
            if message.data == "1" and lets_go:
                await socket.close()
    return said


def protocol_errors(said: list[str]) -> list[str]:
    events = [json.loads(s[2:]) for s in said if s.startswith("42")]
    return [e[1]["code"] for e in events if e[1]["type"] == "protocol_error"]


async def eventually(check: Callable[[], Awaitable[bool]]) -> None:
    """Wait until a state that nothing announces is reached."""
    async with asyncio.timeout(WITHIN_S):
        while not await check():  # noqa: ASYNC110 (nothing announces it)
            await asyncio.sleep(0.01)
