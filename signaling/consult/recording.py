"""Recording a consult: what is asked for, who has answered how, and whether it may go on. Values only.

    asked   -> on, stopped            everybody present has agreed; the physician takes the question back
    on      -> paused, stopped        somebody present has not agreed, or no longer does
    paused  -> on, stopped            everybody present agrees (again)
    stopped -> (a new question)

`hindrance` is the one place that says whether somebody stands in the way.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal

from signaling.consult.ids import ParticipantId, RecordingId

What = Literal["audio", "video"]
Answer = Literal["agreed", "refused", "revoked"]
Method = Literal["tap"]
Why = Literal["newcomer", "refused", "revoked", "briefing", "failed", "physician", "ended"]

RECORDINGS_MAX: Final = 20  # of one consult, one after the other


class RecordingState(StrEnum):
    """Where a recording is; see the module's text for the ways out of each."""

    ASKED = "asked"
    ON = "on"
    PAUSED = "paused"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One person's last answer. Of an agreement, exactly this text, in this language, given like this."""

    participant: ParticipantId
    answer: Answer
    at: datetime
    text_id: str = ""
    text_hash: str = ""
    language: str = ""
    method: Method = "tap"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """The consult's last recording. `begun_at` is the beginning of its time line."""

    id: RecordingId
    no: int
    what: What
    state: RecordingState
    since: datetime
    why: Why | None = None
    begun_at: datetime | None = None
    answers: tuple[Answered, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether people are asked, or it is or may again be recorded."""
        return self.state is not RecordingState.STOPPED

    def answer_of(self, participant: ParticipantId) -> Answer | None:
        """The last answer of a person; None if they have not been asked or have not answered."""
        return next((a.answer for a in self.answers if a.participant == participant), None)


def hindrance(recording: Recording, present: Iterable[ParticipantId], *, briefing: bool) -> Why | None:
    """What stands in the way of recording these people; None if all of them have agreed.

    `briefing`: physician and interpreter speak alone, which is nobody's record.
    """
    answers = {recording.answer_of(participant) for participant in present}
    if "revoked" in answers:
        return "revoked"
    if "refused" in answers:
        return "refused"
    if None in answers:
        return "newcomer"
    return "briefing" if briefing else None


def consents_hash(recording: Recording) -> str:
    """SHA-256 (hex) of who has agreed to which text; it is sealed into each part."""
    agreed = sorted(
        [a.participant, a.text_id, a.text_hash, a.language, a.method, a.at.isoformat()]
        for a in recording.answers
        if a.answer == "agreed"
    )
    return hashlib.sha256(json.dumps(agreed, separators=(",", ":")).encode()).hexdigest()
