"""The service on fakes: boards, invitations, chat, and what is shown to whom."""

from datetime import timedelta

import pytest

from signaling.consult.ids import ClinicId
from signaling.consult.values import Role
from signaling.errors import Code, VersionConflict
from signaling.protocol import messages
from signaling.service.consults import ATTEMPTS_MAX
from tests.signaling.world import DR_OKAFOR, LEILA, MARIA, World, refused

PATIENT, PHYSICIAN, INTERPRETER = Role.PATIENT, Role.PHYSICIAN, Role.INTERPRETER


async def test_the_same_command_again_is_answered_again_and_not_done_again(world: World) -> None:
    await world.in_room()
    first = await world.ask("chen", "send_message", text="hello", command_id="same-command")
    second = await world.ask("chen", "send_message", text="hello", command_id="same-command")
    assert first == second
    assert len(world.store.messages[world.consult]) == 1
    await world.ask("nour", "send_message", text="my own", command_id="same-command")
    assert len(world.store.messages[world.consult]) == 2


async def test_a_version_conflict_is_tried_again_with_the_next_chat_number(world: World) -> None:
    await world.in_room()
    world.store.conflicts = 2
    await world.ask("chen", "send_message", text="hello")
    chat = await world.ask("amal", "fetch_chat", after_seq=0)
    assert isinstance(chat, messages.Chat)
    assert [(m.seq, m.text) for m in chat.messages] == [(1, "hello")]


async def test_a_writer_that_always_loses_gives_up(world: World) -> None:
    await world.in_room()
    world.store.conflicts = 1000
    with pytest.raises(VersionConflict):
        await world.ask("amal", "send_message", text="hello")
    assert world.store.conflicts == 1000 - ATTEMPTS_MAX


async def test_chat_is_not_read_on_hold_nor_while_waiting(world: World) -> None:
    await world.waiting()
    assert await refused(world, "amal", "fetch_chat", after_seq=0) is Code.NOT_NOW
    await world.admit("amal", PATIENT)
    await world.ask("chen", "hold", participant=world.people[PATIENT])
    assert world.view("amal").screen == "on_hold"
    assert await refused(world, "amal", "fetch_chat", after_seq=0) is Code.NOT_NOW
    assert await world.hear_each_other() == set()
    await world.ask("chen", "resume", participant=world.people[PATIENT])
    assert await world.hear_each_other() == {(PATIENT, PHYSICIAN), (PHYSICIAN, PATIENT)}


async def test_waiting_people_see_the_physician_and_nobody_else(world: World) -> None:
    await world.waiting()
    view = world.view("amal")
    assert {p.name for p in view.people} == {"Amal Haddad", "Dr Grace Chen"}
    assert view.interpreter_booked
    assert view.chat_seq == 0
    assert {p.name for p in world.view("nour").people} == {"Nour Saleh", "Dr Grace Chen"}


async def test_what_identifies_a_patient_is_for_staff_only(world: World) -> None:
    await world.in_room()
    await world.ask("amal", "tell_location", country="OM", text="Muscat, hotel room 12")
    check = {"camera": "ok", "microphone": "ok", "speaker": "ok", "network": "ok"}
    await world.ask("amal", "report_device_check", check=check)
    [seen] = [p for p in world.view("chen").people if p.role is PATIENT]
    assert (seen.birth_year, seen.location, seen.country) == (1980, "Muscat, hotel room 12", "OM")
    assert seen.emergency_number == "9999"
    assert seen.device_check is not None
    for who in ("nour", "amal"):
        [hidden] = [p for p in world.view(who).people if p.role is PATIENT]
        assert hidden.name == "Amal Haddad"
        secret = (hidden.birth_year, hidden.location, hidden.country, hidden.city, hidden.time_zone)
        assert secret == (None, None, None, None, None)
        assert hidden.device_check is None
        assert hidden.consented is None
        assert hidden.emergency_number is None


async def test_a_notice_reaches_the_waiting_room_as_a_kind_and_minutes(world: World) -> None:
    await world.waiting()
    await world.ask("maria", "send_notice", consult_id=world.consult, kind="running_late", minutes=15)
    [notice] = world.view("amal").notices
    assert (notice.kind, notice.minutes) == ("running_late", 15)


async def test_asking_to_mute_tells_the_person_once_and_stores_nothing(world: World) -> None:
    await world.in_room()
    version = world.view("chen").version
    await world.ask("chen", "ask_to_mute", participant=world.people[PATIENT])
    assert world.told("amal") == ["asked_to_mute"]
    assert world.view("chen").version == version


async def test_the_board_shows_the_day_live_and_admits_from_it(world: World) -> None:
    await world.waiting()
    await world.service.flush_boards()
    [row] = world.board("maria").rows
    assert (row.phase, row.needs) == ("waiting", ["identity", "location"])
    assert row.waiting_since is not None
    await world.ask(
        "maria",
        "admit",
        consult_id=world.consult,
        participant=world.people[PATIENT],
        identity_confirmed=True,
    )
    await world.service.flush_boards()
    assert world.board("maria").rows[0].phase == "in_progress"
    await world.ask("amal", "report_connection", level="weak")
    await world.service.flush_boards()
    [patient] = [p for p in world.board("maria").rows[0].people if p.role is PATIENT]
    assert patient.connection_level == "weak"
    before = world.board("maria").revision
    await world.service.flush_boards()
    assert world.board("maria").revision == before


async def test_a_colleague_covers_and_only_then_may_admit(world: World) -> None:
    await world.waiting()
    await world.open_board("okafor", DR_OKAFOR)
    admit = {
        "consult_id": world.consult,
        "participant": world.people[PATIENT],
        "identity_confirmed": True,
    }
    assert world.board("okafor").rows[0].can == ["cover"]
    assert await refused(world, "okafor", "admit", **admit) is Code.NOT_PERMITTED
    answer = await world.ask("okafor", "cover", consult_id=world.consult)
    assert isinstance(answer, messages.Accepted)
    await world.service.flush_boards()
    assert world.board("okafor").rows[0].my_participant == answer.participant
    await world.ask("okafor", "admit", **admit)
    assert world.view("amal").screen == "room"


async def test_a_consult_of_another_clinic_does_not_exist(world: World) -> None:
    await world.scheduled()
    unknown = await refused(world, "maria", "end", consult_id="nowhere", reason="completed")
    await world.open_board("elsewhere", MARIA, clinic=ClinicId("other"))
    assert world.board("elsewhere").rows == []
    foreign = await refused(world, "elsewhere", "end", consult_id=world.consult, reason="completed")
    assert unknown is foreign is Code.NOT_FOUND


async def test_an_invited_person_gets_a_link_once_and_staff_none(world: World) -> None:
    await world.scheduled()
    assert len(world.invitations.issued) == 3
    answer = await world.ask(
        "maria",
        "invite",
        consult_id=world.consult,
        person={"role": "companion", "language": "ar", "name": "Huda Haddad"},
    )
    assert isinstance(answer, messages.Accepted)
    assert len(answer.invitations) == 1
    staff = {"role": "interpreter", "language": "ar", "user": "u-leila"}
    answer = await world.ask("maria", "invite", consult_id=world.consult, person=staff)
    assert isinstance(answer, messages.Accepted)
    assert answer.invitations == []
    wrong = {"role": "physician", "language": "ar", "user": "u-leila"}
    assert await refused(world, "maria", "invite", consult_id=world.consult, person=wrong) is Code.BAD_PEOPLE


async def test_a_lost_link_is_renewed_for_whoever_has_no_account_to_sign_in_with(world: World) -> None:
    await world.scheduled()
    renew = {"consult_id": world.consult, "participant": world.people[PATIENT]}
    answer = await world.ask("maria", "renew_invitation", **renew)
    assert isinstance(answer, messages.Accepted)
    [link] = answer.invitations
    assert (link.participant, link.url) == (world.people[PATIENT], "https://clinic.test/v#secret4")
    renew["participant"] = world.people[PHYSICIAN]
    assert await refused(world, "maria", "renew_invitation", **renew) is Code.BAD_PEOPLE
    await world.service.flush_boards()
    can = {p.role: p.can for p in world.board("maria").rows[0].people}
    assert "renew_invitation" in can[PATIENT]
    assert "renew_invitation" not in can[PHYSICIAN]


async def test_an_interpreters_board_has_their_own_consults_and_nothing_that_identifies(world: World) -> None:
    await world.scheduled()
    await world.open_board("leila", LEILA)
    assert world.board("leila").rows == []
    staff = {"role": "interpreter", "language": "ar", "user": LEILA}
    await world.ask("maria", "invite", consult_id=world.consult, person=staff)
    await world.service.flush_boards()
    [row] = world.board("leila").rows
    assert row.mine
    assert row.can == []
    assert row.needs == []
    assert {"Amal Haddad", "Dr Grace Chen"} <= {p.name for p in row.people}
    text = world.board("leila").model_dump_json()
    assert not any(secret in text for secret in ("1980", "Dubai", '"AE"'))
    assert all(p.can == [] for p in row.people)


async def test_an_interpreter_does_nothing_from_a_board(world: World) -> None:
    await world.scheduled()
    await world.open_board("leila", LEILA)
    rename = {"participant": world.people[PATIENT], "name": "X", "consult_id": world.consult}
    assert await refused(world, "leila", "rename", **rename) is Code.NOT_PERMITTED
    starts_at = world.clock.now()
    born = {"birth_year": 1980, "time_zone": "Asia/Dubai", "country": "AE"}
    people = [
        {"role": "patient", "language": "ar", "name": "A", **born},
        {"role": "physician", "language": "en", "user": DR_OKAFOR},
    ]
    times = {"starts_at": starts_at, "ends_at": starts_at + timedelta(minutes=30)}
    form = {"people": people, **{name: time.isoformat() for name, time in times.items()}}
    assert await refused(world, "leila", "schedule", **form) is Code.NOT_PERMITTED


async def test_a_board_of_today_turns_the_page_at_the_clinics_midnight(world: World) -> None:
    await world.scheduled()
    assert world.board("maria").day == "2026-03-02"
    await world.service.tick()
    await world.service.flush_boards()
    before = world.board("maria").revision
    world.clock.pass_s(86_400)
    await world.service.tick()
    await world.service.flush_boards()
    assert world.board("maria").day == "2026-03-03"
    assert world.board("maria").revision == before + 1
    await world.service.tick()
    await world.service.flush_boards()
    assert world.board("maria").revision == before + 1


async def test_a_patient_is_described_well_enough_or_not_scheduled(world: World) -> None:
    await world.scheduled()
    person = {"role": "companion", "language": "ar"}
    assert await refused(world, "maria", "invite", consult_id=world.consult, person=person) is Code.BAD_PEOPLE
    zone = {**person, "name": "Huda", "time_zone": "Mars/Olympus"}
    assert await refused(world, "maria", "invite", consult_id=world.consult, person=zone) is Code.BAD_PEOPLE
