"""The Socket.IO shell: the only file that sees python-socketio. Packets in, messages out, faults sorted.

What python-socketio and engine.io would accept and we do not is refused here before they parse it: binary
packets, events by any other name (an event a client names `connect` would call that handler), a second
CONNECT, floods, sockets that never authenticate, foreign origins. `tests/signaling/test_gateway.py` holds
each of these, and fails when an upgrade changes the grain this file relies on.
"""

import asyncio
import contextlib
import json
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar

import socketio
from aiohttp import web

from signaling.consult.ids import ConnectionId
from signaling.errors import Code, ProtocolError, Refused, Unstored
from signaling.gateway.client import Bucket, Client, Limits
from signaling.ports import BoardEntry, Ids, SeatEntry, Tickets
from signaling.protocol import codec, messages
from signaling.protocol.fields import Shape
from signaling.protocol.shapes import BoardView, ConsultView
from signaling.service import Service

PATH: Final = "/socket.io/"
PACKET_MAX: Final = 65_536  # bytes of one packet or polling body
HANDLED_WITHIN_S: Final = 15.0
CLOSED_WITHIN_S: Final = 1.0
UNSENT_MAX: Final = 64  # messages waiting for one connection; views replace each other
QUEUED_MAX: Final = 32  # packets engine.io holds for one connection
SLOW_MAX_S: Final = 10.0  # a connection that takes nothing for so long is closed
_SLOW_LOOK_S: Final = 0.1
_CLIENT: Final = web.RequestKey("signaling.client", Client)  # the client a request carries
_COST: Final[Mapping[type[Shape], int]] = {messages.ConnectMedia: 8, messages.FetchChat: 4}

_log = logging.getLogger(__name__)
# What a client can make the libraries say is not worth a line each; our own log says what matters.
_wire_log = logging.getLogger(f"{__name__}.wire")
_wire_log.setLevel(logging.CRITICAL)

T = TypeVar("T")


class _Json:
    """What python-socketio encodes and decodes with: compact, and deep nesting is an error like any other."""

    @staticmethod
    def dumps(value: object, **options: Any) -> str:
        return json.dumps(value, ensure_ascii=False, **options)

    @staticmethod
    def loads(text: str, **options: Any) -> object:
        try:
            return json.loads(text, **options)
        except RecursionError as error:
            raise ValueError("nested too deep") from error


def _loud(handler: Callable[..., Awaitable[T]]) -> Callable[..., Awaitable[T | None]]:
    """engine.io swallows what a handler raises, and its own log is shut: log our bugs ourselves."""

    async def guarded(*arguments: object) -> T | None:
        try:
            return await handler(*arguments)
        except Exception:
            _log.exception("%s failed", handler.__name__)
            raise

    return guarded


class Gateway:
    """Carries messages between browsers and the service. It is the service's outbox."""

    def __init__(
        self,
        *,
        tickets: Tickets,
        ids: Ids,
        origins: frozenset[str],
        address_of: Callable[[web.Request], str],
        limits: Limits | None = None,
    ) -> None:
        """Accept browsers from `origins` only; `address_of` gives a request's real peer address."""
        self._tickets = tickets
        self._ids = ids
        self._origins = origins
        self._address_of = address_of
        self._limits = limits or Limits()
        self._service: Service | None = None
        self._clients: dict[str, Client] = {}
        self._by_sid: dict[str, Client] = {}
        self._addresses: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopped = False
        self._sio = socketio.AsyncServer(
            async_mode="aiohttp",
            async_handlers=False,
            cors_allowed_origins=sorted(origins),
            max_http_buffer_size=PACKET_MAX,
            ping_interval=self._limits.ping_interval_s,
            ping_timeout=self._limits.ping_timeout_s,
            http_compression=False,
            cookie=None,
            json=_Json,
            logger=_wire_log,
            engineio_logger=_wire_log,
        )
        self._sio.on("connect", self._on_connect)
        self._sio.on("message", self._on_message)
        inner = dict(self._sio.eio.handlers)
        self._inner_open: Callable[..., Awaitable[None]] = inner["connect"]
        self._inner_packet: Callable[..., Awaitable[None]] = inner["message"]
        self._inner_close: Callable[..., Awaitable[None]] = inner["disconnect"]
        self._sio.eio.on("connect", _loud(self._on_open))
        self._sio.eio.on("message", _loud(self._on_packet))
        self._sio.eio.on("disconnect", _loud(self._on_close))

    def bind(self, service: Service) -> None:
        """Say which service messages go to; once, before the first request."""
        self._service = service

    @property
    def connections(self) -> int:
        """How many sockets are open, authenticated or not."""
        return len(self._clients)

    # --- HTTP --------------------------------------------------------------------------------------------

    def routes(self) -> list[web.AbstractRouteDef]:
        """The routes to add to the application."""
        return [web.get(PATH, self.handle), web.post(PATH, self.handle)]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """One request of a browser: polling, or the WebSocket for as long as it lives."""
        if not self._same_site(request) or "j" in request.query:
            return web.json_response({"code": "foreign_origin"}, status=403)
        client = self._clients.get(request.query.get("sid", ""))
        if request.method == "POST" and (request.content_length or 0) > PACKET_MAX:
            return self._too_long(client)
        if client is not None:
            self._carry(client, request)
        try:
            response: web.StreamResponse = await self._sio.handle_request(request)
        except ValueError as error:  # what engine.io makes of a packet that is none
            _log.info("bad engine.io packet: %s", type(error).__name__)
            if (client := request.get(_CLIENT)) is not None:
                self._spawn(self._drop(client))
            return web.json_response({"code": "bad_packet"}, status=400)
        finally:
            if (client := request.get(_CLIENT)) is not None and client.request is request:
                client.released.set()
        return response

    def _too_long(self, client: Client | None) -> web.Response:
        """engine.io would close the session and wait, without end, for somebody to fetch that."""
        if client is not None:
            self._spawn(self._drop(client))
        return web.json_response({"code": "too_large"}, status=413)

    def _carry(self, client: Client, request: web.Request) -> None:
        request[_CLIENT] = client
        client.request = request
        client.released.clear()

    def _same_site(self, request: web.Request) -> bool:
        """A listed origin; without one, only what a browser itself marks as its own page's request."""
        origin = request.headers.get("Origin")
        if origin is None:
            return request.headers.get("Sec-Fetch-Site") == "same-origin"
        return origin in self._origins

    # --- engine.io ---------------------------------------------------------------------------------------

    async def _on_open(self, eio: str, environ: dict[str, Any]) -> bool | None:
        """An engine.io socket opened. It has `connect_within_s` to authenticate."""
        request: web.Request = environ["aiohttp.request"]
        address, loop = self._address_of(request), asyncio.get_running_loop()
        waiting = sum(c.address == address and c.sid is None for c in self._clients.values())
        limits = self._limits
        if (
            self._stopped
            or waiting >= limits.unauthenticated_per_address
            or self._addresses[address] >= limits.connections_per_address
            or len(self._clients) >= limits.connections_max
        ):
            return False
        bucket = Bucket(per_s=limits.messages_per_s, burst=limits.burst, now=loop.time())
        client = Client(eio=eio, address=address, request=request, bucket=bucket)
        client.deadline = loop.call_later(limits.connect_within_s, self._too_late, client)
        self._carry(client, request)
        self._clients[eio] = client
        self._addresses[address] += 1
        await self._inner_open(eio, environ)
        return None

    def _too_late(self, client: Client) -> None:
        if client.sid is None:
            self._spawn(self._hang_up(client))

    async def _on_packet(self, eio: str, data: object) -> None:
        """One Socket.IO packet. What is not in our grammar ends the connection unparsed."""
        client = self._clients.get(eio)
        if client is None:
            return
        async with client.in_order:
            if client.closing:
                return
            fault = self._fault(client, data)
            if fault is not None:
                await self._break(client, fault)
            elif data == "1":
                self._spawn(self._hang_up(client))
            else:
                await self._pass_on(client, str(data))

    def _fault(self, client: Client, data: object) -> str | None:
        if not isinstance(data, str) or data[:1] in ("5", "6"):
            return "binary"
        if not client.bucket.take(1, now=asyncio.get_running_loop().time()):
            return "too_fast"
        sockets = self._sio.eio.sockets
        if client.eio in sockets and sockets[client.eio].queue.qsize() > QUEUED_MAX:
            return "too_slow"
        return None if client.expects(data) else "bad_packet"

    async def _pass_on(self, client: Client, data: str) -> None:
        client.connecting = True
        try:
            await self._inner_packet(client.eio, data)
        except ValueError:
            await self._break(client, "bad_packet")
            return
        if client.sid is None:
            self._spawn(self._hang_up(client))  # refused; the answer is on its way
        elif client.sid not in self._by_sid:
            await self._authenticated(client)

    async def _on_close(self, eio: str, reason: str | None = None) -> None:
        """The engine.io socket is gone, whoever closed it."""
        client = self._clients.pop(eio, None)
        if client is None:
            return
        silent_s = self._silent_s(eio)
        client.closing = client.finishing = True
        client.wake.set()
        if client.deadline is not None:
            client.deadline.cancel()
        self._addresses[client.address] -= 1
        if not self._addresses[client.address]:
            del self._addresses[client.address]
        await self._inner_close(eio, reason)
        if client.sid is not None and self._by_sid.pop(client.sid, None) is not None:
            await self._bound().detach(client.connection, silent_s=silent_s)

    def _silent_s(self, eio: str) -> float:
        """Seconds since a ping that was never answered; 0 if none is open."""
        socket = self._sio.eio.sockets.get(eio)
        last_ping = socket.last_ping if socket is not None else None
        return max(0.0, time.time() - last_ping) if last_ping else 0.0

    # --- Socket.IO ---------------------------------------------------------------------------------------

    async def _on_connect(self, sid: str, environ: dict[str, Any], auth: object = None) -> None:
        """CONNECT: the ticket in `auth` says whose connection this is."""
        request: web.Request = environ["aiohttp.request"]
        client = request[_CLIENT]
        try:
            wanted = codec.decode_auth(auth)
        except ProtocolError as error:
            raise socketio.exceptions.ConnectionRefusedError("ticket_refused") from error
        try:
            entry = await self._tickets.redeem(wanted.ticket)
        except Unstored as error:  # the page tries again with the same one
            raise socketio.exceptions.ConnectionRefusedError(Code.NOT_STORED) from error
        if client.closing or entry is None:
            raise socketio.exceptions.ConnectionRefusedError("ticket_refused")
        client.sid, client.entry, client.peer = sid, entry, wanted.peer

    async def _authenticated(self, client: Client) -> None:
        if client.deadline is not None:
            client.deadline.cancel()
        self._by_sid[client.connection] = client
        self._spawn(self._write(client))
        if client.entry is None:
            raise ValueError("authenticated without an entry")
        try:
            await self._bound().attach(client.connection, client.entry, peer=client.peer)
            with contextlib.suppress(Unstored):  # the page asks for one when it needs it
                if isinstance(client.entry, SeatEntry):
                    ticket = await self._tickets.next(client.entry)
                    self.send(client.connection, messages.NextTicket(ticket=ticket))
            if client.eio not in self._clients:  # it closed meanwhile, before there was anything to detach
                await self._bound().detach(client.connection)
        except Refused as refused:
            await self._break(client, refused.code)
        except Exception:  # noqa: BLE001 (we are broken: say so loudly, close; the browser tries again)
            _log.exception("attach failed, support id %s", self._support_id())
            self._spawn(self._hang_up(client))

    async def _on_message(self, sid: str, *arguments: object) -> dict[str, Any] | None:
        """One message; the return value is its acknowledgement."""
        client = self._by_sid.get(sid)
        if client is None or client.closing:
            return None
        try:
            answer = await self._answer(client, arguments)
        except Refused as refused:  # the person may not do this now: say so, carry on
            answer = messages.Refusal(code=refused.code)
        except Unstored as error:  # not our bug and not theirs: somebody must look at the database
            _log.error("not stored: %s", type(error.__cause__).__name__)
            answer = messages.Refusal(code=Code.NOT_STORED)
        except ProtocolError as error:  # the client is broken: say so, hang up
            _log.info("protocol error %s: %s", error.code, error.detail)
            await self._break(client, error.code)
            return None
        except Exception:  # noqa: BLE001 (we are broken: say so loudly, carry on)
            support_id = self._support_id()
            _log.exception("message failed, support id %s", support_id)
            answer = messages.Refusal(code=Code.INTERNAL, support_id=support_id)
        return codec.encode(answer)

    async def _answer(self, client: Client, arguments: tuple[object, ...]) -> messages.Answer:
        if len(arguments) != 1:
            raise ProtocolError("bad_message", "one argument")
        message = codec.decode(arguments[0], board=isinstance(client.entry, BoardEntry))
        now = asyncio.get_running_loop().time()
        if not client.bucket.take(_COST.get(type(message), 0), now=now):
            raise ProtocolError("too_fast", message.type)
        async with asyncio.timeout(HANDLED_WITHIN_S):
            return await self._bound().handle(client.connection, message)

    def _bound(self) -> Service:
        if self._service is None:
            raise RuntimeError("bind a service first")
        return self._service

    def _support_id(self) -> str:
        return self._ids.new()[:12]

    # --- towards the browser -----------------------------------------------------------------------------

    def send(self, connection: ConnectionId, message: messages.ServerMessage) -> None:
        """Send a message, in order; a view replaces an unsent one, and too many unsent ones end it."""
        client = self._by_sid.get(connection)
        if client is None or client.closing or client.finishing:
            return
        is_view = isinstance(message, ConsultView | BoardView)
        if is_view and client.unsent and type(client.unsent[-1]) is type(message):
            client.unsent.pop()
        client.unsent.append(message)
        if len(client.unsent) > UNSENT_MAX:
            self._abort(client)
        client.wake.set()

    def close(self, connection: ConnectionId) -> None:
        """Close a connection after what was sent to it."""
        client = self._by_sid.get(connection)
        if client is not None:
            client.finishing = True
            client.wake.set()

    async def shutdown(self) -> None:
        """Close every socket (browsers reconnect by themselves) and take no new one. Once is enough."""
        if self._stopped:
            return
        self._stopped = True
        await asyncio.gather(*(self._drop(client) for client in tuple(self._clients.values())))
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._sio.shutdown()

    async def _write(self, client: Client) -> None:
        while not client.closing:
            while client.unsent and not client.closing:
                if not await self._has_room(client):
                    self._abort(client)
                    return
                message = codec.encode(client.unsent.popleft())
                await self._sio.emit("message", message, to=client.sid)
            if client.finishing:
                await self._hang_up(client)
                return
            client.wake.clear()
            await client.wake.wait()

    async def _has_room(self, client: Client) -> bool:
        """Wait until engine.io holds little for this client; False if that takes too long."""
        for _ in range(round(SLOW_MAX_S / _SLOW_LOOK_S)):
            socket = self._sio.eio.sockets.get(client.eio)
            if socket is None or socket.queue.qsize() < QUEUED_MAX:
                return True
            await asyncio.sleep(_SLOW_LOOK_S)
        return False

    async def _break(self, client: Client, code: str) -> None:
        """Tell a broken client why, then hang up. (An acknowledgement would be lost by hanging up.)"""
        if client.closing:
            return
        if client.sid is not None:
            notice = codec.encode(messages.ProtocolErrorNotice(code=code))
            await self._sio.emit("message", notice, to=client.sid)
        client.unsent.clear()
        self._spawn(self._hang_up(client))
        client.closing = True

    async def _hang_up(self, client: Client) -> None:
        """Close for good: the browser does not reconnect by itself after a Socket.IO DISCONNECT."""
        async with client.in_order:  # an answer on its way goes first
            client.closing = True
        if client.sid is not None:
            await self._sio.disconnect(client.sid)
        await self._drop(client)

    async def _drop(self, client: Client) -> None:
        """Close the engine.io socket; a browser that does not let go in time is cut off."""
        try:
            async with asyncio.timeout(CLOSED_WITHIN_S):
                await self._sio.eio.disconnect(client.eio)
                await client.released.wait()
        except TimeoutError:
            self._abort(client)

    def _abort(self, client: Client) -> None:
        client.closing = True
        transport = client.request.transport
        if transport is not None:
            transport.abort()

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("a connection's task failed", exc_info=error)
