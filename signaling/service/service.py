"""The service: what a connection may ask of it, what the clock asks, and what the media plane reports."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from signaling.consult import commands, deadlines
from signaling.consult.ids import ConnectionId, ConsultId, DeviceId, PeerId, RecordingId, UserId
from signaling.consult.news import MediaGone, PeerMeasured, SignedOut
from signaling.consult.presence import (
    ConsultPresence,
    connected,
    disconnected,
    given_up,
    overdue,
    with_peer,
)
from signaling.consult.recording_commands import ReportRecordingFailed
from signaling.consult.values import (
    HERE,
    Actor,
    ConnectionLevel,
    Consult,
    Participant,
    Policy,
    SeatHolder,
    SeatState,
    TheClock,
)
from signaling.errors import Code, Refused
from signaling.ports import (
    BoardEntry,
    Clinics,
    Clock,
    ConsentTexts,
    ConsultStore,
    Entry,
    Ids,
    Interpreters,
    Invitations,
    MediaPort,
    Nobody,
    Others,
    Outbox,
    Relays,
    SeatEntry,
)
from signaling.protocol import messages
from signaling.protocol.views import holds_seat
from signaling.service.boards import Boards
from signaling.service.connections import Connections
from signaling.service.consults import Consults
from signaling.service.handling import Handler
from signaling.service.media import MediaKeeper
from signaling.service.neighbours import Neighbours
from signaling.service.own_seat import OwnSeat
from signaling.service.presences import Presences
from signaling.service.publishing import Publisher, is_cut
from signaling.service.scheduling import Scheduler
from signaling.service.searching import SEEN_EVERY_S, Searching

TICK_S: Final = 1.0
BOARDS_EVERY_S: Final = 0.25
AGAIN_AFTER_S: Final = 1.0  # beside the usual wait, when a round has failed
DUE_AT_ONCE: Final = 50  # consults one tick works on; the rest follow in the next
LIVE_MAX: Final = 2000  # consults looked at when this server starts
FURTHER_DEVICES_MAX: Final = 3  # open at once beside the one that holds the seat

_log = logging.getLogger(__name__)


class Service:
    """Everything between the gateway and the ports. `start` it, `run` it, and tell it what connects."""

    def __init__(
        self,
        *,
        store: ConsultStore,
        presence: Presences,
        media: MediaPort,
        relays: Relays,
        clock: Clock,
        ids: Ids,
        invitations: Invitations,
        clinics: Clinics,
        texts: ConsentTexts,
        outbox: Outbox,
        policy: Policy,
        interpreters: Interpreters,
        others: Others | None = None,
    ) -> None:
        """`policy` is what newly scheduled consults get; `others` are none where it is not given."""
        self._clock = clock
        self._outbox = outbox
        self._others = others or Nobody()
        self._connections = Connections()
        self._consults = Consults(store=store, clock=clock, presence=presence, clinics=clinics)
        self._media = MediaKeeper(media=media, clock=clock)
        self._boards = Boards(
            consults=self._consults, connections=self._connections, clinics=clinics, clock=clock
        )
        self._publisher = Publisher(
            consults=self._consults,
            connections=self._connections,
            media=self._media,
            boards=self._boards,
            outbox=outbox,
            others=self._others,
            clock=clock,
        )
        self.neighbours = Neighbours(
            consults=self._consults,
            connections=self._connections,
            media=self._media,
            boards=self._boards,
            publisher=self._publisher,
        )
        self._searching = Searching(
            consults=self._consults,
            connections=self._connections,
            publisher=self._publisher,
            interpreters=interpreters,
            clock=clock,
        )
        self._boards.desk_of = self._searching.desk
        scheduler = Scheduler(
            consults=self._consults,
            clock=clock,
            ids=ids,
            invitations=invitations,
            clinics=clinics,
            policy=policy,
        )
        self._handler = self._made_handler(scheduler, relays, texts, ids)

    def _made_handler(self, scheduler: Scheduler, relays: Relays, texts: ConsentTexts, ids: Ids) -> Handler:
        own_seat = OwnSeat(
            consults=self._consults,
            media=self._media,
            relays=relays,
            publisher=self._publisher,
            clock=self._clock,
            ids=ids,
        )
        return Handler(
            consults=self._consults,
            connections=self._connections,
            boards=self._boards,
            publisher=self._publisher,
            scheduler=scheduler,
            own_seat=own_seat,
            searching=self._searching,
            texts=texts,
            outbox=self._outbox,
            others=self._others,
            clock=self._clock,
            ids=ids,
        )

    # --- connections -------------------------------------------------------------------------------------

    async def attach(self, connection: ConnectionId, entry: Entry, *, peer: PeerId | None = None) -> None:
        """A connection opened with a redeemed ticket; `peer` is the one its page says it still has.

        Raises:
            Refused: `not_found` if there is no such consult or participant.
        """
        if isinstance(entry, BoardEntry):
            self._connections.add(connection, entry)
            await self._searching.opened(entry)
            board = self._boards.open_day(connection, None)
            await self._boards.show(connection, board, self._outbox)
            return
        async with self._consults.hold(entry.consult):
            await self._attach_seat(connection, entry, peer)

    async def _attach_seat(self, connection: ConnectionId, entry: SeatEntry, peer: PeerId | None) -> None:
        loaded = await self._consults.load(entry.consult)
        me = loaded.consult.participant(entry.participant)
        if me is None:
            raise Refused(Code.NOT_FOUND, "no such participant")
        await self._displace(entry, me)
        self._connections.add(connection, entry)
        if holds_seat(me, entry.device):
            presence = await self._consults.presence.get(entry.consult)
            if peer is not None and self._media.is_adopted(entry.consult):
                # Only this page was ever told the id of its peer.
                presence = await self._consults.presence.update(
                    entry.consult, lambda p: with_peer(p, me.id, peer)
                )
            if presence.of(me.id).peer != peer:
                await self._publisher.drop_peer(entry.consult, me)
            await self._consults.presence.update(
                entry.consult, lambda p: connected(p, me.id, connection, entry.device)
            )
            if peer is not None and presence.of(me.id).peer != peer:
                self._outbox.send(connection, messages.MediaLost(peer=peer))
            if me.seat is SeatState.LOST:
                await self._act(
                    entry.consult,
                    commands.Arrive(device=entry.device, further=entry.further),
                    SeatHolder(participant=me.id),
                )
        await self._publisher.publish(entry.consult)

    async def _displace(self, entry: SeatEntry, me: Participant) -> None:
        """An older page on the same device goes; of too many further devices, the one that came first."""
        others = self._connections.of(entry.consult, entry.participant)
        further = [(c, d) for c, d in others if d != entry.device and not holds_seat(me, d)]
        gone = [(c, d) for c, d in others if d == entry.device]
        gone += further[: max(0, len(further) - FURTHER_DEVICES_MAX + 1)]
        for connection, device in gone:
            self._publisher.displace(connection)
            if device != entry.device:
                asked = commands.ReleaseDevice(participant=entry.participant, device=device)
                await self._act(entry.consult, asked, TheClock())

    async def detach(self, connection: ConnectionId, *, silent_s: float = 0.0) -> None:
        """A connection closed, after `silent_s` without a word. Its seat is kept; after the consult's
        `lost_after_s`, counted from that last word, its holder is lost.
        """
        entry = self._connections.remove(connection)
        if not isinstance(entry, SeatEntry):
            return
        async with self._consults.hold(entry.consult):
            since = self._clock.now() - timedelta(seconds=silent_s)
            await self._consults.presence.update(
                entry.consult, lambda p: disconnected(p, entry.participant, connection, now=since)
            )
            if all(d != entry.device for _, d in self._connections.of(entry.consult, entry.participant)):
                gone = commands.ReleaseDevice(participant=entry.participant, device=entry.device)
                await self._act(entry.consult, gone, TheClock())
            await self._publisher.publish(entry.consult)

    def accounts_at_boards(self) -> frozenset[UserId]:
        """The staff accounts with a board open here."""
        return self._connections.accounts()

    async def accounts_in_consults(self) -> frozenset[UserId]:
        """The staff accounts with a seat open here."""
        users: set[UserId] = set()
        for consult_id in self._connections.consults():
            consult = (await self._consults.load(consult_id)).consult
            here = {entry.participant for _, entry in self._connections.seats(consult_id)}
            users.update(p.user for p in consult.participants if p.id in here and p.user is not None)
        return frozenset(users)

    def hang_up(self, user: UserId, devices: Collection[DeviceId]) -> None:
        """An account signed out: close its boards, and the seats it held on these devices."""
        for connection in self._connections.of_account(user, devices):
            self._outbox.close(connection)
        self._others.say(SignedOut(user=user, devices=tuple(devices)))

    async def handle(self, connection: ConnectionId, message: messages.ClientMessage) -> messages.Answer:
        """Do what a connection asks.

        Raises:
            Refused: the person may not, or not now.
        """
        entry = self._connections.entry(connection)
        if entry is None:
            raise Refused(Code.NOT_NOW, "this connection is being closed")
        if isinstance(entry, BoardEntry):
            return await self._handler.from_board(connection, entry, message)
        return await self._handler.from_seat(connection, entry, message)

    # --- what the media plane reports --------------------------------------------------------------------

    async def media_peer_lost(self, consult: ConsultId, peer: PeerId) -> None:
        """A peer is gone from the media plane; its page is asked to make a new one."""
        await self.neighbours.media_gone(MediaGone(consult=consult, peer=peer))

    async def media_consult_lost(self, consult: ConsultId) -> None:
        """The media plane has lost everything of a consult (its worker died)."""
        await self.neighbours.media_gone(MediaGone(consult=consult))

    async def media_recording_failed(self, consult: ConsultId, recording: RecordingId) -> None:
        """The media plane cannot write a recording any further; everybody is told."""
        async with self._consults.hold(consult):
            await self._act(consult, ReportRecordingFailed(recording=recording), TheClock())
            await self._publisher.publish(consult)

    async def media_quality(
        self, consult: ConsultId, peer: PeerId, level: ConnectionLevel, *, picture_paused: bool = False
    ) -> None:
        """How well a peer's media arrives, as the media plane measures it, and what it had to leave out."""
        await self.neighbours.peer_measured(
            PeerMeasured(consult=consult, peer=peer, level=level, picture_paused=picture_paused)
        )

    # --- the clock ---------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Take over the live consults; their media may still flow. `count_absent` is the next step."""
        for consult in await self._consults.store.live(limit=LIVE_MAX):
            await self._each(consult, self._take_over)

    async def _take_over(self, consult_id: ConsultId) -> None:
        self._media.adopt((await self._consults.load(consult_id)).consult)

    async def count_absent(self, *, alone: bool) -> None:
        """Whoever was here, is at no other server and does not reconnect in time is lost.

        Call it once the other servers have said who is at theirs; `alone` if there are none.
        """
        work = partial(self._count_absent, alone=alone)
        for consult in await self._consults.store.live(limit=LIVE_MAX):
            await self._each(consult, work)

    async def _count_absent(self, consult_id: ConsultId, *, alone: bool) -> None:
        consult, now = (await self._consults.load(consult_id)).consult, self._clock.now()
        await self._consults.presence.update(consult_id, partial(_nobody_connected, consult=consult, now=now))
        for person in consult.participants if alone else ():
            if person.further_device is not None:
                gone = commands.ReleaseDevice(participant=person.id, device=person.further_device)
                await self._act(consult_id, gone, TheClock())

    async def run(self) -> None:
        """Tick and send boards until cancelled. A failing round is logged and the next one is tried."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_every(TICK_S, self.tick))
            tasks.create_task(_every(BOARDS_EVERY_S, self.flush_boards))
            tasks.create_task(_every(SEEN_EVERY_S, self._searching.say_who_is_at_their_desk))

    async def flush_boards(self) -> None:
        """Send the boards that changed."""
        await self._boards.flush(self._outbox)

    async def tick(self) -> None:
        """Do what is due. Doubles are harmless, here and on other servers."""
        now = self._clock.now()
        for consult in await self._consults.store.due(now, limit=DUE_AT_ONCE):
            await self._each(consult, self._do_due)
        for consult in await self._consults.presence.known():
            await self._each(consult, self._look_at_presence)
        for consult in self._media.behind():
            await self._each(consult, self._publisher.publish)
        self._boards.turn_the_page()
        for consult in self._connections.consults():
            await self._each(consult, self._cut_after_end)

    async def _each(self, consult: ConsultId, work: Callable[[ConsultId], Awaitable[None]]) -> None:
        """Work on one consult; what fails there does not keep the others waiting."""
        try:
            async with self._consults.hold(consult):
                await work(consult)
        except Exception:  # noqa: BLE001 (a bug in one consult must not stop the clock of all)
            _log.exception("a consult could not be worked on")

    async def _do_due(self, consult_id: ConsultId) -> None:
        # Loaded anew: another server may have done it, and then this one must not spin on its own copy.
        self._consults.drop(consult_id)
        consult = (await self._consults.load(consult_id)).consult
        for command in deadlines.due(consult, self._clock.now()):
            await self._act(consult_id, await self._searching.prepared(consult, command), TheClock())
        await self._publisher.publish(consult_id)

    async def _look_at_presence(self, consult_id: ConsultId) -> None:
        consult = (await self._consults.load(consult_id)).consult
        presence = await self._consults.presence.get(consult_id)
        lost = overdue(presence, now=self._clock.now(), after_s=consult.policy.lost_after_s)
        for participant in lost:
            if not self._consults.presence.is_mine(consult_id, participant):
                continue  # their server does that, or another one once it is gone
            await self._act(consult_id, commands.MarkLost(participant=participant), TheClock())
            await self._consults.presence.update(consult_id, partial(given_up, participant=participant))
        if lost:
            await self._publisher.publish(consult_id)
        await self._publisher.say_unsaid(consult_id)
        here = any(p.connection or p.gone_since or p.peer for p in presence.people.values())
        if (consult.over or not here) and not self._connections.seats(consult_id):
            await self._consults.presence.forget(consult_id)

    async def _cut_after_end(self, consult_id: ConsultId) -> None:
        consult = (await self._consults.load(consult_id)).consult
        now = self._clock.now()
        if consult.over and any(is_cut(consult, p, now) for p in consult.participants):
            await self._publisher.publish(consult_id)

    async def _act(self, consult: ConsultId, command: commands.Command, by: Actor) -> None:
        """Do what nobody waits for an answer to; a refusal is no news."""
        try:
            await self._consults.act(consult, command, by=by)
        except Refused as refused:
            _log.info("%s not done: %s", command.type, refused.code)


def _nobody_connected(presence: ConsultPresence, *, consult: Consult, now: datetime) -> ConsultPresence:
    """Whoever the consult says is here, and no server has a connection of, has been gone since `now`."""
    for person in consult.participants:
        if person.seat in HERE:
            presence = disconnected(presence, person.id, None, now=now)
    return presence


async def _every(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await work()
        except Exception:  # noqa: BLE001 (a store that is away comes back; the clock goes on)
            _log.exception("a round failed, trying again")
            await asyncio.sleep(AGAIN_AFTER_S)
        await asyncio.sleep(seconds)
