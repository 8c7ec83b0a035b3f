"""The service on fakes: what people see, hear and are told after each thing that happens."""

from itertools import permutations

import pytest

from signaling.consult.values import ClinicId, ConnectionId, DeviceId, PeerId, Role
from signaling.errors import Code, Refused
from signaling.protocol import messages
from signaling.protocol.shapes import ConsultView
from tests.signaling.world import DR_OKAFOR, HASH, LAPTOP, MARIA, World

PATIENT, PHYSICIAN, INTERPRETER = Role.PATIENT, Role.PHYSICIAN, Role.INTERPRETER
EVERYONE = set(permutations((PATIENT, PHYSICIAN, INTERPRETER), 2))


@pytest.fixture
async def world() -> World:
    return World()


async def refused(world: World, who: str, what: str, /, **fields: object) -> Code:
    with pytest.raises(Refused) as caught:
        await world.ask(who, what, **fields)
    return caught.value.code


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
    await world.ask("amal", "give_consent", text_id="care-1", text_hash=HASH, language="ar")
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


async def test_admission_needs_consent_and_identity(world: World) -> None:
    await world.scheduled()
    for who, role in (("amal", PATIENT), ("chen", PHYSICIAN)):
        await world.connect(who, role)
        await world.ask(who, "arrive")
    patient = world.people[PATIENT]
    admit = {"participant": patient, "identity_confirmed": True}
    assert await refused(world, "chen", "admit", **admit) is Code.CONSENT_MISSING
    await world.ask("amal", "give_consent", text_id="care-1", text_hash=HASH, language="ar")
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


async def test_a_connection_is_as_good_as_its_worse_end(world: World) -> None:
    await world.in_room()
    peer = await world.peer_of(PATIENT)

    def level() -> str:
        [patient] = [p for p in world.view("chen").people if p.role is PATIENT]
        return patient.connection_level

    assert peer is not None
    await world.service.media_quality(world.consult, PeerId(peer), "weak")
    await world.ask("amal", "report_connection", level="fair")
    assert level() == "weak"
    await world.service.media_quality(world.consult, PeerId(peer), "good")
    assert level() == "fair"
    await world.service.media_quality(world.consult, PeerId("unknown"), "lost")
    assert level() == "fair"


async def test_muted_and_switched_off_is_not_forwarded(world: World) -> None:
    await world.in_room()
    await world.ask("amal", "set_media", audio_on=False, video_on=False)
    assert (PATIENT, PHYSICIAN) not in await world.hear_each_other()
    [patient] = [p for p in world.view("chen").people if p.role is PATIENT]
    assert (patient.audio_on, patient.video_on) == (False, False)


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


async def test_a_media_plane_that_was_away_is_told_again_until_it_knows(world: World) -> None:
    await world.in_room()
    world.media.fault = Code.MEDIA_UNAVAILABLE
    await world.ask("chen", "remove", participant=world.people[INTERPRETER])
    await world.service.tick()
    world.media.fault = None
    await world.service.tick()
    assert set(world.media.peers) == {await world.peer_of(PATIENT), await world.peer_of(PHYSICIAN)}
    assert len(world.media.links(world.consult)) == 2


async def test_separating_people_is_told_again_even_when_nobody_is_left_to_hear(world: World) -> None:
    await world.in_room()
    world.media.fault = Code.MEDIA_UNAVAILABLE
    await world.ask("chen", "leave")
    assert world.media.links(world.consult)
    world.media.fault = None
    await world.service.tick()
    assert not world.media.links(world.consult)


async def test_an_offer_the_media_plane_refuses_is_a_refusal_with_its_code(world: World) -> None:
    await world.waiting()
    world.media.fault = Code.BAD_OFFER
    assert await refused(world, "amal", "connect_media", offer="nonsense") is Code.BAD_OFFER


async def test_a_dead_worker_ends_nobodys_consult(world: World) -> None:
    await world.in_room()
    world.media.peers.clear()
    world.media.routings.clear()
    await world.service.media_consult_lost(world.consult)
    for who in ("amal", "chen", "nour"):
        assert world.told(who) == ["media_lost"]
        await world.ask(who, "connect_media", offer="v=0")
    assert await world.hear_each_other() == EVERYONE


async def test_one_lost_peer_is_rebuilt_by_its_own_page_only(world: World) -> None:
    await world.in_room()
    peer = await world.peer_of(PATIENT)
    assert peer is not None
    await world.service.media_peer_lost(world.consult, PeerId(peer))
    assert (world.told("amal"), world.told("chen")) == (["media_lost"], [])
    assert await world.hear_each_other() == {(PHYSICIAN, INTERPRETER), (INTERPRETER, PHYSICIAN)}


async def test_after_a_restart_whoever_does_not_come_back_is_lost(world: World) -> None:
    await world.in_room()
    await world.restart()
    await world.connect("chen again", PHYSICIAN)
    world.clock.pass_s(11)
    await world.service.tick()
    seats = {p.role: p.seat for p in world.view("chen again").people}
    assert (seats[PATIENT], seats[PHYSICIAN]) == ("lost", "present")


async def test_nobody_hears_a_restart_when_all_pages_come_back_with_their_peers(world: World) -> None:
    await world.in_room()
    peers = {role: await world.peer_of(role) for role in (PATIENT, PHYSICIAN, INTERPRETER)}
    before = world.media.routings[world.consult]
    await world.restart()
    for role, peer in peers.items():
        await world.connect(f"{role} again", role, peer=peer)
        assert world.told(f"{role} again") == []
        assert world.media.links(world.consult) == {(a.publisher, a.subscriber) for a in before.links}
    assert await world.hear_each_other() == EVERYONE


async def test_after_a_restart_whatever_happens_is_told_to_the_media_plane_at_once(world: World) -> None:
    await world.in_room()
    peer = await world.peer_of(PHYSICIAN)
    await world.restart()
    await world.connect("chen again", PHYSICIAN, peer=peer)
    await world.ask("chen again", "leave")
    assert not world.media.links(world.consult)


async def test_after_a_restart_nobody_hears_on_when_nobody_comes_back(world: World) -> None:
    await world.in_room()
    await world.restart()
    assert world.media.links(world.consult)
    world.clock.pass_s(11)
    await world.service.tick()
    assert not world.media.links(world.consult)


async def test_a_lost_persons_place_is_released_after_the_grace_and_they_wait_again(world: World) -> None:
    await world.in_room()
    await world.drop("amal")
    world.clock.pass_s(10)
    await world.service.tick()
    world.clock.pass_s(900)
    await world.service.tick()
    [patient] = [p for p in world.view("chen").people if p.role is PATIENT]
    assert patient.seat == "left"
    await world.connect("amal again", PATIENT)
    assert world.view("amal again").screen == "left"
    await world.ask("amal again", "arrive")
    assert world.view("amal again").screen == "waiting"


async def test_the_clock_opens_the_waiting_room_and_marks_who_never_came(world: World) -> None:
    world.clock.pass_s(-7200)
    await world.scheduled()
    world.clock.pass_s(-7200)
    await world.connect("amal", PATIENT)
    assert world.view("amal").screen == "too_early"
    assert await refused(world, "amal", "arrive") is Code.TOO_EARLY
    world.clock.pass_s(7200)
    await world.service.tick()
    assert world.view("amal").screen == "check"
    world.clock.pass_s(600 + 1800)
    await world.service.tick()
    assert world.view("amal").screen == "no_show"
    assert world.closed("amal")


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


async def test_a_patient_is_described_well_enough_or_not_scheduled(world: World) -> None:
    await world.scheduled()
    person = {"role": "companion", "language": "ar"}
    assert await refused(world, "maria", "invite", consult_id=world.consult, person=person) is Code.BAD_PEOPLE
    zone = {**person, "name": "Huda", "time_zone": "Mars/Olympus"}
    assert await refused(world, "maria", "invite", consult_id=world.consult, person=zone) is Code.BAD_PEOPLE


async def test_locks_and_presence_of_what_is_over_are_let_go(world: World) -> None:
    await world.in_room()
    await world.ask("chen", "end", reason="completed")
    world.clock.pass_s(121)
    await world.service.tick()
    await world.service.tick()
    assert await world.presence.known() == ()
    assert len(world.service._consults._locks) == 0
