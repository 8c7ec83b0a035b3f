"""Rings on real databases: who wins, who is taken up, whom the register offers, what is noted."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select

from server.storage.consults import Consults
from server.storage.database import Database
from server.storage.interpreters import Interpreters, Registered, ShiftRow
from server.storage.tables import Engagement, StaffAccount
from signaling.consult.eligibility import Interpreter
from signaling.consult.ids import ClinicId, ConnectionId, ConsultId, UserId
from signaling.consult.values import Consult, Role
from signaling.errors import Code, Refused
from signaling.ports import BoardEntry
from signaling.protocol import messages
from tests.signaling.world import CLINIC, DR_CHEN, World

DESKS = 200
ARABIC = (("ar", "en"), ("en", "ar"))


def line(user: str, **changes: Any) -> Registered:
    """One on the register who may be rung for Arabic."""
    usual: dict[str, Any] = {
        "name": user,
        "number": user,
        "agency": None,
        "pairs": ARABIC,
        "vetted": True,
        "qualification": "CCHI",
        "gender": None,
        "camera": True,
        "availability": "available",
    }
    return Registered(user=UserId(user), **(usual | changes))


async def account(database: Database, user: str, clock: Any, clinic: str = CLINIC) -> None:
    row = {
        "user_id": user,
        "email": f"{user}@clinic.test",
        "name": f"Name of {user}",
        "role": "interpreter",
        "clinic_id": clinic,
        "language": "en",
        "languages": [],
        "password_hash": "-",
        "created_at": clock.now(),
    }
    async with database.write() as connection:
        await connection.execute(insert(StaffAccount).values(**row))


async def on_duty(database: Database, world: World, *lines: Registered) -> Interpreters:
    """A register of these, whose desks are open."""
    register = Interpreters(database, world.clock)
    for one in lines:
        await account(database, one.user, world.clock)
        await register.put(one)
    await register.at_desk([one.user for one in lines], now=world.clock.now())
    return register


def server(database: Database, register: Interpreters, beside: World | None = None) -> World:
    """A server of a database, with one clock for all of them."""
    world = World(store=Consults(database), interpreters=register)  # type: ignore[arg-type]
    if beside is not None:
        world.clock, world.ids = beside.clock, beside.ids
        world.commands = 1000  # whoever sends the same command again is told what came of it
        world.service = world.restarted()
        world.consult, world.people = beside.consult, beside.people
    return world


async def asked(world: World) -> None:
    """Patient and physician are in the room, and an interpreter is asked for."""
    await world.waiting()
    await world.admit("amal", Role.PATIENT)
    await world.ask("chen", "request_interpreter")


async def accept(world: World, desk: str, user: str) -> str:
    entry = BoardEntry(clinic=CLINIC, user=UserId(user), role=Role.INTERPRETER)
    if desk not in world.boards:
        world.boards.add(desk)
        await world.service.attach(ConnectionId(desk), entry)
    try:
        answer = await world.ask(desk, "accept_ring", consult_id=world.consult, request=1)
    except Refused as refused:
        return str(refused.code)
    return "won" if isinstance(answer, messages.Accepted) else "?"


@pytest.mark.timeout(120)
async def test_of_200_who_accept_at_once_at_two_servers_exactly_one_wins(each_database: Database) -> None:
    users = [f"u-{n:03}" for n in range(DESKS)]
    first = World()
    register = await on_duty(each_database, first, *(line(user) for user in users))
    first = server(each_database, register)
    await asked(first)
    second = server(each_database, register, first)
    answers = await asyncio.gather(
        *(accept((first, second)[n % 2], f"desk-{n}", user) for n, user in enumerate(users))
    )
    assert Counter(answers) == {"won": 1, Code.TAKEN: DESKS - 1}
    winner = UserId(users[answers.index("won")])
    consult = await first.store.load(first.consult)
    assert consult is not None
    assert consult.request is not None
    assert consult.request.by_user == winner
    async with each_database.read() as connection:
        rows = (await connection.execute(select(Engagement.user_id, Engagement.consult_id))).all()
    assert [tuple(row) for row in rows] == [(winner, first.consult)]


async def test_one_interpreter_who_accepts_in_two_consults_at_once_comes_to_one(
    each_database: Database,
) -> None:
    world = World()
    register = await on_duty(each_database, world, line("u-one"))
    first = server(each_database, register)
    second = server(each_database, register, first)
    for one in (first, second):
        await asked(one)
    answers = await asyncio.gather(accept(first, "desk", "u-one"), accept(second, "desk", "u-one"))
    assert Counter(answers) == {"won": 1, Code.BUSY: 1}


async def seen(register: Interpreters, consult: Consult) -> dict[str, Interpreter]:
    return {one.user: one for one in await register.register(consult)}


async def test_the_register_says_who_is_busy_excluded_and_known(each_database: Database) -> None:
    base = World()
    register = await on_duty(
        each_database,
        base,
        line("u-one"),
        line("u-two", excluded=(DR_CHEN,)),
        line("u-three", agency="Lingua"),
    )
    first = server(each_database, register)
    await asked(first)
    assert await accept(first, "desk", "u-one") == "won"
    second = server(each_database, register, first)
    await second.scheduled()
    consult = await second.store.load(second.consult)
    assert consult is not None
    found = await seen(register, consult)
    assert {user for user, one in found.items() if one.busy} == {"u-one"}
    assert {user for user, one in found.items() if one.excluded} == {"u-two"}
    assert found["u-three"].employer == "agency"
    assert not any(one.known for one in found.values())
    # The interpreter comes: from then on they are known to this patient, whenever they are booked again.
    before = await first.store.load(first.consult)
    assert before is not None
    assert before.request is not None
    participant = before.request.participant
    assert participant is not None
    first.people[Role.INTERPRETER] = participant
    await first.connect("terp", Role.INTERPRETER)
    await first.ask("terp", "arrive")
    found = await seen(register, consult)
    assert {user for user, one in found.items() if one.known} == {"u-one"}
    await first.ask("chen", "end", reason="completed")
    assert not any(one.busy for one in (await seen(register, consult)).values())


async def test_the_case_card_and_the_number_are_noted_with_the_consult(each_database: Database) -> None:
    base = World()
    register = await on_duty(each_database, base, line("u-one", number="4711"))
    world = server(each_database, register)
    await world.waiting()
    await world.ask("chen", "request_interpreter", case="Knee, before surgery")
    assert (await world.store.notes(world.consult)).case == "Knee, before surgery"
    assert list(await world.store.ringing(CLINIC)) == [world.consult]
    await accept(world, "desk", "u-one")
    assert (await world.store.notes(world.consult)).numbers == {"u-one": "4711"}
    await world.ask("chen", "close_request")
    assert list(await world.store.ringing(CLINIC)) == []
    assert (await world.store.notes(ConsultId("nowhere"))).case is None
    await world.admit("amal", Role.PATIENT)
    await world.ask("chen", "end", reason="completed")
    assert (await world.store.notes(world.consult)).case is None, "it is wiped with the end"


async def test_how_long_it_takes_is_what_it_took_of_late(each_database: Database) -> None:
    base = World()
    register = await on_duty(each_database, base, line("u-one"))
    world = server(each_database, register)
    assert await register.expected_s(CLINIC, "ar") == 20, "a guess"
    await asked(world)
    await accept(world, "desk", "u-one")
    consult = await world.store.load(world.consult)
    assert consult is not None
    assert consult.request is not None
    assert consult.request.participant is not None
    world.people[Role.INTERPRETER] = consult.request.participant
    world.clock.pass_s(12)
    await world.connect("terp", Role.INTERPRETER)
    await world.ask("terp", "arrive")
    register = Interpreters(each_database, world.clock)
    assert await register.expected_s(CLINIC, "ar-EG") == 12
    assert await register.expected_s(CLINIC, "zh-Hans") == 20


async def test_the_duty_plan_is_kept_and_a_shift_can_be_taken_out(each_database: Database) -> None:
    world = World()
    register = await on_duty(each_database, world, line("u-one"))
    now = world.clock.now()
    shift = ShiftRow(shift="s1", user=UserId("u-one"), starts_at=now, ends_at=now + timedelta(hours=8))
    await register.add_shift(shift)
    assert list(await register.shifts(CLINIC, now, now + timedelta(hours=1))) == [shift]
    assert list(await register.shifts(CLINIC, now + timedelta(hours=9), now + timedelta(hours=10))) == []
    await register.remove_shift("s1", clinic=ClinicId("another"))
    assert list(await register.shifts(CLINIC, now, now + timedelta(hours=1))) == [shift]
    await register.remove_shift("s1", clinic=CLINIC)
    assert list(await register.shifts(CLINIC, now, now + timedelta(hours=1))) == []
