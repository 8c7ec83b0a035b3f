"""What holds in every life of a consult, whoever asks whatever, whenever."""

from datetime import timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st

from signaling.consult import commands, deadlines
from signaling.consult.evolve import evolve, replay
from signaling.consult.ids import DeviceId, ParticipantId
from signaling.consult.routing import routing, slot_of
from signaling.consult.stored import decode, encode
from signaling.consult.values import (
    BARRED,
    GUESTS,
    OVER,
    SEATS_MAX,
    TAKEN,
    Consult,
    Phase,
    Role,
    SeatHolder,
    SeatState,
    TheClock,
)
from signaling.protocol.views import holds_seat
from tests.signaling.scripts import (
    AMAL,
    CHEN,
    DESK,
    DEVICES,
    NINE,
    Step,
    all_connected,
    catch_up,
    everybody_in,
    play,
    scheduled,
    scripts,
)

lives = settings(max_examples=80, deadline=None)
IN_ROOM = everybody_in()
# Someone is lost while the consult is moved to a later time, at which they are invited anew.
LOST_AND_MOVED = [
    Step(0, SeatHolder(participant=AMAL), commands.Arrive(device=DEVICES[0])),
    Step(30, TheClock(), commands.MarkLost(participant=AMAL)),
    Step(
        0, DESK, commands.Reschedule(starts_at=NINE + timedelta(hours=3), ends_at=NINE + timedelta(hours=4))
    ),
]


@lives
@given(scripts)
@example([*IN_ROOM, Step(0, SeatHolder(participant=CHEN), commands.End(reason="completed")), *IN_ROOM])
def test_an_ended_consult_never_changes(script: list[Step]) -> None:
    for moment in play(script):
        if moment.before.phase in OVER:
            assert moment.after == moment.before
            if not isinstance(moment.step.command, commands.ContinueConsult):
                assert moment.happened == ()


@lives
@given(scripts)
@example(IN_ROOM)
def test_nobody_is_linked_before_admission(script: list[Step]) -> None:
    for moment in play(script):
        consult = moment.after
        for link in routing(consult, all_connected(consult)):
            for end in (link.publisher, link.subscriber):
                person = consult.participant(end)
                assert person is not None
                assert person.seat is SeatState.PRESENT
                assert person.admitted_at is not None


@lives
@given(scripts)
@example(IN_ROOM)
def test_patient_and_interpreter_are_never_alone(script: list[Step]) -> None:
    separable = (*GUESTS, Role.INTERPRETER)
    for moment in play(script):
        consult = moment.after
        physician = any(p.seat is SeatState.PRESENT for p in consult.of_role(Role.PHYSICIAN))
        for link in routing(consult, all_connected(consult)):
            one, other = consult.participant(link.publisher), consult.participant(link.subscriber)
            assert one is not None
            assert other is not None
            assert physician or not (one.role in separable and other.role in separable)


@lives
@given(scripts)
@example(IN_ROOM)
@example(LOST_AND_MOVED)
def test_a_person_has_at_most_one_live_seat_and_it_is_on_one_device(script: list[Step]) -> None:
    for moment in play(script):
        users = [p.user for p in moment.after.participants if p.user and p.seat is not SeatState.REVOKED]
        assert len(users) == len(set(users))
        for person in moment.after.participants:
            if person.seat in TAKEN:
                assert person.device is not None
                assert [d for d in DEVICES if holds_seat(person, d)] == [person.device]
                assert person.further_device != person.device
            else:
                assert person.device is person.further_device is None
            waits = SeatState.WAITING in (person.seat, person.lost_from)
            assert waits or not person.unconfirmed
            assert (person.seat is SeatState.LOST) is (person.lost_from is not None)


@lives
@given(scripts)
@example(IN_ROOM)
def test_versions_have_no_gaps_and_the_events_are_the_consult(script: list[Step]) -> None:
    consult = scheduled()
    stored: list[str] = []
    for moment in play(script):
        if isinstance(moment.step.command, commands.ContinueConsult):
            continue
        step: Consult | None = moment.before
        for event in moment.happened:
            following = evolve(step, event)
            assert step is not None
            assert following.version == step.version + 1
            step = following
            stored.append(encode(event))
        assert step == moment.after
        assert replay(consult, map(decode, stored)) == moment.after


@lives
@given(scripts)
@example(IN_ROOM)
def test_a_seat_number_is_given_once_and_a_slot_never_changes_person(script: list[Step]) -> None:
    owners: dict[int, ParticipantId] = {}
    slots: dict[tuple[ParticipantId, int], ParticipantId] = {}
    for moment in play(script):
        for person in moment.after.participants:
            if person.seat_no is None:
                continue
            assert 0 <= person.seat_no < SEATS_MAX
            assert owners.setdefault(person.seat_no, person.id) == person.id
            for viewer in moment.after.participants:
                slot = slot_of(person, viewer=viewer)
                if slot is not None:
                    assert 0 <= slot < SEATS_MAX - 1
                    assert slots.setdefault((viewer.id, slot), person.id) == person.id


@lives
@given(scripts)
def test_a_refused_command_changes_nothing_and_says_why(script: list[Step]) -> None:
    for moment in play(script):
        if moment.refused is not None:
            assert moment.after == moment.before
            assert moment.refused.code


@lives
@given(scripts)
def test_a_barred_person_never_comes_back(script: list[Step]) -> None:
    for moment in play(script):
        for person in moment.before.participants:
            if person.seat in BARRED:
                after = moment.after.participant(person.id)
                assert after is not None
                assert after.seat in BARRED


@lives
@given(scripts)
@example(IN_ROOM)
def test_the_clock_is_done_with_what_is_due(script: list[Step]) -> None:
    for moment in play(script):
        for later in (0, 60, 3600, 86_400):
            now = moment.now + timedelta(seconds=later)
            caught_up = catch_up(catch_up(moment.after, now), now)
            due_at = deadlines.due_at(caught_up)
            assert due_at is None or due_at > now
            assert deadlines.due(caught_up, now) == ()


@lives
@given(scripts)
def test_every_consult_is_over_some_day(script: list[Step]) -> None:
    consult = play(script)[-1].after if script else scheduled()
    for _ in range(12):
        due_at = deadlines.due_at(consult)
        if due_at is None:
            break
        consult = catch_up(consult, due_at)
    assert consult.phase in OVER


@lives
@given(scripts)
@example(IN_ROOM)
def test_what_the_phase_says_is_so(script: list[Step]) -> None:
    for moment in play(script):
        consult = moment.after
        guests = [p for p in consult.participants if p.role in GUESTS]
        if consult.phase is Phase.WAITING:
            assert any(p.seat in TAKEN for p in guests)
        if consult.phase is Phase.SCHEDULED:
            assert not any(p.seat in TAKEN for p in guests)
        if consult.phase in (Phase.IN_PROGRESS, Phase.ENDED) and consult.end_reason != "abandoned":
            assert consult.started_at is not None
        if consult.sharing is not None:
            sharer = consult.participant(consult.sharing)
            assert sharer is not None
            assert sharer.seat is SeatState.PRESENT


@given(st.sampled_from(DEVICES))
def test_the_script_that_brings_everybody_in_does(device: DeviceId) -> None:
    consult = play(everybody_in(device))[-1].after
    assert consult.phase is Phase.IN_PROGRESS
    assert {p.seat for p in consult.participants} == {SeatState.PRESENT}
    assert len(routing(consult, all_connected(consult))) == 6 * 5 * 2
