"""The values a consult is made of: ids, roles, phases, seats, participants and the consult itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Literal

from signaling.consult.ids import ClinicId, ConsultId, DeviceId, ParticipantId, UserId
from signaling.consult.interpreting import Request, Session
from signaling.consult.recording import Recording

SEATS_MAX: Final = 6  # five others fit the fixed slots of one RTCPeerConnection
PARTICIPANTS_MAX: Final = 12  # ever invited to one consult, revoked ones included


class Role(StrEnum):
    """What a person is in a consult."""

    PATIENT = "patient"
    COMPANION = "companion"
    PHYSICIAN = "physician"
    INTERPRETER = "interpreter"
    COORDINATOR = "coordinator"


class Phase(StrEnum):
    """Where a consult is in its life."""

    SCHEDULED = "scheduled"
    WAITING = "waiting"
    IN_PROGRESS = "in_progress"
    ENDED = "ended"
    CANCELLED = "cancelled"
    NO_SHOW = "no_show"


class SeatState(StrEnum):
    """Where a participant is: invited (never arrived) to present (admitted), and the ways out."""

    INVITED = "invited"
    WAITING = "waiting"
    PRESENT = "present"
    ON_HOLD = "on_hold"
    LOST = "lost"  # the connection is gone for longer than lost_after_s; the place is kept
    LEFT = "left"
    DECLINED = "declined"
    REMOVED = "removed"
    REVOKED = "revoked"


OVER: Final = frozenset({Phase.ENDED, Phase.CANCELLED, Phase.NO_SHOW})
OPEN: Final = frozenset({Phase.SCHEDULED, Phase.WAITING, Phase.IN_PROGRESS})
GUESTS: Final = frozenset({Role.PATIENT, Role.COMPANION})
STAFF: Final = frozenset({Role.PHYSICIAN, Role.COORDINATOR})
TAKEN: Final = frozenset({SeatState.WAITING, SeatState.PRESENT, SeatState.ON_HOLD, SeatState.LOST})
HERE: Final = frozenset({SeatState.WAITING, SeatState.PRESENT, SeatState.ON_HOLD})
# Whose media may be connected. Before arriving that shows whether their network lets it through.
CONNECTABLE: Final = HERE | {SeatState.INVITED}
BARRED: Final = frozenset({SeatState.DECLINED, SeatState.REMOVED, SeatState.REVOKED})

Source = Literal["audio", "camera", "screen"]
NoticeKind = Literal["running_late", "soon"]
CancelReason = Literal["patient_asked", "physician_unavailable", "clinic_closed", "mistake"]
DeclineReason = Literal["not_expected", "wrong_person", "not_needed"]
EndReason = Literal["completed", "technical", "abandoned"]
ConnectionLevel = Literal["good", "fair", "weak", "lost"]
CheckResult = Literal["ok", "denied", "missing", "silent", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The times and limits of one consult, fixed when it is scheduled."""

    open_before_s: int = 1800
    lost_after_s: int = 10
    rejoin_grace_s: int = 900
    no_show_after_s: int = 1800
    abandoned_after_s: int = 3600
    participants_max: int = SEATS_MAX
    recording: bool = True  # whether a physician can ask for one


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguagePair:
    """What the interpreter interprets between, as BCP 47 tags."""

    patient: str
    clinician: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """What a person accepted: exactly this text, in this language, then."""

    text_id: str
    text_hash: str
    language: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What waiting people are told, as a kind and minutes; the sentence is the browser's."""

    kind: NoticeKind
    minutes: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """One person in one consult. Their name is a row elsewhere, never here."""

    id: ParticipantId
    role: Role
    language: str
    user: UserId | None = None
    seat: SeatState = SeatState.INVITED
    lost_from: SeatState | None = None  # where a lost person returns to
    device: DeviceId | None = None  # holds the seat
    unconfirmed: bool = False  # `device` waits in the place of the first one; nobody has confirmed it yet
    further_device: DeviceId | None = None  # asks to take it over
    seat_no: int | None = None  # 0..5, given at the first admission, never reused
    invited_at: datetime
    arrived_at: datetime | None = None
    admitted_at: datetime | None = None
    lost_at: datetime | None = None
    identity_confirmed: bool = False
    consent: Consent | None = None
    location_told: bool = False

    @property
    def further_waits(self) -> bool:
        """Whether a device other than the first one waits, to be confirmed by whoever admits it."""
        return self.unconfirmed or self.further_device is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Consult:
    """One consult. `version` is the number of its events."""

    id: ConsultId
    clinic: ClinicId
    phase: Phase = Phase.SCHEDULED
    version: int = 0
    starts_at: datetime
    ends_at: datetime
    opened: bool = False
    participants: tuple[Participant, ...] = ()
    chat_seq: int = 0
    sharing: ParticipantId | None = None
    notice: Notice | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    end_reason: EndReason | None = None
    cancel_reason: CancelReason | None = None
    empty_since: datetime | None = None  # since when nobody waits or is present
    continues: ConsultId | None = None
    interpreting: LanguagePair | None = None
    on_demand: bool = False  # an interpreter is rung as soon as a physician is in the room
    request: Request | None = None  # the last search for an interpreter
    session: Session | None = None  # who interprets now, and how
    recording: Recording | None = None  # the last one
    phone_used: int = 0  # times the clinic's telephone line was used instead
    policy: Policy = Policy()

    @property
    def opens_at(self) -> datetime:
        """When the waiting room opens."""
        return self.starts_at - timedelta(seconds=self.policy.open_before_s)

    @property
    def over(self) -> bool:
        """Whether nothing can happen in this consult any more."""
        return self.phase in OVER

    @property
    def physician_present(self) -> bool:
        """Whether a physician is in the room; without one, patient and interpreter are separated."""
        return any(p.seat is SeatState.PRESENT for p in self.of_role(Role.PHYSICIAN))

    def of_role(self, role: Role) -> Iterator[Participant]:
        """The participants of `role`, in the order they were invited."""
        return (p for p in self.participants if p.role is role)

    def participant(self, wanted: ParticipantId) -> Participant | None:
        """The participant with this id, or None."""
        return next((p for p in self.participants if p.id == wanted), None)

    def of_user(self, user: UserId) -> Participant | None:
        """The participant this staff account is, unless their invitation was revoked."""
        return next(
            (p for p in self.participants if p.user == user and p.seat is not SeatState.REVOKED), None
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatHolder:
    """Acts from a seat in the consult."""

    participant: ParticipantId


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffUser:
    """Acts from the board of a clinic, as a physician or a coordinator."""

    user: UserId
    role: Role
    clinic: ClinicId


@dataclass(frozen=True, slots=True, kw_only=True)
class TheClock:
    """Acts because time has passed."""


Actor = SeatHolder | StaffUser | TheClock
