"""The `MediaPort` of `signaling.ports` over the media plane. Rooms are consults, by their ids."""

import os
from collections.abc import Callable
from time import monotonic
from typing import Final

from media.interface import Notice, SourceName
from media.plane import BadSdp, MediaPlane, MediaSettings, RefusedByWorker, Route, WorkerUnavailable
from media.plane import Routing as MediaRouting
from server.settings import Media, Settings
from signaling.consult.values import ConsultId, PeerId, Source
from signaling.errors import Code, MediaUnavailable
from signaling.ports import Routing

_SOURCES: Final[dict[Source, SourceName]] = {"audio": "audio", "camera": "video", "screen": "screen"}


def worker_count(media: Media) -> int:
    """How many workers the settings mean: one for each core this process may use, unless they say."""
    return media.workers or len(os.sched_getaffinity(0))


def plane(settings: Settings, on_notice: Callable[[Notice], None]) -> MediaPlane:
    """The media plane of these settings, not yet started."""
    media = settings.media
    return MediaPlane(
        MediaSettings(
            port=media.port,
            workers=worker_count(media),
            data_dir=settings.server.data_dir,
            public_addresses=tuple(str(address) for address in media.public_addresses),
            bind_addresses=tuple(str(address) for address in media.bind),
        ),
        on_notice,
    )


class MediaAdapter:
    """Translates between the words of a consult and those of the media plane."""

    def __init__(self, media: MediaPlane) -> None:
        self._media = media

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
                source=_SOURCES[link.source],
                subscriber=link.subscriber,
                slot=link.slot,
            )
            for link in links
        )
        try:
            await self._media.route(consult, MediaRouting(revision=routing.revision, routes=routes))
        except (WorkerUnavailable, RefusedByWorker) as error:
            raise MediaUnavailable(Code.MEDIA_UNAVAILABLE, error.code) from error

    async def close_peer(self, consult: ConsultId, peer: PeerId) -> None:
        await self._media.close_peer(consult, peer)

    async def close_consult(self, consult: ConsultId) -> None:
        await self._media.close_room(consult)


async def start_and_stop(settings: Settings) -> float:
    """Start the workers and end them; returns the seconds the start took. Raises `WorkerUnavailable`."""
    media = plane(settings, lambda _notice: None)
    started_s = monotonic()
    await media.start()
    seconds = monotonic() - started_s
    await media.stop()
    return seconds
