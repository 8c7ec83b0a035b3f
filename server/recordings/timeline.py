"""What a recording's page shows beside the media, from events alone: people, what happened, who agreed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from server.recordings.names import epoch_ms_of
from server.recordings.store import Member
from signaling.consult import events as happened
from signaling.consult import recording_events as recorded
from signaling.consult.events import Event
from signaling.consult.ids import RecordingId
from signaling.consult.interpreting import Stage
from signaling.consult.interpreting_events import (
    InterpreterConnected,
    InterpreterRelieved,
    IntroductionEnded,
)

# Kinds of events that are about one person, in the words of the page.
_OF_A_PERSON: Final[Mapping[type[Any], str]] = {
    happened.ParticipantAdmitted: "joined",
    happened.ParticipantResumed: "joined",
    happened.ParticipantHeld: "left",
    happened.ParticipantLeft: "left",
    happened.ParticipantRemoved: "left",
    happened.ParticipantLost: "lost",
    happened.ParticipantReturned: "returned",
}
_OF_THE_RECORDING: Final[Mapping[type[Any], str]] = {
    recorded.RecordingBegun: "recording_started",
    recorded.RecordingPaused: "recording_paused",
    recorded.RecordingResumed: "recording_resumed",
    recorded.RecordingStopped: "recording_stopped",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Something on the time line, microseconds after the recording's beginning."""

    at_us: int
    kind: str
    person: int | None = None
    why: str | None = None

    def as_json(self) -> dict[str, object]:
        """Without what it does not have."""
        beside = {"person": self.person, "why": self.why}
        return {
            "at_us": self.at_us,
            "kind": self.kind,
            **{name: value for name, value in beside.items() if value is not None},
        }


def people(members: Iterable[Member]) -> list[dict[str, object]]:
    """Who the tracks belong to."""
    return [{"index": m.index, "name": m.name, "role": m.role, "language": m.language} for m in members]


def timeline(
    events: Sequence[Event],
    members: Sequence[Member],
    *,
    recording: RecordingId,
    epoch_ms: int,
    parts: Iterable[Mapping[str, Any]] = (),
) -> list[dict[str, object]]:
    """What happened from the recording's beginning to its end; answers to its question before that are at 0.

    Args:
        events: all of the consult.
        members: its people.
        recording: the one of its recordings that is shown.
        epoch_ms: the beginning of times in it, milliseconds since 1970.
        parts: `manifest["parts"]`; one that is not complete is a line, where it ended or else began.
    """
    index = {member.participant: member.index for member in members}
    lines: list[Line] = []
    begun = over = False
    for event in events:
        if over:
            break
        line = _line(event, recording, index, _after_us(event.at, epoch_ms))
        if line is not None and (begun or line.kind in ("consented", "refused", "recording_started")):
            lines.append(line)
        begun = begun or (line is not None and line.kind == "recording_started")
        over = isinstance(event, recorded.RecordingStopped) and event.recording == recording
    lines += _lost(parts)
    return [line.as_json() for line in sorted(lines, key=lambda line: line.at_us)]


def consents(
    events: Iterable[Event], members: Iterable[Member], *, recording: RecordingId, what: str
) -> list[dict[str, object]]:
    """Consents to the visit, and every answer about this recording, in the order they were given."""
    index = {member.participant: member.index for member in members}
    found: list[dict[str, object]] = []
    languages: dict[str, str] = {}
    for event in events:
        decided = _decided(event, recording, what)
        if decided is None:
            continue
        participant, purpose, decision, language = decided
        languages[participant] = language or languages.get(participant, "")
        found.append(
            {
                "person": index.get(participant, participant),
                "purpose": purpose,
                "decision": decision,
                "language": languages[participant],
                "at": event.at.isoformat(),
            }
        )
    return found


def _decided(event: Event, recording: RecordingId, what: str) -> tuple[str, str, str, str] | None:
    """Participant, purpose, decision, and the language of the text where the event says it."""
    match event:
        case recorded.RecordingAgreed() if event.recording == recording:
            return event.participant, f"{what}_recording", "agreed", event.language
        case recorded.RecordingRefused() if event.recording == recording:
            decision = "revoked" if event.revoked else "refused"
            return event.participant, f"{what}_recording", decision, ""
        case happened.ConsentGiven():
            return event.participant, "telehealth", "agreed", event.language
        case happened.ParticipantInvited() if event.consent is not None:
            return event.participant, "telehealth", "agreed", event.consent.language
        case _:
            return None


def _line(event: Event, recording: RecordingId, index: Mapping[str, int], at_us: int) -> Line | None:
    if isinstance(event, recorded.RecordingAsked):
        return None
    if getattr(event, "recording", recording) != recording:
        return None
    of_recording = _OF_THE_RECORDING.get(type(event))
    if of_recording is not None:
        why = getattr(event, "why", None)
        return Line(at_us=at_us, kind=of_recording, why="technical" if why == "failed" else why)
    kind = _of_a_person(event)
    if kind is None:
        return None
    person = index.get(getattr(event, "participant", ""))
    return Line(at_us=at_us, kind=kind, person=person)


def _of_a_person(event: Event) -> str | None:
    if isinstance(event, recorded.RecordingAgreed):
        return "consented"
    if isinstance(event, recorded.RecordingRefused):
        return "revoked" if event.revoked else "refused"
    if isinstance(event, happened.ParticipantArrived):
        return "joined" if event.seat_no is not None else None
    if isinstance(event, InterpreterConnected):
        return "interpreting_started" if event.stage is Stage.INTERPRETING and not event.incoming else None
    if isinstance(event, IntroductionEnded | InterpreterRelieved):
        return "interpreting_started"
    return _OF_A_PERSON.get(type(event))


def _after_us(at: datetime, epoch_ms: int) -> int:
    """Microseconds after the beginning; what was before is at 0."""
    return max(0, epoch_ms_of(at) * 1000 + at.microsecond % 1000 - epoch_ms * 1000)


def _lost(parts: Iterable[Mapping[str, Any]]) -> list[Line]:
    return [
        Line(at_us=int(part["ended_us"] or part["began_us"] or 0), kind="part_lost", why=part["status"])
        for part in parts
        if part["status"] != "complete"
    ]
