"""The physician is at one server, the desk at the other: rings, seats and directions reach both."""

import pytest

from signaling.consult.ids import ConnectionId, UserId
from signaling.consult.values import Role
from signaling.errors import Code
from signaling.ports import DeskEntry, SeatEntry
from signaling.protocol import messages
from signaling.protocol.interpreting_shapes import DeskView
from tests.interpreting.consults import interpreter
from tests.signaling.test_two_servers import Pair
from tests.signaling.world import LEILA, PHONE, STAFF, World, refused

RAMI = UserId("u-rami")


@pytest.fixture
async def pair(monkeypatch: pytest.MonkeyPatch) -> Pair:
    """Rami's desk is open at `a`, Leila's at `b`, where the physician is too."""
    monkeypatch.setitem(STAFF, RAMI, Role.INTERPRETER)
    made = Pair()
    made.b.register.people = made.a.register.people
    made.b.register.store = made.a.register.store
    for user in (LEILA, RAMI):
        entry = DeskEntry(interpreter=interpreter(user, seen_at=None), number=user)
        made.a.register.people[user] = entry
    await made.in_room()
    await made.a.ask("nour", "leave")
    await made.talk()
    await made.a.open_board("rami", RAMI)
    await made.b.open_board("leila", LEILA)
    return made


async def desk(world: World, who: str) -> DeskView:
    await world.service.flush_boards()
    found = world.board(who).desk
    assert found is not None
    return found


async def test_both_desks_ring_and_one_who_is_late_is_told_at_the_other_server(pair: Pair) -> None:
    await pair.b.ask("chen", "request_interpreter")
    await pair.talk()
    assert len((await desk(pair.a, "rami")).rings) == 1
    assert len((await desk(pair.b, "leila")).rings) == 1
    answer = await pair.a.ask("rami", "accept_ring", consult_id=pair.a.consult, request=1)
    assert isinstance(answer, messages.Accepted)
    # Before anything was said: the database decides.
    assert await refused(pair.b, "leila", "accept_ring", consult_id=pair.a.consult, request=1) is Code.TAKEN
    await pair.talk()
    assert (await desk(pair.b, "leila")).rings == []
    search = pair.b.view("chen").search
    assert search is not None
    assert search.state == "accepted"


async def test_who_comes_to_one_server_is_briefed_by_the_physician_at_the_other(pair: Pair) -> None:
    await pair.b.ask("chen", "request_interpreter", case="Knee")
    await pair.talk()
    answer = await pair.a.ask("rami", "accept_ring", consult_id=pair.a.consult, request=1)
    assert isinstance(answer, messages.Accepted)
    assert answer.participant is not None
    seat = SeatEntry(consult=pair.a.consult, participant=answer.participant, device=PHONE)
    await pair.a.service.attach(ConnectionId("rami-seat"), seat)
    await pair.a.ask("rami-seat", "arrive")
    await pair.a.ask("rami-seat", "connect_media", offer="v=0")
    await pair.talk()
    for world in (pair.a, pair.b):
        world.people[Role.INTERPRETER] = answer.participant
    session = pair.b.view("chen").session
    assert session is not None
    assert session.stage == "briefing"
    both = {(Role.PHYSICIAN, Role.INTERPRETER), (Role.INTERPRETER, Role.PHYSICIAN)}
    assert await pair.a.hear_each_other() == both
    await pair.b.ask("chen", "end_briefing")
    await pair.talk()
    await pair.a.ask("rami-seat", "end_introduction")
    await pair.a.ask("rami-seat", "set_mode", mode="simultaneous")
    await pair.a.ask("rami-seat", "set_direction", into="patient")
    await pair.talk()
    session = pair.b.view("chen").session
    assert session is not None
    assert (session.mode, session.into) == ("simultaneous", "patient")
    await pair.b.service.tick()
    assert (Role.INTERPRETER, Role.PHYSICIAN) not in await pair.b.hear_each_other()
