"""What follows a change: presence and media brought in step, every viewer's whole view, and the cut."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Final

from signaling.consult.ids import ConnectionId, ConsultId, DeviceId, ParticipantId
from signaling.consult.news import Changed
from signaling.consult.presence import connected, disconnected, with_peer
from signaling.consult.values import BARRED, CONNECTABLE, OVER, Consult, Participant, Phase, Role
from signaling.ports import Clock, Others, Outbox, SeatEntry
from signaling.protocol import messages
from signaling.protocol.views import Seen, holds_seat, view_for
from signaling.service.boards import Boards
from signaling.service.connections import Connections
from signaling.service.consults import Consults
from signaling.service.media import MediaKeeper

AFTER_END_S: Final = 120  # patient and physician stay reachable this long, to be told it goes on


class Publisher:
    """Publishes one consult at a time, under its lock."""

    def __init__(
        self,
        *,
        consults: Consults,
        connections: Connections,
        media: MediaKeeper,
        boards: Boards,
        outbox: Outbox,
        others: Others,
        clock: Clock,
    ) -> None:
        """Publish to the connections of this process, and to the other servers what was written here."""
        self._consults = consults
        self._connections = connections
        self._media = media
        self._boards = boards
        self.outbox = outbox
        self.others = others
        self.clock = clock

    async def publish(self, consult_id: ConsultId) -> None:
        """Bring everything in step with the consult as it is now; media first, so nobody hears too much."""
        await self._settle_seats(consult_id)
        await self.say_unsaid(consult_id)
        seen = await self._consults.seen(consult_id)
        await self._media.settle(seen.consult, seen.presence)
        await self._send_views(seen)
        self._boards.mark(seen.consult.clinic)

    async def say_unsaid(self, consult_id: ConsultId) -> None:
        """Tell the other servers if anything was written here."""
        if self._consults.take_unsaid(consult_id):
            self.others.say(await self.news_of(consult_id))

    async def news_of(self, consult_id: ConsultId) -> Changed:
        """All that other servers need to bring themselves in step."""
        consult = (await self._consults.load(consult_id)).consult
        return Changed(
            consult=consult_id,
            clinic=consult.clinic,
            version=consult.version,
            people=self._consults.presence.entries(consult_id),
        )

    async def _settle_seats(self, consult_id: ConsultId) -> None:
        """Each seat's connection is the newest on the device that holds it; others have no peer."""
        seen = await self._consults.seen(consult_id)
        for person in seen.consult.participants:
            await self._settle_connection(seen, person)
            await self._settle_peer(consult_id, person.id)

    async def _settle_connection(self, seen: Seen, person: Participant) -> None:
        consult_id, presence = seen.consult.id, seen.presence.of(person.id)
        wanted, device = self.holder(seen.consult, person)
        known = {connection for connection, _ in self._connections.of(consult_id, person.id)}
        if wanted == presence.connection or (wanted is None and presence.connection not in known):
            return  # nothing moved here; a connection that closed is `detach`'s business
        if wanted is not None and device == presence.device:
            if presence.connection is not None and presence.connection not in known:
                self.displace(wanted)  # this page has connected to another server since
                return
        else:
            await self.drop_peer(consult_id, person)  # it was on the other device
        now = self.clock.now()
        await self._consults.presence.update(
            consult_id,
            lambda p: (
                connected(p, person.id, wanted, device)
                if wanted is not None and device is not None
                else disconnected(p, person.id, presence.connection, now=now)
            ),
        )

    def holder(
        self, consult: Consult, person: Participant
    ) -> tuple[ConnectionId, DeviceId] | tuple[None, None]:
        """The newest connection here on the device that holds the seat, and that device."""
        open_here = self._connections.of(consult.id, person.id)
        holders = ((c, device) for c, device in reversed(open_here) if holds_seat(person, device))
        return next(holders, (None, None))

    @asynccontextmanager
    async def unrecorded(self, consult_id: ConsultId) -> AsyncIterator[None]:
        """Nothing that arrives meanwhile is recorded; needs no lock, so that nothing delays it."""
        try:
            await self._media.cut(consult_id)
            yield
        finally:
            self._media.uncut(consult_id)

    async def tell(self, consult_id: ConsultId, who: ParticipantId, message: messages.ServerMessage) -> bool:
        """Send a message to the page that holds a seat. Returns whether that page is connected here."""
        connection = (await self._consults.presence.get(consult_id)).of(who).connection
        if connection is None or self._connections.entry(connection) is None:
            return False
        self.outbox.send(connection, message)
        return True

    def displace(self, connection: ConnectionId) -> None:
        """Close a connection whose page has another one by now."""
        self.outbox.send(connection, messages.Displaced())
        self._connections.remove(connection)
        self.outbox.close(connection)

    async def _settle_peer(self, consult_id: ConsultId, participant: ParticipantId) -> None:
        seen = await self._consults.seen(consult_id)
        person = seen.consult.participant(participant)
        if person is None or seen.presence.of(participant).peer is None:
            return
        if not self._consults.presence.is_mine(consult_id, participant):
            return  # the server it is connected to does the same
        if seen.consult.over or person.seat not in CONNECTABLE:
            await self.drop_peer(consult_id, person)

    async def drop_peer(self, consult_id: ConsultId, person: Participant) -> None:
        """Close a participant's peer, if there is one."""
        presence = await self._consults.presence.get(consult_id)
        peer = presence.of(person.id).peer
        if peer is None:
            return
        await self._consults.presence.update(consult_id, lambda p: with_peer(p, person.id, None))
        await self._media.close_peer(consult_id, peer)

    async def _send_views(self, seen: Seen) -> None:
        now = self.clock.now()
        for connection, entry in self._connections.seats(seen.consult.id):
            person = seen.consult.participant(entry.participant)
            if person is None:
                continue
            self.outbox.send(connection, view_for(seen, person.id, entry.device, now=now))
            if is_cut(seen.consult, person, now):
                await self._cut(connection, entry)

    async def _cut(self, connection: ConnectionId, entry: SeatEntry) -> None:
        """Close a connection after its final view; to presence it is gone now."""
        self._connections.remove(connection)
        self.outbox.close(connection)
        now = self.clock.now()
        await self._consults.presence.update(
            entry.consult, lambda p: disconnected(p, entry.participant, connection, now=now)
        )


def is_cut(consult: Consult, person: Participant, now: datetime) -> bool:
    """Whether this person's connection is closed after its final view."""
    if person.seat in BARRED:
        return True
    if consult.phase not in OVER:
        return False
    if consult.phase is not Phase.ENDED or person.role is Role.INTERPRETER or consult.ended_at is None:
        return True
    return now - consult.ended_at >= timedelta(seconds=AFTER_END_S)
