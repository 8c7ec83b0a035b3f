"""What handlers find in the application."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from server.cluster.bus import State
from server.http.front_end import FrontEnd
from server.http.origin import Site
from server.identity.accounts import Accounts
from server.identity.one_use import OneUse
from server.identity.seats import Seats
from server.identity.sign_ins import SignIns
from server.identity.socket_tickets import SocketTickets
from server.identity.throttle import Throttle
from server.recordings.desk import Desk
from server.settings import Settings
from server.storage.consults import Consults
from server.storage.database import Database
from server.storage.interpreters import Interpreters
from signaling.consult.ids import DeviceId, UserId
from signaling.ports import Clock

HangUp = Callable[[UserId, Collection[DeviceId]], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything a request may need, made once at start."""

    settings: Settings
    site: Site
    clock: Clock
    database: Database
    consults: Consults
    interpreters: Interpreters
    recordings: Desk
    accounts: Accounts
    sign_ins: SignIns
    seats: Seats
    throttle: Throttle
    tickets: SocketTickets
    front: FrontEnd
    # Secrets of the demo's links, each for one account; None outside the demo.
    demo_links: OneUse[UserId] | None
    # Ends the boards of an account, and the seats it holds on these devices.
    hang_up: HangUp
    # Media workers that run, of how many.
    media_workers: Callable[[], tuple[int, int]]
    # Whether other servers are heard; None where there are none. See `cluster.bus`.
    hearing: Callable[[], State | None]
    # Packets since each worker started, by worker and by what became of them.
    media_packets: Callable[[], Mapping[tuple[int, str], int]]


SERVICES: Final = web.AppKey("services", Services)
