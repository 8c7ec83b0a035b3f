"""Who sees what, and that the buttons a view offers are the ones the rules accept."""

from collections.abc import Iterable

from hypothesis import example, given, settings

from signaling.consult import commands
from signaling.consult import interpreting_commands as asks
from signaling.consult import recording_commands as rec
from signaling.consult.case import Events
from signaling.consult.commands import Command
from signaling.consult.ids import ConsultId, DeviceId, MessageId, ParticipantId, RecordingId, UserId
from signaling.consult.interpreting import Wanted
from signaling.consult.people import ClinicFacts, Person
from signaling.consult.presence import Checked, ConsultPresence
from signaling.consult.rules import PERMITTED, allowed, case_for, decide, verb
from signaling.consult.values import BARRED, STAFF, Actor, Role, SeatHolder, SeatState, StaffUser
from signaling.errors import Code, Refused
from signaling.protocol.shapes import BoardView, ConsultView
from signaling.protocol.views import Seen, board_for, row_for, view_for
from tests.signaling.scripts import (
    ACTORS,
    AMAL,
    CHEN,
    DESK,
    DEVICES,
    NINE,
    NOUR,
    PEOPLE,
    Moment,
    Step,
    all_connected,
    everybody_in,
    play,
    scripts,
)

lives = settings(max_examples=40, deadline=None)
IN_ROOM = everybody_in()
CLINIC_FACTS = ClinicFacts(
    name="International Health",
    phone="+1 310 555 0100",
    time_zone="America/Los_Angeles",
    emergency_numbers={"AE": "998"},
)
NAMES = {person: f"Name of {person}" for person in PEOPLE}
# Codes that a table of roles, phases and seats cannot know about.
BEYOND_THE_TABLE = {
    Code.BAD_TIMES,
    Code.BAD_PEOPLE,
    Code.ALREADY_SHARING,
    Code.ALREADY_HERE,
    Code.CONSULT_FULL,
    Code.TOO_MANY,
}


def seen(moment: Moment) -> Seen:
    presence = all_connected(moment.after)
    people = {
        p: Person(
            name=name,
            birth_year=1980,
            time_zone="Asia/Dubai",
            country="AE",
            city="Secret city",
            location_text="Secret place",
        )
        for p, name in NAMES.items()
    }
    checked = {
        p: person.__class__(connection=person.connection, peer=person.peer, device_check=Checked(camera="ok"))
        for p, person in presence.people.items()
    }
    return Seen(
        consult=moment.after,
        presence=ConsultPresence(revision=1, people=checked),
        people=people,
        clinic=CLINIC_FACTS,
    )


def every_view(moment: Moment) -> Iterable[tuple[ParticipantId, DeviceId, ConsultView]]:
    for person in moment.after.participants:
        for device in DEVICES[:2]:
            yield person.id, device, view_for(seen(moment), person.id, device, now=moment.now)


@lives
@given(scripts)
@example(IN_ROOM)
def test_people_who_are_not_inside_see_nobody_but_the_physicians(script: list[Step]) -> None:
    for moment in play(script)[-3:]:
        for viewer, _, view in every_view(moment):
            if view.me.role is Role.PHYSICIAN or view.screen in ("room", "on_hold", "separated"):
                continue
            if view.me.role is Role.COORDINATOR and view.me.seat in ("present", "on_hold", "lost"):
                continue
            others = {p.role for p in view.people if p.id != viewer}
            assert others <= {Role.PHYSICIAN}
            assert view.chat_seq == 0
            assert view.sharing is None


@lives
@given(scripts)
@example(IN_ROOM)
def test_only_staff_see_what_identifies_a_person(script: list[Step]) -> None:
    for moment in play(script)[-3:]:
        for _, _, view in every_view(moment):
            if view.me.role not in STAFF:
                text = view.model_dump_json()
                assert "Secret" not in text
                assert "1980" not in text
                assert "Asia/Dubai" not in text
                assert all(p.device_check is None for p in view.people)


@lives
@given(scripts)
@example(IN_ROOM)
def test_inside_one_sees_nobody_who_still_waits_or_was_sent_away(script: list[Step]) -> None:
    for moment in play(script)[-3:]:
        for viewer, _, view in every_view(moment):
            if view.me.role in STAFF:
                continue
            for person in view.people:
                if person.id != viewer and person.role is not Role.PHYSICIAN:
                    assert person.seat in ("present", "on_hold", "lost")


@lives
@given(scripts)
@example(IN_ROOM)
def test_only_the_holder_of_an_admitted_seat_is_told_to_send(script: list[Step]) -> None:
    for moment in play(script)[-3:]:
        for viewer, device, view in every_view(moment):
            person = moment.after.participant(viewer)
            assert person is not None
            may_send = person.seat is SeatState.PRESENT and person.device == device
            assert view.me.admitted == (may_send and not moment.after.over)
            assert (view.screen in ("room", "separated", "briefing")) == view.me.admitted


WANTED = Wanted(patient_language="ar", clinician_language="en")


def sample(kind: type[Command], target: ParticipantId, device: DeviceId) -> Command:
    """A command of this kind that asks for nothing unreasonable."""
    made: dict[type[Command], Command] = {
        commands.Arrive: commands.Arrive(device=device),
        commands.GiveConsent: commands.GiveConsent(text_id="t", text_hash="1" * 64, language="ar"),
        commands.SendMessage: commands.SendMessage(message=MessageId("m")),
        commands.SendNotice: commands.SendNotice(kind="soon", minutes=5),
        commands.Extend: commands.Extend(minutes=5),
        commands.End: commands.End(reason="completed"),
        commands.Cancel: commands.Cancel(reason="mistake"),
        commands.ContinueConsult: commands.ContinueConsult(new_consult=ConsultId("n"), minutes=5),
        commands.Cover: commands.Cover(participant=ParticipantId("cover"), language="en"),
        commands.Reschedule: commands.Reschedule(
            starts_at=NINE.replace(year=2027), ends_at=NINE.replace(year=2027, hour=10)
        ),
        commands.Invite: commands.Invite(
            seating=commands.Seating(participant=ParticipantId("new"), role=Role.COMPANION, language="ar")
        ),
        commands.Decline: commands.Decline(participant=target, further_device=False, reason="not_expected"),
        commands.Admit: commands.Admit(
            participant=target, device=device, further=True, identity_confirmed=True
        ),
        asks.RequestInterpreter: asks.RequestInterpreter(wanted=WANTED, candidates=(), expected_s=20),
        asks.RingAgain: asks.RingAgain(audio_only=False, candidates=()),
        asks.CloseRequest: asks.CloseRequest(another_time=False),
        asks.EndBriefing: asks.EndBriefing(reason="done"),
        asks.SetMode: asks.SetMode(mode="simultaneous"),
        asks.GiveSignal: asks.GiveSignal(kind="repeat"),
        asks.AcceptRing: asks.AcceptRing(
            request=1, user=UserId("u"), participant=ParticipantId("terp"), language="ar"
        ),
        asks.DeclineRing: asks.DeclineRing(request=1, user=UserId("u")),
        rec.AskRecording: rec.AskRecording(
            recording=RecordingId("r"), what="video", text_id="t", text_hash="1" * 64, language="en"
        ),
        rec.AgreeToRecording: rec.AgreeToRecording(
            no=1, what="video", text_id="t", text_hash="1" * 64, language="ar"
        ),
        rec.ReportRecordingFailed: rec.ReportRecordingFailed(recording=RecordingId("r")),
    }
    if kind in made:
        return made[kind]
    return kind(participant=target) if PERMITTED[kind].on is not None else kind()  # type: ignore[call-arg]


def outcome(moment: Moment, kind: type[Command], by: Actor) -> tuple[Code | None, Events]:
    """What a reasonable command of this kind comes to: a refusal's code, or events."""
    consult = moment.after
    me = case_for(consult, by=by, now=moment.now).me
    device = (me.device if me else None) or DEVICES[0]
    try:
        return None, decide(consult, sample(kind, AMAL, device), by=by, now=moment.now)
    except Refused as refused:
        return refused.code, ()


@lives
@given(scripts)
@example(IN_ROOM)
@example([*IN_ROOM, Step(0, SeatHolder(participant=CHEN), commands.Leave())])
@example([*IN_ROOM, Step(0, SeatHolder(participant=CHEN), commands.End(reason="completed"))])
def test_what_a_person_can_is_what_the_rules_accept(script: list[Step]) -> None:
    for moment in play(script)[-2:]:
        consult = moment.after
        for by in ACTORS[:-2]:
            if isinstance(by, SeatHolder) and consult.participant(by.participant) is None:
                continue
            can = allowed(consult, by=by, now=moment.now)
            for kind, rule in PERMITTED.items():
                if not rule.who or rule.on is not None or kind is commands.Schedule:
                    continue
                code, happened = outcome(moment, kind, by)
                if code is None:  # coming back to a seat one has is not offered: connecting does it
                    assert verb(kind) in can or not happened or kind is commands.Arrive, kind
                else:
                    stops = kind is commands.StopSharing and consult.sharing is not None
                    assert verb(kind) not in can or code in BEYOND_THE_TABLE or stops, (kind, code)


@lives
@given(scripts)
@example(IN_ROOM[:-2])
def test_what_can_be_done_to_a_person_is_what_the_rules_accept(script: list[Step]) -> None:
    for moment in play(script)[-2:]:
        for viewer, device, view in every_view(moment):
            for shown in view.people:
                person = moment.after.participant(shown.id)
                assert person is not None
                for kind, rule in PERMITTED.items():
                    if rule.on is None or not rule.who:
                        continue
                    accepted = _accepted(moment, kind, viewer, person.id)
                    holder = view.can != ["take_seat"] and view.screen != "displaced"
                    if verb(kind) in shown.can:
                        assert accepted, (kind, person.seat)
                    elif accepted and holder and not view.me.asks_for_seat:
                        assert verb(kind) == "decline" or person.device is None, (kind, device)


def _accepted(moment: Moment, kind: type[Command], viewer: ParticipantId, target: ParticipantId) -> bool:
    """Whether any reasonable command of this kind is accepted, once consent is given."""
    person = moment.after.participant(target)
    assert person is not None
    tries: list[Command] = [sample(kind, target, person.device or DEVICES[0])]
    if kind is commands.Admit and person.further_device is not None:
        tries.append(sample(kind, target, person.further_device))
    if kind is commands.Decline:
        further = commands.Decline(participant=target, further_device=True, reason="not_needed")
        tries += [further] if person.further_waits else []
    for command in tries:
        try:
            decide(moment.after, command, by=SeatHolder(participant=viewer), now=moment.now)
        except Refused as refused:
            if refused.code in (Code.CONSENT_MISSING, Code.CONSULT_FULL):
                return True
            continue
        return True
    return False


@lives
@given(scripts)
@example(IN_ROOM)
def test_a_board_can_be_made_of_every_moment_and_offers_what_is_accepted(script: list[Step]) -> None:
    for moment in play(script)[-3:]:
        row = row_for(seen(moment), DESK, now=moment.now)
        board = board_for(
            "2026-03-02", [row], viewer=DESK, time_zone="America/Los_Angeles", revision=1, now=NINE
        )
        assert isinstance(board, BoardView)
        assert "arrive" not in row.can
        assert all(p.seat is not SeatState.REVOKED for p in row.people)
        if moment.after.over:
            assert set(row.can) <= {"continue_consult"}
            assert row.needs == []


def test_a_physician_who_does_not_take_part_may_only_cover() -> None:
    moment = play(IN_ROOM)[-1]
    stranger = StaffUser(user=UserId("u-new"), role=Role.PHYSICIAN, clinic=DESK.clinic)
    row = row_for(seen(moment), stranger, now=moment.now)
    assert row.can == ["cover"]
    assert all(p.can == [] for p in row.people)
    assert not row.mine


def test_the_slots_of_a_view_are_those_of_the_routing() -> None:
    moment = play(IN_ROOM)[-1]
    for viewer in PEOPLE:
        view = view_for(seen(moment), viewer, DEVICES[0], now=moment.now)
        slots = [p.slot for p in view.people if p.id != viewer]
        assert sorted(s for s in slots if s is not None) == [0, 1, 2, 3, 4]
        assert [p.slot for p in view.people if p.id == viewer] == [None]


def test_an_erased_person_is_shown_without_a_name_and_breaks_nothing() -> None:
    moment = play(IN_ROOM)[-1]
    erased = Seen(consult=moment.after, presence=all_connected(moment.after), people={}, clinic=CLINIC_FACTS)
    view = view_for(erased, NOUR, DEVICES[0], now=moment.now)
    assert {p.name for p in view.people} == {""}


def test_a_person_sent_away_sees_only_themselves() -> None:
    remove = Step(0, SeatHolder(participant=CHEN), commands.Remove(participant=NOUR))
    moment = play([*IN_ROOM, remove])[-1]
    view = view_for(seen(moment), NOUR, DEVICES[0], now=moment.now)
    assert view.screen == "removed"
    assert [p.id for p in view.people] == [NOUR]
    assert view.can == []
    person = moment.after.participant(NOUR)
    assert person is not None
    assert person.seat in BARRED


def test_an_interpreter_is_shown_with_the_language_they_are_here_for() -> None:
    moment = play(IN_ROOM)[-1]
    spoken = {p.id: p.language for p in view_for(seen(moment), CHEN, DEVICES[0], now=NINE).people}
    assert (spoken[AMAL], spoken[NOUR], spoken[CHEN]) == ("ar", "ar", "en")
    row = row_for(seen(moment), DESK, now=NINE)
    assert next(p.language for p in row.people if p.id == NOUR) == "ar"
