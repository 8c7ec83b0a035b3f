"""What the media plane is told: peers to take and close, and the routing after each change.

Refusing somebody media must not depend on luck: what could not be told is told again until it was.
"""

import asyncio
import logging
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from signaling.consult.ids import ConsultId, PeerId
from signaling.consult.presence import EMPTY, ConsultPresence, PersonPresence
from signaling.consult.recording import Recording, RecordingState
from signaling.consult.recording_order import Order, recording_order
from signaling.consult.routing import Link, routing
from signaling.consult.values import Consult, SeatState
from signaling.errors import Code, MediaUnavailable, Refused
from signaling.ports import (
    Clock,
    MediaPort,
    PeerLink,
    RecordedTrack,
    RecordingEnd,
    RecordingOrder,
    Routing,
)

TOLD_WITHIN_S: Final = 5.0  # a media plane that takes longer counts as unavailable
CUT_ELSEWHERE_S_MAX: Final = 10.0  # a server that says no more of a revocation by then is gone

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the media plane was last told of a consult."""

    links: frozenset[PeerLink] = frozenset()
    recording: RecordingOrder | None = None


NOTHING: Final = Told()
Ruled = tuple[frozenset[Link], Order | None]


class MediaKeeper:
    """Keeps the media plane in step with the consults of this process."""

    def __init__(self, *, media: MediaPort, clock: Clock) -> None:
        """Nothing was told yet."""
        self._media = media
        self._clock = clock
        self._told: dict[ConsultId, Told | None] = {}  # None: not known what it has heard
        self._newest: dict[ConsultId, tuple[int, Told]] = {}  # the last it was or is being told, by revision
        # What the rules said when this server started, and until when it stands.
        self._adopted: dict[ConsultId, tuple[Ruled, datetime]] = {}
        self._to_close: dict[ConsultId, set[PeerId]] = {}
        self._behind: set[ConsultId] = set()
        # People who are taking their consent back, since when; the first one first.
        self._cuts: dict[ConsultId, list[datetime]] = {}
        # The same at another server: since when, and until when that is believed.
        self._cuts_elsewhere: dict[ConsultId, tuple[datetime, datetime]] = {}
        self._revision = 0

    async def connect(self, consult: ConsultId, peer: PeerId, offer: str) -> str:
        """Return the answer to a peer's offer, or raise `Refused`."""
        try:
            async with asyncio.timeout(TOLD_WITHIN_S):
                return await self._media.connect(consult, peer, offer)
        except MediaUnavailable as error:
            raise Refused(error.code, error.hint) from error
        except TimeoutError as error:
            await self.close_peer(consult, peer)
            raise Refused(Code.MEDIA_UNAVAILABLE, "no answer in time") from error

    async def close_peer(self, consult: ConsultId, peer: PeerId) -> None:
        """Close a peer; if that fails, again until it succeeds."""
        waiting = self._to_close.setdefault(consult, set())
        waiting.add(peer)
        if await self._tell(consult, self._media.close_peer(consult, peer)):
            waiting.discard(peer)
        if not waiting:
            del self._to_close[consult]

    async def settle(self, consult: Consult, presence: ConsultPresence) -> None:
        """Make the routing of `consult` what it should be now."""
        for peer in tuple(self._to_close.get(consult.id, ())):
            await self.close_peer(consult.id, peer)
        if consult.over:
            await self._close(consult.id)
            return
        if self._is_left_alone(consult, presence):
            return
        wanted = Told(links=_peer_links(consult, presence), recording=_peer_order(consult, presence))
        if wanted.recording is None:
            self._cuts_elsewhere.pop(consult.id, None)  # it is written down by now, or makes no difference
        end, cut_at = _end_of(consult.recording)
        if (since := self._cut_since(consult.id)) is not None:
            wanted, end, cut_at = replace(wanted, recording=None), "revoked", since
        if wanted == self._told.get(consult.id, NOTHING):
            self._behind -= {consult.id} if consult.id not in self._to_close else set()
            return
        await self._route(consult.id, wanted, end, cut_at)

    async def cut(self, consult: ConsultId) -> None:
        """Somebody takes their consent back: keep nothing that arrives from now on, until `uncut`.

        The media plane is told before anything is stored, so that a slow disk records nobody any longer. It
        may be hearing of a newer routing just now: that one it is told again, without the recording.
        """
        self._cuts.setdefault(consult, []).append(self._clock.now())
        await self._unrecord(consult)

    def uncut(self, consult: ConsultId) -> None:
        """One request of these was answered; the consult says by now whether it may be recorded."""
        cuts = self._cuts.pop(consult, [])[1:]
        if cuts:
            self._cuts[consult] = cuts
        if consult in self._told:
            self._behind.add(consult)

    async def heard_of_cut(self, consult: ConsultId, since: datetime | None) -> None:
        """Somebody takes their consent back at another server, or (None) nobody does there any longer."""
        if since is None:
            self._cuts_elsewhere.pop(consult, None)
            return
        until = self._clock.now() + timedelta(seconds=CUT_ELSEWHERE_S_MAX)
        self._cuts_elsewhere[consult] = (since, until)
        await self._unrecord(consult)

    def _cut_since(self, consult: ConsultId) -> datetime | None:
        cuts = self._cuts.get(consult, [])[:1]
        if consult in self._cuts_elsewhere:
            cuts = [*cuts, self._cuts_elsewhere[consult][0]]
        return min(cuts, default=None)

    async def _unrecord(self, consult: ConsultId) -> None:
        _, newest = self._newest.get(consult, (0, NOTHING))
        if newest.recording is not None:
            since = self._cut_since(consult)
            await self._route(consult, replace(newest, recording=None), "revoked", since)

    async def _route(
        self, consult: ConsultId, wanted: Told, end: RecordingEnd, cut_at: datetime | None
    ) -> None:
        revision = self._next_revision()
        self._newest[consult] = (revision, wanted)
        told = Routing(
            revision=revision,
            links=wanted.links,
            recording=wanted.recording,
            recording_end=end,
            recording_cut_at=cut_at,
        )
        is_told = await self._tell(consult, self._media.route(consult, told))
        if is_told and self._newest.get(consult) == (revision, wanted):  # or a newer one is on its way
            self._told[consult] = wanted

    def adopt(self, consult: Consult) -> None:
        """This server has just started: the media plane may still forward this consult's last routing."""
        until = self._clock.now() + timedelta(seconds=consult.policy.lost_after_s)
        self._adopted[consult.id] = (_if_all_were_back(consult), until)
        self._told[consult.id] = None

    def is_adopted(self, consult: ConsultId) -> bool:
        """Whether pages that name a peer still have it, as far as anybody knows."""
        return consult in self._adopted

    def _is_left_alone(self, consult: Consult, presence: ConsultPresence) -> bool:
        """An adopted routing stands, so that nobody notices the restart, until everyone is back, somebody is
        not back in time, or who may hear whom is another: a message alone cuts off nobody.
        """
        if consult.id not in self._adopted:
            return False
        ruled, until = self._adopted[consult.id]
        in_room = (p for p in consult.participants if p.seat is SeatState.PRESENT)
        back = all(presence.of(p.id).peer is not None for p in in_room)
        if not back and self._clock.now() < until and _if_all_were_back(consult) == ruled:
            return True
        del self._adopted[consult.id]
        return False

    async def _close(self, consult: ConsultId) -> None:
        if await self._tell(consult, self._media.close_consult(consult)):
            self.forget(consult)

    def forget(self, consult: ConsultId) -> None:
        """The media plane knows nothing of this consult (any more): tell it everything next time."""
        self._told.pop(consult, None)
        self._newest.pop(consult, None)
        self._cuts_elsewhere.pop(consult, None)
        self._adopted.pop(consult, None)
        self._to_close.pop(consult, None)
        self._behind.discard(consult)

    def carries(self, consult: ConsultId) -> bool:
        """Whether the media plane may hold anything of this consult."""
        return consult in self._told or consult in self._adopted

    def carried(self) -> tuple[ConsultId, ...]:
        """The consults of which the media plane may hold anything."""
        return tuple(self._told)

    def behind(self) -> tuple[ConsultId, ...]:
        """The consults whose last word did not reach the media plane; `settle` them again."""
        now = self._clock.now()
        for consult in [one for one, (_, until) in self._cuts_elsewhere.items() if now >= until]:
            del self._cuts_elsewhere[consult]
            self._behind.add(consult)
        return tuple(self._behind)

    def _next_revision(self) -> int:
        """Grows even across a restart of this server, so that an adopted worker takes the newer one."""
        self._revision = max(self._revision + 1, int(self._clock.now().timestamp() * 1000))
        return self._revision

    async def _tell(self, consult: ConsultId, telling: Awaitable[None]) -> bool:
        try:
            async with asyncio.timeout(TOLD_WITHIN_S):
                await telling
        except (MediaUnavailable, TimeoutError) as error:
            self._told[consult] = None
            self._behind.add(consult)
            _log.warning("media plane not reached, trying again: %s", type(error).__name__)
            return False
        except asyncio.CancelledError:  # whoever asked is gone; it may have heard of it or not
            self._told[consult] = None
            self._behind.add(consult)
            raise
        self._behind.discard(consult)
        return True


def _if_all_were_back(consult: Consult) -> Ruled:
    """What would be forwarded and recorded if everybody in the room had a peer."""
    people = {p.id: PersonPresence(peer=PeerId(p.id)) for p in consult.participants}
    presence = replace(EMPTY, people=people)
    return routing(consult, presence), recording_order(consult, presence)


def _peer_links(consult: Consult, presence: ConsultPresence) -> frozenset[PeerLink]:
    links = set()
    for link in routing(consult, presence):
        publisher, subscriber = presence.of(link.publisher).peer, presence.of(link.subscriber).peer
        if publisher is not None and subscriber is not None:
            links.add(
                PeerLink(publisher=publisher, source=link.source, subscriber=subscriber, slot=link.slot)
            )
    return frozenset(links)


def _peer_order(consult: Consult, presence: ConsultPresence) -> RecordingOrder | None:
    order = recording_order(consult, presence)
    if order is None:
        return None
    peers = {who: presence.of(who).peer for who in order.agreed}
    return RecordingOrder(
        recording=order.recording,
        what=order.what,
        begun_at=order.begun_at,
        agreed=frozenset(peer for peer in peers.values() if peer is not None),
        tracks=frozenset(
            RecordedTrack(peer=peer, source=track.source, number=track.number)
            for track in order.tracks
            if (peer := peers[track.participant]) is not None
        ),
        consents=order.consents,
    )


def _end_of(recording: Recording | None) -> tuple[RecordingEnd, datetime | None]:
    """Why nothing is recorded any more, and since when."""
    if recording is None or recording.state is RecordingState.ON:
        return "paused", None
    if recording.state is RecordingState.STOPPED:
        return "ended", recording.since
    return ("revoked" if recording.why == "revoked" else "paused"), recording.since
