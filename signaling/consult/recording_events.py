"""What has happened to a recording, and who agreed to it. With their times these are the consent ledger."""

from dataclasses import dataclass
from typing import Literal

from signaling.consult.fact import Fact
from signaling.consult.ids import ParticipantId, RecordingId
from signaling.consult.recording import Method, What, Why


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingAsked(Fact):
    """Everybody present is asked whether the consult may be recorded."""

    recording: RecordingId
    no: int
    what: What
    type: Literal["recording_asked"] = "recording_asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingAgreed(Fact):
    """A person agreed to exactly this text, shown in this language."""

    recording: RecordingId
    participant: ParticipantId
    what: What
    text_id: str
    text_hash: str
    language: str
    method: Method = "tap"
    type: Literal["recording_agreed"] = "recording_agreed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingRefused(Fact):
    """A person does not agree. `revoked`: they had before."""

    recording: RecordingId
    participant: ParticipantId
    revoked: bool
    type: Literal["recording_refused"] = "recording_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingBegun(Fact):
    """Everybody present has agreed: it is recorded from here on. The beginning of its time line."""

    recording: RecordingId
    type: Literal["recording_begun"] = "recording_begun"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingPaused(Fact):
    """It is not recorded for now."""

    recording: RecordingId
    why: Why
    type: Literal["recording_paused"] = "recording_paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingResumed(Fact):
    """It is recorded again."""

    recording: RecordingId
    type: Literal["recording_resumed"] = "recording_resumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingStopped(Fact):
    """It is over, or was never begun; nothing follows."""

    recording: RecordingId
    why: Why
    type: Literal["recording_stopped"] = "recording_stopped"


RecordingEvent = (
    RecordingAsked
    | RecordingAgreed
    | RecordingRefused
    | RecordingBegun
    | RecordingPaused
    | RecordingResumed
    | RecordingStopped
)
