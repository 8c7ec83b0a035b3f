"""A revocation stops a recording whatever else goes on at that moment, and at whichever server it is said."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from server.cluster.link import Call, Reply
from server.cluster.media import SharedMedia
from server.cluster.wire import Done, Settle
from signaling.consult.ids import ConsultId
from signaling.consult.news import Changed, ServerId
from signaling.consult.values import Role
from signaling.errors import Code, Refused, Unstored
from signaling.ports import RecordingOrder, Routing
from tests.recording.test_consent import agree, ask, order, recorded, state
from tests.signaling.fakes import MemoryMedia
from tests.signaling.test_two_servers import Pair
from tests.signaling.world import HASH, World


class SlowMedia(MemoryMedia):
    """Takes the next routing only when told to; those after it pass. Counts what it is told to record."""

    def wait(self) -> None:
        self.slow: asyncio.Event | None = asyncio.Event()
        self.waits = asyncio.Event()
        self.orders: list[RecordingOrder | None] = []

    async def route(self, consult: ConsultId, routing: Routing) -> None:
        slow, self.slow = getattr(self, "slow", None), None
        if slow is not None:
            self.waits.set()
            self.go = slow
            await slow.wait()
        await super().route(consult, routing)
        if hasattr(self, "orders"):
            self.orders.append(self.routings[consult].recording)


@pytest.fixture
async def media() -> SlowMedia:
    return SlowMedia()


@pytest.fixture
async def world(media: SlowMedia) -> World:
    return World(media=media)


async def pause() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_revocation_undoes_nothing_that_is_on_its_way(world: World, media: SlowMedia) -> None:
    await recorded(world)
    await world.connect("omar", Role.COMPANION)
    await world.ask("omar", "arrive")
    await world.ask("omar", "connect_media", offer="v=0")
    media.wait()
    admitting = asyncio.create_task(world.admit("omar", Role.COMPANION))
    await media.waits.wait()
    revoking = asyncio.create_task(world.ask("amal", "refuse_recording"))
    await pause()
    media.go.set()
    await asyncio.gather(admitting, revoking)
    assert order(world) is None
    assert (Role.COMPANION, Role.PATIENT) in await world.hear_each_other()


async def test_what_is_revoked_while_it_begins_does_not_begin(world: World, media: SlowMedia) -> None:
    await world.in_room()
    await ask(world)
    await agree(world, "amal")
    media.wait()
    agreeing = asyncio.create_task(agree(world, "nour"))
    await media.waits.wait()
    revoking = asyncio.create_task(world.ask("amal", "refuse_recording"))
    await pause()
    media.go.set()
    await asyncio.gather(agreeing, revoking)
    assert state(world) == ("paused", "revoked")
    assert media.orders
    assert set(media.orders) == {None}


async def test_of_two_who_revoke_the_one_who_is_refused_lets_nothing_go_on(
    world: World, media: SlowMedia
) -> None:
    await recorded(world)
    append, failing = world.store.append, [True]

    async def once(*args: Any, **fields: Any) -> None:
        if failing:
            failing.clear()
            raise Refused(Code.NOT_STORED)
        await append(*args, **fields)

    world.store.append = once  # type: ignore[method-assign]
    media.orders = []
    media.slow = None

    async def publishing() -> None:
        async with world.service._consults.hold(world.consult):
            await world.service._publisher.publish(world.consult)

    async with world.service._consults.hold(world.consult):
        first = asyncio.create_task(world.ask("amal", "refuse_recording"))
        await pause()
        between = asyncio.create_task(publishing())
        await pause()
        second = asyncio.create_task(world.ask("nour", "refuse_recording"))
        await pause()
    with pytest.raises(Refused):
        await first
    await asyncio.gather(between, second)
    assert state(world) == ("paused", "revoked")
    assert set(media.orders) == {None}


async def test_a_revocation_does_not_wait_for_a_consult_that_is_read_anew(world: World) -> None:
    await recorded(world)
    async with world.service._consults.hold(world.consult):
        world.service._consults.drop(world.consult)
        revoking = asyncio.create_task(world.ask("amal", "refuse_recording"))
        await pause()
        assert order(world) is None
    await revoking
    assert state(world) == ("paused", "revoked")


async def test_a_revocation_that_was_given_up_is_forgotten(world: World, media: SlowMedia) -> None:
    await recorded(world)
    media.wait()
    revoking = asyncio.create_task(world.ask("amal", "refuse_recording"))
    await media.waits.wait()
    revoking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await revoking
    await world.service.tick()
    assert state(world) == ("on", None)
    assert order(world) is not None


# --- where the media is at another server -------------------------------------------------------------------


class Far(MemoryMedia):
    """The media plane of a server whose consults have their media at another one."""

    def __init__(self, pair: "FarPair") -> None:
        super().__init__()
        self.pair = pair

    async def connect(self, consult: ConsultId, peer: Any, offer: str) -> str:
        return await self.pair.a.media.connect(consult, peer, offer)

    async def close_peer(self, consult: ConsultId, peer: Any) -> None:
        await self.pair.a.media.close_peer(consult, peer)

    async def route(self, consult: ConsultId, routing: Routing) -> None:
        await self.pair.shared.route(consult, routing)


class Homes:
    """Server `a` is the home of everything."""

    async def of(self, consults: Any) -> dict[ConsultId, ServerId]:
        return dict.fromkeys(consults, ServerId("a"))


class Link:
    """Brings calls from `b` to `a`."""

    server = ServerId("b")

    def __init__(self, pair: "FarPair") -> None:
        self.pair = pair

    async def call(self, to: ServerId, call: Call) -> Reply:
        assert to == "a"
        assert isinstance(call, Settle)
        await self.pair.a.service.neighbours.settle(call.changed, call.unrecorded_since)
        return Done()


class FarPair(Pair):
    """As `Pair`, but the media plane is that of `a` alone, and `b` asks it."""

    def __init__(self) -> None:
        super().__init__()
        self.shared = SharedMedia(self.b.media, Homes(), Link(self))  # type: ignore[arg-type]
        self.b.media = Far(self)
        self.b.service = self.b.restarted()
        self.shared.news_of = self._news_of

    async def _news_of(self, consult: ConsultId) -> Changed:
        return await self.b.service.neighbours.news_of(consult)

    async def recorded(self) -> None:
        """Physician (at `b`), patient and interpreter have agreed."""
        await self.in_room()
        text = {"text_id": "recording-video-1", "text_hash": HASH, "what": "video"}
        await self.b.ask("chen", "ask_recording", language="en", **text)
        await self.talk()
        for who in ("amal", "nour"):
            await self.a.ask(who, "agree_to_recording", no=1, language="ar", **text)
            await self.talk()
        assert order(self.a) is not None


@pytest.fixture
async def pair() -> FarPair:
    pair = FarPair()
    await pair.recorded()
    return pair


async def test_a_revocation_at_another_server_stops_it_before_anything_is_stored(pair: FarPair) -> None:
    received, heard = pair.b.clock.now(), []
    append = pair.b.store.append

    async def slow(*args: Any, **fields: Any) -> None:
        heard.append(pair.a.media.routings[pair.a.consult])
        pair.b.clock.pass_s(5)
        await append(*args, **fields)

    pair.b.store.append = slow  # type: ignore[method-assign]
    await pair.b.ask("chen", "refuse_recording")
    assert (heard[0].recording, heard[0].recording_end) == (None, "revoked")
    assert heard[0].recording_cut_at == received
    await pair.talk()
    assert state(pair.a) == ("paused", "revoked")
    assert order(pair.a) is None
    pair.b.store.append = append  # type: ignore[method-assign]
    await agree(pair.b, "chen", language="en")
    await pair.talk()
    assert state(pair.a) == ("on", None)
    assert order(pair.a) is not None


async def test_what_was_not_stored_at_another_server_lets_it_go_on(pair: FarPair) -> None:
    append = pair.b.store.append

    async def refusing(*_: Any, **__: Any) -> None:
        raise Unstored

    pair.b.store.append = refusing  # type: ignore[method-assign]
    with pytest.raises((Refused, Unstored)):
        await pair.b.ask("chen", "refuse_recording")
    assert order(pair.a) is None
    pair.b.store.append = append  # type: ignore[method-assign]
    await pair.b.service.tick()
    assert order(pair.a) is not None


async def test_a_server_that_is_gone_with_a_revocation_keeps_nothing_stopped(pair: FarPair) -> None:
    news = await pair.b.service.neighbours.news_of(pair.b.consult)
    await pair.a.service.neighbours.settle(news, pair.a.clock.now())
    assert order(pair.a) is None
    pair.a.clock.pass_s(9)
    await pair.a.service.tick()
    assert order(pair.a) is None
    pair.a.clock.pass_s(2)
    await pair.a.service.tick()
    assert order(pair.a) is not None


def test_a_revocation_of_an_older_server_is_none() -> None:
    told = Changed(consult=ConsultId("c"), clinic="clinic", version=1, people=())  # type: ignore[arg-type]
    assert Settle(changed=told).unrecorded_since is None
    assert Settle(changed=told, unrecorded_since=datetime.now(UTC)).unrecorded_since is not None
