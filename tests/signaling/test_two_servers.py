"""Two servers with one database: what people on one see, hear and do reaches people on the other.

`Wire` is between them: it delivers when it is told to, so that a test can lose, delay and repeat.
"""

from collections import deque
from dataclasses import dataclass, field
from itertools import permutations

import pytest

from signaling.consult.ids import DeviceId, PeerId
from signaling.consult.news import News, ServerId, SignedOut
from signaling.consult.values import Role
from signaling.errors import Code
from signaling.protocol import messages
from signaling.service import Presences
from tests.signaling.world import DR_CHEN, MARIA, PHONE, World, refused

PATIENT, PHYSICIAN, INTERPRETER = Role.PATIENT, Role.PHYSICIAN, Role.INTERPRETER
EVERYONE = set(permutations((PATIENT, PHYSICIAN, INTERPRETER), 2))
A, B = ServerId("a"), ServerId("b")


@dataclass
class Wire:
    """What one server says to the other."""

    said: deque[News] = field(default_factory=deque)
    is_cut: bool = False

    def say(self, news: News) -> None:
        if not self.is_cut:
            self.said.append(news)


class Pair:
    """Server `a`, which has the media plane, and server `b`, whose media plane is the same one."""

    def __init__(self) -> None:
        self.from_a, self.from_b = Wire(), Wire()
        self.a = World(presence=Presences(A), others=self.from_a)
        same = {name: getattr(self.a, name) for name in ("store", "media", "clock", "ids", "clinics")}
        self.b = World(presence=Presences(B), others=self.from_b, **same)

    async def talk(self) -> None:
        """Deliver until nobody says anything."""
        for _ in range(100):
            if not self.from_a.said and not self.from_b.said:
                return
            for wire, world in ((self.from_a, self.b), (self.from_b, self.a)):
                while wire.said:
                    await world.service.neighbours.heard(wire.said.popleft())
        raise AssertionError("they never stop talking")

    def cut(self, *, is_cut: bool) -> None:
        self.from_a.is_cut = self.from_b.is_cut = is_cut

    async def poll(self) -> None:
        """Both look at the database, as they do each second."""
        for world in (self.a, self.b):
            here = world.service.neighbours.here(boards=True)
            await world.service.neighbours.catch_up(await world.store.versions(here), boards=True)

    async def in_room(self) -> None:
        """Patient and interpreter are at `a`, the physician is at `b`; everybody hears everybody."""
        await self.a.scheduled()
        self.b.consult, self.b.people, self.b.commands = self.a.consult, self.a.people, 1000
        for world, who, role in (
            (self.a, "amal", PATIENT),
            (self.b, "chen", PHYSICIAN),
            (self.a, "nour", INTERPRETER),
        ):
            await world.connect(who, role)
            await world.ask(who, "arrive")
            await world.ask(who, "connect_media", offer="v=0")
            await self.talk()
        await self.a.ask("amal", "give_consent", text_id="telehealth-1", text_hash="0" * 64, language="ar")
        await self.talk()
        for role in (PATIENT, INTERPRETER):
            await self.b.admit("chen", role)
        await self.talk()


@pytest.fixture
async def pair() -> Pair:
    pair = Pair()
    await pair.in_room()
    return pair


def shown(world: World, who: str) -> dict[Role, tuple[str, str]]:
    """Seat and connection of everybody, as one person sees them."""
    return {p.role: (p.seat, p.connection_level) for p in world.view(who).people}


async def test_people_on_two_servers_hear_and_see_each_other(pair: Pair) -> None:
    assert await pair.a.hear_each_other() == EVERYONE
    assert await pair.b.hear_each_other() == EVERYONE
    assert shown(pair.a, "amal")[PHYSICIAN][0] == "present"
    assert shown(pair.b, "chen")[PATIENT][0] == "present"


async def test_what_one_says_the_other_reads(pair: Pair) -> None:
    await pair.a.ask("amal", "send_message", text="I have brought the pictures")
    await pair.talk()
    assert pair.b.view("chen").version == pair.a.view("amal").version
    answer = await pair.b.ask("chen", "fetch_chat", after_seq=0)
    assert isinstance(answer, messages.Chat)
    assert [one.text for one in answer.messages] == ["I have brought the pictures"]


async def test_a_microphone_switched_off_on_one_is_off_on_the_other(pair: Pair) -> None:
    await pair.b.ask("chen", "set_media", audio_on=False, video_on=True)
    await pair.talk()
    [physician] = [p for p in pair.a.view("amal").people if p.role is PHYSICIAN]
    assert not physician.audio_on
    await pair.a.service.tick()
    assert (PHYSICIAN, PATIENT) not in await pair.a.hear_each_other()


async def test_asked_to_mute_across_servers(pair: Pair) -> None:
    await pair.b.ask("chen", "ask_to_mute", participant=pair.b.people[PATIENT])
    await pair.talk()
    assert "asked_to_mute" in pair.a.told("amal")


async def test_a_page_that_moves_to_the_other_server_keeps_its_peer_and_its_old_connection_goes(
    pair: Pair,
) -> None:
    peer = await pair.a.peer_of(PATIENT)
    await pair.b.connect("amal-moved", PATIENT, peer=peer)
    await pair.talk()
    assert pair.a.told("amal")[-1] == "displaced"
    assert pair.a.closed("amal")
    await pair.a.drop("amal")
    await pair.talk()
    assert await pair.a.peer_of(PATIENT) == await pair.b.peer_of(PATIENT) == peer
    assert await pair.b.hear_each_other() == EVERYONE
    assert "media_lost" not in pair.b.told("amal-moved")
    pair.a.clock.pass_s(60)
    for world in (pair.a, pair.b):
        await world.service.tick()
    await pair.talk()
    assert shown(pair.b, "chen")[PATIENT][0] == "present", "nobody counts the old connection"


async def test_the_seat_moves_to_a_device_at_the_other_server(pair: Pair) -> None:
    await pair.b.connect("amal-phone", PATIENT, PHONE)
    await pair.b.ask("amal-phone", "take_seat")
    await pair.talk()
    await pair.b.admit("chen", PATIENT, further_device=True)
    await pair.talk()
    assert (await pair.a.presence.get(pair.a.consult)).of(pair.a.people[PATIENT]).connection == "amal-phone"
    assert await pair.a.peer_of(PATIENT) is None, "the laptop is heard no more"
    assert "displaced" not in pair.a.told("amal"), "the laptop's page says that another device has the seat"


async def test_a_peer_lost_where_the_media_is_is_told_where_the_person_is(pair: Pair) -> None:
    peer = await pair.b.peer_of(PHYSICIAN)
    assert peer is not None
    await pair.a.service.media_peer_lost(pair.a.consult, PeerId(peer))
    await pair.talk()
    assert pair.b.told("chen")[-1] == "media_lost"
    assert await pair.a.peer_of(PHYSICIAN) is None


async def test_a_dead_worker_is_told_to_everybody_wherever_they_are(pair: Pair) -> None:
    await pair.a.service.media_consult_lost(pair.a.consult)
    await pair.talk()
    assert pair.a.told("amal")[-1] == pair.b.told("chen")[-1] == "media_lost"


async def test_how_well_media_arrives_is_shown_whichever_server_measures(pair: Pair) -> None:
    peer = await pair.b.peer_of(PHYSICIAN)
    assert peer is not None
    await pair.a.service.media_quality(pair.a.consult, PeerId(peer), "weak", picture_paused=True)
    await pair.b.ask("chen", "set_media", audio_on=False, video_on=True)  # at the same moment
    await pair.talk()
    assert shown(pair.a, "amal")[PHYSICIAN][1] == "weak"
    [physician] = [p for p in pair.a.view("amal").people if p.role is PHYSICIAN]
    assert not physician.audio_on, "neither is lost"


async def test_with_nothing_heard_changes_come_from_the_database_within_a_second(pair: Pair) -> None:
    pair.cut(is_cut=True)
    await pair.b.ask("chen", "remove", participant=pair.b.people[INTERPRETER])
    await pair.talk()
    await pair.poll()
    assert pair.a.closed("nour")
    assert INTERPRETER not in shown(pair.a, "amal")
    assert await pair.a.hear_each_other() == {(PATIENT, PHYSICIAN), (PHYSICIAN, PATIENT)}


async def test_whoever_moved_while_nothing_was_heard_keeps_their_seat(pair: Pair) -> None:
    peer = await pair.a.peer_of(PATIENT)
    pair.cut(is_cut=True)
    await pair.a.drop("amal")
    await pair.b.connect("amal-moved", PATIENT, peer=peer)
    pair.a.clock.pass_s(30)
    await pair.a.service.tick()  # to `a`, the patient is lost
    await pair.poll()
    assert shown(pair.b, "chen")[PATIENT][0] == "present", "they are here, and arrive again"
    pair.cut(is_cut=False)
    for world in (pair.a, pair.b):
        await world.service.neighbours.say_all()
    await pair.talk()
    assert shown(pair.a, "nour")[PATIENT][0] == "present"
    assert (await pair.a.presence.get(pair.a.consult)).of(pair.a.people[PATIENT]).connection == "amal-moved"


async def test_people_of_a_server_that_is_gone_are_lost_if_they_do_not_come_to_another(pair: Pair) -> None:
    await pair.b.service.neighbours.server_gone(A)
    assert shown(pair.b, "chen")[PATIENT][0] == "present"
    await pair.b.connect("nour-moved", INTERPRETER, peer=await pair.b.peer_of(INTERPRETER))
    pair.b.clock.pass_s(30)
    await pair.b.service.tick()
    seats = shown(pair.b, "chen")
    assert (seats[PATIENT][0], seats[INTERPRETER][0]) == ("lost", "present")


async def test_a_server_that_only_seemed_gone_keeps_its_people(pair: Pair) -> None:
    await pair.b.service.neighbours.server_gone(A)
    peer = await pair.b.peer_of(PATIENT)
    await pair.talk()
    for world in (pair.a, pair.b):
        assert (await world.presence.get(world.consult)).of(world.people[PATIENT]).connection == "amal"
        assert await world.peer_of(PATIENT) == peer
    assert await pair.a.hear_each_other() == EVERYONE


async def test_a_server_started_again_counts_nobody_as_gone_who_is_at_another(pair: Pair) -> None:
    await pair.b.service.neighbours.say_all()
    told = list(pair.from_b.said)
    pair.a.presence = Presences(A)
    pair.a.service = pair.a.restarted()
    await pair.a.service.start()
    for news in told:
        await pair.a.service.neighbours.heard(news)
    await pair.a.service.count_absent(alone=False)
    presence = await pair.a.presence.get(pair.a.consult)
    assert presence.of(pair.a.people[PHYSICIAN]).connection == "chen"


async def test_news_that_come_twice_late_and_in_another_order_change_nothing(pair: Pair) -> None:
    await pair.a.ask("amal", "set_media", audio_on=False, video_on=False)
    await pair.a.ask("amal", "set_media", audio_on=True, video_on=False)
    news = list(pair.from_a.said)
    await pair.talk()
    for one in reversed(news):
        await pair.b.service.neighbours.heard(one)
    assert not pair.from_b.said
    [patient] = [p for p in pair.b.view("chen").people if p.role is PATIENT]
    assert (patient.audio_on, patient.video_on) == (True, False)


async def test_a_board_shows_what_happens_at_the_other_server(pair: Pair) -> None:
    await pair.b.open_board("desk", MARIA)
    await pair.a.ask("amal", "leave")
    await pair.talk()
    await pair.b.service.flush_boards()
    [row] = pair.b.board("desk").rows
    [patient] = [p for p in row.people if p.role is PATIENT]
    assert patient.seat == "left"


async def test_a_board_follows_the_database_while_nothing_is_heard(pair: Pair) -> None:
    await pair.b.open_board("desk", MARIA)
    await pair.b.service.flush_boards()
    pair.cut(is_cut=True)
    await pair.a.ask("amal", "leave")
    [first] = pair.b.board("desk").rows
    await pair.a.scheduled()  # another one, booked at `a`
    await pair.poll()
    await pair.b.service.flush_boards()
    rows = {row.consult_id: row for row in pair.b.board("desk").rows}
    assert len(rows) == 2
    [patient] = [p for p in rows[first.consult_id].people if p.role is PATIENT]
    assert patient.seat == "left"


async def test_an_account_signed_out_at_one_is_hung_up_at_the_other(pair: Pair) -> None:
    await pair.b.open_board("chen-board", DR_CHEN)
    pair.a.service.hang_up(DR_CHEN, [DeviceId("d-physician")])
    assert isinstance(pair.from_a.said[-1], SignedOut)
    await pair.talk()
    assert pair.b.closed("chen")
    assert pair.b.closed("chen-board")


async def test_a_consult_that_goes_on_is_told_at_both(pair: Pair) -> None:
    await pair.b.ask("chen", "end", reason="completed")
    await pair.talk()
    await pair.b.ask("chen", "continue_consult", minutes=15)
    await pair.talk()
    assert "consult_continued" in pair.a.told("amal")


async def test_whoever_was_refused_for_what_the_other_server_wrote_is_shown_it(pair: Pair) -> None:
    await pair.a.ask("nour", "start_sharing")
    assert await refused(pair.b, "chen", "start_sharing") is Code.ALREADY_SHARING
    await pair.talk()
    assert pair.b.view("chen").sharing == pair.b.people[INTERPRETER]
