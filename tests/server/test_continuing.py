"""Following a consult that goes on as a new one: guests come by the seat they had."""

import asyncio
from typing import Any

from aiohttp import ClientResponse

from server.storage.tables import SeatDevice
from signaling.consult import commands, deadlines
from signaling.consult.commands import Command
from signaling.consult.evolve import replay
from signaling.consult.ids import ConsultId, DeviceId, ParticipantId
from signaling.consult.rules import decide
from signaling.consult.values import Actor, Consult, Participant, Role, SeatHolder, StaffUser
from signaling.ports import NO_ROWS, SeatEntry

NEW = ConsultId("the-new-one")


async def do(http: Any, consult: Consult, by: Actor, *asked: Command) -> Consult:
    """Let these things happen in a consult, or in the one that continues it."""
    now = http.services.clock.now()
    for command in asked:
        happened = decide(consult, command, by=by, now=now)
        before = None if isinstance(command, commands.ContinueConsult) else consult
        after = replay(before, happened)
        assert after is not None
        await http.services.consults.append(
            after,
            happened,
            expected_version=before.version if before else 0,
            due_at=deadlines.due_at(after),
            rows=NO_ROWS,
        )
        consult = after
    return consult


async def loaded(http: Any, page: str) -> Consult:
    consult = await http.services.consults.load(ConsultId(page.split("/")[2]))
    assert consult is not None
    return consult  # type: ignore[no-any-return]


def one(consult: Consult, role: Role) -> Participant:
    return next(consult.of_role(role))


def coordinator(consult: Consult) -> StaffUser:
    user = one(consult, Role.PHYSICIAN).user
    assert user is not None
    return StaffUser(user=user, role=Role.COORDINATOR, clinic=consult.clinic)


async def ended(http: Any, page: str, holder: DeviceId) -> Consult:
    """The patient was there on `holder` until the end."""
    consult = await loaded(http, page)
    patient, physician = (
        SeatHolder(participant=one(consult, role).id) for role in (Role.PATIENT, Role.PHYSICIAN)
    )
    consent = commands.GiveConsent(text_id="telehealth-1", text_hash="0" * 64, language="ar")
    consult = await do(http, consult, patient, commands.Arrive(device=holder), consent)
    admit = commands.Admit(participant=patient.participant, device=holder, identity_confirmed=True)
    consult = await do(http, consult, physician, commands.Arrive(device=DeviceId("desk")), admit)
    return await do(http, consult, physician, commands.End(reason="completed"))


async def ask(http: Any, participant: ParticipantId, consult: ConsultId = NEW) -> ClientResponse:
    answer: ClientResponse = await http.post(
        "/api/ticket", {"consult_id": consult, "participant_id": participant}
    )
    return answer


async def entry_of(http: Any, answer: ClientResponse) -> SeatEntry:
    assert answer.status == 200, await answer.text()
    entry = await http.services.tickets.redeem((await answer.json())["ticket"])
    assert isinstance(entry, SeatEntry)
    return entry


async def continued(http: Any, page: str, holder: DeviceId) -> Consult:
    consult = await ended(http, page, holder)
    again = commands.ContinueConsult(new_consult=NEW, minutes=15)
    return await do(http, consult, coordinator(consult), again)


async def device_of(http: Any, page: str) -> DeviceId:
    _, _, consult, participant = page.split("/")
    return (await entry_of(http, await ask(http, ParticipantId(participant), ConsultId(consult)))).device


async def test_guests_follow_by_the_seat_they_had(http: Any) -> None:
    page, interpreters = await http.enter("patient"), await http.enter("interpreter")
    new = await continued(http, page, await device_of(http, page))
    patient = one(new, Role.PATIENT).id
    assert (await http.get(f"/c/{NEW}/{patient}")).status == 404
    entry = await entry_of(http, await ask(http, patient))
    assert (entry.consult, entry.participant, entry.further) == (NEW, patient, False)
    assert (await http.get(f"/c/{NEW}/{patient}")).status == 200
    assert (await http.get(page)).status == 200
    follows = await entry_of(http, await ask(http, one(new, Role.INTERPRETER).id))
    assert follows.participant == ParticipantId(interpreters.split("/")[3])


async def test_asked_again_it_is_the_same_device(http: Any) -> None:
    page = await http.enter("patient")
    new = await continued(http, page, await device_of(http, page))
    patient = one(new, Role.PATIENT).id
    answers = await asyncio.gather(*(ask(http, patient) for _ in range(8)))
    devices = {(await entry_of(http, answer)).device for answer in answers}
    assert len(devices) == 1
    assert (await entry_of(http, await ask(http, patient))).device in devices
    async with http.services.database.read() as connection:
        rows = await connection.execute(SeatDevice.__table__.select().where(SeatDevice.consult_id == NEW))
    assert len(rows.all()) == 1


async def test_a_device_that_did_not_hold_the_seat_is_a_further_one_again(http: Any) -> None:
    page = await http.enter("patient")
    new = await continued(http, page, DeviceId("the device of the first exchange"))
    assert (await entry_of(http, await ask(http, one(new, Role.PATIENT).id))).further


async def test_whoever_uses_the_new_link_after_the_patient_has_followed_is_a_further_device(
    http: Any,
) -> None:
    page = await http.enter("patient")
    new = await continued(http, page, await device_of(http, page))
    patient = one(new, Role.PATIENT).id
    secret = await http.services.seats.invite(NEW, patient, now=http.services.clock.now())
    await entry_of(http, await ask(http, patient))
    taken = await http.services.seats.exchange(
        secret, cookie=None, language="ar", browser="safari", now=http.services.clock.now()
    )
    assert taken.seat.further


async def test_nobody_else_follows(http: Any) -> None:
    page = await http.enter("patient")
    new = await continued(http, page, await device_of(http, page))
    interpreter = one(new, Role.INTERPRETER).id
    assert (await ask(http, interpreter)).status == 404
    assert (await ask(http, one(new, Role.PATIENT).id, ConsultId("unheard-of"))).status == 404
    revoke = commands.RevokeInvitation(participant=one(new, Role.PATIENT).id)
    await do(http, new, coordinator(new), revoke)
    assert (await ask(http, one(new, Role.PATIENT).id)).status == 404
    http.client.session.cookie_jar.clear()
    assert (await ask(http, one(new, Role.PATIENT).id)).status == 404


async def test_a_seat_is_kept_as_long_as_its_consult_lasts(http: Any) -> None:
    page = await http.enter("patient")
    consult = await loaded(http, page)
    http.services.clock.pass_s(9 * 3600)
    assert (await http.get(page)).status == 200
    await do(http, consult, coordinator(consult), commands.Cancel(reason="mistake"))
    assert (await http.get(page)).status == 404


async def test_a_link_works_while_its_consult_lasts(http: Any) -> None:
    page = await http.enter("patient")
    consult = await loaded(http, page)
    patient = SeatHolder(participant=one(consult, Role.PATIENT).id)
    await do(http, consult, patient, commands.Arrive(device=await device_of(http, page)))
    # Longer than a link works after the booked end.
    http.services.clock.pass_s(http.services.settings.invitations.valid_after_end_s + 3600)
    assert await http.enter("patient") == page


async def test_cookies_that_open_nothing_any_more_are_taken_back(http: Any) -> None:
    page = await http.enter("patient")
    consult = await loaded(http, page)
    jar = http.client.session.cookie_jar
    [old] = [cookie.key for cookie in jar if "seat" in cookie.key]
    revoke = commands.RevokeInvitation(participant=one(consult, Role.PATIENT).id)
    await do(http, consult, coordinator(consult), revoke)
    await http.enter("interpreter")
    [kept] = [cookie.key for cookie in jar if "seat" in cookie.key]
    assert kept != old
