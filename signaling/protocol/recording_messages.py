"""What a browser may send about recording the consult: from one's own seat only."""

from typing import Annotated, Literal

from annotated_types import Ge, Le

from signaling.consult.recording import What
from signaling.protocol.asked import Asked
from signaling.protocol.fields import Language, TextHash, TextId


class AskRecording(Asked):
    """Ask everybody present whether the consult may be recorded; the sender agrees to this text by it."""

    type: Literal["ask_recording"]
    what: Annotated[What, "Sound alone, or sound and pictures."]
    text_id: Annotated[TextId, "The text shown."]
    text_hash: Annotated[TextHash, "Its SHA-256."]
    language: Annotated[Language, "The language it was shown in."]


class AgreeToRecording(Asked):
    """Agree to being recorded; an answer to an earlier question is none to this one."""

    type: Literal["agree_to_recording"]
    no: Annotated[int, Ge(1), Le(1_000), "Which of the consult's recordings."]
    what: Annotated[What, "What was asked."]
    text_id: Annotated[TextId, "The text shown."]
    text_hash: Annotated[TextHash, "Its SHA-256."]
    language: Annotated[Language, "The language it was shown in."]


class RefuseRecording(Asked):
    """Do not agree to being recorded, or no longer: nothing is recorded from here on."""

    type: Literal["refuse_recording"]


class StopRecording(Asked):
    """Record no more, or take the question back."""

    type: Literal["stop_recording"]


RecordingSeat = AskRecording | AgreeToRecording | RefuseRecording | StopRecording
