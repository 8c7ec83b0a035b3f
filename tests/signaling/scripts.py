"""Random lives of a consult: commands by anyone at any time, for the property tests."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from signaling.consult import commands, deadlines
from signaling.consult import recording_commands as rec
from signaling.consult.case import Events
from signaling.consult.commands import Command, Seating
from signaling.consult.evolve import replay
from signaling.consult.ids import (
    ClinicId,
    ConnectionId,
    ConsultId,
    DeviceId,
    MessageId,
    ParticipantId,
    PeerId,
    RecordingId,
    UserId,
)
from signaling.consult.presence import ConsultPresence, PersonPresence
from signaling.consult.rules import decide
from signaling.consult.values import (
    Actor,
    Consult,
    LanguagePair,
    Policy,
    Role,
    SeatHolder,
    StaffUser,
    TheClock,
)
from signaling.errors import Refused

NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CLINIC = ClinicId("clinic")
AMAL, OMAR, CHEN, OKAFOR, NOUR, MARIA = (
    ParticipantId(name) for name in ("amal", "omar", "chen", "okafor", "nour", "maria")
)
PEOPLE = (AMAL, OMAR, CHEN, OKAFOR, NOUR, MARIA)
ROLES = (
    Role.PATIENT,
    Role.COMPANION,
    Role.PHYSICIAN,
    Role.PHYSICIAN,
    Role.INTERPRETER,
    Role.COORDINATOR,
)
DEVICES = tuple(DeviceId(f"d{n}") for n in range(3))
DESK = StaffUser(user=UserId("u-desk"), role=Role.COORDINATOR, clinic=CLINIC)
COLLEAGUE = StaffUser(user=UserId("u-colleague"), role=Role.PHYSICIAN, clinic=CLINIC)
DR_CHEN = StaffUser(user=UserId("u-chen"), role=Role.PHYSICIAN, clinic=CLINIC)
STRANGER = StaffUser(user=UserId("u-desk"), role=Role.COORDINATOR, clinic=ClinicId("other"))
ACTORS: tuple[Actor, ...] = (
    *(SeatHolder(participant=p) for p in PEOPLE),
    DESK,
    COLLEAGUE,
    DR_CHEN,
    STRANGER,
    TheClock(),
)


def scheduled(policy: Policy | None = None) -> Consult:
    """A consult of all six, at nine o'clock."""
    command = commands.Schedule(
        consult=ConsultId("c"),
        clinic=CLINIC,
        starts_at=NINE,
        ends_at=NINE + timedelta(minutes=30),
        seatings=tuple(
            Seating(
                participant=person,
                role=role,
                language="ar" if role in (Role.PATIENT, Role.COMPANION) else "en",
                user=UserId(f"u-{person}") if role in (Role.PHYSICIAN, Role.COORDINATOR) else None,
            )
            for person, role in zip(PEOPLE, ROLES, strict=True)
        ),
        interpreting=LanguagePair(patient="ar", clinician="en"),
        policy=policy or Policy(),
    )
    consult = replay(None, decide(None, command, by=DESK, now=NINE - timedelta(hours=2)))
    assert consult is not None
    return consult


@dataclass(frozen=True)
class Step:
    """Somebody asks something, some seconds after the step before."""

    after_s: int
    by: Actor
    command: Command


anyone = st.sampled_from(PEOPLE)
devices = st.sampled_from(DEVICES)
minutes = st.integers(5, 120)


def _about(command: Callable[..., Command]) -> st.SearchStrategy[Command]:
    return st.builds(command, participant=anyone)


_admit = st.builds(
    commands.Admit,
    participant=anyone,
    device=devices,
    further=st.booleans(),
    identity_confirmed=st.just(value=True),
)
_arrive = st.builds(commands.Arrive, device=devices, further=st.booleans())
_consent = st.builds(
    commands.GiveConsent,
    text_id=st.just("telehealth-1"),
    text_hash=st.just("0" * 64),
    language=st.just("ar"),
)
RECORDING = RecordingId("r1")
ASK = rec.AskRecording(
    recording=RECORDING, what="video", text_id="recording-video-1", text_hash="0" * 64, language="en"
)
AGREE = rec.AgreeToRecording(
    no=1, what="video", text_id="recording-video-1", text_hash="0" * 64, language="ar"
)
any_command: st.SearchStrategy[Command] = st.one_of(
    st.sampled_from(
        [
            ASK,
            AGREE,
            AGREE,
            rec.RefuseRecording(),
            rec.StopRecording(),
            rec.ReportRecordingFailed(recording=RECORDING),
        ]
    ),
    _arrive,
    _admit,
    _consent,
    _about(commands.Hold),
    _about(commands.Resume),
    _about(commands.Remove),
    _about(commands.RevokeInvitation),
    _about(commands.RenewInvitation),
    _about(commands.Rename),
    _about(commands.AskToMute),
    _about(commands.MarkLost),
    _about(commands.ReleaseSeat),
    st.builds(commands.ReleaseDevice, participant=anyone, device=devices),
    st.builds(commands.Admit, participant=anyone, device=devices, identity_confirmed=st.booleans()),
    st.builds(
        commands.Decline,
        participant=anyone,
        further_device=st.booleans(),
        reason=st.just("not_expected"),
    ),
    st.sampled_from(
        [
            commands.Leave(),
            commands.TellLocation(),
            commands.SetMedia(),
            commands.ReportDeviceCheck(),
            commands.ReportConnection(),
            commands.StartSharing(),
            commands.StopSharing(),
            commands.SendMessage(message=MessageId("m")),
            commands.SendNotice(kind="soon", minutes=5),
            commands.End(reason="completed"),
            commands.Cancel(reason="mistake"),
            commands.OpenWaitingRoom(),
            commands.MarkNoShow(),
            commands.EndAbandoned(),
        ]
    ),
    st.builds(commands.Extend, minutes=minutes),
    st.builds(commands.ContinueConsult, new_consult=st.just(ConsultId("c2")), minutes=minutes),
    st.builds(commands.Cover, participant=st.just(ParticipantId("cover")), language=st.just("en")),
    st.builds(
        commands.Reschedule,
        starts_at=st.integers(-60, 600).map(lambda m: NINE + timedelta(minutes=m)),
        ends_at=st.integers(0, 900).map(lambda m: NINE + timedelta(minutes=m)),
    ),
    st.builds(
        commands.Invite,
        seating=st.builds(
            Seating,
            participant=st.sampled_from([ParticipantId(f"more{n}") for n in range(9)]),
            role=st.sampled_from(Role),
            language=st.just("en"),
            user=st.sampled_from([None, UserId("u-chen"), UserId("u-new"), UserId("u-colleague")]),
        ),
    ),
)
# Half of the steps are what gets people into the room, or the scripts would rarely leave the waiting room.
_steps = st.builds(
    Step,
    after_s=st.sampled_from([0, 1, 5, 60, 600, 4000]),
    by=st.sampled_from(ACTORS),
    command=st.one_of(any_command, _arrive, _admit),
)
_entering = st.one_of(
    st.builds(
        Step,
        after_s=st.just(1),
        by=anyone.map(lambda p: SeatHolder(participant=p)),
        command=st.one_of(_arrive, _consent),
    ),
    st.builds(Step, after_s=st.just(1), by=st.just(SeatHolder(participant=CHEN)), command=_admit),
)
scripts = st.lists(st.one_of(_steps, _entering, _entering), max_size=60)


def everybody_in(device: DeviceId = DEVICES[0]) -> list[Step]:
    """The steps that bring everybody into the room on one device."""
    steps = [Step(0, SeatHolder(participant=CHEN), commands.Arrive(device=device))]
    consent = commands.GiveConsent(text_id="telehealth-1", text_hash="0" * 64, language="ar")
    steps.append(Step(0, SeatHolder(participant=AMAL), consent))
    for person in PEOPLE:
        steps.append(Step(0, SeatHolder(participant=person), commands.Arrive(device=device)))
        admit = commands.Admit(participant=person, device=device, identity_confirmed=True)
        steps.append(Step(0, SeatHolder(participant=CHEN), admit))
    return steps


@dataclass(frozen=True)
class Moment:
    """What one step did: nothing (`refused`), or these events."""

    step: Step
    now: datetime
    before: Consult
    happened: Events
    after: Consult
    refused: Refused | None


def play(script: Sequence[Step], consult: Consult | None = None) -> list[Moment]:
    """Let a script happen, from a quarter to nine; the new consult of a continuation is left alone."""
    before = consult or scheduled()
    now = NINE - timedelta(minutes=15)
    moments = []
    for step in script:
        now += timedelta(seconds=step.after_s)
        happened: Events = ()
        refused: Refused | None = None
        try:
            happened = decide(before, step.command, by=step.by, now=now)
        except Refused as error:
            refused = error
        after = before
        if not isinstance(step.command, commands.ContinueConsult):
            after = replay(before, happened) or before
        moments.append(
            Moment(step=step, now=now, before=before, happened=happened, after=after, refused=refused)
        )
        before = after
    return moments


def catch_up(consult: Consult, now: datetime) -> Consult:
    """Do what is due at `now`, once."""
    for command in deadlines.due(consult, now):
        consult = replay(consult, decide(consult, command, by=TheClock(), now=now)) or consult
    return consult


def all_connected(consult: Consult) -> ConsultPresence:
    """Everybody has a connection and a peer, whatever their seat."""
    presence = PersonPresence(connection=ConnectionId("c"))
    return ConsultPresence(
        revision=1,
        people={p.id: replace(presence, peer=PeerId(f"peer-{p.id}")) for p in consult.participants},
    )
