"""Calls from one server to another, about the media it has: sealed, over HTTP, on an address of their own."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import Final

from aiohttp import ClientError, ClientSession, ClientTimeout, web

from server.cluster.sealed import Sealer
from server.cluster.wire import (
    Answered,
    ClosePeer,
    ConnectPeer,
    Declined,
    Done,
    Letter,
    Message,
    Settle,
    decode,
    encode,
)
from server.logs import logger
from signaling.consult.news import ServerId

PATH: Final = "/link"
BODY_BYTES_MAX: Final = 1024 * 1024
CALL_S_MAX: Final = 4.0
CONNECT_S_MAX: Final = 1.0

Call = ConnectPeer | ClosePeer | Settle
Reply = Answered | Done | Declined

log = logger("link")


class Unreachable(Exception):  # noqa: N818 (what it says of the server)
    """The other server does not answer, or not in time."""


class Link:
    """This server's end of every link. `answer` says what to do with a call."""

    def __init__(self, sealer: Sealer, server: ServerId) -> None:
        self.server = server
        self.answer: Callable[[Call], Awaitable[Reply]] = _not_yet
        self._sealer = sealer
        self._session: ClientSession | None = None
        self._runner: web.AppRunner | None = None
        self._lost_at: dict[ServerId, float] = {}

    async def start(self) -> None:
        """Listen on this server's address. Raises OSError."""
        self._session = ClientSession(timeout=ClientTimeout(total=CALL_S_MAX, sock_connect=CONNECT_S_MAX))
        app = web.Application(client_max_size=BODY_BYTES_MAX)
        app.add_routes([web.post(PATH, self._called)])
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=0.2)
        await self._runner.setup()
        host, _, port = self.server.rpartition(":")
        await web.TCPSite(self._runner, host.strip("[]"), int(port)).start()

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
        if self._runner is not None:
            await self._runner.cleanup()

    def unreachable_s(self, server: ServerId) -> float:
        """How long this server has been called in vain; 0 if the last call was answered."""
        lost_at = self._lost_at.get(server)
        return 0.0 if lost_at is None else monotonic() - lost_at

    async def call(self, to: ServerId, call: Call) -> Reply:
        """Ask another server. Raises `Unreachable`."""
        try:
            reply = await self._sent(to, Letter(sender=self.server, to=to, message=call))
        except Unreachable:
            self._lost_at.setdefault(to, monotonic())
            raise
        self._lost_at.pop(to, None)
        return reply

    async def _sent(self, to: ServerId, letter: Letter) -> Reply:
        if self._session is None:
            raise Unreachable
        try:
            body = self._sealer.seal(encode(letter))
            async with self._session.post(f"http://{to}{PATH}", data=body) as response:
                text = self._sealer.open(await response.read())
        except (ClientError, TimeoutError, OSError) as error:
            raise Unreachable(type(error).__name__) from error
        answered = decode(text) if text is not None else None
        if answered is None or not isinstance(answered.message, Answered | Done | Declined):
            raise Unreachable("no such secret")
        return answered.message

    async def _called(self, request: web.Request) -> web.StreamResponse:
        text = self._sealer.open(await request.read())
        letter = decode(text) if text is not None else None
        if letter is None or letter.to != self.server:
            log.warning("a call that no server of ours made")
            return web.Response(status=403)
        message: Message = letter.message
        if not isinstance(message, ConnectPeer | ClosePeer | Settle):
            return web.Response(status=400)
        try:
            async with asyncio.timeout(CALL_S_MAX):
                reply = await self.answer(message)
        except TimeoutError:
            reply = Declined(code="media_unavailable")
        answer = Letter(sender=self.server, to=letter.sender, message=reply)
        return web.Response(body=self._sealer.seal(encode(answer)))


async def _not_yet(_: Call) -> Reply:
    return Declined(code="media_unavailable")
