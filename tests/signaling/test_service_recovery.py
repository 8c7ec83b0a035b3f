"""The service on fakes: time, lost connections, restarts and a media plane that fails."""

from datetime import timedelta
from itertools import permutations

import pytest

from signaling.consult.ids import ConnectionId, PeerId
from signaling.consult.values import Role
from signaling.errors import Code, Unstored
from signaling.protocol import codec, messages
from tests.signaling.world import DR_CHEN, HASH, MARIA, World, refused

PATIENT, PHYSICIAN, INTERPRETER = Role.PATIENT, Role.PHYSICIAN, Role.INTERPRETER
EVERYONE = set(permutations((PATIENT, PHYSICIAN, INTERPRETER), 2))


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


async def test_after_a_restart_what_is_written_cuts_off_nobody_who_is_not_back_yet(world: World) -> None:
    await world.in_room()
    peer = await world.peer_of(PATIENT)
    before = world.media.links(world.consult)
    await world.restart()
    await world.connect("amal again", PATIENT, peer=peer)
    await world.ask("amal again", "send_message", text="Are you there?")
    assert world.media.links(world.consult) == before
    world.clock.pass_s(11)
    await world.service.tick()
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


async def test_locks_and_presence_of_what_is_over_are_let_go(world: World) -> None:
    await world.in_room()
    await world.ask("chen", "end", reason="completed")
    world.clock.pass_s(121)
    await world.service.tick()
    await world.service.tick()
    assert await world.presence.known() == ()
    assert len(world.service._consults._locks) == 0


async def test_a_damaged_consult_keeps_no_other_from_being_taken_over(world: World) -> None:
    await world.in_room()
    damaged = world.consult
    await world.scheduled()
    await world.service.tick()
    world.store.events[damaged][-1] = "{}"

    await world.restart()
    await world.connect("amal", PATIENT)
    assert world.view("amal").screen in ("check", "too_early")


async def test_a_board_that_could_not_be_sent_is_sent_the_next_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.waiting()
    before = world.board("maria").revision

    async def away(*_: object) -> None:
        raise OSError

    with monkeypatch.context() as patched:
        patched.setattr(world.store, "board", away)
        with pytest.raises(OSError):
            await world.service.flush_boards()
    await world.service.flush_boards()
    assert world.board("maria").revision > before


async def test_a_command_sent_again_after_a_restart_happens_once(world: World) -> None:
    await world.in_room()
    await world.ask("chen", "send_message", command_id="command-before", text="Once")
    await world.restart()
    await world.connect("chen", Role.PHYSICIAN)
    again = await world.ask("chen", "send_message", command_id="command-before", text="Once")
    assert isinstance(again, messages.Accepted)
    assert [row.text for row in await world.store.chat(world.consult, after_seq=0, limit=9)] == ["Once"]


async def test_a_booking_sent_again_after_a_restart_names_the_same_consult(world: World) -> None:
    await world.scheduled()
    first = next(iter(world.store.commands))
    await world.restart()
    await world.open_board("maria", MARIA)
    again = await world.service.handle(
        ConnectionId("maria"),
        codec.decode(
            {
                "type": "schedule",
                "command_id": first.command_id,
                "starts_at": world.clock.now().isoformat(),
                "ends_at": (world.clock.now() + timedelta(minutes=30)).isoformat(),
                "people": [
                    {"role": "patient", "language": "ar", "name": "Twice", "time_zone": "Asia/Dubai"},
                    {"role": "physician", "language": "en", "user": DR_CHEN},
                ],
            },
            board=True,
        ),
    )
    assert isinstance(again, messages.Accepted)
    assert again.consult_id == world.consult
    assert len(world.store.summaries) == 1


async def test_a_consent_that_cannot_be_stored_is_not_taken_for_given(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.scheduled()
    for who, role in (("amal", Role.PATIENT), ("chen", Role.PHYSICIAN)):
        await world.connect(who, role)
        await world.ask(who, "arrive")

    async def full(*_: object, **__: object) -> None:
        raise Unstored

    consent = {"text_id": "telehealth-1", "text_hash": HASH, "language": "ar"}
    with monkeypatch.context() as away:
        away.setattr(world.store, "append", full)
        with pytest.raises(Unstored):
            await world.ask("amal", "give_consent", **consent)
    about = {"participant": world.people[Role.PATIENT], "identity_confirmed": True}
    assert await refused(world, "chen", "admit", **about) is Code.CONSENT_MISSING
    await world.ask("amal", "give_consent", **consent)
    await world.admit("chen", Role.PATIENT)
