"""The service on fakes: seats, admission and devices, by what people see and hear."""

from itertools import permutations

import pytest

from signaling.consult.ids import ConnectionId, DeviceId
from signaling.consult.values import Role
from signaling.errors import Code
from signaling.protocol import messages
from signaling.protocol.shapes import ConsultView
from tests.signaling.world import HASH, LAPTOP, PHONE, World, refused

PATIENT, PHYSICIAN, INTERPRETER = Role.PATIENT, Role.PHYSICIAN, Role.INTERPRETER
EVERYONE = set(permutations((PATIENT, PHYSICIAN, INTERPRETER), 2))


async def test_a_patient_goes_from_check_to_waiting_to_the_room(world: World) -> None:
    await world.scheduled()
    await world.connect("amal", PATIENT)
    assert world.view("amal").screen == "check"
    assert world.view("amal").me.must_consent
    await world.ask("amal", "arrive")
    assert (world.view("amal").screen, world.view("amal").waiting_for) == ("waiting", "physician")
    await world.connect("chen", PHYSICIAN)
    await world.ask("chen", "arrive")
    assert world.view("amal").waiting_for == "admission"
    await world.ask("amal", "give_consent", text_id="telehealth-1", text_hash=HASH, language="ar")
    await world.admit("amal", PATIENT)
    assert (world.view("amal").screen, world.view("amal").me.admitted) == ("room", True)
    assert world.view("amal").phase == "in_progress"


async def test_nobody_hears_anybody_before_admission(world: World) -> None:
    await world.waiting()
    assert await world.hear_each_other() == set()
    await world.admit("amal", PATIENT)
    assert await world.hear_each_other() == {(PATIENT, PHYSICIAN), (PHYSICIAN, PATIENT)}
    await world.admit("nour", INTERPRETER)
    assert await world.hear_each_other() == EVERYONE


async def test_the_physician_leaving_separates_patient_and_interpreter_at_once(world: World) -> None:
    await world.in_room()
    await world.ask("chen", "leave")
    assert await world.hear_each_other() == set()
    assert world.view("amal").screen == world.view("nour").screen == "separated"
    assert await refused(world, "amal", "send_message", text="hello?") is Code.SEPARATED
    await world.ask("chen", "arrive")
    await world.ask("chen", "connect_media", offer="v=0")
    assert world.view("amal").screen == "room"
    assert await world.hear_each_other() == EVERYONE


async def test_a_physician_lost_for_ten_seconds_separates_them_and_returning_reunites(world: World) -> None:
    await world.in_room()
    await world.drop("chen")
    world.clock.pass_s(9)
    await world.service.tick()
    assert (PATIENT, INTERPRETER) in await world.hear_each_other()
    world.clock.pass_s(1)
    await world.service.tick()
    assert await world.hear_each_other() == set()
    assert world.view("amal").separated
    await world.connect("chen again", PHYSICIAN)
    await world.ask("chen again", "connect_media", offer="v=0")
    assert await world.hear_each_other() == EVERYONE
    assert world.view("amal").screen == "room"


async def test_a_reload_keeps_the_seat_and_the_others_see_one_person_present_throughout(world: World) -> None:
    await world.in_room()
    before = len(world.sent.messages[ConnectionId("chen")])
    old_peer = await world.peer_of(PATIENT)
    await world.connect("amal reloaded", PATIENT)
    assert world.told("amal") == ["displaced"]
    assert world.closed("amal")
    assert old_peer not in world.media.peers
    assert world.view("amal reloaded").screen == "room"
    await world.ask("amal reloaded", "connect_media", offer="v=0")
    assert await world.hear_each_other() == EVERYONE
    for message in world.sent.messages[ConnectionId("chen")][before:]:
        assert isinstance(message, ConsultView)
        assert [p.seat for p in message.people if p.role is PATIENT] == ["present"]


async def test_a_page_that_reconnects_keeps_its_peer(world: World) -> None:
    await world.in_room()
    peer = await world.peer_of(PATIENT)
    await world.drop("amal")
    assert await world.hear_each_other() == EVERYONE
    await world.connect("amal again", PATIENT, peer=peer)
    assert await world.peer_of(PATIENT) == peer
    assert await world.hear_each_other() == EVERYONE
    assert world.told("amal again") == []


async def test_a_page_that_reconnects_with_a_peer_we_have_not_is_told_to_rebuild(world: World) -> None:
    await world.in_room()
    peer = await world.peer_of(PATIENT)
    await world.drop("amal")
    world.clock.pass_s(20)
    await world.service.tick()
    await world.connect("amal again", PATIENT, peer=peer)
    assert world.told("amal again") == ["media_lost"]
    assert world.view("amal again").screen == "room"


async def test_a_further_device_takes_the_seat_only_when_admitted(world: World) -> None:
    await world.in_room()
    await world.connect("laptop", PATIENT, device=LAPTOP)
    assert world.view("laptop").screen == "displaced"
    assert world.view("laptop").can == ["take_seat"]
    assert await refused(world, "laptop", "send_message", text="hi") is Code.ELSEWHERE
    await world.ask("laptop", "take_seat")
    assert world.view("laptop").me.asks_for_seat
    assert world.view("laptop").screen == "waiting"
    assert world.view("amal").screen == "room"
    [patient] = [p for p in world.view("chen").people if p.role is PATIENT]
    assert patient.further_device_waiting
    old_peer = await world.peer_of(PATIENT)
    await world.admit("amal", PATIENT, further_device=True)
    assert world.view("laptop").screen == "room"
    assert world.view("amal").screen == "displaced"
    assert old_peer not in world.media.peers
    assert await refused(world, "amal", "connect_media", offer="v=0") is Code.ELSEWHERE
    await world.ask("laptop", "connect_media", offer="v=0")
    assert await world.hear_each_other() == EVERYONE


async def a_forwarded_link_waits(world: World) -> None:
    """The laptop used the invitation second and arrives before the phone, which used it first."""
    await world.scheduled()
    await world.connect("chen", PHYSICIAN)
    await world.ask("chen", "arrive")
    await world.connect("laptop", PATIENT, device=LAPTOP, further=True)
    await world.ask("laptop", "arrive")
    await world.ask("laptop", "give_consent", text_id="telehealth-1", text_hash=HASH, language="ar")
    await world.connect("amal", PATIENT)


async def test_a_further_device_that_comes_first_is_marked_and_admitted_only_when_confirmed(
    world: World,
) -> None:
    await a_forwarded_link_waits(world)
    assert world.view("laptop").screen == "waiting"
    [patient] = [p for p in world.view("chen").people if p.role is PATIENT]
    assert patient.further_device_waiting
    await world.service.flush_boards()
    [row] = world.board("maria").rows
    assert "further_device" in row.needs
    admit = {"participant": world.people[PATIENT], "identity_confirmed": True}
    assert await refused(world, "chen", "admit", **admit) is Code.IDENTITY_UNCONFIRMED
    assert world.view("laptop").screen == "waiting"
    await world.ask("chen", "admit", further_device=True, **admit)
    assert world.view("laptop").screen == "room"
    [patient] = [p for p in world.view("chen").people if p.role is PATIENT]
    assert not patient.further_device_waiting


async def test_the_first_device_takes_the_waiting_seat_from_a_further_one_that_was_faster(
    world: World,
) -> None:
    await a_forwarded_link_waits(world)
    assert world.view("amal").can == ["take_seat"]
    await world.ask("amal", "take_seat")
    assert (world.view("amal").screen, world.view("amal").me.seat) == ("waiting", "waiting")
    assert world.view("laptop").me.asks_for_seat
    [patient] = [p for p in world.view("chen").people if p.role is PATIENT]
    assert patient.further_device_waiting
    await world.admit("amal", PATIENT)
    assert (world.view("amal").screen, world.view("laptop").screen) == ("room", "waiting")


async def test_the_first_device_comes_in_after_a_further_one_was_sent_away(world: World) -> None:
    await a_forwarded_link_waits(world)
    about = {"participant": world.people[PATIENT], "further_device": True}
    await world.ask("chen", "decline", reason="wrong_person", **about)
    assert world.view("amal").screen == "check"
    await world.ask("amal", "arrive")
    await world.admit("amal", PATIENT)
    assert world.view("amal").screen == "room"


async def test_a_further_device_that_goes_asks_no_more(world: World) -> None:
    await world.in_room()
    await world.connect("laptop", PATIENT, device=LAPTOP)
    await world.ask("laptop", "take_seat")
    await world.drop("laptop")
    [patient] = [p for p in world.view("chen").people if p.role is PATIENT]
    assert not patient.further_device_waiting
    assert patient.seat == "present"


async def test_too_many_further_devices_push_out_each_other_and_never_the_seat(world: World) -> None:
    await world.in_room()
    for n in range(6):
        await world.connect(f"device {n}", PATIENT, device=DeviceId(f"d-{n}"))
        await world.ask(f"device {n}", "take_seat")
    assert [world.closed(f"device {n}") for n in range(6)] == [True, True, True, False, False, False]
    assert not world.closed("amal")
    assert world.view("amal").screen == "room"
    for n in range(3, 6):
        await world.drop(f"device {n}")
    [patient] = [p for p in world.view("chen").people if p.role is PATIENT]
    assert not patient.further_device_waiting


async def test_a_declined_further_device_leaves_the_first_one_its_seat(world: World) -> None:
    await world.in_room()
    await world.connect("laptop", PATIENT, device=LAPTOP)
    await world.ask("laptop", "take_seat")
    await world.ask(
        "chen",
        "decline",
        participant=world.people[PATIENT],
        further_device=True,
        reason="wrong_person",
    )
    assert world.view("laptop").screen == "displaced"
    assert world.view("amal").screen == "room"


@pytest.mark.parametrize(
    "other",
    [{"text_id": "care-2"}, {"text_hash": "1" * 64}, {"language": "en"}],
    ids=lambda other: next(iter(other)),
)
async def test_consent_to_a_text_that_does_not_exist_is_refused_and_not_stored(
    world: World, other: dict[str, str]
) -> None:
    await world.scheduled()
    await world.connect("amal", PATIENT)
    given = {"text_id": "telehealth-1", "text_hash": HASH, "language": "ar", **other}
    assert await refused(world, "amal", "give_consent", **given) is Code.NOT_FOUND
    assert world.view("amal").me.must_consent


async def test_admission_needs_consent_and_identity(world: World) -> None:
    await world.scheduled()
    for who, role in (("amal", PATIENT), ("chen", PHYSICIAN)):
        await world.connect(who, role)
        await world.ask(who, "arrive")
    patient = world.people[PATIENT]
    admit = {"participant": patient, "identity_confirmed": True}
    assert await refused(world, "chen", "admit", **admit) is Code.CONSENT_MISSING
    await world.ask("amal", "give_consent", text_id="telehealth-1", text_hash=HASH, language="ar")
    assert await refused(world, "chen", "admit", participant=patient) is Code.IDENTITY_UNCONFIRMED
    await world.ask("chen", "admit", **admit)
    assert world.view("amal").screen == "room"


async def test_a_removed_person_gets_a_final_view_and_is_cut_from_everything(world: World) -> None:
    await world.in_room()
    peer = await world.peer_of(INTERPRETER)
    await world.ask("chen", "remove", participant=world.people[INTERPRETER])
    assert world.view("nour").screen == "removed"
    assert world.closed("nour")
    assert peer not in world.media.peers
    assert await world.hear_each_other() == {(PATIENT, PHYSICIAN), (PHYSICIAN, PATIENT)}
    await world.connect("nour again", INTERPRETER)
    assert world.view("nour again").screen == "removed"
    assert world.view("nour again").people[0].role is INTERPRETER
    assert len(world.view("nour again").people) == 1
    assert world.closed("nour again")


async def test_media_connects_before_arriving_to_show_that_it_can_and_goes_nowhere(world: World) -> None:
    await world.waiting()
    companion = Role.COMPANION
    await world.connect("omar", companion)
    await world.ask("omar", "connect_media", offer="v=0")
    checked = await world.peer_of(companion)
    assert checked in world.media.peers
    await world.admit("amal", PATIENT)
    assert not any(checked in pair for pair in world.media.links(world.consult))
    await world.ask("omar", "arrive")
    assert await world.peer_of(companion) == checked, "it is the one that is used from here on"
    await world.ask("omar", "leave")
    assert checked not in world.media.peers
    assert await refused(world, "omar", "connect_media", offer="v=0") is Code.NOT_NOW


async def test_of_two_devices_that_check_the_later_one_connects(world: World) -> None:
    await world.scheduled()
    await world.connect("phone", PATIENT, PHONE)
    await world.ask("phone", "connect_media", offer="v=0")
    await world.connect("laptop", PATIENT, LAPTOP)
    await world.ask("laptop", "connect_media", offer="v=0")
    assert await refused(world, "phone", "connect_media", offer="v=0") is Code.ELSEWHERE
    assert len(world.media.peers) == 1


async def test_the_end_closes_all_media_and_the_interpreters_connection_at_once(world: World) -> None:
    await world.in_room()
    await world.ask("chen", "end", reason="completed")
    assert world.media.closed == [world.consult]
    assert not world.media.peers
    assert {world.view(who).screen for who in ("amal", "chen", "nour")} == {"ended"}
    assert world.closed("nour")
    assert await refused(world, "amal", "send_message", text="wait") is Code.ENDED
    assert await refused(world, "amal", "connect_media", offer="v=0") is Code.NOT_NOW
    world.clock.pass_s(121)
    await world.service.tick()
    assert world.closed("amal")
    assert world.closed("chen")


async def test_an_ended_consult_goes_on_as_a_new_one_with_the_same_people(world: World) -> None:
    await world.in_room()
    await world.ask("chen", "end", reason="technical")
    over = await world.store.load(world.consult)
    answer = await world.ask("chen", "continue_consult", minutes=15)
    assert isinstance(answer, messages.Accepted)
    assert answer.consult_id is not None
    assert world.told("amal") == ["consult_continued"]
    assert world.view("amal").continued_as == answer.consult_id
    again = await world.ask("chen", "continue_consult", minutes=15)
    assert isinstance(again, messages.Accepted)
    assert again.consult_id == answer.consult_id
    assert await world.store.load(world.consult) == over
    world.consult = answer.consult_id
    await world.connect("amal new", PATIENT)
    assert world.view("amal new").screen == "check"
    assert not world.view("amal new").me.must_consent
    assert world.view("amal new").physician_name == "Dr Grace Chen"
