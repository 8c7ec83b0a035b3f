"""Other servers with the same database: what they say, and what of theirs nobody looks after any more."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import assert_never

from signaling.consult.commands import Arrive
from signaling.consult.ids import ConsultId, ParticipantId, PeerId
from signaling.consult.news import (
    Changed,
    Continued,
    MediaGone,
    MuteAsked,
    News,
    PeerMeasured,
    ServerId,
    SignedOut,
)
from signaling.consult.presence import (
    ConsultPresence,
    disconnected,
    owner_of,
    with_measured,
    without_peer,
)
from signaling.consult.values import SeatHolder, SeatState
from signaling.errors import Refused
from signaling.protocol import messages
from signaling.service.boards import Boards
from signaling.service.connections import Connections
from signaling.service.consults import Consults
from signaling.service.media import MediaKeeper
from signaling.service.publishing import Publisher


class Neighbours:
    """Brings this server in step with the others. Each method takes the consult's lock itself."""

    def __init__(
        self,
        *,
        consults: Consults,
        connections: Connections,
        media: MediaKeeper,
        boards: Boards,
        publisher: Publisher,
    ) -> None:
        """Work on what one service works on."""
        self._consults = consults
        self._connections = connections
        self._media = media
        self._boards = boards
        self._publisher = publisher
        self._outbox = publisher.outbox
        self._others = publisher.others
        self._clock = publisher.clock

    # --- what others say ---------------------------------------------------------------------------------

    async def heard(self, news: News) -> None:
        """Another server said this."""
        match news:
            case Changed():
                await self._changed(news)
            case PeerMeasured():
                await self.peer_measured(news, by_others=True)
            case MediaGone():
                await self.media_gone(news, by_others=True)
            case MuteAsked():
                await self._publisher.tell(news.consult, news.participant, messages.AskedToMute())
            case Continued():
                await self._continued(news)
            case SignedOut():
                for connection in self._connections.of_account(news.user, news.devices):
                    self._outbox.close(connection)
            case _:
                assert_never(news)

    async def _changed(self, news: Changed) -> None:
        async with self._consults.hold(news.consult):
            is_newer = self._consults.drop_older(news.consult, news.version)
            if self._consults.presence.merge(news.consult, news.people) or is_newer:
                self._boards.mark(news.clinic)
                await self._in_step(news.consult)

    async def settle(self, news: Changed, unrecorded_since: datetime | None = None) -> bool:
        """Bring this server's media plane in step with what another one knows. Returns whether it is.

        `unrecorded_since`: somebody takes their consent to a recording back there, which waits for nothing.
        """
        await self._media.heard_of_cut(news.consult, unrecorded_since)
        async with self._consults.hold(news.consult):
            self._consults.drop_older(news.consult, news.version)
            self._consults.presence.merge(news.consult, news.people)
            await self._publisher.publish(news.consult)
        return news.consult not in self._media.behind()

    async def _in_step(self, consult: ConsultId) -> None:
        """Show what changed elsewhere to whoever is here, and to the media plane if it is here."""
        if not self._connections.seats(consult) and not self._media.carries(consult):
            return
        loaded = await self._consults.load(consult)
        for person in loaded.consult.participants:
            connection, device = self._publisher.holder(loaded.consult, person)
            if connection is not None and device is not None and person.seat is SeatState.LOST:
                # To the server that said so this person was gone; they had only come here.
                await self._arrive(consult, person.id, Arrive(device=device))
        await self._publisher.publish(consult)

    async def _arrive(self, consult: ConsultId, participant: ParticipantId, command: Arrive) -> None:
        try:
            await self._consults.act(consult, command, by=SeatHolder(participant=participant))
        except Refused:  # somebody else's doing meanwhile; the view that follows says what
            return

    async def _continued(self, news: Continued) -> None:
        async with self._consults.hold(news.consult):
            self._consults.drop(news.consult)
            for connection, _ in self._connections.seats(news.consult):
                self._outbox.send(connection, messages.ConsultContinued(consult_id=news.continued_as))
            await self._in_step(news.consult)

    async def news_of(self, consult: ConsultId) -> Changed:
        """What this server knows of a consult."""
        return await self._publisher.news_of(consult)

    # --- media, which one server asks for all ------------------------------------------------------------

    async def peer_measured(self, news: PeerMeasured, *, by_others: bool = False) -> None:
        """How well a peer's media arrives: for the server its owner is connected to."""
        async with self._consults.hold(news.consult):
            before = await self._consults.presence.get(news.consult)
            owner = owner_of(before, news.peer)
            if owner is not None and not self._consults.presence.is_mine(news.consult, owner):
                if not by_others:
                    self._others.say(news)
                return
            after = await self._consults.presence.update(
                news.consult,
                lambda p: with_measured(p, owner, news.level, picture_paused=news.picture_paused),
            )
            if after.revision != before.revision:
                await self._publisher.publish(news.consult)

    async def media_moved(self, consult: ConsultId) -> None:
        """Another server has this consult's media from here on, or none; each server sees that for itself."""
        await self.media_gone(MediaGone(consult=consult), by_others=True)

    async def media_gone(self, news: MediaGone, *, by_others: bool = False) -> None:
        """A peer, or all of a consult's, is gone from the media plane; their pages are asked for new ones."""
        if not by_others:
            self._others.say(news)
        async with self._consults.hold(news.consult):
            presence = await self._consults.presence.get(news.consult)
            peers: tuple[PeerId, ...]
            if news.peer is None:
                self._media.forget(news.consult)
                peers = tuple(p.peer for p in presence.people.values() if p.peer is not None)
            else:
                peers = (news.peer,)
            for peer in peers:
                await self._peer_gone(news.consult, presence, peer)
            if peers:
                await self._publisher.publish(news.consult)

    async def _peer_gone(self, consult: ConsultId, presence: ConsultPresence, peer: PeerId) -> None:
        owner = owner_of(presence, peer)
        if owner is None or not self._consults.presence.is_mine(consult, owner):
            return
        await self._consults.presence.update(consult, partial(without_peer, peer=peer))
        await self._publisher.tell(consult, owner, messages.MediaLost(peer=peer))

    # --- without being told ------------------------------------------------------------------------------

    def here(self, *, boards: bool = False) -> tuple[ConsultId, ...]:
        """The consults this server has something to do with; with those its boards may show."""
        shown = self._consults.loaded() if boards and self._connections.clinics() else ()
        return tuple({*self._connections.consults(), *self._media.carried(), *shown})

    async def catch_up(self, versions: Mapping[ConsultId, int], *, boards: bool = False) -> None:
        """These are the versions in the database, whatever was said or not said of them.

        `boards`: nothing is heard, so boards are sent anew too, for consults that were booked elsewhere.
        """
        for clinic in self._connections.clinics() if boards else ():
            self._boards.mark(clinic)
        for consult, version in versions.items():
            async with self._consults.hold(consult):
                if self._consults.drop_older(consult, version):
                    self._boards.mark((await self._consults.load(consult)).consult.clinic)
                    await self._in_step(consult)

    async def server_gone(self, server: ServerId) -> None:
        """A server is silent: whoever was connected to it is gone since now, if they are nowhere else."""
        for consult, participant in self._consults.presence.written_by(server):
            async with self._consults.hold(consult):
                presence = await self._consults.presence.get(consult)
                connection, now = presence.of(participant).connection, self._clock.now()
                if connection is None or self._consults.presence.is_mine(consult, participant):
                    continue
                gone = partial(disconnected, participant=participant, connection=connection, now=now)
                await self._consults.presence.update(consult, gone)
                await self._publisher.publish(consult)

    async def say_all(self) -> None:
        """Tell a server that has just come, or was deaf, of everybody who is here."""
        for consult in await self._consults.presence.known():
            self._others.say(await self._publisher.news_of(consult))
