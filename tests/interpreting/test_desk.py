"""From the request in the room to the ring at a desk, the seat, and the briefing: the service on fakes."""

from datetime import timedelta

import pytest

from signaling.consult.ids import ConnectionId, ConsultId, ParticipantId, UserId
from signaling.consult.interpreting import COME_WITHIN_S, SAME_INTERPRETER_S, TIER_S
from signaling.consult.values import Role
from signaling.errors import Code
from signaling.ports import DeskEntry, SeatEntry
from signaling.protocol import messages
from signaling.protocol.interpreting_shapes import DeskView
from tests.interpreting.consults import interpreter
from tests.signaling.world import DR_CHEN, LEILA, MARIA, PHONE, STAFF, World, refused

RAMI = UserId("u-rami")
INTERPRETERS = {LEILA: "1001", RAMI: "1002"}


@pytest.fixture
async def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """Patient and physician are in the room; Leila's and Rami's desks are open."""
    monkeypatch.setitem(STAFF, RAMI, Role.INTERPRETER)
    made = World()
    made.store.numbers = dict(INTERPRETERS)
    for user, number in INTERPRETERS.items():
        made.register.people[user] = DeskEntry(
            interpreter=interpreter(user, known=user == LEILA, seen_at=None), number=number
        )
    await made.waiting()
    await made.admit("amal", Role.PATIENT)
    await made.drop("nour")
    for who, user in (("leila", LEILA), ("rami", RAMI)):
        await made.open_board(who, user)
    return made


async def desk(world: World, who: str) -> DeskView:
    await world.service.flush_boards()
    found = world.board(who).desk
    assert found is not None
    return found


async def tick(world: World, seconds: float) -> None:
    """Time passes; desks stay open, and what is due is done."""
    world.clock.pass_s(seconds)
    for user in INTERPRETERS:
        await world.register.at_desk([user], now=world.clock.now())
    await world.service.tick()


async def accept(world: World, who: str, request: int = 1) -> ParticipantId:
    answer = await world.ask(who, "accept_ring", consult_id=world.consult, request=request)
    assert isinstance(answer, messages.Accepted)
    assert (answer.consult_id, answer.participant is not None) == (world.consult, True)
    assert answer.participant is not None
    return answer.participant


async def come(world: World, who: str, participant: ParticipantId) -> None:
    """Open the seat and arrive."""
    seat = SeatEntry(consult=world.consult, participant=participant, device=PHONE)
    await world.service.attach(ConnectionId(f"{who}-seat"), seat)
    await world.ask(f"{who}-seat", "arrive")
    await world.ask(f"{who}-seat", "connect_media", offer="v=0")


async def test_a_desk_rings_with_the_language_and_nothing_of_the_patient(world: World) -> None:
    await world.ask("chen", "request_interpreter", language="ar-EG", case="Knee, before surgery")
    ring = (await desk(world, "leila")).rings[0]
    assert ring.languages == ["ar-EG", "en"]
    assert (ring.request, ring.comes_back) == (1, False)
    assert (await desk(world, "rami")).rings == [], "the next tier waits"
    sent = world.board("leila").model_dump_json()
    assert "Amal" not in sent
    assert "Knee" not in sent
    await tick(world, TIER_S[0])
    assert len((await desk(world, "rami")).rings) == 1


async def test_everybody_sees_how_the_search_goes_and_only_staff_who_is_rung(world: World) -> None:
    await world.ask("chen", "request_interpreter")
    for who in ("chen", "amal"):
        search = world.view(who).search
        assert search is not None
        assert (search.state, search.expected_s) == ("ringing", 20)
        assert search.rung == (1 if who == "chen" else 0)


async def test_the_first_accept_wins_the_other_desk_falls_silent_and_is_told(world: World) -> None:
    await world.ask("chen", "request_interpreter")
    await tick(world, TIER_S[0])
    await accept(world, "leila")
    assert (await desk(world, "rami")).rings == []
    assert await refused(world, "rami", "accept_ring", consult_id=world.consult, request=1) is Code.TAKEN
    leila = await desk(world, "leila")
    assert (leila.coming, leila.rings) == ([world.consult], [])


async def test_whoever_is_taken_up_by_one_consult_is_not_let_into_another(world: World) -> None:
    await world.ask("chen", "request_interpreter")
    await tick(world, TIER_S[0])
    world.store.engagements[LEILA] = ConsultId("another")  # at that moment, at another server
    assert await refused(world, "leila", "accept_ring", consult_id=world.consult, request=1) is Code.BUSY
    await accept(world, "rami")
    consult = await world.store.load(world.consult)
    assert consult is not None
    busy = {one.user: one.busy for one in await world.register.register(consult)}
    assert busy == {LEILA: True, RAMI: False}


async def test_the_one_who_accepted_is_briefed_and_no_packet_of_it_reaches_the_patient(world: World) -> None:
    await world.ask("chen", "request_interpreter", case="Knee, before surgery")
    participant = await accept(world, "leila")
    await come(world, "leila", participant)
    world.people[Role.INTERPRETER] = participant
    both = {(Role.PHYSICIAN, Role.INTERPRETER), (Role.INTERPRETER, Role.PHYSICIAN)}
    assert await world.hear_each_other() == both
    assert world.view("amal").screen == "briefing"
    assert world.view("chen").session is not None
    case = world.view("leila-seat").case
    assert case is not None
    assert case.text == "Knee, before surgery"
    assert world.view("amal").case is None
    session = world.view("chen").session
    assert session is not None
    assert (session.stage, session.number) == ("briefing", "1001")
    await world.ask("chen", "end_briefing")
    assert world.view("amal").screen == "room"
    assert len(await world.hear_each_other()) == 6


async def test_simultaneously_what_is_in_the_other_language_is_not_forwarded(world: World) -> None:
    await world.ask("chen", "request_interpreter")
    participant = await accept(world, "leila")
    await come(world, "leila", participant)
    world.people[Role.INTERPRETER] = participant
    await world.ask("chen", "end_briefing")
    await world.ask("leila-seat", "end_introduction")
    await world.ask("leila-seat", "set_mode", mode="simultaneous")
    await world.ask("leila-seat", "set_direction", into="patient")
    heard = await world.hear_each_other()
    assert (Role.INTERPRETER, Role.PATIENT) in heard
    assert (Role.INTERPRETER, Role.PHYSICIAN) not in heard
    hears = {one.participant: one for one in world.view("amal").hearing}
    assert hears[world.people[Role.PHYSICIAN]].level == "duck"
    assert hears[world.people[Role.PHYSICIAN]].under == participant
    await world.ask("leila-seat", "set_direction", into="clinician")
    heard = await world.hear_each_other()
    assert (Role.INTERPRETER, Role.PATIENT) not in heard
    await world.ask("amal", "prefer_original", prefers=True)
    session = world.view("amal").session
    assert session is not None
    assert session.original


async def test_one_tap_of_the_interpreter_reaches_both_sides(world: World) -> None:
    await world.ask("chen", "request_interpreter")
    await come(world, "leila", await accept(world, "leila"))
    await world.ask("chen", "end_briefing")
    await world.ask("leila-seat", "give_signal", kind="slower")
    for who in ("amal", "chen"):
        session = world.view(who).session
        assert session is not None
        assert [one.kind for one in session.signals] == ["slower"]


async def test_a_break_stops_the_ringing_and_being_available_again_rings_at_once(world: World) -> None:
    await world.ask("leila", "set_availability", availability="on_break")
    await world.ask("rami", "set_availability", availability="away")
    await world.ask("chen", "request_interpreter")
    search = world.view("chen").search
    assert search is not None
    assert search.state == "unanswered"
    await world.ask("chen", "ring_again")
    await world.ask("leila", "set_availability", availability="available")
    await world.ask("chen", "ring_again")
    assert len((await desk(world, "leila")).rings) == 1
    assert (await desk(world, "rami")).rings == []


async def test_whoever_does_not_come_is_passed_over(world: World) -> None:
    await world.ask("chen", "request_interpreter")
    await accept(world, "leila")
    await tick(world, COME_WITHIN_S)
    await tick(world, 1)
    search = world.view("chen").search
    assert search is not None
    assert search.state == "ringing"
    assert len((await desk(world, "rami")).rings) == 1
    assert (await desk(world, "leila")).rings == []


async def test_a_lost_interpreter_is_rung_first_and_then_the_next(world: World) -> None:
    await world.ask("chen", "request_interpreter")
    participant = await accept(world, "leila")
    await come(world, "leila", participant)
    await world.ask("chen", "end_briefing")
    await world.drop("leila-seat")
    await tick(world, 11)
    ring = (await desk(world, "leila")).rings[0]
    assert (ring.comes_back, ring.request) == (True, 2)
    assert (await desk(world, "rami")).rings == []
    await tick(world, SAME_INTERPRETER_S)
    assert len((await desk(world, "rami")).rings) == 1


async def test_an_ended_consult_frees_whoever_was_taken_up(world: World) -> None:
    await world.ask("chen", "request_interpreter")
    await come(world, "leila", await accept(world, "leila"))
    assert world.store.engagements == {LEILA: world.consult}
    await world.ask("chen", "end", reason="completed")
    assert world.store.engagements == {}
    assert world.closed("leila-seat")


async def test_a_consult_booked_on_demand_rings_when_the_physician_is_there(world: World) -> None:
    await world.open_board("maria", MARIA)
    starts_at = world.clock.now()
    people = [
        {
            "role": "patient",
            "language": "ar",
            "name": "Huda",
            "birth_year": 1990,
            "time_zone": "Asia/Dubai",
            "country": "AE",
        },
        {"role": "physician", "language": "en", "user": DR_CHEN},
    ]
    answer = await world.ask(
        "maria",
        "schedule",
        starts_at=starts_at.isoformat(),
        ends_at=(starts_at + timedelta(minutes=30)).isoformat(),
        people=people,
        on_demand=True,
    )
    assert isinstance(answer, messages.Accepted)
    assert answer.consult_id is not None
    world.consult = answer.consult_id
    consult = await world.store.load(world.consult)
    assert consult is not None
    world.people = {p.role: p.id for p in consult.participants}
    await tick(world, 1)
    assert (await desk(world, "leila")).rings == []
    await world.connect("chen-again", Role.PHYSICIAN)
    await world.ask("chen-again", "arrive")
    await tick(world, 1)
    assert [ring.languages for ring in (await desk(world, "leila")).rings] == [["ar", "en"]]


async def test_an_account_that_is_not_on_the_register_is_told_so(world: World) -> None:
    del world.register.people[RAMI]
    assert await refused(world, "rami", "set_availability", availability="available") is Code.NOT_FOUND
    assert (await desk(world, "rami")).registered is False
