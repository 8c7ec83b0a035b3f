"""The `MediaPort` of servers that share consults: one of them has the media of each, and the others ask it.

A server that ends leaves its workers running, so nothing changes for whoever hears through them. Only when a
consult needs something of a home that has been silent for a while does another server become its home; then
its people connect their media anew.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from typing import Final

from server.cluster.link import Call, Link, Reply, Unreachable
from server.cluster.wire import Answered, ClosePeer, ConnectPeer, Declined, Done, Settle
from server.logs import logger
from server.media_adapter import MediaAdapter
from server.storage.homes import Homes
from signaling.consult.ids import ConsultId, PeerId
from signaling.consult.news import Changed, ServerId
from signaling.errors import Code, MediaUnavailable
from signaling.ports import Routing

# Longer than a server takes that is replaced by a new version.
TAKE_OVER_AFTER_S: Final = 5.0
NOT_HOME: Final = "not_home"

log = logger("cluster")


class SharedMedia:
    """Asks this server's media plane, or the server that has the consult's.

    * `news_of`: what this server knows of a consult
    * `settle`: bring this server's media plane in step with what another one knows, where somebody may be
      taking their consent to a recording back since some moment; whether it is
    * `moved`: a consult's media is somewhere else now, and every peer it had is gone
    * `is_alive`: whether another server was heard of late
    """

    def __init__(self, own: MediaAdapter, homes: Homes, link: Link) -> None:
        self.news_of: Callable[[ConsultId], Awaitable[Changed]]
        self.settle: Callable[[Changed, datetime | None], Awaitable[bool]]
        self.moved: Callable[[ConsultId], Awaitable[None]]
        self.is_alive: Callable[[ServerId], bool] = lambda _: False
        self._own = own
        self._homes = homes
        self._link = link
        self._me = link.server
        self._known: dict[ConsultId, ServerId] = {}
        link.answer = self._asked

    # --- the port ----------------------------------------------------------------------------------------

    async def connect(self, consult: ConsultId, peer: PeerId, offer: str) -> str:
        home = self._known[consult] = await self._homes.claim(consult, self._me)
        if home == self._me:
            return await self._own.connect(consult, peer, offer)
        reply = await self._ask(home, ConnectPeer(consult=consult, peer=peer, offer=offer), consult)
        if not isinstance(reply, Answered):
            raise MediaUnavailable(Code.MEDIA_UNAVAILABLE, "no answer")
        return reply.answer

    async def route(self, consult: ConsultId, routing: Routing) -> None:
        home = await self._home(consult)
        if home == self._me:
            await self._own.route(consult, routing)
        elif home is not None:
            is_cut = routing.recording is None and routing.recording_end == "revoked"
            since = routing.recording_cut_at if is_cut else None
            settle = Settle(changed=await self.news_of(consult), unrecorded_since=since)
            await self._ask(home, settle, consult)

    async def close_peer(self, consult: ConsultId, peer: PeerId) -> None:
        home = await self._home(consult)
        if home == self._me:
            await self._own.close_peer(consult, peer)
        elif home is not None:
            await self._ask(home, ClosePeer(consult=consult, peer=peer), consult)

    async def close_consult(self, consult: ConsultId) -> None:
        home = await self._home(consult)
        if home == self._me:
            await self._own.close_consult(consult)
            await self._homes.release(self._me, consult)
        elif home is not None:
            await self._ask(home, Settle(changed=await self.news_of(consult)), consult)
        self._known.pop(consult, None)

    # --- what is where -----------------------------------------------------------------------------------

    async def _home(self, consult: ConsultId) -> ServerId | None:
        if consult not in self._known:
            found = (await self._homes.of((consult,))).get(consult)
            if found is None:
                return None
            self._known[consult] = found
        return self._known[consult]

    async def refresh(self, consults: Collection[ConsultId]) -> None:
        """Look where the media of these consults is, and end what is here and should not be."""
        rooms = self._own.rooms()
        asked = {*consults, *rooms, *self._known}
        found = await self._homes.of(asked)
        for consult in asked:
            before, now = self._known.get(consult), found.get(consult)
            if now is not None:
                self._known[consult] = now
            else:
                self._known.pop(consult, None)
            if consult in rooms and now != self._me:
                await self._own.close_consult(consult)
            if before is not None and before != now:
                await self.moved(consult)

    async def leave(self) -> None:
        """This server ends for good, and its media with it: others may have its consults."""
        await self._homes.release(self._me)

    # --- calls -------------------------------------------------------------------------------------------

    async def _ask(self, home: ServerId, call: Call, consult: ConsultId) -> Reply:
        try:
            reply = await self._link.call(home, call)
        except Unreachable as error:
            await self._perhaps_take_over(consult, home)
            raise MediaUnavailable(Code.MEDIA_UNAVAILABLE, "its server is away") from error
        if isinstance(reply, Declined):
            if reply.code == NOT_HOME:
                self._known.pop(consult, None)
            code = Code.BAD_OFFER if reply.code == Code.BAD_OFFER else Code.MEDIA_UNAVAILABLE
            raise MediaUnavailable(code, reply.code)
        return reply

    async def _perhaps_take_over(self, consult: ConsultId, home: ServerId) -> None:
        """Become a consult's home if its own is gone. The caller fails this time and asks again."""
        if self._link.unreachable_s(home) < TAKE_OVER_AFTER_S:
            return
        if self.is_alive(home):
            log.error("a server runs and its cluster.address cannot be reached", server=home)
            return
        if await self._homes.move(consult, old=home, new=self._me):
            log.warning("media of a consult taken over", server=home)

    async def _asked(self, call: Call) -> Reply:
        """Another server asks for media that is here."""
        consult = call.changed.consult if isinstance(call, Settle) else call.consult
        if self._known.get(consult) != self._me:
            self._known.pop(consult, None)
            if await self._home(consult) != self._me:
                return Declined(code=NOT_HOME)
        try:
            match call:
                case ConnectPeer():
                    return Answered(answer=await self._own.connect(consult, call.peer, call.offer))
                case ClosePeer():
                    await self._own.close_peer(consult, call.peer)
                    return Done()
                case Settle():
                    is_settled = await self.settle(call.changed, call.unrecorded_since)
                    return Done() if is_settled else Declined(code=Code.MEDIA_UNAVAILABLE)
        except MediaUnavailable as error:
            return Declined(code=error.code)


async def watch(
    media: SharedMedia, here: Callable[[], Collection[ConsultId]], look: Callable[[], Awaitable[None]]
) -> None:
    """Each second, look at the database for what nobody has said; for ever."""
    while True:
        try:
            await look()
            await media.refresh(here())
        except Exception:
            log.exception("not looked, trying again")
        await asyncio.sleep(1.0)
