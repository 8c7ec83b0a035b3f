"""What can be asked of a recording. Who may, and when, is the table in `rules.py`."""

from dataclasses import dataclass
from typing import Literal

from signaling.consult.ids import RecordingId
from signaling.consult.recording import What


@dataclass(frozen=True, slots=True, kw_only=True)
class AskRecording:
    """Ask everybody present whether the consult may be recorded; whoever asks agrees to this text by it.

    After a fault (the disk was full) the same question lets it go on.
    """

    recording: RecordingId
    what: What
    text_id: str
    text_hash: str
    language: str
    type: Literal["ask_recording"] = "ask_recording"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreeToRecording:
    """Agree to what is asked in recording number `no`, having read this text in this language."""

    no: int
    what: What
    text_id: str
    text_hash: str
    language: str
    type: Literal["agree_to_recording"] = "agree_to_recording"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefuseRecording:
    """Do not agree, or no longer: nothing is recorded from here on."""

    type: Literal["refuse_recording"] = "refuse_recording"


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRecording:
    """Record no more; also takes the question back."""

    type: Literal["stop_recording"] = "stop_recording"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRecordingFailed:
    """The media plane could not write the recording any further."""

    recording: RecordingId
    type: Literal["report_recording_failed"] = "report_recording_failed"


RecordingCommand = AskRecording | AgreeToRecording | RefuseRecording | StopRecording | ReportRecordingFailed
