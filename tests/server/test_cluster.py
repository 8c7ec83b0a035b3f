"""What lies between servers: nobody else can speak on it, and who shares a database shares the tickets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from io import BytesIO

import pytest
from aiohttp import ClientSession
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from server.cli import doctor
from server.cli.doctor import Finding
from server.cluster.bus import CHANNEL, Bus
from server.cluster.link import PATH, Call, Link, Reply, Unreachable
from server.cluster.sealed import FRESH_S, Sealer
from server.cluster.wire import ClosePeer, Done, Letter, decode, encode
from server.identity.socket_tickets import LIFETIME_S, SocketTickets, TicketsInMemory
from server.settings_loading import SettingsError, load
from server.storage.database import Database
from server.storage.homes import Homes
from server.storage.tickets import StoredTickets
from signaling.consult.ids import ClinicId, ConsultId, DeviceId, ParticipantId, PeerId, UserId
from signaling.consult.news import MuteAsked, News, ServerId
from signaling.consult.values import Role
from signaling.ports import BoardEntry, SeatEntry
from tests.e2e.kit.ports import free_port
from tests.server.conftest import SetClock

SECRET = "a secret of thirty-two characters or more"
CONSULT, PEER = ConsultId("consult"), PeerId("peer")
NEWS = MuteAsked(consult=CONSULT, participant=ParticipantId("patient"))
SOON_S = 5


# --- sealed ------------------------------------------------------------------------------------------------


@given(st.binary(max_size=200), st.integers(0, 10_000), st.integers(1, 255))
def test_a_sealed_message_that_was_altered_is_none(message: bytes, place: int, change: int) -> None:
    ours = Sealer(SECRET)
    sealed = bytearray(ours.seal(message))
    assert Sealer(SECRET).open(bytes(sealed)) == message
    sealed[place % len(sealed)] ^= change
    assert Sealer(SECRET).open(bytes(sealed)) in (None, message)  # the last letter has bits of no meaning
    assert ours.open(b"") is None


def test_a_sealed_message_opens_once_for_a_while_and_with_the_secret_alone() -> None:
    now_s = 1_000_000.0
    sender, receiver = (Sealer(SECRET, now_s=lambda: now_s) for _ in range(2))
    sealed = sender.seal(b"one")
    assert Sealer(SECRET + "!", now_s=lambda: now_s).open(sealed) is None
    assert receiver.open(sealed) == b"one"
    assert receiver.open(sealed) is None
    late = sender.seal(b"two")
    now_s += FRESH_S + 1
    assert receiver.open(late) is None
    assert b"one" not in sealed


def test_what_another_version_says_and_this_one_does_not_know_is_left_out() -> None:
    text = encode(Letter(sender=ServerId("a:1"), to=None, message=NEWS))
    assert decode(text.replace(b"MuteAsked", b"LaterKind")) is None
    more = text.replace(b'"consult":', b'"later_field": 1, "consult":')
    assert decode(more) == decode(text)
    for broken in (b"", b"[]", b"{}", b"null", text[:-1], text.replace(b"patient", b"\xff")):
        assert decode(broken) is None


# --- the bus -----------------------------------------------------------------------------------------------


class Listener(Bus):
    """A server on the bus, and what it was told."""

    def __init__(self, url: str, name: str, secret: str = SECRET) -> None:
        super().__init__(url, Sealer(secret), ServerId(name))
        self.news: list[News] = []
        self.gone: list[ServerId] = []
        self.on_news = self._news
        self.on_gone = self._gone

    async def _news(self, news: News) -> None:
        self.news.append(news)

    async def _gone(self, server: ServerId) -> None:
        self.gone.append(server)


async def running(stack: AsyncExitStack, bus: Listener) -> Listener:
    task = asyncio.create_task(bus.run())
    stack.callback(task.cancel)
    stack.push_async_callback(bus.close)
    assert await bus.greeted(within_s=SOON_S)
    return bus


async def until(condition: object) -> None:
    async with asyncio.timeout(SOON_S):
        while not condition():  # type: ignore[operator]  # noqa: ASYNC110 (what is awaited is in Redis)
            await asyncio.sleep(0.01)


async def test_servers_hear_each_other_and_nobody_who_lacks_their_secret(redis_url: str) -> None:
    async with AsyncExitStack() as stack:
        one = await running(stack, Listener(redis_url, "one:1"))
        two = await running(stack, Listener(redis_url, "two:1"))
        stranger = await running(stack, Listener(redis_url, "three:1", SECRET + "!"))
        stranger.say(NEWS)
        async with Redis.from_url(redis_url) as redis:
            await redis.publish(CHANNEL, encode(Letter(sender=two.server, to=None, message=NEWS)))
            await redis.publish(CHANNEL, b"")
        two.say(NEWS)
        await until(lambda: one.news)
        assert (one.news, two.news, stranger.news) == ([NEWS], [], [])
        assert (one.others, two.others, stranger.others) == ((two.server,), (one.server,), ())


async def test_nothing_that_can_be_read_goes_through_redis_and_nothing_stays_in_it(redis_url: str) -> None:
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(Redis.from_url(redis_url))
        kept = set(await redis.keys())
        spy = await stack.enter_async_context(redis.pubsub(ignore_subscribe_messages=True))
        await spy.subscribe(CHANNEL)
        one = await running(stack, Listener(redis_url, "one:1"))
        one.say(NEWS)
        seen = [await spy.get_message(timeout=1) for _ in range(4)]
        data = [bytes(message["data"]) for message in seen if message]
        assert data
        assert not any(b"patient" in one or b"consult" in one for one in data)
        assert set(await redis.keys()) == kept


async def test_a_server_that_ends_says_so(redis_url: str) -> None:
    async with AsyncExitStack() as stack:
        one = await running(stack, Listener(redis_url, "one:1"))
        async with AsyncExitStack() as other:
            two = await running(other, Listener(redis_url, "two:1"))
            await until(lambda: two.server in one.others)
        await until(lambda: one.gone == [two.server])
        assert one.state == "heard"


async def test_a_redis_that_is_not_there_keeps_nobody_waiting() -> None:
    bus = Listener(f"redis://127.0.0.1:{free_port()}", "one:1")
    task = asyncio.create_task(bus.run())
    assert not await bus.greeted(within_s=0.2)
    for _ in range(5000):
        bus.say(NEWS)
    assert bus.state == "away"
    task.cancel()
    await bus.close()


# --- the link ----------------------------------------------------------------------------------------------


@pytest.fixture
async def links() -> AsyncIterator[tuple[Link, Link, list[Call]]]:
    called: list[Call] = []

    async def answer(call: Call) -> Reply:
        called.append(call)
        return Done()

    ends = [Link(Sealer(SECRET), ServerId(f"127.0.0.1:{free_port()}")) for _ in range(2)]
    for end in ends:
        end.answer = answer
        await end.start()
    yield ends[0], ends[1], called
    for end in ends:
        await end.close()


async def test_a_call_reaches_the_other_server_and_is_answered(links: tuple[Link, Link, list[Call]]) -> None:
    one, two, called = links
    call = ClosePeer(consult=CONSULT, peer=PEER)
    assert await one.call(two.server, call) == Done()
    assert called == [call]
    assert one.unreachable_s(two.server) == 0


async def test_calls_of_strangers_repeated_ones_and_ones_for_others_are_refused(
    links: tuple[Link, Link, list[Call]],
) -> None:
    one, two, called = links
    call = ClosePeer(consult=CONSULT, peer=PEER)
    ours = Sealer(SECRET)
    once = ours.seal(encode(Letter(sender=one.server, to=two.server, message=call)))
    bodies = {
        once: 200,
        encode(Letter(sender=one.server, to=two.server, message=call)): 403,
        ours.seal(encode(Letter(sender=one.server, to=one.server, message=call))): 403,
        ours.seal(encode(Letter(sender=one.server, to=two.server, message=NEWS))): 400,
        Sealer("another " + SECRET).seal(encode(Letter(sender=one.server, to=two.server, message=call))): 403,
        b"": 403,
    }
    async with ClientSession() as http:
        for body, status in [*bodies.items(), (once, 403)]:
            async with http.post(f"http://{two.server}{PATH}", data=body) as response:
                assert response.status == status
        async with http.post(f"http://{two.server}{PATH}", data=BytesIO(b"x" * 2_000_000)) as response:
            assert response.status == 413
    assert called == [call]


async def test_a_server_that_is_not_there_or_has_another_secret_is_unreachable(
    links: tuple[Link, Link, list[Call]],
) -> None:
    one, two, _ = links
    call = ClosePeer(consult=CONSULT, peer=PEER)
    nobody = ServerId(f"127.0.0.1:{free_port()}")
    with pytest.raises(Unreachable):
        await one.call(nobody, call)
    assert one.unreachable_s(nobody) > 0
    assert one.unreachable_s(two.server) == 0
    other = Link(Sealer("another " + SECRET), ServerId(f"127.0.0.1:{free_port()}"))
    await other.start()
    with pytest.raises(Unreachable):
        await other.call(two.server, call)
    await other.close()


# --- what is shared in the database ------------------------------------------------------------------------

SEAT = SeatEntry(consult=CONSULT, participant=ParticipantId("p"), device=DeviceId("d"), further=True)
BOARD = BoardEntry(clinic=ClinicId("main"), user=UserId("u"), role=Role.COORDINATOR)


@pytest.fixture(params=["memory", "database", "postgres"])
def tickets(request: pytest.FixtureRequest, clock: SetClock) -> SocketTickets:
    if request.param == "memory":
        return TicketsInMemory()
    return StoredTickets(request.getfixturevalue(request.param), clock)


async def test_a_ticket_opens_what_it_was_made_for_once(tickets: SocketTickets) -> None:
    for entry in (SEAT, BOARD):
        ticket = await tickets.issue(entry)
        assert await tickets.redeem(ticket) == entry
        assert await tickets.redeem(ticket) is None
    assert await tickets.redeem("unknown") is None


async def test_a_next_ticket_ends_the_one_before_and_goes_with_the_seat(tickets: SocketTickets) -> None:
    first, second = await tickets.next(SEAT), await tickets.next(SEAT)
    asked = await tickets.issue(SEAT)
    assert await tickets.redeem(first) is None
    await tickets.forget([DeviceId("another")])
    await tickets.forget([])
    assert await tickets.redeem(second) == SEAT
    third = await tickets.next(SEAT)
    await tickets.forget([SEAT.device])
    assert await tickets.redeem(third) is None
    assert await tickets.redeem(asked) == SEAT


async def test_of_many_servers_asked_at_once_one_takes_a_ticket(
    each_database: Database, clock: SetClock
) -> None:
    servers = [StoredTickets(each_database, clock) for _ in range(5)]
    ticket = await servers[0].issue(SEAT)
    found = await asyncio.gather(*(server.redeem(ticket) for server in servers * 4))
    assert [entry for entry in found if entry] == [SEAT]


async def test_a_stored_ticket_is_late_after_its_time_and_then_forgotten(
    each_database: Database, clock: SetClock
) -> None:
    tickets = StoredTickets(each_database, clock)
    late, next_one = await tickets.issue(SEAT), await tickets.next(SEAT)
    clock.pass_s(LIFETIME_S)
    assert await tickets.redeem(late) is None
    await tickets.forget_old(clock.now())
    assert await tickets.redeem(next_one) == SEAT


async def test_of_many_servers_that_want_a_consults_media_one_is_its_home(each_database: Database) -> None:
    homes = Homes(each_database)
    names = [ServerId(f"server-{number}:1") for number in range(10)]
    found = set(await asyncio.gather(*(homes.claim(CONSULT, name) for name in names)))
    assert len(found) == 1
    [home] = found
    others = [name for name in names if name != home]
    moved = await asyncio.gather(*(homes.move(CONSULT, old=home, new=name) for name in others))
    assert sum(moved) == 1
    new = (await homes.of([CONSULT]))[CONSULT]
    assert new != home
    await homes.release(home)
    assert await homes.of([CONSULT, ConsultId("unknown")]) == {CONSULT: new}
    await homes.release(new, ConsultId("another"))
    assert await homes.of([CONSULT])
    await homes.release(new, CONSULT)
    assert await homes.of([CONSULT]) == {}


# --- settings ----------------------------------------------------------------------------------------------

WHOLE = {
    "cluster": {"address": "10.0.0.5:9443", "secret": SECRET},
    "redis": {"url": "redis://10.0.0.9"},
    "database": {"url": "postgresql+asyncpg://db/meridian"},
}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"redis": {}}, "redis.url"),
        ({"database": {}}, "PostgreSQL"),
        ({"cluster": {"address": "10.0.0.5:9443"}}, "both or neither"),
        ({"cluster": {"secret": SECRET}}, "both or neither"),
        ({"cluster": {"address": "10.0.0.5:9443", "secret": "short"}}, "32 characters"),
        ({"cluster": {"address": "10.0.0.5", "secret": SECRET}}, "host and port"),
        ({"cluster": {"address": "http://10.0.0.5:9443/", "secret": SECRET}}, "host and port"),
        ({"cluster": {"address": "10.0.0.5:99999", "secret": SECRET}}, "host and port"),
    ],
)
def test_several_servers_that_cannot_work_are_refused_with_the_reason(
    change: dict[str, dict[str, str]], said: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load(overrides={**WHOLE, **change})
    assert said in str(caught.value)


def test_several_servers_that_can_work_may_be() -> None:
    address = load(overrides=WHOLE).settings.cluster.address
    assert address == "10.0.0.5:9443"


def test_doctor_says_what_several_servers_lack(redis_url: str) -> None:
    def found(**change: dict[str, str]) -> list[Finding]:
        settings = load(overrides={**WHOLE, **change}).settings
        return [doctor._redis(settings), doctor._cluster(settings)]

    here = {"address": f"127.0.0.1:{free_port()}", "secret": SECRET}
    assert [one.hint for one in found(redis={"url": redis_url}, cluster=here)] == ["", ""]
    redis, cluster = found(redis={"url": f"redis://127.0.0.1:{free_port()}"}, cluster=WHOLE["cluster"])
    assert "redis.url" in redis.hint
    assert "cluster.address" in cluster.hint
    assert "10.0.0.5" in cluster.found
