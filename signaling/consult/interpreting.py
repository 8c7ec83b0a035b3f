"""Interpreting: what is asked for, who is rung, who interprets, and how each state ends.

The request is a machine of its own. Every state that is not over has a time at which it ends by itself
(`until`) and commands that end it earlier, so that nobody waits for ever:

    ringing    -> accepted, unanswered, by_phone, closed   each tier rings a while, then the next one too
    accepted   -> connected, ringing, closed               whoever accepted has a while to come
    connected  -> (a new request)                          here; if they are lost they are rung again
    unanswered -> ringing, by_phone, closed                a choice is asked for, or all are rung again
    by_phone   -> ringing, closed                          the clinic's telephone line is used instead
    closed     -> (a new request)

While a lost interpreter is looked for, their coming back connects from any open state.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal

from signaling.consult.ids import ParticipantId, UserId

Gender = Literal["female", "male"]
CallMode = Literal["video", "audio"]
Employer = Literal["staff", "agency"]
Mode = Literal["consecutive", "simultaneous"]
CloseReason = Literal["cancelled", "another_time", "left", "gave_up", "relieved", "consult_over"]
Side = Literal["patient", "clinician"]
SignalKind = Literal["repeat", "slower", "one_at_a_time", "not_heard", "clarify", "culture"]
BriefingEnd = Literal["done", "skipped", "too_long"]

# Seconds each tier rings alone before the next one rings too; CLI and Boostlingo ring 12 to 30 s.
TIER_S: Final = (12, 20, 30, 30)
SAME_INTERPRETER_S: Final = 20  # a lost one is rung alone for so long
COME_WITHIN_S: Final = 45  # from accepting to being here
CHOOSE_WITHIN_S: Final = 60  # then all are rung again without being asked
ROUNDS_MAX: Final = 5  # rings of all tiers before a request is given up
PHONE_S: Final = 2 * 3600  # a telephone line is used for so long at most, then rung again is offered
BRIEFING_S: Final = 300  # the patient waits meanwhile
INTRODUCTION_S: Final = 300
SIGNALS_KEPT: Final = 8
EXPECTED_S: Final = 20  # until there is experience with a language


class Tier(StrEnum):
    """Who is rung, in this order; whoever was rung keeps ringing."""

    KNOWN = "known"  # interpreted for this patient before
    STAFF = "staff"
    AGENCY = "agency"
    ALL = "all"  # whatever the preferences


TIERS: Final = tuple(Tier)


class RequestState(StrEnum):
    """Where a request is; see the module's text for the ways out of each."""

    RINGING = "ringing"
    ACCEPTED = "accepted"
    CONNECTED = "connected"
    UNANSWERED = "unanswered"
    BY_PHONE = "by_phone"
    CLOSED = "closed"


class Stage(StrEnum):
    """Where an interpreter who is here is with the people they interpret for."""

    BRIEFING = "briefing"  # with the physician alone; guests hear nothing of it
    INTRODUCTION = "introduction"
    INTERPRETING = "interpreting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked for. Languages are BCP 47 tags, a dialect included (`ar-EG`, `yue`)."""

    patient_language: str
    clinician_language: str
    gender: Gender | None = None  # a preference: the last tier rings everybody
    mode: CallMode = "video"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """An interpreter whose desk rings, or rang."""

    user: UserId
    tier: Tier
    declined: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One search for an interpreter. `no` counts the requests of a consult from 1."""

    no: int
    wanted: Wanted
    asked_at: datetime
    state: RequestState = RequestState.RINGING
    since: datetime
    until: datetime | None  # None when connected or closed: the consult's own end is the limit
    tier: Tier = Tier.KNOWN
    round: int = 1
    rung: tuple[Rung, ...] = ()
    expected_s: int = EXPECTED_S
    accepted_at: datetime | None = None
    by_user: UserId | None = None  # who accepted
    participant: ParticipantId | None = None  # whose seat that is
    lost: ParticipantId | None = None  # rung because this one was lost
    relieves: bool = False  # asked for to take over from the one who interprets
    reason: CloseReason | None = None

    @property
    def is_open(self) -> bool:
        """Whether somebody is being looked for, or on their way."""
        return self.state not in (RequestState.CONNECTED, RequestState.CLOSED)

    def rings_for(self, user: UserId) -> bool:
        """Whether this person's desk rings now."""
        if self.state is not RequestState.RINGING:
            return False
        return any(one.user == user and not one.declined for one in self.rung)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One tap of the interpreter, shown to everybody as a picture and words in their language."""

    no: int
    kind: SignalKind
    by: ParticipantId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Who interprets now, and how."""

    interpreter: ParticipantId
    stage: Stage
    since: datetime  # of the stage
    mode: Mode = "consecutive"
    incoming: ParticipantId | None = None  # listens in before taking over
    signals: tuple[Signal, ...] = ()
