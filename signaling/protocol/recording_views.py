"""What is seen of a recording: everybody in the consult may know at any time whether they are recorded."""

from typing import Annotated

from annotated_types import MaxLen

from signaling.consult.ids import RecordingId
from signaling.consult.recording import Answer, RecordingState, What, Why
from signaling.consult.values import BARRED, PARTICIPANTS_MAX, Consult, Participant, SeatState
from signaling.protocol.fields import ParticipantRef, Shape, Time


class AnswerView(Shape):
    """How one person in the room has answered."""

    participant: Annotated[ParticipantRef, "Who."]
    answer: Annotated[Answer | None, "Their last answer; null: they are still asked."] = None


class RecordingView(Shape):
    """The consult's last recording."""

    id: Annotated[RecordingId, "Its id."]
    no: Annotated[int, "Its number in the consult, from 1."]
    what: Annotated[What, "Sound alone, or sound and pictures."]
    state: Annotated[RecordingState, "Asked, on, paused or stopped."]
    why: Annotated[Why | None, "Why it is paused or stopped."] = None
    since: Annotated[Time, "Since when it is so."]
    begun: Annotated[bool, "Something was recorded."]
    mine: Annotated[Answer | None, "The viewer's last answer; null: they are asked."] = None
    answers: Annotated[list[AnswerView], MaxLen(PARTICIPANTS_MAX), "Of those in the room, to those there."]


def recording_for(consult: Consult, me: Participant) -> RecordingView | None:
    """The recording as one person may see it: that there is one is told to everybody who is coming."""
    recording = consult.recording
    if recording is None or me.seat in BARRED:
        return None
    present = [p for p in consult.participants if p.seat is SeatState.PRESENT]
    inside = me.seat in (SeatState.PRESENT, SeatState.ON_HOLD) and not consult.over
    return RecordingView(
        id=recording.id,
        no=recording.no,
        what=recording.what,
        state=recording.state,
        why=recording.why,
        since=recording.since,
        begun=recording.begun_at is not None,
        mine=recording.answer_of(me.id),
        answers=[AnswerView(participant=p.id, answer=recording.answer_of(p.id)) for p in present]
        if inside
        else [],
    )


def is_recorded(consult: Consult) -> bool:
    """Whether the consult is recorded, or people are asked: an introduction says so."""
    return consult.recording is not None and consult.recording.is_open
