"""What a browser may send about interpreters: asking for one, answering a ring, and interpreting itself."""

from typing import Annotated, Literal, get_args

from annotated_types import Ge, Le

from signaling.consult.eligibility import Availability
from signaling.consult.interpreting import CallMode, Gender, Mode, Side, SignalKind
from signaling.protocol.asked import About, Asked
from signaling.protocol.fields import CaseText, ConsultRef, Language, Shape

# --- about the consult: from a seat or a board ------------------------------------------------------------


class RequestInterpreter(About):
    """Look for an interpreter now; while one interprets, for another to take over from them."""

    type: Literal["request_interpreter"]
    language: Annotated[Language | None, "The patient's, dialect included; null is as booked."] = None
    gender: Annotated[Gender | None, "Preferred; nobody is left out for it."] = None
    mode: Annotated[CallMode, "Seen and heard, or heard only."] = "video"
    case: Annotated[CaseText | None, "For the interpreter: what it is about, and difficult terms."] = None


class RingAgain(About):
    """Ring everybody again."""

    type: Literal["ring_again"]
    audio_only: Annotated[bool, "Also those without a camera."] = False


class UsePhoneLine(About):
    """The clinic's telephone interpreters are called instead; counts its use."""

    type: Literal["use_phone_line"]


class CloseRequest(About):
    """Look no longer."""

    type: Literal["close_request"]
    another_time: Annotated[bool, "The consult is to be held when there is an interpreter."] = False


# --- about the sender's own seat --------------------------------------------------------------------------


class BeginBriefing(Asked):
    """Speak with the interpreter alone; guests wait and read why."""

    type: Literal["begin_briefing"]


class EndBriefing(Asked):
    """Let everybody hear each other again; the introduction is on the screen."""

    type: Literal["end_briefing"]
    skipped: Annotated[bool, "There was none."] = False


class EndIntroduction(Asked):
    """The introduction was said."""

    type: Literal["end_introduction"]


class SetMode(Asked):
    """Interpret consecutively or simultaneously from here on."""

    type: Literal["set_mode"]
    mode: Annotated[Mode, "How."]


class TakeOver(Asked):
    """Interpret from here on, after listening in."""

    type: Literal["take_over"]


class GiveSignal(Asked):
    """Ask everybody for something with one tap."""

    type: Literal["give_signal"]
    kind: Annotated[SignalKind, "For what."]


class SetDirection(Shape):
    """Say whose language one interprets into now. Others do not hear what is not in theirs."""

    type: Literal["set_direction"]
    into: Annotated[Side | None, "Whose; null is both in turn."]


class PreferOriginal(Shape):
    """Hear the original in place of its interpretation, or no longer."""

    type: Literal["prefer_original"]
    prefers: Annotated[bool, "Whether."]


# --- from an interpreter's desk ---------------------------------------------------------------------------


class AcceptRing(Asked):
    """Come. Answered with the seat, `consult_id` and `participant`; `taken` if another was faster."""

    type: Literal["accept_ring"]
    consult_id: Annotated[ConsultRef, "Whose ring."]
    request: Annotated[int, Ge(1), Le(1_000_000), "Which of its requests."]


class DeclineRing(Asked):
    """Do not come; be rung no more for this request."""

    type: Literal["decline_ring"]
    consult_id: Annotated[ConsultRef, "Whose ring."]
    request: Annotated[int, Ge(1), Le(1_000_000), "Which of its requests."]


class SetAvailability(Shape):
    """Be rung, or not."""

    type: Literal["set_availability"]
    availability: Annotated[Availability, "Available, on a break, or away."]


InterpretingAbout = RequestInterpreter | RingAgain | UsePhoneLine | CloseRequest
InterpretingSeat = (
    BeginBriefing
    | EndBriefing
    | EndIntroduction
    | SetMode
    | TakeOver
    | GiveSignal
    | SetDirection
    | PreferOriginal
)
DeskMessage = AcceptRing | DeclineRing | SetAvailability
DESK_TYPES: frozenset[type] = frozenset(get_args(DeskMessage))
