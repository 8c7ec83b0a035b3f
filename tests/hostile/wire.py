"""Bare connections from an address of their own: one WebSocket, or one request byte by byte."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import aiohttp

from tests.hostile.spray import STRANGER
from tests.server.browser import SOON_S

ANSWER_BYTES_MAX = 1 << 20
Socket = aiohttp.ClientWebSocketResponse


@contextlib.asynccontextmanager
async def bare(
    origin: str, headers: dict[str, str] | None = None, *, compress: int = 0
) -> AsyncIterator[Socket]:
    """An engine.io WebSocket that has said nothing yet."""
    url = f"{origin}/socket.io/?EIO=4&transport=websocket"
    connector = aiohttp.TCPConnector(local_addr=(STRANGER, 0))
    sent = {"Origin": origin} if headers is None else headers
    async with (
        aiohttp.ClientSession(connector=connector) as http,
        http.ws_connect(url, headers=sent, compress=compress, max_msg_size=0) as socket,
    ):
        yield socket


async def authenticate(socket: Socket, ticket: str) -> str:
    """Send CONNECT; what the server says to it."""
    await socket.receive_str(timeout=SOON_S)
    await socket.send_str("40" + json.dumps({"ticket": ticket}))
    return await socket.receive_str(timeout=SOON_S)


async def last_words(socket: Socket) -> list[str]:
    """The codes of protocol errors the server sends before it closes the socket."""
    codes = []
    async with asyncio.timeout(SOON_S):
        async for message in socket:
            if isinstance(message.data, str) and message.data.startswith("42"):
                _, told = json.loads(message.data[2:])
                codes += [told["code"]] if told["type"] == "protocol_error" else []
            if message.data == "1":
                await socket.close()
    return codes


def event(message: object, number: int = 0) -> str:
    """The packet of a message that is to be acknowledged."""
    return f"42{number}" + json.dumps(["message", message], separators=(",", ":"))


async def raw_request(origin: str, request: bytes) -> bytes:
    """What the server answers to these bytes until it closes or has sent a whole head; empty for nothing."""
    parts = urlsplit(origin)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port, local_addr=(STRANGER, 0))
    answer = b""
    try:
        with contextlib.suppress(ConnectionError):
            writer.write(request)
            async with asyncio.timeout(SOON_S):
                await writer.drain()
                while b"\r\n\r\n" not in answer and (more := await reader.read(65_536)):
                    answer += more
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
    return answer


def head(method: str, path: str, host: str, *lines: str) -> bytes:
    """The head of a request as our own pages send it, with more lines."""
    own = (f"Host: {host}", f"Origin: http://{host}", "Sec-Fetch-Site: same-origin")
    return "\r\n".join((f"{method} {path} HTTP/1.1", *own, *lines, "", "")).encode("latin-1")


def host_of(origin: str) -> str:
    return urlsplit(origin).netloc
