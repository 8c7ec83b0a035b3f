"""Socket tickets of one server, in memory: one over HTTP for 30 s, the next ones over the socket."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final, Protocol

from server.identity.one_use import OneUse
from signaling.consult.ids import DeviceId
from signaling.ports import Entry, SeatEntry

LIFETIME_S: Final = 30
NEXT_LIFETIME_S: Final = 4 * 3600


class SocketTickets(Protocol):
    """The `Tickets` of `signaling.ports`, and what HTTP needs of them."""

    async def issue(self, entry: Entry) -> str:
        """A ticket that opens this once within `LIFETIME_S`."""
        ...

    async def redeem(self, ticket: str) -> Entry | None:
        """What the ticket opens, the first time and in time."""
        ...

    async def next(self, seat: SeatEntry) -> str:
        """A ticket for this seat's next connection; an earlier one of the same device stops working."""
        ...

    async def forget(self, devices: Iterable[DeviceId]) -> None:
        """These devices have given up their seats: nothing they were given over a socket opens them again."""
        ...

    async def forget_old(self, now: datetime) -> None:
        """Forget what nobody used in time."""
        ...


class TicketsInMemory:
    """The tickets given out here, and those for a page's next connection.

    The latter stay good while the seat is this device's, as its cookie would.
    """

    def __init__(self) -> None:
        self._issued: OneUse[Entry] = OneUse(lifetime_s=LIFETIME_S)
        self._next: OneUse[SeatEntry] = OneUse(lifetime_s=NEXT_LIFETIME_S)
        self._secrets: dict[DeviceId, str] = {}

    async def issue(self, entry: Entry) -> str:
        return self._issued.issue(entry)

    async def redeem(self, ticket: str) -> Entry | None:
        seat = self._next.redeem(ticket)
        if seat is not None:
            self._secrets.pop(seat.device, None)
        return seat or self._issued.redeem(ticket)

    async def next(self, seat: SeatEntry) -> str:
        await self.forget((seat.device,))
        self._secrets[seat.device] = secret = self._next.issue(seat)
        return secret

    async def forget(self, devices: Iterable[DeviceId]) -> None:
        for device in devices:
            secret = self._secrets.pop(device, None)
            if secret is not None:
                self._next.redeem(secret)

    async def forget_old(self, now: datetime) -> None:
        """They are forgotten as new ones are made."""
