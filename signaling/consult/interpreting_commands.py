"""What can be asked about an interpreter. Who may, and when, is the table in `rules.py`.

Who could be rung is looked up outside and travels with the command.
"""

from dataclasses import dataclass
from typing import Literal

from signaling.consult.eligibility import Candidate
from signaling.consult.ids import ParticipantId, UserId
from signaling.consult.interpreting import BriefingEnd, Mode, SignalKind, Wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestInterpreter:
    """Look for an interpreter; while one interprets, for another to take over from them."""

    wanted: Wanted
    candidates: tuple[Candidate, ...]
    expected_s: int
    type: Literal["request_interpreter"] = "request_interpreter"


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvanceRequest:
    """Ring whoever is to be rung by now, or go on because a state's time has passed."""

    candidates: tuple[Candidate, ...] = ()
    type: Literal["advance_request"] = "advance_request"


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptRing:
    """Come to this consult. The first one wins."""

    request: int
    user: UserId
    participant: ParticipantId  # theirs from here on, if they had none in this consult
    language: str
    type: Literal["accept_ring"] = "accept_ring"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclineRing:
    """Do not come; be rung no more for this search."""

    request: int
    user: UserId
    type: Literal["decline_ring"] = "decline_ring"


@dataclass(frozen=True, slots=True, kw_only=True)
class RingAgain:
    """Ring everybody again; `audio_only` also those without a camera."""

    audio_only: bool
    candidates: tuple[Candidate, ...]
    type: Literal["ring_again"] = "ring_again"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsePhoneLine:
    """Call the clinic's telephone interpreters instead."""

    type: Literal["use_phone_line"] = "use_phone_line"


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseRequest:
    """Look no longer; `another_time`: the consult is to be held when there is an interpreter."""

    another_time: bool
    type: Literal["close_request"] = "close_request"


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginBriefing:
    """Speak with the interpreter alone."""

    type: Literal["begin_briefing"] = "begin_briefing"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndBriefing:
    """Let everybody hear each other again."""

    reason: BriefingEnd
    type: Literal["end_briefing"] = "end_briefing"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndIntroduction:
    """The introduction was said."""

    type: Literal["end_introduction"] = "end_introduction"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetMode:
    """Interpret consecutively or simultaneously from here on."""

    mode: Mode
    type: Literal["set_mode"] = "set_mode"


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeOver:
    """The interpreter who listens in interprets from here on."""

    type: Literal["take_over"] = "take_over"


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveSignal:
    """Ask everybody for something with one tap."""

    kind: SignalKind
    type: Literal["give_signal"] = "give_signal"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetDirection:
    """Say into whose language one interprets now, or what one prefers to hear (presence, not stored)."""

    type: Literal["set_direction"] = "set_direction"


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferOriginal:
    """Hear the original instead of its interpretation, or no longer (presence, not stored)."""

    type: Literal["prefer_original"] = "prefer_original"


InterpretingCommand = (
    RequestInterpreter
    | AdvanceRequest
    | AcceptRing
    | DeclineRing
    | RingAgain
    | UsePhoneLine
    | CloseRequest
    | BeginBriefing
    | EndBriefing
    | EndIntroduction
    | SetMode
    | TakeOver
    | GiveSignal
    | SetDirection
    | PreferOriginal
)
