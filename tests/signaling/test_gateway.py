"""The gateway over real sockets: real Socket.IO clients, and clients that misbehave."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
import socketio
from aiohttp import web

from signaling.consult.values import ConnectionId, Role
from signaling.gateway import Gateway, Limits
from signaling.ports import BoardEntry, SeatEntry
from signaling.protocol.messages import AskedToMute
from tests.signaling.fakes import CountingIds, MemoryTickets
from tests.signaling.world import CLINIC, MARIA, PHONE, World

ORIGIN = "https://clinic.test"
HEADERS = {"Origin": ORIGIN}
WITHIN_S = 5.0
QUICK = Limits(connect_within_s=0.3)


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


@pytest.fixture
async def server() -> AsyncIterator[Running]:
    async with running() as started:
        yield started


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


async def test_a_seat_gets_its_view_and_its_messages_are_answered(
    server: Running, browsers: Callable[[], Browser]
) -> None:
    browser = await browsers().open(server, server.seat())
    view = await browser.until(lambda m: m["type"] == "consult_view")
    assert view["screen"] == "check"
    answer = await browser.ask({"type": "arrive", "command_id": "command-1"})
    assert answer["type"] == "accepted"
    await browser.until(lambda m: m.get("screen") == "waiting")


async def test_polling_carries_the_same(browsers: Callable[[], Browser]) -> None:
    async with running(Limits(ping_interval_s=0.2, ping_timeout_s=0.5)) as server:
        browser = await browsers().open(server, server.seat(), transports=["polling"])
        assert (await browser.until(lambda m: True))["type"] == "consult_view"
        answer = await browser.ask({"type": "arrive", "command_id": "command-1"})
        assert answer["type"] == "accepted"
        await browser.sio.disconnect()


async def test_a_board_is_sent_and_follows_the_waiting_room(
    server: Running, browsers: Callable[[], Browser]
) -> None:
    desk = await browsers().open(server, server.board())
    board = await desk.until(lambda m: m["type"] == "board_view")
    assert [row["phase"] for row in board["rows"]] == ["scheduled"]
    patient = await browsers().open(server, server.seat())
    await patient.ask({"type": "arrive", "command_id": "command-1"})
    await server.world.service.flush_boards()
    await desk.until(lambda m: m["rows"][0]["phase"] == "waiting")


async def test_a_refusal_has_its_code_and_the_connection_goes_on(
    server: Running, browsers: Callable[[], Browser]
) -> None:
    browser = await browsers().open(server, server.seat())
    say = {"type": "send_message", "command_id": "command-1", "text": "hello"}
    assert (await browser.ask(say))["code"] == "not_now"
    assert (await browser.ask({"type": "arrive", "command_id": "command-2"}))["type"] == "accepted"


async def test_a_bug_is_answered_with_a_support_id_and_logged(
    server: Running, browsers: Callable[[], Browser], caplog: pytest.LogCaptureFixture
) -> None:
    browser = await browsers().open(server, server.seat())
    await browser.until(lambda m: m["type"] == "consult_view")
    server.world.store.append = None  # type: ignore[assignment, method-assign]
    answer = await browser.ask({"type": "arrive", "command_id": "command-1"})
    assert answer["code"] == "internal"
    assert answer["support_id"] in caplog.text


@pytest.mark.parametrize(
    "message",
    [
        {"type": "no_such_message"},
        {"type": "arrive", "command_id": "command-1", "role": "physician"},
        {"type": "arrive"},
        {"type": ["arrive"]},
        {"type": "open_board"},
        {"type": "set_media", "audio_on": "yes", "video_on": True},
    ],
)
async def test_a_broken_message_is_a_protocol_error_and_the_end(
    server: Running, browsers: Callable[[], Browser], message: dict[str, object]
) -> None:
    browser = await browsers().open(server, server.seat())
    await browser.sio.emit("message", message, callback=lambda *_: None)
    assert (await browser.until(lambda m: m["type"] == "protocol_error"))["code"]
    await browser.wait_gone()


@pytest.mark.parametrize("kind", ["nothing", "short", "unknown", "used"])
async def test_without_a_fresh_ticket_there_is_no_connection(
    server: Running, browsers: Callable[[], Browser], kind: str
) -> None:
    used = server.seat()
    await browsers().open(server, used)
    ticket = {"nothing": "", "short": "x", "unknown": "u" * 32, "used": used}[kind]
    with pytest.raises(socketio.exceptions.ConnectionError):
        await browsers().open(server, ticket)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.test"},
        {"Origin": "null"},
        {"Origin": "https://evil.test", "X-Forwarded-Host": "evil.test"},
        {},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_a_foreign_or_missing_origin_opens_nothing(server: Running, headers: dict[str, str]) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        async with raw(server, headers):
            pass
    assert caught.value.status == 403
    assert server.gateway.connections == 0


async def test_a_browsers_own_page_may_poll_without_an_origin(server: Running) -> None:
    url = f"{server.url}/socket.io/?EIO=4&transport=polling"
    async with aiohttp.ClientSession() as http:
        async with http.get(url, headers={"Sec-Fetch-Site": "same-origin"}) as answer:
            assert answer.status == 200
        async with http.get(url + "&j=1", headers=HEADERS) as answer:
            assert answer.status == 403


async def test_a_socket_that_never_authenticates_is_closed() -> None:
    async with running(QUICK) as server, raw(server) as socket:
        await closed_by_server(socket, lets_go=False)
        await server.open_sockets(0)


async def test_an_address_has_few_unauthenticated_sockets_and_others_are_not_affected() -> None:
    async with running(Limits(unauthenticated_per_address=2)) as server, raw(server), raw(server):
        with pytest.raises(aiohttp.WSServerHandshakeError):
            async with raw(server):
                pass
        server.addresses[0] = "192.0.2.2"
        async with raw(server) as socket:
            await authenticated(socket, server.seat())


async def test_an_address_has_a_bounded_number_of_connections() -> None:
    async with running(Limits(connections_per_address=1)) as server, raw(server) as socket:
        await authenticated(socket, server.seat())
        with pytest.raises(aiohttp.WSServerHandshakeError):
            async with raw(server):
                pass


@pytest.mark.parametrize(
    "packet",
    [
        '451-0["message",{"_placeholder":true,"num":0}]',
        '459999999999-0["message"]',
        '461-0[{"_placeholder":true,"num":0}]',
        b"\x00\x01",
        "bAAAA",
    ],
)
async def test_binary_is_refused_and_ends_the_connection(server: Running, packet: str | bytes) -> None:
    async with raw(server) as socket:
        await authenticated(socket, server.seat())
        await (socket.send_bytes(packet) if isinstance(packet, bytes) else socket.send_str(packet))
        assert protocol_errors(await closed_by_server(socket)) == ["binary"]


@pytest.mark.parametrize(
    "packet",
    [
        '420["connect",{"aiohttp.request":1},{"ticket":"x"}]',
        '420["disconnect","client disconnect"]',
        '420["no_such_event",{}]',
        '420["message",1]',
        '42["message",{"type":"leave"}]',
        '420["message",{"type":"leave"},2]',
        '420["message",{',
        '40{"ticket":"a-second-connect-here"}',
        "40/admin,",
        "430[]",
        "44{}",
        "4x",
    ],
)
async def test_a_packet_outside_the_grammar_ends_the_connection(server: Running, packet: str) -> None:
    async with raw(server) as socket:
        await authenticated(socket, server.seat())
        await socket.send_str(packet)
        assert protocol_errors(await closed_by_server(socket))[0] in ("bad_packet", "bad_message")


@pytest.mark.parametrize("packet", ["x", "4" + "[" * 20_000, '420["message",' + "[" * 20_000, "9", ""])
async def test_what_is_no_packet_ends_the_connection_and_harms_nobody(
    server: Running, browsers: Callable[[], Browser], packet: str
) -> None:
    other = await browsers().open(server, server.board())
    async with raw(server) as socket:
        await authenticated(socket, server.seat())
        await socket.send_str(packet)
        await socket.send_str('421["message",{"type":"nonsense"}]')
        await closed_by_server(socket)
    await server.open_sockets(1)
    assert (await other.ask({"type": "open_board"}))["type"] == "accepted"


async def test_a_packet_over_the_limit_ends_the_connection(server: Running) -> None:
    async with raw(server) as socket:
        await authenticated(socket, server.seat())
        await socket.send_str('420["message",{"type":"' + "x" * 70_000 + '"}]')
        await closed_by_server(socket)
    await server.open_sockets(0)


async def test_a_message_over_its_own_limit_is_a_protocol_error(
    server: Running, browsers: Callable[[], Browser]
) -> None:
    browser = await browsers().open(server, server.seat())
    offer = {"type": "connect_media", "offer": "x" * 50_000}
    await browser.sio.emit("message", offer, callback=lambda *_: None)
    assert (await browser.until(lambda m: m["type"] == "protocol_error"))["code"] == "too_large"


async def test_a_flood_ends_the_flooding_connection_and_no_other(
    server: Running, browsers: Callable[[], Browser]
) -> None:
    desk = await browsers().open(server, server.board())
    async with raw(server) as socket:
        await authenticated(socket, server.seat())
        for n in range(200):
            media = {"type": "set_media", "audio_on": bool(n % 2), "video_on": True}
            await socket.send_str(f"42{n}" + json.dumps(["message", media], separators=(",", ":")))
        said = await closed_by_server(socket)
    assert protocol_errors(said) == ["too_fast"]
    assert sum(s.startswith("43") for s in said) <= 45
    assert (await desk.ask({"type": "open_board"}))["type"] == "accepted"


async def test_messages_of_one_connection_are_handled_in_order(
    server: Running, browsers: Callable[[], Browser]
) -> None:
    browser = await browsers().open(server, server.seat())
    got: list[str] = []
    done = asyncio.Event()

    def note(answer: dict[str, Any]) -> None:
        got.append(answer.get("code", "accepted"))
        if len(got) == 4:
            done.set()

    for n, what in enumerate(("leave", "arrive", "leave", "leave")):
        await browser.sio.emit("message", {"type": what, "command_id": f"command-{n}"}, callback=note)
    async with asyncio.timeout(WITHIN_S):
        await done.wait()
    assert got == ["not_now", "accepted", "accepted", "not_now"]


async def test_an_older_page_is_told_and_closed_and_the_newer_one_goes_on(
    server: Running, browsers: Callable[[], Browser]
) -> None:
    first = await browsers().open(server, server.seat())
    second = await browsers().open(server, server.seat())
    await first.until(lambda m: m["type"] == "displaced")
    await first.wait_gone()
    assert (await second.ask({"type": "arrive", "command_id": "command-1"}))["type"] == "accepted"


async def test_a_person_taken_out_gets_a_final_view_and_is_disconnected_within_a_second(
    server: Running, browsers: Callable[[], Browser]
) -> None:
    patient = await browsers().open(server, server.seat())
    desk = await browsers().open(server, server.board())
    revoke = {
        "type": "revoke_invitation",
        "command_id": "command-1",
        "consult_id": server.world.consult,
        "participant": server.world.people[Role.PATIENT],
    }
    async with asyncio.timeout(1.0):
        await desk.ask(revoke)
        await patient.until(lambda m: m.get("screen") == "closed")
        await patient.gone.wait()


async def test_leaving_the_page_is_noticed_at_once(server: Running, browsers: Callable[[], Browser]) -> None:
    browser = await browsers().open(server, server.seat())
    await browser.until(lambda m: m["type"] == "consult_view")
    await browser.sio.disconnect()
    patient = server.world.people[Role.PATIENT]

    async def gone() -> bool:
        presence = await server.world.presence.get(server.world.consult)
        return presence.of(patient).connection is None

    await eventually(gone)


async def test_a_silent_connection_is_closed_and_its_silence_counted() -> None:
    limits = Limits(ping_interval_s=0.2, ping_timeout_s=0.3)
    async with running(limits) as server, raw(server) as socket:
        await authenticated(socket, server.seat())
        async with asyncio.timeout(WITHIN_S):
            async for _ in socket:
                pass  # pings are read and never answered
        await server.open_sockets(0)
        presence = await server.world.presence.get(server.world.consult)
        since = presence.of(server.world.people[Role.PATIENT]).gone_since
        assert since is not None
        assert (server.world.clock.now() - since).total_seconds() > 0.1


async def test_a_connection_that_reads_nothing_costs_a_bounded_amount_and_is_cut(server: Running) -> None:
    async with raw(server) as socket:
        await authenticated(socket, server.seat())
        [connection] = [ConnectionId(sid) for sid in server.gateway._by_sid]
        for _ in range(500):
            server.gateway.send(connection, AskedToMute())
        await server.open_sockets(0)


async def test_shutting_down_closes_every_socket_and_leaves_no_task() -> None:
    async with running() as server:
        async with raw(server) as one, raw(server) as two:
            await authenticated(one, server.seat())
            await authenticated(two, server.board())
            await asyncio.gather(server.gateway.shutdown(), closed_by_server(one), closed_by_server(two))
        assert server.gateway.connections == 0
        assert not server.gateway._tasks


async def eventually(check: Callable[[], Awaitable[bool]]) -> None:
    """Wait until a state that nothing announces is reached."""
    async with asyncio.timeout(WITHIN_S):
        while not await check():  # noqa: ASYNC110 (nothing announces it)
            await asyncio.sleep(0.01)
