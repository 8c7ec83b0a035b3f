"""What has happened to a search for an interpreter, and between those who are interpreted for.

`request` is the number of the search within its consult.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from signaling.consult.fact import Fact
from signaling.consult.ids import ParticipantId, UserId
from signaling.consult.interpreting import (
    BriefingEnd,
    CallMode,
    CloseReason,
    Mode,
    SignalKind,
    Stage,
    Tier,
    Wanted,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class InterpreterRequested(Fact):
    """An interpreter is looked for. `lost` is the one who was lost and is rung first, alone."""

    request: int
    wanted: Wanted
    expected_s: int
    lost: ParticipantId | None = None
    relieves: bool = False
    until: datetime
    type: Literal["interpreter_requested"] = "interpreter_requested"


@dataclass(frozen=True, slots=True, kw_only=True)
class InterpretersRung(Fact):
    """These desks ring too from here on; the ones before go on ringing. Nobody may be new in a tier."""

    request: int
    tier: Tier
    round: int
    users: tuple[UserId, ...]
    until: datetime
    type: Literal["interpreters_rung"] = "interpreters_rung"


@dataclass(frozen=True, slots=True, kw_only=True)
class RingDeclined(Fact):
    """One of them cannot come; their desk is silent for this search."""

    request: int
    user: UserId
    type: Literal["ring_declined"] = "ring_declined"


@dataclass(frozen=True, slots=True, kw_only=True)
class RingAccepted(Fact):
    """One of them comes; all others are silent."""

    request: int
    user: UserId
    participant: ParticipantId
    until: datetime
    type: Literal["ring_accepted"] = "ring_accepted"


@dataclass(frozen=True, slots=True, kw_only=True)
class InterpreterCameNot(Fact):
    """Whoever accepted did not come in time."""

    request: int
    user: UserId
    participant: ParticipantId
    type: Literal["interpreter_came_not"] = "interpreter_came_not"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestUnanswered(Fact):
    """All were rung and nobody came: somebody chooses what now, or all are rung again at `until`."""

    request: int
    until: datetime
    type: Literal["request_unanswered"] = "request_unanswered"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestWidened(Fact):
    """The search goes on for somebody who is heard only."""

    request: int
    mode: CallMode
    type: Literal["request_widened"] = "request_widened"


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneLineUsed(Fact):
    """The clinic's telephone interpreters are called instead."""

    request: int
    until: datetime
    type: Literal["phone_line_used"] = "phone_line_used"


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestClosed(Fact):
    """The search is over without anybody on their way."""

    request: int
    reason: CloseReason
    type: Literal["request_closed"] = "request_closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class InterpreterConnected(Fact):
    """The interpreter is here (again), at this stage; or (`incoming`) listens in before taking over."""

    participant: ParticipantId
    stage: Stage
    incoming: bool = False
    type: Literal["interpreter_connected"] = "interpreter_connected"


@dataclass(frozen=True, slots=True, kw_only=True)
class BriefingBegun(Fact):
    """Physician and interpreter speak alone."""

    participant: ParticipantId
    type: Literal["briefing_begun"] = "briefing_begun"


@dataclass(frozen=True, slots=True, kw_only=True)
class BriefingEnded(Fact):
    """Everybody hears each other again; the introduction is on the screen."""

    participant: ParticipantId
    reason: BriefingEnd
    type: Literal["briefing_ended"] = "briefing_ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class IntroductionEnded(Fact):
    """The introduction was said; interpreting begins."""

    participant: ParticipantId
    type: Literal["introduction_ended"] = "introduction_ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeChanged(Fact):
    """Consecutive or simultaneous from here on."""

    mode: Mode
    type: Literal["mode_changed"] = "mode_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class InterpreterRelieved(Fact):
    """The one who listened in interprets from here on."""

    participant: ParticipantId
    relieved: ParticipantId
    type: Literal["interpreter_relieved"] = "interpreter_relieved"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalGiven(Fact):
    """The interpreter asked for something with one tap."""

    participant: ParticipantId
    kind: SignalKind
    no: int
    type: Literal["signal_given"] = "signal_given"


InterpretingEvent = (
    InterpreterRequested
    | InterpretersRung
    | RingDeclined
    | RingAccepted
    | InterpreterCameNot
    | RequestUnanswered
    | RequestWidened
    | PhoneLineUsed
    | RequestClosed
    | InterpreterConnected
    | BriefingBegun
    | BriefingEnded
    | IntroductionEnded
    | ModeChanged
    | InterpreterRelieved
    | SignalGiven
)
