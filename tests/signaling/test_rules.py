"""The rules one by one: who may do what, when, and what it causes."""

from datetime import timedelta

import pytest

from signaling.consult import commands, events
from signaling.consult.case import Events
from signaling.consult.commands import Command, Seating
from signaling.consult.evolve import evolve, replay
from signaling.consult.ids import CLOCK, ClinicId, ConsultId, DeviceId, ParticipantId, UserId
from signaling.consult.rules import decide
from signaling.consult.values import (
    Actor,
    Consult,
    LanguagePair,
    Phase,
    Policy,
    Role,
    SeatHolder,
    SeatState,
    StaffUser,
    TheClock,
)
from signaling.errors import Code, Refused
from tests.signaling.scripts import (
    AMAL,
    CHEN,
    CLINIC,
    COLLEAGUE,
    DESK,
    DEVICES,
    MARIA,
    NINE,
    NOUR,
    OKAFOR,
    OMAR,
    STRANGER,
    everybody_in,
    play,
    scheduled,
)

PHONE, LAPTOP, TABLET = DEVICES
FULL = play(everybody_in())[-1].after
CONSENT = commands.GiveConsent(text_id="telehealth-1", text_hash="0" * 64, language="ar")


def by(participant: ParticipantId) -> SeatHolder:
    return SeatHolder(participant=participant)


def after(consult: Consult, *steps: tuple[Actor, Command]) -> Consult:
    for actor, command in steps:
        consult = replay(consult, decide(consult, command, by=actor, now=NINE)) or consult
    return consult


def code(consult: Consult | None, actor: Actor, command: Command, *, late_s: int = 0) -> Code:
    with pytest.raises(Refused) as caught:
        decide(consult, command, by=actor, now=NINE + timedelta(seconds=late_s))
    return caught.value.code


def admit(who: ParticipantId, device: DeviceId = PHONE) -> commands.Admit:
    return commands.Admit(participant=who, device=device, identity_confirmed=True)


def seat_of(consult: Consult, who: ParticipantId) -> SeatState:
    person = consult.participant(who)
    assert person is not None
    return person.seat


def arrived(*people: ParticipantId) -> Consult:
    steps = [(by(p), commands.Arrive(device=PHONE)) for p in people]
    return after(scheduled(), (by(AMAL), CONSENT), *steps)


def test_arriving_before_the_waiting_room_opens_is_too_early() -> None:
    early = -1801
    assert code(scheduled(), by(AMAL), commands.Arrive(device=PHONE), late_s=early) is Code.TOO_EARLY
    assert code(scheduled(), by(CHEN), commands.Arrive(device=PHONE), late_s=early) is Code.TOO_EARLY
    assert decide(scheduled(), commands.Arrive(device=PHONE), by=by(AMAL), now=NINE - timedelta(seconds=1800))


@pytest.mark.parametrize(
    ("actor", "last", "expected"),
    [
        (by(CHEN), commands.End(reason="completed"), Code.ENDED),
        (DESK, commands.Cancel(reason="mistake"), Code.CANCELLED),
    ],
)
def test_arriving_when_it_is_over_says_why(actor: Actor, last: Command, expected: Code) -> None:
    consult = FULL if isinstance(last, commands.End) else scheduled()
    over = after(consult, (actor, last))
    assert code(over, by(AMAL), commands.Arrive(device=PHONE)) is expected


def test_a_patient_who_comes_after_the_no_show_is_told_so() -> None:
    late = NINE + timedelta(seconds=1800)
    missed = replay(scheduled(), decide(scheduled(), commands.MarkNoShow(), by=TheClock(), now=late))
    assert missed is not None
    assert missed.phase is Phase.NO_SHOW
    assert code(missed, by(AMAL), commands.Arrive(device=PHONE), late_s=1801) is Code.NO_SHOW


def test_an_arriving_physician_is_in_the_room_and_everyone_else_waits() -> None:
    consult = arrived(CHEN, AMAL, OMAR, NOUR, MARIA)
    assert seat_of(consult, CHEN) is SeatState.PRESENT
    assert {seat_of(consult, p) for p in (AMAL, OMAR, NOUR, MARIA)} == {SeatState.WAITING}


def test_the_consult_waits_while_a_guest_waits_and_starts_when_patient_and_physician_meet() -> None:
    assert arrived(NOUR, CHEN).phase is Phase.SCHEDULED
    assert arrived(OMAR).phase is Phase.WAITING
    waiting = arrived(AMAL)
    assert waiting.phase is Phase.WAITING
    assert after(waiting, (by(AMAL), commands.Leave())).phase is Phase.SCHEDULED
    met = after(waiting, (by(CHEN), commands.Arrive(device=PHONE)), (by(CHEN), admit(AMAL)))
    assert met.phase is Phase.IN_PROGRESS
    assert met.started_at == NINE


def test_a_patient_the_coordinator_admits_starts_the_consult_when_the_physician_comes() -> None:
    alone = after(arrived(AMAL), (DESK, admit(AMAL)))
    assert (seat_of(alone, AMAL), alone.phase) == (SeatState.PRESENT, Phase.WAITING)
    assert after(alone, (by(CHEN), commands.Arrive(device=PHONE))).phase is Phase.IN_PROGRESS


def test_leaving_does_not_end_a_consult() -> None:
    left = after(FULL, *((by(p.id), commands.Leave()) for p in FULL.participants))
    assert left.phase is Phase.IN_PROGRESS
    assert left.empty_since == NINE


def test_admission_needs_a_physician_in_the_room_unless_the_coordinator_does_it() -> None:
    consult = arrived(AMAL, NOUR)
    physician = StaffUser(user=UserId("u-chen"), role=Role.PHYSICIAN, clinic=CLINIC)
    assert code(consult, physician, admit(NOUR)) is Code.PHYSICIAN_ABSENT
    assert seat_of(after(consult, (DESK, admit(NOUR))), NOUR) is SeatState.PRESENT


@pytest.mark.parametrize("who", [AMAL, OMAR, NOUR])
def test_patient_companion_and_interpreter_admit_nobody(who: ParticipantId) -> None:
    assert code(arrived(CHEN, AMAL, OMAR, NOUR), by(who), admit(AMAL)) is Code.NOT_PERMITTED


def test_a_patient_is_admitted_with_consent_and_confirmed_identity_only() -> None:
    consult = after(
        scheduled(),
        (by(CHEN), commands.Arrive(device=PHONE)),
        (by(AMAL), commands.Arrive(device=PHONE)),
    )
    assert code(consult, by(CHEN), admit(AMAL)) is Code.CONSENT_MISSING
    consented = after(consult, (by(AMAL), CONSENT))
    unsure = commands.Admit(participant=AMAL, device=PHONE, identity_confirmed=False)
    assert code(consented, by(CHEN), unsure) is Code.IDENTITY_UNCONFIRMED
    assert seat_of(after(consented, (by(CHEN), admit(AMAL))), AMAL) is SeatState.PRESENT


def test_an_interpreter_needs_no_identity_check() -> None:
    consult = arrived(CHEN, NOUR)
    unsure = commands.Admit(participant=NOUR, device=PHONE, identity_confirmed=False)
    assert seat_of(after(consult, (by(CHEN), unsure)), NOUR) is SeatState.PRESENT


def test_the_device_that_is_admitted_is_the_one_that_was_looked_at() -> None:
    consult = arrived(CHEN, AMAL)
    assert code(consult, by(CHEN), admit(AMAL, LAPTOP)) is Code.NOT_NOW


def test_a_further_device_waits_and_its_admission_moves_the_seat() -> None:
    asked = after(FULL, (by(AMAL), commands.Arrive(device=LAPTOP)))
    person = asked.participant(AMAL)
    assert person is not None
    assert (person.seat, person.device, person.further_device) == (SeatState.PRESENT, PHONE, LAPTOP)
    moved = after(asked, (by(CHEN), admit(AMAL, LAPTOP))).participant(AMAL)
    assert moved is not None
    assert (moved.seat, moved.device, moved.further_device) == (SeatState.PRESENT, LAPTOP, None)


def test_a_further_device_of_a_waiting_person_is_admitted_in_one_step() -> None:
    asked = after(arrived(CHEN, AMAL), (by(AMAL), commands.Arrive(device=LAPTOP)))
    moved = after(asked, (by(CHEN), admit(AMAL, LAPTOP))).participant(AMAL)
    assert moved is not None
    assert (moved.seat, moved.device) == (SeatState.PRESENT, LAPTOP)


def test_a_physician_moves_without_asking() -> None:
    moved = after(FULL, (by(CHEN), commands.Arrive(device=LAPTOP))).participant(CHEN)
    assert moved is not None
    assert (moved.device, moved.further_device) == (LAPTOP, None)


def test_a_lost_person_returns_to_where_they_were_without_a_new_admission() -> None:
    held = after(FULL, (by(CHEN), commands.Hold(participant=AMAL)))
    lost = after(held, (TheClock(), commands.MarkLost(participant=AMAL)))
    assert seat_of(lost, AMAL) is SeatState.LOST
    back = after(lost, (by(AMAL), commands.Arrive(device=PHONE)))
    assert seat_of(back, AMAL) is SeatState.ON_HOLD


def test_a_person_who_left_waits_again_and_a_physician_does_not() -> None:
    left = after(FULL, (by(AMAL), commands.Leave()), (by(CHEN), commands.Leave()))
    back = after(left, (by(AMAL), commands.Arrive(device=LAPTOP)), (by(CHEN), commands.Arrive(device=LAPTOP)))
    assert seat_of(back, AMAL) is SeatState.WAITING
    assert seat_of(back, CHEN) is SeatState.PRESENT


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (commands.Remove(participant=NOUR), Code.REMOVED),
        (commands.RevokeInvitation(participant=NOUR), Code.REVOKED),
    ],
)
def test_whoever_was_sent_away_may_do_nothing_any_more(command: Command, expected: Code) -> None:
    consult = after(FULL, (by(CHEN), command))
    for attempt in (commands.Arrive(device=LAPTOP), commands.Leave(), commands.StartSharing()):
        assert code(consult, by(NOUR), attempt) is expected


def test_a_declined_person_is_told_so() -> None:
    decline = commands.Decline(participant=NOUR, further_device=False, reason="not_expected")
    consult = after(arrived(CHEN, NOUR), (by(CHEN), decline))
    assert code(consult, by(NOUR), commands.Arrive(device=PHONE)) is Code.DECLINED
    assert code(FULL, by(CHEN), decline) is Code.NOT_NOW


def test_the_seventh_person_does_not_fit() -> None:
    seventh = ParticipantId("seventh")
    invited = after(
        FULL,
        (
            by(CHEN),
            commands.Invite(seating=Seating(participant=seventh, role=Role.COMPANION, language="ar")),
        ),
        (by(seventh), commands.Arrive(device=PHONE)),
    )
    assert code(invited, by(CHEN), admit(seventh)) is Code.CONSULT_FULL
    someone_left = after(invited, (by(OMAR), commands.Leave()))
    assert code(someone_left, by(CHEN), admit(seventh)) is Code.CONSULT_FULL


def test_without_a_physician_patient_and_interpreter_neither_write_nor_share() -> None:
    alone = after(FULL, (by(CHEN), commands.Leave()), (by(OKAFOR), commands.Leave()))
    for who in (AMAL, OMAR, NOUR):
        assert code(alone, by(who), commands.StartSharing()) is Code.SEPARATED
    assert after(alone, (by(MARIA), commands.StartSharing())).sharing == MARIA


def test_one_screen_is_shared_at_a_time_and_the_physician_may_stop_anybodys() -> None:
    shared = after(FULL, (by(AMAL), commands.StartSharing()))
    assert code(shared, by(NOUR), commands.StartSharing()) is Code.ALREADY_SHARING
    assert code(shared, by(NOUR), commands.StopSharing()) is Code.NOT_PERMITTED
    assert after(shared, (by(CHEN), commands.StopSharing())).sharing is None
    assert after(shared, (by(AMAL), commands.Leave())).sharing is None


def test_the_physicians_are_never_put_on_hold_and_nobody_acts_on_themselves() -> None:
    assert code(FULL, by(CHEN), commands.Hold(participant=OKAFOR)) is Code.NOT_PERMITTED
    assert code(FULL, by(CHEN), commands.Remove(participant=CHEN)) is Code.NOT_PERMITTED
    assert code(FULL, by(MARIA), commands.Hold(participant=MARIA)) is Code.NOT_PERMITTED


def test_one_corrects_ones_own_name_and_staff_anybodys() -> None:
    assert code(FULL, by(NOUR), commands.Rename(participant=AMAL)) is Code.NOT_PERMITTED
    for actor in (by(AMAL), by(CHEN), DESK):
        [renamed] = decide(FULL, commands.Rename(participant=AMAL), by=actor, now=NINE)
        assert isinstance(renamed, events.ParticipantRenamed)


def test_the_same_consent_twice_is_one_and_another_text_is_another() -> None:
    consented = after(scheduled(), (by(AMAL), CONSENT))
    assert decide(consented, CONSENT, by=by(AMAL), now=NINE) == ()
    other = commands.GiveConsent(text_id="care-2", text_hash="1" * 64, language="en")
    assert decide(consented, other, by=by(AMAL), now=NINE) != ()
    assert code(scheduled(), by(NOUR), CONSENT) is Code.NOT_PERMITTED


def test_a_colleague_covers_once_and_is_then_a_physician_of_this_consult() -> None:
    cover = commands.Cover(participant=ParticipantId("cover"), language="en")
    covered = after(FULL, (COLLEAGUE, cover))
    new = covered.participant(ParticipantId("cover"))
    assert new is not None
    assert (new.role, new.user) == (Role.PHYSICIAN, COLLEAGUE.user)
    assert code(covered, COLLEAGUE, cover) is Code.ALREADY_HERE
    assert code(FULL, DESK, cover) is Code.NOT_PERMITTED


def test_a_consult_of_another_clinic_does_not_exist() -> None:
    assert code(FULL, STRANGER, commands.Cancel(reason="mistake")) is Code.NOT_FOUND
    assert code(None, DESK, commands.Cancel(reason="mistake")) is Code.NOT_FOUND


def test_moving_a_consult_away_sends_the_waiting_home_and_a_little_does_not() -> None:
    waiting = arrived(CHEN, AMAL)

    def moved(minutes: int) -> Consult:
        starts_at = NINE + timedelta(minutes=minutes)
        command = commands.Reschedule(starts_at=starts_at, ends_at=starts_at + timedelta(minutes=30))
        return after(waiting, (DESK, command))

    assert seat_of(moved(10), AMAL) is SeatState.WAITING
    assert {p.seat for p in moved(24 * 60).participants} == {SeatState.INVITED}
    assert moved(24 * 60).phase is Phase.SCHEDULED
    assert not moved(24 * 60).opened


def test_times_make_sense() -> None:
    for start, end in ((0, 4), (0, 481), (10, 5), (-60, -30), (800 * 24 * 60, 800 * 24 * 60 + 30)):
        command = commands.Reschedule(
            starts_at=NINE + timedelta(minutes=start), ends_at=NINE + timedelta(minutes=end)
        )
        assert code(scheduled(), DESK, command) is Code.BAD_TIMES


def test_extending_adds_to_the_planned_end_or_to_now_when_that_has_passed() -> None:
    late = NINE + timedelta(minutes=50)
    [extended] = decide(FULL, commands.Extend(minutes=15), by=by(CHEN), now=late)
    assert isinstance(extended, events.ConsultExtended)
    assert extended.ends_at == late + timedelta(minutes=15)
    assert code(FULL, by(CHEN), commands.Extend(minutes=120), late_s=7 * 3600) is Code.BAD_TIMES


def test_a_continuation_is_a_consult_of_its_own_with_the_same_people_and_consents() -> None:
    remove, end = commands.Remove(participant=NOUR), commands.End(reason="technical")
    ended = after(FULL, (by(CHEN), remove), (by(CHEN), end))
    command = commands.ContinueConsult(new_consult=ConsultId("c2"), minutes=15)
    new = replay(None, decide(ended, command, by=by(CHEN), now=NINE))
    assert new is not None
    assert (new.id, new.continues, new.phase, new.opened) == ("c2", ended.id, Phase.SCHEDULED, True)
    assert {p.id for p in new.participants} == {p.id for p in ended.participants} - {NOUR}
    patient = new.participant(AMAL)
    assert patient is not None
    assert (patient.seat, patient.seat_no) == (SeatState.INVITED, None)
    assert patient.consent is not None
    assert code(FULL, by(CHEN), command) is Code.NOT_NOW
    assert code(ended, by(CHEN), command, late_s=25 * 3600) is Code.NOT_NOW


def schedule(*seatings: Seating, clinic: ClinicId = CLINIC) -> commands.Schedule:
    return commands.Schedule(
        consult=ConsultId("c"),
        clinic=clinic,
        starts_at=NINE,
        ends_at=NINE + timedelta(minutes=30),
        seatings=seatings,
        interpreting=LanguagePair(patient="ar", clinician="en"),
        policy=Policy(),
    )


PATIENT = Seating(participant=AMAL, role=Role.PATIENT, language="ar")
PHYSICIAN = Seating(participant=CHEN, role=Role.PHYSICIAN, language="en", user=UserId("u-chen"))


@pytest.mark.parametrize(
    "seatings",
    [
        (PATIENT,),
        (PHYSICIAN,),
        (PATIENT, PATIENT, PHYSICIAN),
        (PATIENT, PHYSICIAN, PHYSICIAN),
        (PATIENT, Seating(participant=CHEN, role=Role.PHYSICIAN, language="en")),
        (PATIENT, PHYSICIAN, Seating(participant=OMAR, role=Role.PATIENT, language="ar")),
    ],
)
def test_a_consult_has_one_patient_and_physicians_who_sign_in(seatings: tuple[Seating, ...]) -> None:
    assert code(None, DESK, schedule(*seatings)) is Code.BAD_PEOPLE


def test_only_a_coordinator_schedules_and_in_their_own_clinic() -> None:
    command = schedule(PATIENT, PHYSICIAN)
    made: Events = decide(None, command, by=DESK, now=NINE)
    assert [event.type for event in made] == ["consult_scheduled", *["participant_invited"] * 2]
    assert code(None, COLLEAGUE, command) is Code.NOT_PERMITTED
    assert code(None, by(CHEN), command) is Code.NOT_PERMITTED
    assert code(None, STRANGER, command) is Code.NOT_PERMITTED
    assert code(scheduled(), DESK, command) is Code.NOT_NOW


def test_a_consult_begins_with_being_scheduled() -> None:
    with pytest.raises(ValueError, match="consult_scheduled"):
        evolve(None, events.WaitingRoomOpened(at=NINE, by=CLOCK))


def test_what_the_clock_asks_too_early_or_too_late_does_nothing() -> None:
    clock = TheClock()
    early: list[Command] = [
        commands.MarkNoShow(),
        commands.EndAbandoned(),
        commands.ReleaseSeat(participant=AMAL),
    ]
    for command in early:
        assert decide(FULL, command, by=clock, now=NINE) == ()
    ended = after(FULL, (by(CHEN), commands.End(reason="completed")))
    late: list[Command] = [commands.OpenWaitingRoom(), commands.MarkLost(participant=AMAL)]
    for command in late:
        assert decide(ended, command, by=clock, now=NINE) == ()


def test_the_clock_does_nothing_a_person_does_and_nobody_does_what_the_clock_does() -> None:
    assert code(FULL, TheClock(), commands.End(reason="completed")) is Code.NOT_PERMITTED
    assert code(FULL, DESK, commands.EndAbandoned()) is Code.NOT_PERMITTED
    assert code(FULL, by(CHEN), commands.MarkLost(participant=AMAL)) is Code.NOT_PERMITTED


def test_an_abandoned_consult_ends_an_hour_after_the_last_one_went() -> None:
    empty = after(FULL, *((by(p.id), commands.Leave()) for p in FULL.participants))
    early, late = NINE + timedelta(seconds=3599), NINE + timedelta(seconds=3600)
    assert decide(empty, commands.EndAbandoned(), by=TheClock(), now=early) == ()
    [ended] = decide(empty, commands.EndAbandoned(), by=TheClock(), now=late)
    assert ended == events.ConsultEnded(at=late, by=ended.by, reason="abandoned")


def test_a_patient_who_waited_in_vain_is_no_no_show() -> None:
    gone = after(arrived(AMAL), (by(AMAL), commands.Leave()))
    late = NINE + timedelta(hours=12)
    assert decide(gone, commands.MarkNoShow(), by=TheClock(), now=late) == ()
    [ended] = decide(gone, commands.EndAbandoned(), by=TheClock(), now=late)
    assert isinstance(ended, events.ConsultEnded)
