"""A consult is recorded only while everybody present has agreed, to words they could read."""

import asyncio
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from signaling.consult import commands
from signaling.consult import recording_commands as asks
from signaling.consult.recording import RecordingState
from signaling.consult.recording_order import recording_order
from signaling.consult.routing import routing
from signaling.consult.values import Consult, Role, SeatHolder, SeatState
from signaling.errors import Code, Refused
from signaling.ports import RecordingOrder
from tests.signaling.scripts import (
    AGREE,
    AMAL,
    ASK,
    CHEN,
    PEOPLE,
    Step,
    all_connected,
    everybody_in,
    play,
    scripts,
)
from tests.signaling.world import HASH, World, refused

lives = settings(max_examples=150, deadline=None)
AGREED = [Step(1, SeatHolder(participant=p), AGREE) for p in PEOPLE if p != CHEN]
RECORDED = [*everybody_in(), Step(5, SeatHolder(participant=CHEN), ASK), *AGREED]
answers = st.builds(
    Step,
    after_s=st.just(1),
    by=st.sampled_from(PEOPLE).map(lambda p: SeatHolder(participant=p)),
    command=st.sampled_from([AGREE, AGREE, ASK, asks.RefuseRecording(), commands.Leave()]),
)

recorded_and_then = st.tuples(st.lists(answers, max_size=20), scripts).map(
    lambda parts: [*RECORDED, *parts[0], *parts[1]]
)


def has_agreed(consult: Consult, who: str) -> bool:
    return consult.recording is not None and any(
        a.participant == who and a.answer == "agreed" for a in consult.recording.answers
    )


@lives
@given(
    st.one_of(
        scripts, st.tuples(st.lists(answers, max_size=20), scripts).map(lambda p: [*RECORDED, *p[0], *p[1]])
    )
)
@example(RECORDED)
@example([*RECORDED, Step(1, SeatHolder(participant=AMAL), asks.RefuseRecording())])
@example([*RECORDED, Step(1, SeatHolder(participant=AMAL), asks.RefuseRecording()), *AGREED])
def test_whatever_is_recorded_everybody_who_hears_or_is_heard_has_agreed(script: list[Step]) -> None:
    for moment in play(script):
        consult = moment.after
        presence = all_connected(consult)
        order = recording_order(consult, presence)
        if order is None:
            continue
        inside = {p.id for p in consult.participants if p.seat is SeatState.PRESENT}
        assert all(has_agreed(consult, who) for who in inside)
        assert {t.participant for t in order.tracks} <= order.agreed == inside
        for link in routing(consult, presence):
            assert {link.publisher, link.subscriber} <= order.agreed


def test_a_recording_begins_by_itself_when_the_last_one_present_agrees() -> None:
    *before, last = play(RECORDED)
    assert all(recording_order(m.after, all_connected(m.after)) is None for m in before)
    assert [event.type for event in last.happened] == ["recording_agreed", "recording_begun"]
    assert recording_order(last.after, all_connected(last.after)) is not None


def test_a_track_keeps_its_number_whoever_comes_and_goes() -> None:
    numbers: dict[tuple[str, str], int] = {}
    leaving = [Step(1, SeatHolder(participant=p), commands.Leave()) for p in PEOPLE if p != CHEN]
    for moment in play([*RECORDED, *leaving]):
        order = recording_order(moment.after, all_connected(moment.after))
        for track in order.tracks if order else ():
            assert numbers.setdefault((track.participant, track.source), track.number) == track.number
    assert len(set(numbers.values())) == len(numbers) == 3 * len(PEOPLE)


def test_refusing_blocks_nothing_but_the_recording() -> None:
    refusing = Step(1, SeatHolder(participant=AMAL), asks.RefuseRecording())
    last = play([*everybody_in(), Step(5, SeatHolder(participant=CHEN), ASK), refusing])[-1]
    before, after = last.before, last.after
    assert routing(after, all_connected(after)) == routing(before, all_connected(before))
    assert after.recording is not None
    assert after.recording.state is RecordingState.ASKED


# --- at the service ---------------------------------------------------------------------------------------


@pytest.fixture
async def world() -> World:
    return World()


TEXT = {"text_id": "recording-video-1", "text_hash": HASH}


async def ask(world: World, what: str = "video") -> None:
    text = {"text_id": f"recording-{what}-1", "text_hash": HASH}
    await world.ask("chen", "ask_recording", what=what, language="en", **text)


async def agree(world: World, *people: str, **other: Any) -> None:
    for who in people:
        fields = {**TEXT, "no": 1, "what": "video", "language": "ar", **other}
        await world.ask(who, "agree_to_recording", **fields)


async def recorded(world: World) -> None:
    await world.in_room()
    await ask(world)
    await agree(world, "amal", "nour")


def order(world: World) -> RecordingOrder | None:
    return world.media.routings[world.consult].recording


def state(world: World, who: str = "amal") -> tuple[str, str | None]:
    view = world.view(who).recording
    assert view is not None
    return view.state.value, view.why


async def test_everybody_sees_who_has_agreed_and_that_it_is_recorded(world: World) -> None:
    await world.in_room()
    await ask(world)
    assert state(world) == ("asked", None)
    assert order(world) is None
    view = world.view("amal").recording
    assert view is not None
    assert view.mine is None
    assert {a.participant: a.answer for a in view.answers}[world.people[Role.PHYSICIAN]] == "agreed"
    assert "agree_to_recording" in world.view("amal").can
    assert "ask_recording" not in world.view("amal").can
    await agree(world, "amal", "nour")
    for who in ("amal", "chen", "nour"):
        assert state(world, who) == ("on", None)
    kept = order(world)
    assert kept is not None
    assert len(kept.agreed) == 3
    assert len(kept.tracks) == 9


async def test_of_a_recording_of_sound_no_picture_is_kept(world: World) -> None:
    await world.in_room()
    await ask(world, "audio")
    for who in ("amal", "nour"):
        await agree(world, who, what="audio", text_id="recording-audio-1")
    kept = order(world)
    assert kept is not None
    assert {track.source for track in kept.tracks} == {"audio"}


async def test_who_comes_later_pauses_it_until_they_agree(world: World) -> None:
    await recorded(world)
    await world.connect("omar", Role.COMPANION)
    await world.ask("omar", "arrive")
    await world.ask("omar", "connect_media", offer="v=0")
    assert order(world) is not None
    assert state(world, "omar") == ("on", None)  # and nothing of who agreed
    assert world.view("omar").recording.answers == []  # type: ignore[union-attr]
    await world.admit("omar", Role.COMPANION)
    assert state(world) == ("paused", "newcomer")
    assert order(world) is None
    await agree(world, "omar")
    assert state(world) == ("on", None)
    kept = order(world)
    assert kept is not None
    assert len(kept.agreed) == 4


async def test_a_revocation_stops_it_before_anything_is_stored(world: World) -> None:
    await recorded(world)
    received = world.clock.now()
    heard: list[Any] = []
    append = world.store.append

    async def slow_append(*args: Any, **fields: Any) -> None:
        heard.append(world.media.routings[world.consult])
        world.clock.pass_s(5)
        await append(*args, **fields)

    world.store.append = slow_append  # type: ignore[method-assign]
    await world.ask("amal", "refuse_recording")
    assert heard[0].recording is None
    assert (heard[0].recording_end, heard[0].recording_cut_at) == ("revoked", received)
    assert state(world) == ("paused", "revoked")
    assert world.media.links(world.consult)  # everybody still hears each other
    world.store.append = append  # type: ignore[method-assign]
    await agree(world, "amal")
    assert state(world) == ("on", None)
    assert order(world) is not None


async def test_a_revocation_does_not_wait_for_what_holds_the_consult(world: World) -> None:
    await recorded(world)
    async with world.service._consults.hold(world.consult):
        revoking = asyncio.create_task(world.ask("amal", "refuse_recording"))
        await asyncio.sleep(0)
        assert order(world) is None
        assert not revoking.done()
    await revoking
    assert state(world) == ("paused", "revoked")


async def test_a_revocation_that_is_refused_lets_it_go_on(world: World) -> None:
    await recorded(world)
    await world.ask("chen", "stop_recording")
    await ask(world)
    await agree(world, "amal", "nour", no=2)
    world.store.append = _refusing  # type: ignore[method-assign]
    with pytest.raises(Refused):
        await world.ask("amal", "refuse_recording")
    assert order(world) is None
    await world.service.tick()
    assert order(world) is not None


async def _refusing(*_: Any, **__: Any) -> None:
    raise Refused(Code.NOT_STORED)


async def test_who_waits_outside_stops_nobodys_recording(world: World) -> None:
    await recorded(world)
    await world.connect("omar", Role.COMPANION)
    await world.ask("omar", "arrive")
    revision = world.media.routings[world.consult].revision
    assert await refused(world, "omar", "refuse_recording") is Code.NOT_NOW
    assert world.media.routings[world.consult].revision == revision


async def test_who_may_record_and_when(world: World) -> None:
    await world.waiting()
    fields = {**TEXT, "what": "video", "language": "en"}
    assert await refused(world, "chen", "ask_recording", **fields) is Code.NOT_NOW  # nobody is met yet
    await world.admit("amal", Role.PATIENT)
    in_arabic = {**fields, "language": "ar"}
    assert await refused(world, "amal", "ask_recording", **in_arabic) is Code.NOT_PERMITTED
    assert (
        await refused(world, "chen", "agree_to_recording", no=1, **fields) is Code.NOT_NOW
    )  # nothing is asked
    await ask(world)
    assert await refused(world, "chen", "ask_recording", **fields) is Code.ALREADY_ASKED
    assert await refused(world, "amal", "stop_recording") is Code.NOT_PERMITTED


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"text_hash": "1" * 64}, Code.NOT_FOUND),
        ({"text_id": "telehealth-1"}, Code.NOT_FOUND),  # of another purpose
        ({"text_id": "recording-audio-1"}, Code.NOT_FOUND),
        ({"language": "fr"}, Code.TEXT_NOT_REVIEWED),
        ({"language": "en"}, Code.TEXT_NOT_REVIEWED),  # the patient speaks Arabic
    ],
)
async def test_a_text_that_is_not_theirs_cannot_be_agreed_to(
    world: World, other: dict[str, str], code: Code
) -> None:
    await world.in_room()
    await ask(world)
    fields = {**TEXT, "no": 1, "what": "video", "language": "ar", **other}
    assert await refused(world, "amal", "agree_to_recording", **fields) is code
    assert state(world) == ("asked", None)


async def test_an_answer_to_an_earlier_question_is_none_to_the_next_one(world: World) -> None:
    await world.in_room()
    await ask(world)
    await world.ask("chen", "stop_recording")
    await ask(world)
    fields = {**TEXT, "what": "video", "language": "ar"}
    assert await refused(world, "amal", "agree_to_recording", no=1, **fields) is Code.NOT_NOW
    view = world.view("amal").recording
    assert view is not None
    assert view.mine is None


async def test_a_full_disk_is_told_to_everybody_and_the_physician_lets_it_go_on(world: World) -> None:
    await recorded(world)
    kept = order(world)
    assert kept is not None
    await world.service.media_recording_failed(world.consult, kept.recording)
    for who in ("amal", "chen", "nour"):
        assert state(world, who) == ("paused", "failed")
    assert order(world) is None
    assert len(world.media.links(world.consult)) == 6
    assert "ask_recording" in world.view("chen").can
    await ask(world)
    assert state(world) == ("on", None)
    again = order(world)
    assert again is not None
    assert again.recording == kept.recording


async def test_the_end_of_the_consult_ends_its_recording(world: World) -> None:
    await recorded(world)
    await world.ask("chen", "end", reason="completed")
    assert state(world, "chen") == ("stopped", "ended")
    assert world.media.closed == [world.consult]


async def test_a_restarted_server_lets_the_recording_of_those_go_on_who_are_back(world: World) -> None:
    await recorded(world)
    peers = {role: await world.peer_of(role) for role in world.people}
    before = world.media.routings[world.consult]
    await world.restart()
    assert world.media.routings[world.consult] is before
    for who, role in (("amal", Role.PATIENT), ("chen", Role.PHYSICIAN), ("nour", Role.INTERPRETER)):
        await world.connect(who, role, peer=peers[role])
    kept = order(world)
    assert kept is not None
    assert kept == before.recording
    assert state(world) == ("on", None)


async def test_after_a_restart_a_revocation_does_not_wait_for_those_who_are_not_back(world: World) -> None:
    await recorded(world)
    peer = await world.peer_of(Role.PATIENT)
    await world.restart()
    await world.connect("amal", Role.PATIENT, peer=peer)
    await world.ask("amal", "refuse_recording")
    assert order(world) is None
