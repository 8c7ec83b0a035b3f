"""The gateway over real sockets: what clients that misbehave get from it."""

import json
from collections.abc import Callable

import aiohttp
import pytest
import socketio

from signaling.consult.ids import ConnectionId
from signaling.gateway import Limits
from signaling.protocol.messages import AskedToMute
from tests.signaling.sockets import (
    HEADERS,
    Browser,
    Running,
    authenticated,
    closed_by_server,
    protocol_errors,
    raw,
    running,
)

QUICK = Limits(connect_within_s=0.3)


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


async def test_a_connection_that_reads_nothing_costs_a_bounded_amount_and_is_cut(server: Running) -> None:
    async with raw(server) as socket:
        await authenticated(socket, server.seat())
        [connection] = [ConnectionId(sid) for sid in server.gateway._by_sid]
        for _ in range(500):
            server.gateway.send(connection, AskedToMute())
        await server.open_sockets(0)
