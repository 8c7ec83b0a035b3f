"""Sockets that misbehave, beside those of a live call."""

import asyncio
import contextlib
import json
from typing import Any

import aiohttp
import pytest

from tests.hostile import wire
from tests.hostile.caller import Call, Caller
from tests.hostile.spray import STRANGER
from tests.server.browser import SOON_S

pytestmark = pytest.mark.asyncio(loop_scope="package")

IDLE = 60
UNAUTHENTICATED_MAX = 5
"""Of one address; `Limits` of the gateway says so."""
EVENTS = 3_000
BOMB_BYTES = 32 << 20
DEEP = 5_000
REPORT = {"type": "report_connection", "level": "good"}


async def ticket_of(caller: Caller) -> str:
    ticket: str = (await caller.browser.post("/api/ticket", caller.seat))["ticket"]
    return ticket


PACKETS: dict[str, list[str | bytes]] = {
    "an attachment": ['451-0["message",{"_placeholder":true,"num":0}]', b"x" * 60_000],
    "ten thousand million attachments": ['459999999999-0["message"]', *[b"x" * 60_000] * 40],
    "an acknowledgement with attachments": ['461-0[{"_placeholder":true,"num":0}]'],
    "bare bytes": [b"\x00" * 60_000],
    "base64": ["bAAAA" * 10_000],
}
MESSAGES: dict[str, str] = {
    "an unknown type": wire.event({"type": "become_physician", "command_id": "command-1"}),
    "no type": wire.event({}),
    "a type that is a list": wire.event({"type": ["arrive"]}),
    "a type that is a name of ours": wire.event({"type": "__class__"}),
    "a further field": wire.event({**REPORT, "role": "physician", "admitted": True}),
    "a field of another kind": wire.event({"type": "set_media", "audio_on": "yes", "video_on": 1}),
    "not a number": '420["message",{"type":"fetch_chat","after_seq":NaN}]',
    "a number without end": '420["message",{"type":"fetch_chat","after_seq":' + "9" * 5_000 + "}]",
    "the same field twice": '420["message",{"type":"arrive","type":"leave"}]',
    "a board's message": wire.event({"type": "open_board"}),
    "deep objects": '420["message",' + '{"a":' * DEEP + "1" + "}" * DEEP + "]",
    "deep lists": '420["message",{"type":' + "[" * DEEP + "]" * DEEP + "}]",
    "half of it": '420["message",{"type":',
    "another event": '420["connect",{"aiohttp.request":1}]',
    "another namespace": "40/admin,",
    "a second CONNECT": "40{}",
    "lone surrogates": '420["message",{"type":"send_message","command_id":"command-1","text":"\\ud800"}]',
    "NUL": wire.event({"type": "send_message", "command_id": "command-1", "text": "a\x00b"}),
    "nothing": "4",
}


async def opened(call: Call, companion: Caller, socket: wire.Socket) -> None:
    assert (await wire.authenticate(socket, await ticket_of(companion))).startswith("40")


@pytest.mark.parametrize("what", PACKETS)
async def test_binary_packets_end_their_socket_and_are_not_kept(
    call: Call, companion: Caller, what: str
) -> None:
    async with call.unhurt(), wire.bare(call.server.origin) as socket:
        await opened(call, companion, socket)
        with contextlib.suppress(ConnectionError):
            for packet in PACKETS[what]:
                await (socket.send_bytes(packet) if isinstance(packet, bytes) else socket.send_str(packet))
        assert (await wire.last_words(socket))[:1] in (["binary"], [])
        assert socket.closed


@pytest.mark.parametrize("what", MESSAGES)
async def test_what_is_no_message_ends_its_socket(call: Call, companion: Caller, what: str) -> None:
    async with call.unhurt(), wire.bare(call.server.origin) as socket:
        await opened(call, companion, socket)
        await socket.send_str(MESSAGES[what])
        assert (await wire.last_words(socket))[:1] in (["bad_packet"], ["bad_message"], ["wrong_connection"])
        assert socket.closed


async def test_a_flood_of_messages_ends_its_socket_and_slows_nobody(call: Call, companion: Caller) -> None:
    async with call.unhurt(), wire.bare(call.server.origin) as socket:
        await opened(call, companion, socket)
        with contextlib.suppress(ConnectionError):
            for number in range(EVENTS):
                await socket.send_str(wire.event(REPORT, number))
        assert await wire.last_words(socket) == ["too_fast"]


@pytest.mark.parametrize("size", [70_000, 8 << 20])
async def test_an_oversized_packet_ends_its_socket(call: Call, companion: Caller, size: int) -> None:
    async with call.unhurt(), wire.bare(call.server.origin) as socket:
        await opened(call, companion, socket)
        with contextlib.suppress(ConnectionError):
            await socket.send_str(wire.event({"type": "send_message", "text": "x" * size}))
        assert await wire.last_words(socket) == []
        assert socket.closed


async def test_a_packet_that_grows_when_it_is_unpacked_ends_its_socket(call: Call, companion: Caller) -> None:
    async with call.unhurt(), wire.bare(call.server.origin, compress=15) as socket:
        await opened(call, companion, socket)
        with contextlib.suppress(ConnectionError):
            await socket.send_str(wire.event({"text": "x" * BOMB_BYTES}))
        assert await wire.last_words(socket) == []
        assert socket.closed


async def test_sockets_that_never_say_who_they_are_are_few(call: Call, companion: Caller) -> None:
    refused = 0
    async with call.unhurt(), contextlib.AsyncExitStack() as stack:
        for number in range(IDLE):
            forged = {"Origin": call.server.origin, "X-Forwarded-For": f"198.51.100.{number}"}
            try:
                await stack.enter_async_context(wire.bare(call.server.origin, forged))
            except aiohttp.WSServerHandshakeError:
                refused += 1
        await companion.open()  # from another address
    assert refused == IDLE - UNAUTHENTICATED_MAX


async def test_a_ticket_opens_one_socket_and_no_other_opens_any(call: Call, companion: Caller) -> None:
    used = await ticket_of(companion)
    async with call.unhurt():
        async with wire.bare(call.server.origin) as socket:
            assert (await wire.authenticate(socket, used)).startswith("40")
        for ticket in (used, used[::-1], "x" * 32, "", "' OR 1=1 --", "x" * 60_000):
            async with wire.bare(call.server.origin) as socket:
                assert (await wire.authenticate(socket, ticket)).startswith("44")


async def test_a_seat_in_the_auth_is_no_ticket(call: Call) -> None:
    auths: tuple[Any, ...] = ({**call.patient.seat}, {"ticket": None}, {"ticket": ["x" * 32]}, [], "x", 1)
    async with call.unhurt():
        for auth in auths:
            async with wire.bare(call.server.origin) as socket:
                await socket.receive_str()
                await socket.send_str("40" + json.dumps(auth))
                assert [code for code in await wire.last_words(socket) if code] == []
                assert socket.closed


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "https://evil.example", "X-Forwarded-Host": "evil.example"},
        {"Origin": "https://evil.example", "X-Forwarded-Host": "evil.example", "Host": "evil.example"},
        {"Origin": "https://evil.example", "Forwarded": "host=evil.example", "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "cross-site"},
        {},
    ],
)
async def test_other_sites_open_no_socket(call: Call, headers: dict[str, str]) -> None:
    async with call.unhurt():
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            async with wire.bare(call.server.origin, headers):
                pass
    assert caught.value.status in (403, 421)


POLLED: dict[str, tuple[bytes, set[int]]] = {
    "nothing": (b"", {200}),
    "empty packets": (b"\x1e" * 60_000, {200}),
    "too much": (b"4" * 70_000, {413}),
    "no text": (b"\xff\xfe", {200}),
    "an unknown packet": (b"9", {200}),
    "base64": (b"bAAA=", {200, 400}),
}


@pytest.mark.parametrize("what", POLLED)
async def test_polling_with_nonsense_is_answered_at_once(call: Call, what: str) -> None:
    url = f"{call.server.origin}/socket.io/?EIO=4&transport=polling"
    headers = {"Origin": call.server.origin}
    body, statuses = POLLED[what]
    connector = aiohttp.TCPConnector(local_addr=(STRANGER, 0))
    async with call.unhurt(), aiohttp.ClientSession(connector=connector, headers=headers) as http:
        async with http.get(url) as answer:
            assert answer.status == 200
            sid = json.loads((await answer.text())[1:])["sid"]
        async with asyncio.timeout(SOON_S), http.post(f"{url}&sid={sid}", data=body) as answer:
            assert answer.status in statuses
        for wrong in (f"{url}&sid=x", f"{url}&sid={sid}&j=1", f"{url}&EIO=3", f"{url}&transport=carrier"):
            async with asyncio.timeout(SOON_S), http.post(wrong, data=body) as answer:
                assert 400 <= answer.status < 500
