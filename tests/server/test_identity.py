"""Identity: passwords, sign-ins, invitations and seats against a real database."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from redis import asyncio as asyncio_redis
from sqlalchemy import select, update

from server.identity.accounts import Accounts, EmailTakenError
from server.identity.one_use import HELD_MAX, OneUse
from server.identity.passwords import Passwords
from server.identity.random_values import hashed, new_id, new_password, new_secret
from server.identity.seats import Seats, cookie_name
from server.identity.sign_ins import SignIns
from server.identity.throttle import Throttle
from server.settings import Invitations, Redis, Settings, SignIn
from server.storage.consults import Consults
from server.storage.database import Database
from server.storage.tables import Invitation, SeatDevice, StaffAccount
from signaling.consult import commands, deadlines
from signaling.consult.evolve import replay
from signaling.consult.ids import ClinicId, ConsultId, ParticipantId, UserId
from signaling.consult.rules import decide
from signaling.consult.values import Consult, Policy, Role, StaffUser
from signaling.ports import NO_ROWS
from tests.e2e.kit.ports import free_port

CLINIC = ClinicId("demo")
PATIENT = ParticipantId("patient")
COORDINATOR = StaffUser(user=UserId("coordinator"), role=Role.COORDINATOR, clinic=CLINIC)
PASSWORD = "correct horse battery"


async def a_consult(database: Database, now: datetime) -> Consult:
    schedule = commands.Schedule(
        consult=ConsultId(new_id()),
        clinic=CLINIC,
        starts_at=now + timedelta(minutes=10),
        ends_at=now + timedelta(minutes=40),
        seatings=(
            commands.Seating(participant=PATIENT, role=Role.PATIENT, language="ar"),
            commands.Seating(
                participant=ParticipantId("physician"), role=Role.PHYSICIAN, language="en", user=UserId("u")
            ),
        ),
        interpreting=None,
        policy=Policy(),
    )
    events = decide(None, schedule, by=COORDINATOR, now=now)
    consult = replay(None, events)
    assert consult is not None
    await Consults(database).append(
        consult, events, expected_version=0, due_at=deadlines.due_at(consult), rows=NO_ROWS
    )
    return consult


@pytest.fixture
def seats(database: Database) -> Seats:
    return Seats(database, Invitations())


async def exchange(seats: Seats, secret: str, now: datetime, cookie: str | None = None) -> Any:
    return await seats.exchange(secret, cookie=cookie, language="ar", browser="safari", now=now)


async def test_200_exchanges_of_one_invitation_at_once_make_exactly_one_first_device(
    each_database: Database, clock: Any
) -> None:
    seats = Seats(each_database, Invitations())
    consult = await a_consult(each_database, clock.now())
    secret = await seats.invite(consult.id, PATIENT, now=clock.now())
    taken = await asyncio.gather(*(exchange(seats, secret, clock.now()) for _ in range(200)))
    assert Counter(one.seat.further for one in taken) == {False: 1, True: 199}
    assert len({one.cookie for one in taken}) == 200


async def test_looking_an_invitation_up_uses_nothing_up(database: Database, seats: Seats, clock: Any) -> None:
    consult = await a_consult(database, clock.now())
    secret = await seats.invite(consult.id, PATIENT, now=clock.now())
    for _ in range(20):
        assert await seats.look_up(secret)
    taken = await exchange(seats, secret, clock.now())
    assert not taken.seat.further


async def test_the_same_browser_stays_the_same_device(database: Database, seats: Seats, clock: Any) -> None:
    consult = await a_consult(database, clock.now())
    secret = await seats.invite(consult.id, PATIENT, now=clock.now())
    first = await exchange(seats, secret, clock.now())
    clock.pass_s(60)
    again = await exchange(seats, secret, clock.now(), first.cookie)
    assert again.seat.device_id == first.seat.device_id
    assert again.cookie == first.cookie


async def test_a_cookie_is_good_for_its_own_seat_alone(database: Database, seats: Seats, clock: Any) -> None:
    one, other = [await a_consult(database, clock.now()) for _ in range(2)]
    secret = await seats.invite(one.id, PATIENT, now=clock.now())
    taken = await exchange(seats, secret, clock.now())
    assert await seats.find(one.id, PATIENT, taken.cookie, now=clock.now())
    assert not await seats.find(other.id, PATIENT, taken.cookie, now=clock.now())
    assert not await seats.find(one.id, ParticipantId("physician"), taken.cookie, now=clock.now())
    assert cookie_name(one.id, PATIENT) != cookie_name(other.id, PATIENT)


async def test_a_new_invitation_makes_the_earlier_one_useless_but_keeps_its_devices(
    database: Database, seats: Seats, clock: Any
) -> None:
    consult = await a_consult(database, clock.now())
    earlier = await seats.invite(consult.id, PATIENT, now=clock.now())
    taken = await exchange(seats, earlier, clock.now())
    await seats.invite(consult.id, PATIENT, now=clock.now())
    assert await exchange(seats, earlier, clock.now()) is None
    assert await seats.find(consult.id, PATIENT, taken.cookie, now=clock.now())


async def test_a_revoked_invitation_takes_its_devices_with_it(
    database: Database, seats: Seats, clock: Any
) -> None:
    consult = await a_consult(database, clock.now())
    secret = await seats.invite(consult.id, PATIENT, now=clock.now())
    taken = await exchange(seats, secret, clock.now())
    events = decide(consult, commands.RevokeInvitation(participant=PATIENT), by=COORDINATOR, now=clock.now())
    after = replay(consult, events)
    assert after is not None
    await Consults(database).append(
        after, events, expected_version=consult.version, due_at=None, rows=NO_ROWS
    )
    invited = await seats.look_up(secret)
    assert invited is not None
    assert invited.revoked
    assert await exchange(seats, secret, clock.now()) is None
    assert not await seats.find(consult.id, PATIENT, taken.cookie, now=clock.now())


async def test_an_invitation_ends_some_time_after_the_consult(
    database: Database, seats: Seats, clock: Any
) -> None:
    consult = await a_consult(database, clock.now())
    secret = await seats.invite(consult.id, PATIENT, now=clock.now())
    clock.pass_s(40 * 60 + 7200)
    assert await exchange(seats, secret, clock.now()) is None


async def test_the_database_holds_no_secret(database: Database, seats: Seats, clock: Any) -> None:
    consult = await a_consult(database, clock.now())
    secret = await seats.invite(consult.id, PATIENT, now=clock.now())
    taken = await exchange(seats, secret, clock.now())
    async with database.read() as connection:
        rows = [*(await connection.execute(select(Invitation.__table__)))]
        rows += [*(await connection.execute(select(SeatDevice.__table__)))]
    assert rows
    assert secret not in repr(rows)
    assert taken.cookie not in repr(rows)


@pytest.fixture
def accounts(database: Database) -> Accounts:
    return Accounts(database, Passwords())


async def add(accounts: Accounts, now: datetime) -> UserId:
    return await accounts.add(
        email="Doctor@Example.org",
        name="Dr. A",
        role="physician",
        clinic_id=CLINIC,
        language="en",
        languages=(),
        password=PASSWORD,
        now=now,
    )


async def test_a_password_opens_its_account_whatever_the_case_of_the_address(
    accounts: Accounts, clock: Any
) -> None:
    user = await add(accounts, clock.now())
    found = await accounts.checked(email=" doctor@example.ORG ", password=PASSWORD)
    assert found is not None
    assert found.user_id == user
    assert await accounts.checked(email="doctor@example.org", password="wrong") is None
    assert await accounts.checked(email="nobody@example.org", password=PASSWORD) is None


async def test_one_address_has_one_account(accounts: Accounts, clock: Any) -> None:
    await add(accounts, clock.now())
    with pytest.raises(EmailTakenError):
        await add(accounts, clock.now())


async def test_a_hash_of_weaker_parameters_is_replaced_at_the_next_sign_in(
    accounts: Accounts, database: Database, clock: Any
) -> None:
    from argon2 import PasswordHasher

    user = await add(accounts, clock.now())
    weak = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(PASSWORD)
    async with database.write() as connection:
        await connection.execute(update(StaffAccount).values(password_hash=weak))
    assert await accounts.checked(email="doctor@example.org", password=PASSWORD)
    async with database.read() as connection:
        stored = (await connection.execute(select(StaffAccount.password_hash))).scalar_one()
    assert stored != weak
    assert user


async def test_a_sign_in_ends_by_idleness_and_by_age(
    accounts: Accounts, database: Database, clock: Any
) -> None:
    sign_ins = SignIns(database, accounts, SignIn(idle_s=900, absolute_s=3600))
    cookie = await sign_ins.begin(await add(accounts, clock.now()), replaces=None, now=clock.now())
    for _ in range(4):
        clock.pass_s(800)
        assert await sign_ins.find(cookie, now=clock.now())
    clock.pass_s(400)
    assert not await sign_ins.find(cookie, now=clock.now())
    cookie = await sign_ins.begin(await user_of(accounts), replaces=None, now=clock.now())
    clock.pass_s(900)
    assert not await sign_ins.find(cookie, now=clock.now())


async def test_whoever_has_a_page_open_is_not_idle(
    accounts: Accounts, database: Database, clock: Any
) -> None:
    sign_ins = SignIns(database, accounts, SignIn(idle_s=900, absolute_s=3600))
    user = await add(accounts, clock.now())
    cookie = await sign_ins.begin(user, replaces=None, now=clock.now())
    for _ in range(3):
        clock.pass_s(800)
        assert await sign_ins.keep(user, in_consult=False, now=clock.now())
    clock.pass_s(800)
    assert await sign_ins.find(cookie, now=clock.now())
    clock.pass_s(400)
    assert not await sign_ins.keep(user, in_consult=False, now=clock.now())


async def test_nobody_is_sent_out_of_a_consult_because_their_sign_in_is_old(
    accounts: Accounts, database: Database, clock: Any
) -> None:
    sign_ins = SignIns(database, accounts, SignIn(idle_s=900, absolute_s=3600))
    user = await add(accounts, clock.now())
    cookie = await sign_ins.begin(user, replaces=None, now=clock.now())
    for _ in range(300):
        clock.pass_s(20)
        assert await sign_ins.keep(user, in_consult=True, now=clock.now())
    assert await sign_ins.find(cookie, now=clock.now())
    clock.pass_s(300)
    assert not await sign_ins.find(cookie, now=clock.now())


async def test_another_account_in_the_same_browser_cuts_off_nobodys_consult(
    accounts: Accounts, database: Database, clock: Any
) -> None:
    sign_ins = SignIns(database, accounts, SignIn())
    user = await add(accounts, clock.now())
    cookie = await sign_ins.begin(user, replaces=None, now=clock.now())
    other = await accounts.add(
        email="desk@example.org",
        name="Desk",
        role="coordinator",
        clinic_id=CLINIC,
        language="en",
        languages=(),
        password=PASSWORD,
        now=clock.now(),
    )
    await sign_ins.begin(other, replaces=cookie, now=clock.now())
    assert await sign_ins.keep(user, in_consult=True, now=clock.now())


async def user_of(accounts: Accounts) -> UserId:
    user = await accounts.id_of("doctor@example.org")
    assert user is not None
    return user


async def test_every_sign_in_has_a_new_secret_and_ends_the_one_the_browser_had(
    accounts: Accounts, database: Database, clock: Any
) -> None:
    sign_ins = SignIns(database, accounts, SignIn())
    user = await add(accounts, clock.now())
    first = await sign_ins.begin(user, replaces="x" * 43, now=clock.now())
    second = await sign_ins.begin(user, replaces=first, now=clock.now())
    assert len({first, second, "x" * 43}) == 3
    assert not await sign_ins.find(first, now=clock.now())
    assert await sign_ins.find(second, now=clock.now())


async def test_a_closed_account_loses_its_sign_ins_and_seats(
    accounts: Accounts, database: Database, seats: Seats, clock: Any
) -> None:
    sign_ins = SignIns(database, accounts, SignIn())
    user = await add(accounts, clock.now())
    consult = await a_consult(database, clock.now())
    cookie = await sign_ins.begin(user, replaces=None, now=clock.now())
    physician = ParticipantId("physician")
    taken = await seats.enter(
        consult.id,
        physician,
        user_id=user,
        cookie=None,
        language="en",
        browser="chrome",
        now=clock.now(),
        expires_at=clock.now() + timedelta(hours=12),
    )
    assert await accounts.disable(email="DOCTOR@example.org", now=clock.now())
    assert not await accounts.disable(email="doctor@example.org", now=clock.now())
    assert not await sign_ins.find(cookie, now=clock.now())
    assert not await sign_ins.keep(user, in_consult=False, now=clock.now())
    assert not await seats.find(consult.id, physician, taken.cookie, now=clock.now())
    assert await seats.devices_of(user) == {taken.seat.device_id}
    assert await accounts.checked(email="doctor@example.org", password=PASSWORD) is None


async def test_a_new_password_ends_every_sign_in(accounts: Accounts, database: Database, clock: Any) -> None:
    sign_ins = SignIns(database, accounts, SignIn())
    user = await add(accounts, clock.now())
    cookie = await sign_ins.begin(user, replaces=None, now=clock.now())
    assert await accounts.reset_password(email="doctor@example.org", password="another long one")
    assert not await sign_ins.find(cookie, now=clock.now())


def test_a_ticket_works_once_and_for_a_short_time() -> None:
    now_s = 0.0
    tickets: OneUse[str] = OneUse(lifetime_s=30, now_s=lambda: now_s)
    one, other = tickets.issue("a"), tickets.issue("b")
    assert tickets.redeem(one) == "a"
    assert tickets.redeem(one) is None
    now_s = 30.0
    assert tickets.redeem(other) is None
    assert tickets.redeem("unknown") is None


def test_tickets_that_nobody_redeems_do_not_pile_up() -> None:
    tickets: OneUse[int] = OneUse(lifetime_s=30, now_s=lambda: 0.0)
    first = tickets.issue(0)
    for number in range(HELD_MAX):
        tickets.issue(number)
    assert tickets.redeem(first) is None
    assert len(tickets._held) == HELD_MAX


async def test_too_many_tries_from_one_address_are_refused_and_others_are_not() -> None:
    throttle = Throttle(Settings(sign_in=SignIn(attempts_per_minute=3)))
    allowed = [await throttle.allows("sign_in_address", "192.0.2.7") for _ in range(4)]
    assert allowed == [True, True, True, False]
    assert await throttle.allows("sign_in_address", "192.0.2.8")


def counting_in(url: str) -> Throttle:
    return Throttle(Settings(sign_in=SignIn(attempts_per_minute=3), redis=Redis(url=SecretStr(url))))


async def test_with_redis_a_restart_begins_no_new_count(redis_url: str) -> None:
    before, after = counting_in(redis_url), counting_in(redis_url)
    address = new_id()
    assert [await before.allows("sign_in_address", address) for _ in range(3)] == [True, True, True]
    assert not await after.allows("sign_in_address", address)
    assert await after.allows("sign_in_address", new_id())
    for throttle in (before, after):
        await throttle.close()


async def test_without_its_redis_a_server_counts_by_itself() -> None:
    throttle = counting_in(f"redis://127.0.0.1:{free_port()}/0")
    allowed = [await throttle.allows("sign_in_address", "192.0.2.7") for _ in range(4)]
    assert allowed == [True, True, True, False]
    await throttle.close()


async def test_redis_is_told_hashes_alone(redis_url: str) -> None:
    throttle = counting_in(redis_url)
    await throttle.allows("sign_in_account", "marlowe@clinic.example")
    client = asyncio_redis.from_url(redis_url, decode_responses=True)
    assert [key for key in await client.keys("*") if "marlowe" in key or "clinic" in key] == []
    assert await client.keys(f"*{hashed('marlowe@clinic.example')}*")
    await client.aclose()
    await throttle.close()


def test_ids_and_secrets_have_their_bits() -> None:
    assert len({new_id() for _ in range(1000)}) == 1000
    assert all(len(new_id()) == 22 for _ in range(100))
    assert len(new_secret()) == 43
    assert len(hashed("x")) == 64
    assert len(new_password()) == 23
