"""The `MediaPort` of `signaling.ports` over the media plane. Rooms are consults, by their ids."""

import asyncio
import os
from time import monotonic
from typing import Final, NoReturn, Protocol

from media.interface import (
    Notice,
    PeerConnected,
    PeerLost,
    PeerQuality,
    RecordingFailed,
    RecordingProgress,
    WorkerLost,
)
from media.interface import RecordingOrder as MediaOrder
from media.plane import BadSdp, MediaPlane, MediaSettings, RefusedByWorker, Route, WorkerUnavailable
from media.plane import Routing as MediaRouting
from server.logs import logger
from server.recordings.names import hex_of, id_of
from server.recordings.ordering import SOURCES, CannotRecordError, Orders, cut_ms
from server.recordings.store import Recordings
from server.settings import Media, Settings
from signaling.consult.ids import ConsultId, PeerId, RecordingId
from signaling.consult.values import ConnectionLevel
from signaling.errors import Code, MediaUnavailable, Unstored
from signaling.ports import Clock, RecordingEnd, RecordingOrder, Routing

NOTICES_MAX: Final = 10_000
ORPHAN_S: Final = 120.0  # a worker that no server has come for ends, and with it its consults' sound
PROGRESS_AGAIN_S: Final = 2.0
STOPS: Final[dict[RecordingEnd, str]] = {"paused": "", "revoked": "revoked", "ended": "ended"}

log = logger("media")


def worker_count(media: Media) -> int:
    """How many workers the settings mean: one for each core this process may use, unless they say."""
    return media.workers or len(os.sched_getaffinity(0))


class MediaListener(Protocol):
    """Who is told what happens in the media plane: the consult service."""

    async def media_peer_lost(self, consult: ConsultId, peer: PeerId) -> None: ...

    async def media_consult_lost(self, consult: ConsultId) -> None: ...

    async def media_quality(
        self, consult: ConsultId, peer: PeerId, level: ConnectionLevel, *, picture_paused: bool
    ) -> None: ...

    async def media_recording_failed(self, consult: ConsultId, recording: RecordingId) -> None: ...


class MediaAdapter:
    """Translates between the words of a consult and those of the media plane."""

    def __init__(self, settings: Settings, orders: Orders | None = None) -> None:
        """Without `orders` nothing is ever recorded."""
        media = settings.media
        self._orders = orders
        self.workers = worker_count(media)
        self._notices: asyncio.Queue[Notice] = asyncio.Queue(NOTICES_MAX)
        self._progress: asyncio.Queue[RecordingProgress] = asyncio.Queue(NOTICES_MAX)
        self._media = MediaPlane(
            MediaSettings(
                port=media.port,
                workers=self.workers,
                data_dir=settings.server.data_dir,
                orphan_s=ORPHAN_S,
                public_addresses=tuple(str(address) for address in media.public_addresses),
                bind_addresses=tuple(str(address) for address in media.bind),
            ),
            self._noticed,
        )

    async def start(self) -> None:
        """Start the workers, or take over those that still run. Raises `WorkerUnavailable`."""
        await self._media.start()

    async def stop(self) -> None:
        """End the workers and with them all connections."""
        await self._media.stop()

    async def leave(self) -> None:
        """Let consults go on while there is no server: the next one takes their workers over."""
        left = await self._media.leave()
        if left:
            log.info("media workers go on for the next server", workers=left, at_most_s=ORPHAN_S)

    @property
    def workers_up(self) -> int:
        return self._media.workers_up

    def rooms(self) -> frozenset[ConsultId]:
        """The consults a worker here has something of."""
        return frozenset(ConsultId(room) for room in self._media.rooms)

    def packets(self) -> dict[tuple[int, str], int]:
        """Packets of each worker that runs, by what became of them."""
        return {(t.worker, what): n for t in self._media.totals() for what, n in t.packets.items()}

    def _noticed(self, notice: Notice) -> None:
        try:
            if isinstance(notice, RecordingProgress):
                self._progress.put_nowait(notice)
            else:
                self._notices.put_nowait(notice)
        except asyncio.QueueFull:
            # What is lost with it is found again: quality by the next notice, a lost peer by its browser.
            log.warning("notice of the media plane dropped", kind=notice.kind)

    async def tell(self, listener: MediaListener) -> NoReturn:
        """Pass notices on, in order, for ever."""
        while True:
            notice = await self._notices.get()
            try:
                await _told(notice, listener)
            except Exception:
                log.exception("notice not handled", kind=notice.kind)

    async def keep_progress(self, recordings: Recordings, clock: Clock) -> NoReturn:
        """Store how far each part is, in order, for ever: it is what a cut part is found out by."""
        while True:
            notice = await self._progress.get()
            try:
                while not await _is_kept(notice, recordings, clock):  # noqa: ASYNC110 (nothing tells when)
                    await asyncio.sleep(PROGRESS_AGAIN_S)
            except asyncio.CancelledError:
                self._progress.put_nowait(notice)  # for `keep_rest`; late or twice, it changes nothing
                raise

    async def keep_rest(self, recordings: Recordings, clock: Clock) -> None:
        """Store what the workers said last, after their end: that their parts are whole."""
        while not self._progress.empty():
            await _is_kept(self._progress.get_nowait(), recordings, clock)

    async def connect(self, consult: ConsultId, peer: PeerId, offer: str) -> str:
        try:
            return await self._media.connect(consult, peer, offer)
        except BadSdp as error:
            raise MediaUnavailable(Code.BAD_OFFER, str(error)) from error
        except (WorkerUnavailable, RefusedByWorker) as error:
            raise MediaUnavailable(Code.MEDIA_UNAVAILABLE, error.code) from error

    async def route(self, consult: ConsultId, routing: Routing) -> None:
        links = sorted(routing.links, key=lambda link: (link.subscriber, link.source, link.slot))
        routes = tuple(
            Route(
                publisher=link.publisher,
                source=SOURCES[link.source],
                subscriber=link.subscriber,
                slot=link.slot,
            )
            for link in links
        )
        wanted = MediaRouting(
            revision=routing.revision,
            routes=routes,
            recording=await self._order(consult, routing),
            recording_stop=STOPS[routing.recording_end],
            recording_cut_ms=cut_ms(routing.recording_cut_at),
        )
        try:
            await self._media.route(consult, wanted)
        except (WorkerUnavailable, RefusedByWorker) as error:
            raise MediaUnavailable(Code.MEDIA_UNAVAILABLE, error.code) from error

    async def _order(self, consult: ConsultId, routing: Routing) -> MediaOrder | None:
        """What a worker needs to record. Where it is not to be had everybody is told; the consult goes on."""
        if routing.recording is None:
            if self._orders is not None:
                self._orders.over(consult)
            return None
        try:
            return await self._ordered(consult, routing.recording)
        except CannotRecordError:
            name = hex_of(routing.recording.recording)
            self._noticed(RecordingFailed(room=consult, recording=name, code="disk_error"))
            return None

    async def _ordered(self, consult: ConsultId, order: RecordingOrder) -> MediaOrder:
        if self._orders is None:  # it was allowed when the consult was booked, and no longer is
            raise CannotRecordError
        return await self._orders.of(consult, order)

    async def close_peer(self, consult: ConsultId, peer: PeerId) -> None:
        await self._media.close_peer(consult, peer)

    async def close_consult(self, consult: ConsultId) -> None:
        if self._orders is not None:
            self._orders.over(consult)
        await self._media.close_room(consult)


async def _told(notice: Notice, listener: MediaListener) -> None:
    match notice:
        case PeerLost():
            await listener.media_peer_lost(ConsultId(notice.room), PeerId(notice.peer))
        case PeerQuality():
            await listener.media_quality(
                ConsultId(notice.room),
                PeerId(notice.peer),
                notice.level,
                picture_paused=notice.pictures_paused > 0,
            )
        case WorkerLost():
            for room in notice.rooms:
                await listener.media_consult_lost(ConsultId(room))
        case RecordingFailed():
            await listener.media_recording_failed(ConsultId(notice.room), id_of(notice.recording))
        case RecordingProgress():
            pass  # has a queue of its own
        case PeerConnected():
            pass  # the browser knows, and says how good it is


async def _is_kept(notice: RecordingProgress, recordings: Recordings, clock: Clock) -> bool:
    """Whether there is nothing left to do about it."""
    try:
        await recordings.progress(notice, now=clock.now())
    except Unstored:
        log.warning("how far a recording is was not stored, trying again")
        return False
    except Exception:
        log.exception("how far a recording is cannot be stored", part=notice.part)
    return True


async def start_and_stop(settings: Settings) -> float:
    """Start the workers and end them; returns the seconds the start took. Raises `WorkerUnavailable`."""
    media = MediaAdapter(settings)
    started_s = monotonic()
    await media.start()
    seconds = monotonic() - started_s
    await media.stop()
    return seconds
