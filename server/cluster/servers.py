"""One server among others: the bus, the link and the shared media, tied to the consult service."""

import asyncio
from contextlib import AsyncExitStack
from typing import Final

from server.cluster.bus import Bus
from server.cluster.link import Link
from server.cluster.media import SharedMedia, watch
from server.cluster.sealed import Sealer
from server.media_adapter import MediaAdapter
from server.settings import Settings
from server.storage.consults import Consults
from server.storage.database import Database
from server.storage.homes import Homes
from signaling.consult.news import ServerId
from signaling.service.service import Service

GREETED_WITHIN_S: Final = 3.0


class Servers:
    """What a server needs to serve consults together with others."""

    def __init__(self, settings: Settings, *, database: Database, media: MediaAdapter) -> None:
        """Raises ValueError where `cluster` is not set."""
        cluster, url = settings.cluster, settings.redis.url
        if cluster.address is None or cluster.secret is None or url is None:
            raise ValueError("cluster is not set")
        sealer = Sealer(cluster.secret.get_secret_value())
        self.server = ServerId(cluster.address)
        self.bus = Bus(url.get_secret_value(), sealer, self.server)
        self._link = Link(sealer, self.server)
        self.media = SharedMedia(media, Homes(database), self._link)
        self._store = Consults(database)

    async def start(self, stack: AsyncExitStack, service: Service) -> None:
        """Be there for other servers until the stack ends. Raises OSError if the address cannot be used."""
        neighbours, bus = service.neighbours, self.bus
        self.media.news_of = neighbours.news_of
        self.media.settle = neighbours.settle
        self.media.moved = neighbours.media_moved
        self.media.is_alive = lambda server: bus.state == "heard" and server in bus.others
        bus.on_news = neighbours.heard
        bus.on_new = neighbours.say_all
        bus.on_gone = neighbours.server_gone
        stack.push_async_callback(self._link.close)
        await self._link.start()
        stack.push_async_callback(bus.close)

    async def run(self, service: Service) -> None:
        """Talk to the others, and look at the database in case nobody hears; for ever."""

        async def look() -> None:
            is_deaf = self.bus.state != "heard"
            here = service.neighbours.here(boards=is_deaf)
            await service.neighbours.catch_up(await self._store.versions(here), boards=is_deaf)

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.bus.run())
            tasks.create_task(watch(self.media, service.neighbours.here, look))

    async def count_absent(self, service: Service) -> None:
        """Once it is known who is at other servers, see who is nowhere. Waits while Redis is away."""
        while not await self.bus.greeted(within_s=GREETED_WITHIN_S):
            continue
        await service.count_absent(alone=not self.bus.others)
