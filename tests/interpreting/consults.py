"""A consult in which an interpreter is looked for, in virtual time; and a register to ring from."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from signaling.consult import commands, deadlines
from signaling.consult import interpreting_commands as asks
from signaling.consult.case import Events
from signaling.consult.commands import Command, Seating
from signaling.consult.eligibility import Candidate, Interpreter, candidates
from signaling.consult.evolve import replay
from signaling.consult.ids import ConsultId, DeviceId, ParticipantId, UserId
from signaling.consult.interpreting import Request, Session, Wanted
from signaling.consult.presence import ConsultPresence
from signaling.consult.rules import decide
from signaling.consult.values import (
    Actor,
    Consult,
    LanguagePair,
    Policy,
    Role,
    SeatHolder,
    SeatState,
    StaffUser,
    TheClock,
)
from tests.signaling.scripts import AMAL, CHEN, CLINIC, DESK, NINE, all_connected

ARABIC = Wanted(patient_language="ar-EG", clinician_language="en")
DEVICE = DeviceId("d")
SAMI, LINA, HUDA = UserId("u-sami"), UserId("u-lina"), UserId("u-huda")


def interpreter(user: UserId, **changes: object) -> Interpreter:
    """One who may be rung for Arabic and English, unless `changes` say otherwise."""
    able = Interpreter(
        user=user,
        employer="staff",
        pairs=frozenset({("ar", "en"), ("en", "ar")}),
        vetted=True,
        medical=True,
        gender="female",
        camera=True,
        availability="available",
        seen_at=NINE,
        busy=False,
    )
    return replace(able, **changes)  # type: ignore[arg-type]


BOOKED_AT = NINE - timedelta(hours=1)


def booking(consult: str = "c", *, on_demand: bool = False) -> commands.Schedule:
    """Patient and physician, at nine."""
    return commands.Schedule(
        consult=ConsultId(consult),
        clinic=CLINIC,
        starts_at=NINE,
        ends_at=NINE + timedelta(minutes=30),
        seatings=(
            Seating(participant=AMAL, role=Role.PATIENT, language="ar"),
            Seating(participant=CHEN, role=Role.PHYSICIAN, language="en", user=UserId("u-chen")),
        ),
        interpreting=LanguagePair(patient="ar-EG", clinician="en"),
        on_demand=on_demand,
        policy=Policy(),
    )


def booked(consult: str = "c", *, on_demand: bool = False) -> Consult:
    """That consult; nobody has come."""
    made = replay(None, decide(None, booking(consult, on_demand=on_demand), by=DESK, now=BOOKED_AT))
    assert made is not None
    return made


@dataclass
class Search:
    """One consult, its clock, and who can be rung."""

    consult: Consult = field(default_factory=booked)
    now: datetime = NINE
    register: Sequence[Interpreter] = ()
    happened: list[Events] = field(default_factory=list)

    @property
    def request(self) -> Request:
        assert self.consult.request is not None
        return self.consult.request

    @property
    def session(self) -> Session:
        assert self.consult.session is not None
        return self.consult.session

    @property
    def able(self) -> tuple[Candidate, ...]:
        """Whoever may be rung now; their desks are open."""
        wanted = ARABIC if self.consult.request is None else self.consult.request.wanted
        seen = [replace(one, seen_at=self.now) if one.seen_at is not None else one for one in self.register]
        return candidates(seen, wanted, now=self.now)

    def do(self, by: Actor, command: Command) -> Events:
        happened = decide(self.consult, command, by=by, now=self.now)
        self.consult = replay(self.consult, happened) or self.consult
        self.happened.append(happened)
        return happened

    def both_in(self) -> None:
        """Physician and patient are in the room."""
        self.seat(CHEN, commands.Arrive(device=DEVICE))
        consent = commands.GiveConsent(text_id="telehealth-1", text_hash="0" * 64, language="ar")
        self.seat(AMAL, consent)
        self.seat(AMAL, commands.Arrive(device=DEVICE))
        self.seat(CHEN, commands.Admit(participant=AMAL, device=DEVICE, identity_confirmed=True))

    def seat(self, participant: ParticipantId, command: Command) -> Events:
        return self.do(SeatHolder(participant=participant), command)

    def ask(self, wanted: Wanted = ARABIC) -> Events:
        return self.seat(CHEN, asks.RequestInterpreter(wanted=wanted, candidates=self.able, expected_s=20))

    def accept(self, user: UserId) -> ParticipantId:
        self.do(desk(user), accepting(self.request.no, user))
        participant = self.request.participant
        assert participant is not None
        return participant

    def decline(self, user: UserId) -> None:
        self.do(desk(user), asks.DeclineRing(request=self.request.no, user=user))

    def come(self, user: UserId) -> ParticipantId:
        """Accept, and be here."""
        participant = self.accept(user)
        self.seat(participant, commands.Arrive(device=DEVICE))
        return participant

    def lose(self, participant: ParticipantId) -> None:
        self.do(TheClock(), commands.MarkLost(participant=participant))

    def wait(self, seconds: float) -> None:
        """Let time pass; what becomes due happens when it does."""
        until = self.now + timedelta(seconds=seconds)
        while (due_at := deadlines.due_at(self.consult)) is not None and due_at <= until:
            self.now = max(self.now, due_at)
            version = self.consult.version
            for command in deadlines.due(self.consult, self.now):
                looked_up = command
                if isinstance(command, asks.AdvanceRequest):
                    looked_up = replace(command, candidates=self.able)
                self.do(TheClock(), looked_up)
            assert self.consult.version > version, "what is due does something, or the clock spins"
        self.now = until

    def seat_of(self, participant: ParticipantId) -> SeatState:
        person = self.consult.participant(participant)
        assert person is not None
        return person.seat

    def ringing(self) -> set[UserId]:
        """Whose desks ring."""
        request = self.consult.request
        return set() if request is None else {o.user for o in request.rung if request.rings_for(o.user)}


def connected(consult: Consult, presence: ConsultPresence) -> ConsultPresence:
    """Everybody has a peer; the interpreter's direction and who prefers the original are as in `presence`."""
    people = {
        who: replace(
            person,
            interprets_into=presence.of(who).interprets_into,
            prefers_original=presence.of(who).prefers_original,
        )
        for who, person in all_connected(consult).people.items()
    }
    return ConsultPresence(revision=1, people=people)


def accepting(request: int, user: UserId) -> asks.AcceptRing:
    return asks.AcceptRing(request=request, user=user, participant=ParticipantId(f"p-{user}"), language="ar")


def desk(user: UserId) -> StaffUser:
    return StaffUser(user=user, role=Role.INTERPRETER, clinic=CLINIC)
