"""What is seen of interpreting: the search, who interprets, how one hears the others, and the desk."""

from typing import Annotated

from annotated_types import MaxLen

from signaling.consult.eligibility import Availability
from signaling.consult.interpreting import (
    SIGNALS_KEPT,
    CallMode,
    CloseReason,
    Gender,
    Mode,
    RequestState,
    Side,
    SignalKind,
    Stage,
    Tier,
)
from signaling.consult.listening import Level
from signaling.protocol.fields import CaseText, ConsultRef, Language, ParticipantRef, Phone, Shape, Time

RINGS_MAX = 20


class SearchView(Shape):
    """The last search for an interpreter."""

    no: Annotated[int, "Which of the consult's."]
    state: Annotated[RequestState, "Where it is."]
    asked_at: Annotated[Time, "Since when."]
    until: Annotated[Time | None, "When its state ends by itself."] = None
    languages: Annotated[list[Language], MaxLen(2), "The patient's and the clinician's."]
    mode: Annotated[CallMode, "Seen and heard, or heard only."]
    gender: Annotated[Gender | None, "Preferred."] = None
    tier: Annotated[Tier, "Who is rung by now."]
    rung: Annotated[int, "How many desks ring."]
    expected_s: Annotated[int, "How long it usually takes."]
    comes_back: Annotated[bool, "For one who lost the connection."]
    relieves: Annotated[bool, "For one who is to take over."]
    reason: Annotated[CloseReason | None, "Why it was closed."] = None
    phone_line: Annotated[Phone | None, "The clinic's telephone interpreters, when nobody answers."] = None


class SignalView(Shape):
    """One tap of the interpreter."""

    no: Annotated[int, "Grows."]
    kind: Annotated[SignalKind, "What is asked for."]
    at: Annotated[Time, "When."]


class SessionView(Shape):
    """Who interprets now, and how."""

    interpreter: Annotated[ParticipantRef, "Who."]
    number: Annotated[str | None, "Their number on the register; it is in the record."] = None
    stage: Annotated[Stage, "Briefing, introduction or interpreting."]
    since: Annotated[Time, "Of the stage."]
    mode: Annotated[Mode, "Consecutively or simultaneously."]
    into: Annotated[Side | None, "Whose language they speak now; null is both in turn."] = None
    incoming: Annotated[ParticipantRef | None, "Who listens in before taking over."] = None
    original: Annotated[bool, "The viewer hears originals."]
    signals: Annotated[list[SignalView], MaxLen(SIGNALS_KEPT), "The last ones."]


class HearingView(Shape):
    """How the viewer hears one person. What is off does not arrive at all."""

    participant: Annotated[ParticipantRef, "Whom."]
    level: Annotated[Level, "In full, ducked or off."]
    under: Annotated[ParticipantRef | None, "Whose voice turns a ducked one down."] = None


class CaseView(Shape):
    """What an interpreter should know, for those who are briefed."""

    text: Annotated[CaseText | None, "In the physician's words."] = None
    minutes: Annotated[int, "Planned."]
    recorded: Annotated[bool, "Whether it is being recorded."]


class RingView(Shape):
    """A ring at an interpreter's desk. Nothing of the patient but the language."""

    consult_id: Annotated[ConsultRef, "Whose."]
    request: Annotated[int, "Which of its requests."]
    languages: Annotated[list[Language], MaxLen(2), "The patient's and the clinician's."]
    mode: Annotated[CallMode, "Seen and heard, or heard only."]
    minutes: Annotated[int, "About how long."]
    recorded: Annotated[bool, "Whether it is being recorded."]
    since: Annotated[Time, "When the search began."]
    comes_back: Annotated[bool, "The viewer was interpreting there and lost the connection."]
    relieves: Annotated[bool, "To take over from somebody."]


class DeskView(Shape):
    """An interpreter's desk."""

    registered: Annotated[bool, "On the register, vetted and qualified: may be rung."]
    availability: Annotated[Availability, "As set by themselves."]
    number: Annotated[str | None, "On the register."] = None
    busy: Annotated[bool, "In a consult, or on the way to one."]
    languages: Annotated[list[Language], MaxLen(24), "Interpreted from and into."]
    rings: Annotated[list[RingView], MaxLen(RINGS_MAX), "What rings now, the longest first."]
    coming: Annotated[list[ConsultRef], MaxLen(2), "Accepted; the seat is to be opened."]
