"""What an event about a recording makes of a consult."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from signaling.consult import recording_events as events
from signaling.consult.recording import Answered, Recording, RecordingState
from signaling.consult.values import Consult


def _recording(consult: Consult, change: Callable[[Recording], Recording]) -> Consult:
    return consult if consult.recording is None else replace(consult, recording=change(consult.recording))


def _asked(consult: Consult, event: events.RecordingAsked) -> Consult:
    new = Recording(
        id=event.recording, no=event.no, what=event.what, state=RecordingState.ASKED, since=event.at
    )
    return replace(consult, recording=new)


def _answered(recording: Recording, answer: Answered) -> Recording:
    others = tuple(a for a in recording.answers if a.participant != answer.participant)
    return replace(recording, answers=(*others, answer))


def _agreed(consult: Consult, event: events.RecordingAgreed) -> Consult:
    answer = Answered(
        participant=event.participant,
        answer="agreed",
        at=event.at,
        text_id=event.text_id,
        text_hash=event.text_hash,
        language=event.language,
        method=event.method,
    )
    return _recording(consult, lambda r: _answered(r, answer))


def _refused(consult: Consult, event: events.RecordingRefused) -> Consult:
    answer = Answered(
        participant=event.participant, answer="revoked" if event.revoked else "refused", at=event.at
    )
    return _recording(consult, lambda r: _answered(r, answer))


def _begun(consult: Consult, event: events.RecordingBegun) -> Consult:
    return _recording(
        consult, lambda r: replace(r, state=RecordingState.ON, since=event.at, why=None, begun_at=event.at)
    )


def _resumed(consult: Consult, event: events.RecordingResumed) -> Consult:
    return _recording(consult, lambda r: replace(r, state=RecordingState.ON, since=event.at, why=None))


def _into(state: RecordingState) -> Callable[[Consult, Any], Consult]:
    """An evolver for an event that says why."""
    return lambda consult, event: _recording(
        consult, lambda r: replace(r, state=state, since=event.at, why=event.why)
    )


EVOLVERS: Final[Mapping[type[Any], Callable[[Consult, Any], Consult]]] = {
    events.RecordingAsked: _asked,
    events.RecordingAgreed: _agreed,
    events.RecordingRefused: _refused,
    events.RecordingBegun: _begun,
    events.RecordingPaused: _into(RecordingState.PAUSED),
    events.RecordingResumed: _resumed,
    events.RecordingStopped: _into(RecordingState.STOPPED),
}
