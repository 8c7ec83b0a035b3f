"""What is started, in which order, and how it ends: storage, media plane, consult service, gateway, HTTP.

Each part is ended in the opposite order, whatever happened; the whole within `STOP_S_MAX`.
"""

import asyncio
import contextlib
import signal
import ssl
from collections.abc import AsyncIterator, Callable, Collection, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any, Final

from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from media.interface import WorkerUnavailable
from server import compose, data_dir
from server import demo as demonstration
from server.audit.notes import KeyFileError
from server.cluster.bus import State
from server.cluster.servers import Servers
from server.demo import Demo
from server.http.application import application
from server.http.keys import HangUp, Services
from server.http.origin import household, site
from server.identity.accounts import Accounts
from server.identity.passwords import Passwords
from server.identity.random_values import SystemClock, SystemIds
from server.identity.seats import Seats
from server.identity.socket_tickets import SocketTickets, TicketsInMemory
from server.logs import logger
from server.media_adapter import MediaAdapter
from server.recordings import running as recording
from server.recordings.ordering import Orders
from server.recordings.store import Recordings
from server.recordings.vault import Vault
from server.settings import Settings
from server.storage.consults import Consults
from server.storage.database import Database, DatabaseBusyError
from server.storage.interpreters import Interpreters
from server.storage.tickets import StoredTickets
from server.storage.upgrade import NewerDatabaseError, is_usable, upgrade
from server.turn import TurnRelays
from signaling.consult.ids import DeviceId, UserId
from signaling.gateway import Gateway
from signaling.ports import Clock
from signaling.service.presences import THIS_SERVER, Presences
from signaling.service.service import Service
from web.render import MissingAssetError

STOP_S_MAX: Final = 4.5
# How long requests that are being answered may still take when the server ends.
FINISH_S_MAX: Final = 1.0
IDLE_S: Final = 75.0
PROXY_IDLE_S: Final = 3630.0
TIDY_EVERY_S: Final = 3600.0
COMMANDS_KEPT: Final = timedelta(days=1)
KEEP_EVERY_S: Final = 20.0

log = logger("app")


class StartError(Exception):
    """The server cannot start. `hint` is the next step."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


@asynccontextmanager
async def running(
    settings: Settings, *, demo: bool, goes_on: Callable[[], bool]
) -> AsyncIterator[Demo | None]:
    """The whole server while it runs. Raises `StartError`.

    `goes_on` says at the end whether another server follows, so that consults go on meanwhile.
    """
    async with AsyncExitStack() as stack:
        database = await _storage(stack, settings)
        clock = SystemClock()
        orders = await recording.orders(settings, database, clock.now())
        media = await _media(stack, settings, goes_on, database, orders)
        vault = await recording.vault(stack, settings)
        servers = Servers(settings, database=database, media=media) if settings.cluster.address else None
        tickets = StoredTickets(database, SystemClock()) if servers else TicketsInMemory()
        gateway = Gateway(
            tickets=tickets,
            ids=SystemIds(),
            origins=frozenset(site(settings).origins),
            address_of=lambda request: household(request.remote or ""),
        )
        service = _service(settings, database=database, media=media, gateway=gateway, servers=servers)

        async def hang_up(user: UserId, devices: Collection[DeviceId]) -> None:
            await tickets.forget(devices)
            service.hang_up(user, devices)

        services = _services(
            settings,
            database=database,
            media=media,
            demo=demo,
            tickets=tickets,
            hang_up=hang_up,
            hearing=lambda: servers.bus.state if servers else None,
            vault=vault,
        )
        stack.push_async_callback(services.throttle.close)
        made = await _demo(services) if demo else None
        await service.start()
        if servers is not None:
            await _among_others(stack, servers, service, goes_on)
        else:
            await service.count_absent(alone=True)
        await _in_background(stack, service.run())
        await _in_background(stack, media.tell(service))
        await _in_background(stack, _tidy(services))
        await _recordings(stack, services, media)
        await _in_background(stack, _keep_sign_ins(services, service, hang_up))
        await _http(stack, services, gateway)
        yield made


async def _storage(stack: AsyncExitStack, settings: Settings) -> Database:
    """The database, upgraded: by itself where it is SQLite, since nobody else uses that."""
    folder = settings.server.data_dir
    try:
        data_dir.prepare(folder)
        database = Database(settings.database_url)
        stack.push_async_callback(database.close)
        if database.file is not None:
            stack.enter_context(data_dir.only_server(database.file.parent))
    except data_dir.DataDirError as error:
        raise StartError(str(error), hint=error.hint) from error
    try:
        if database.is_sqlite:
            await upgrade(database)
        is_right = await is_usable(database)
        with_others = settings.cluster.address is not None
        may_serve = await stack.enter_async_context(database.may_serve(with_others=with_others))
    except NewerDatabaseError as error:
        raise StartError("a later version has used this database", hint="start that version") from error
    except (SQLAlchemyError, OSError) as error:
        name = type(error).__name__
        raise StartError(f"the database does not answer ({name})", hint="check database.url") from error
    if not is_right:
        raise StartError("the database is not of this version", hint="python -m server db upgrade")
    if not may_serve:
        hint = "end that server, or set cluster.address at each, so that their people see each other"
        raise StartError("another server uses this database", hint=hint)
    return database


async def _media(
    stack: AsyncExitStack,
    settings: Settings,
    goes_on: Callable[[], bool],
    database: Database,
    orders: Orders | None,
) -> MediaAdapter:
    media = MediaAdapter(settings, orders)
    try:
        await media.start()
    except (WorkerUnavailable, OSError) as error:
        hint = f"is UDP port {settings.media.port} free? python -m server doctor"
        raise StartError("the media workers do not start", hint=hint) from error

    async def end() -> None:
        await (media.leave() if goes_on() else media.stop())
        await media.keep_rest(Recordings(database), SystemClock())

    stack.push_async_callback(end)
    return media


async def _among_others(
    stack: AsyncExitStack, servers: Servers, service: Service, goes_on: Callable[[], bool]
) -> None:
    """Be one of several servers."""

    async def leave() -> None:
        if not goes_on():
            await servers.media.leave()

    stack.push_async_callback(leave)
    try:
        await servers.start(stack, service)
    except OSError as error:
        hint = "set an address of this machine that nothing uses"
        raise StartError(f"cannot listen on cluster.address ({error.strerror})", hint=hint) from error
    await _in_background(stack, servers.run(service))
    await _in_background(stack, servers.count_absent(service))


def _service(
    settings: Settings,
    *,
    database: Database,
    media: MediaAdapter,
    gateway: Gateway,
    servers: Servers | None,
) -> Service:
    clock = SystemClock()
    links = compose.InvitationLinks(Seats(database, settings.invitations), clock, site(settings).origins[0])
    service = Service(
        store=Consults(database, recordings_kept=timedelta(days=settings.recording.retention_days)),
        presence=Presences(servers.server if servers else THIS_SERVER),
        media=servers.media if servers else media,
        relays=_relays(settings, clock),
        clock=clock,
        ids=SystemIds(),
        invitations=links,
        clinics=compose.OneClinic(settings, Accounts(database, Passwords())),
        texts=compose.KnownTexts(unreviewed=settings.recording.unreviewed_texts),
        outbox=gateway,
        policy=compose.policy(settings),
        interpreters=Interpreters(database, clock),
        others=servers.bus if servers else None,
    )
    gateway.bind(service)
    return service


def _relays(settings: Settings, clock: Clock) -> TurnRelays:
    turn = settings.turn
    secret = turn.secret.get_secret_value() if turn.secret else ""
    return TurnRelays(turn.urls, secret, valid_s=turn.credential_valid_s, clock=clock)


def _services(
    settings: Settings,
    *,
    database: Database,
    media: MediaAdapter,
    demo: bool,
    tickets: SocketTickets,
    hang_up: HangUp,
    hearing: Callable[[], State | None],
    vault: Vault,
) -> Services:
    try:
        return compose.services(
            settings,
            database=database,
            passwords=Passwords(),
            clock=SystemClock(),
            demo=demo,
            tickets=tickets,
            hang_up=hang_up,
            media_workers=lambda: (media.workers_up, media.workers),
            hearing=hearing,
            media_packets=media.packets,
            vault=vault,
        )
    except MissingAssetError as error:
        raise StartError("the front end is not built", hint="python3 dev.py run builds it") from error


async def _recordings(stack: AsyncExitStack, services: Services, media: MediaAdapter) -> None:
    """Keep what workers tell of recordings, destroy what is due, sign what was done with them."""
    desk = services.recordings
    await _in_background(stack, media.keep_progress(desk.store, services.clock))
    await _in_background(stack, desk.life.run())
    await _in_background(stack, desk.uploader.run())
    try:
        signing = recording.checkpoints(services.settings, services.database, services.clock)
    except (KeyFileError, OSError) as error:
        raise StartError(str(error), hint="look at its owner and mode, or restore it") from error
    await _in_background(stack, signing)


async def _demo(services: Services) -> Demo:
    if not await services.consults.is_only_of(demonstration.CLINIC):
        folder = services.settings.server.data_dir
        raise StartError(f"{folder} has consults of a real clinic", hint="set another server.data_dir")
    return await demonstration.prepare(services, compose.policy(services.settings))


async def _http(stack: AsyncExitStack, services: Services, gateway: Gateway) -> None:
    server = services.settings.server
    app = application(services, socket_routes=gateway.routes())
    # A proxy closes idle connections by itself; without one they are closed here.
    idle_s = PROXY_IDLE_S if server.trusted_proxies else IDLE_S
    runner = web.AppRunner(
        app,
        access_log=None,
        shutdown_timeout=FINISH_S_MAX,
        handle_signals=False,
        keepalive_timeout=idle_s,
    )
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    stack.push_async_callback(gateway.shutdown)
    try:
        await web.TCPSite(runner, server.host, server.port, ssl_context=_tls(services.settings)).start()
    except OSError as error:
        where = f"{server.host}:{server.port}"
        hint = "end what uses it, or set server.port (MERIDIAN_SERVER__PORT)"
        raise StartError(f"cannot listen on {where} ({error.strerror})", hint=hint) from error


def _tls(settings: Settings) -> ssl.SSLContext | None:
    certificate, key = settings.server.tls_certificate, settings.server.tls_key
    if certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        hint = "server.tls_certificate and server.tls_key"
        raise StartError(f"the certificate cannot be used ({error.strerror})", hint=hint) from error
    return context


async def _tidy(services: Services) -> None:
    """Forget sign-ins that are over, tickets nobody used and commands nobody sends again."""
    while True:
        try:
            now = services.clock.now()
            await services.sign_ins.forget_old(now)
            await services.consults.forget_commands(now - COMMANDS_KEPT)
            await services.tickets.forget_old(now)
        except (SQLAlchemyError, DatabaseBusyError) as error:
            log.warning("not tidied, trying again later", exc_info=error)
        await asyncio.sleep(TIDY_EVERY_S)


async def _keep_sign_ins(services: Services, service: Service, hang_up: HangUp) -> None:
    """Open pages keep their sign-in; pages whose sign-in is over are closed."""
    while True:
        await asyncio.sleep(KEEP_EVERY_S)
        try:
            in_consult = await service.accounts_in_consults()
            for user in service.accounts_at_boards() | in_consult:
                now = services.clock.now()
                if not await services.sign_ins.keep(user, in_consult=user in in_consult, now=now):
                    await hang_up(user, await services.seats.devices_of(user))
        except (SQLAlchemyError, DatabaseBusyError) as error:
            log.warning("sign-ins not looked at, trying again", exc_info=error)


async def _in_background(stack: AsyncExitStack, work: Coroutine[Any, Any, None]) -> None:
    """Run until the server ends."""
    task = asyncio.create_task(work)

    async def end() -> None:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    task.add_done_callback(_say_if_broken)
    stack.push_async_callback(end)


def _say_if_broken(task: asyncio.Task[None]) -> None:
    """What runs in the background ends with the server; on its own it is a bug, and the log must say so."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("work in the background has ended", exc_info=error)


async def run(settings: Settings, *, demo: bool, serving: Callable[[Demo | None], None]) -> None:
    """Serve until SIGINT, which ends everything, or SIGTERM, after which consults go on for the next server.

    `serving` is told once people can come, with the demo's links.
    """
    told_to_end = asyncio.Event()
    another_follows = False
    loop = asyncio.get_running_loop()

    def told(*, follows: bool) -> None:
        nonlocal another_follows
        another_follows = follows
        told_to_end.set()

    loop.add_signal_handler(signal.SIGTERM, lambda: told(follows=True))
    loop.add_signal_handler(signal.SIGINT, lambda: told(follows=False))
    stack = AsyncExitStack()
    try:
        made = await stack.enter_async_context(running(settings, demo=demo, goes_on=lambda: another_follows))
        serving(made)
        log.info("serving", demo=demo)
        await told_to_end.wait()
        log.info("ending")
    finally:
        try:
            async with asyncio.timeout(STOP_S_MAX):
                await stack.aclose()
        except TimeoutError:
            log.warning("ended late", limit_s=STOP_S_MAX)
