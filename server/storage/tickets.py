"""Socket tickets that any server takes which uses this database, by their hashes."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from pydantic import TypeAdapter
from sqlalchemy import delete, insert

from server.identity.random_values import hashed, new_secret
from server.identity.socket_tickets import LIFETIME_S, NEXT_LIFETIME_S
from server.storage.database import Database
from server.storage.lasting import lasting
from server.storage.tables import SocketTicket
from signaling.consult.ids import DeviceId
from signaling.ports import BoardEntry, Clock, Entry, SeatEntry

_ENTRY: Final[TypeAdapter[Entry]] = TypeAdapter(Entry)


class StoredTickets:
    """The `SocketTickets` of servers that share a database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def issue(self, entry: Entry) -> str:
        return await self._store(entry, LIFETIME_S, next_of=None)

    async def next(self, seat: SeatEntry) -> str:
        await self.forget((seat.device,))
        return await self._store(seat, NEXT_LIFETIME_S, next_of=seat.device)

    @lasting
    async def _store(self, entry: Entry, lifetime_s: int, *, next_of: DeviceId | None) -> str:
        secret = new_secret()
        row = {
            "ticket_hash": hashed(secret),
            "opens": _ENTRY.dump_json(entry).decode(),
            "next_of": next_of,
            "expires_at": self._clock.now() + timedelta(seconds=lifetime_s),
        }
        async with self._database.write() as connection:
            await connection.execute(insert(SocketTicket).values(**row))
        return secret

    @lasting
    async def redeem(self, ticket: str) -> Entry | None:
        """Whoever deletes the row has the ticket: of two servers asked at once, one."""
        mine = delete(SocketTicket).where(SocketTicket.ticket_hash == hashed(ticket))
        async with self._database.write() as connection:
            query = mine.returning(SocketTicket.opens, SocketTicket.expires_at)
            row = (await connection.execute(query)).first()
        if row is None or row.expires_at <= self._clock.now():
            return None
        entry: SeatEntry | BoardEntry = _ENTRY.validate_json(row.opens)
        return entry

    @lasting
    async def forget(self, devices: Iterable[DeviceId]) -> None:
        async with self._database.write() as connection:
            await connection.execute(delete(SocketTicket).where(SocketTicket.next_of.in_(tuple(devices))))

    async def forget_old(self, now: datetime) -> None:
        """Forget tickets that nobody used in time."""
        async with self._database.write() as connection:
            await connection.execute(delete(SocketTicket).where(SocketTicket.expires_at <= now))
