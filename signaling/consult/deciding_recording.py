"""Deciders about recording, and what follows for it from everything else that happens.

A recording is on exactly while nobody present stands in its way (`recording.hindrance`): `follow` looks at
that after every command, so that a person who comes in pauses it in the same breath.
"""

from signaling.consult import recording_commands as commands
from signaling.consult import recording_events as happened
from signaling.consult.case import Case, Events
from signaling.consult.interpreting import Stage
from signaling.consult.recording import RECORDINGS_MAX, Recording, RecordingState, Why, hindrance
from signaling.consult.values import Consult, Participant, SeatState
from signaling.errors import Code, Refused


def _open(case: Case) -> Recording:
    recording = case.consult.recording
    if recording is None or not recording.is_open:
        raise Refused(Code.NOT_NOW, "nothing is recorded or asked")
    return recording


def _agreed(
    case: Case, command: commands.AskRecording | commands.AgreeToRecording, recording: Recording
) -> happened.RecordingAgreed:
    return happened.RecordingAgreed(
        at=case.now,
        by=case.by,
        recording=recording.id,
        participant=case.myself.id,
        what=recording.what,
        text_id=command.text_id,
        text_hash=command.text_hash,
        language=command.language,
    )


def ask(case: Case, command: commands.AskRecording) -> Events:
    """Ask everybody; go on after a fault where it is the same question."""
    if not case.consult.policy.recording:
        raise Refused(Code.NOT_PERMITTED, "nothing is recorded here")
    recording = case.consult.recording
    if recording is not None and recording.is_open:
        if recording.why == "failed" and recording.what == command.what:
            return _after_fault(case, recording)
        raise Refused(Code.ALREADY_ASKED, "a recording is open")
    no = 1 if recording is None else recording.no + 1
    if no > RECORDINGS_MAX:
        raise Refused(Code.TOO_MANY, f"a consult has {RECORDINGS_MAX} recordings")
    new = Recording(
        id=command.recording, no=no, what=command.what, state=RecordingState.ASKED, since=case.now
    )
    asked = happened.RecordingAsked(at=case.now, by=case.by, recording=new.id, no=no, what=new.what)
    return asked, _agreed(case, command, new)


def _after_fault(case: Case, recording: Recording) -> Events:
    why = _hindrance(case.consult, recording)
    if why is not None:
        return (happened.RecordingPaused(at=case.now, by=case.by, recording=recording.id, why=why),)
    return (happened.RecordingResumed(at=case.now, by=case.by, recording=recording.id),)


def agree(case: Case, command: commands.AgreeToRecording) -> Events:
    """Agree to what is asked now; agreeing again changes nothing."""
    recording = _open(case)
    if (command.no, command.what) != (recording.no, recording.what):
        raise Refused(Code.NOT_NOW, "something else is asked by now")
    if recording.answer_of(case.myself.id) == "agreed":
        return ()
    return (_agreed(case, command, recording),)


def refuse(case: Case, _: commands.RefuseRecording) -> Events:
    """Do not agree, or no longer."""
    recording, me = _open(case), case.myself.id
    before = recording.answer_of(me)
    if before in ("refused", "revoked"):
        return ()
    return (
        happened.RecordingRefused(
            at=case.now,
            by=case.by,
            recording=recording.id,
            participant=me,
            revoked=before == "agreed",
        ),
    )


def stop(case: Case, _: commands.StopRecording) -> Events:
    """Record no more."""
    recording = _open(case)
    return (happened.RecordingStopped(at=case.now, by=case.by, recording=recording.id, why="physician"),)


def report_failed(case: Case, command: commands.ReportRecordingFailed) -> Events:
    """Say that nothing is recorded, until the physician lets it go on."""
    recording = case.consult.recording
    if recording is None or recording.id != command.recording or recording.state is not RecordingState.ON:
        return ()
    return (happened.RecordingPaused(at=case.now, by=case.by, recording=recording.id, why="failed"),)


# --- what follows from everything else --------------------------------------------------------------------


def follow(case: Case, after: Consult) -> Events:
    """What the consult as it is now means for its recording."""
    recording = after.recording
    if recording is None or not recording.is_open:
        return ()
    if after.over:
        return (happened.RecordingStopped(at=case.now, by=case.by, recording=recording.id, why="ended"),)
    why = _hindrance(after, recording)
    match recording.state:
        case RecordingState.ASKED if why is None:
            return (happened.RecordingBegun(at=case.now, by=case.by, recording=recording.id),)
        case RecordingState.ON if why is not None:
            return (happened.RecordingPaused(at=case.now, by=case.by, recording=recording.id, why=why),)
        case RecordingState.PAUSED if recording.why != "failed" and why is None:
            return (happened.RecordingResumed(at=case.now, by=case.by, recording=recording.id),)
        case RecordingState.PAUSED if recording.why not in ("failed", why) and why is not None:
            return (happened.RecordingPaused(at=case.now, by=case.by, recording=recording.id, why=why),)
    return ()


def _hindrance(consult: Consult, recording: Recording) -> Why | None:
    present = [p.id for p in consult.participants if p.seat is SeatState.PRESENT]
    briefing = consult.session is not None and consult.session.stage is Stage.BRIEFING
    return hindrance(recording, present, briefing=briefing)


# --- what would do something now --------------------------------------------------------------------------


def may_ask(case: Case) -> bool:
    """Whether there is nothing open, or something a fault has paused."""
    recording = case.consult.recording
    again = recording is None or not recording.is_open or recording.why == "failed"
    return case.consult.policy.recording and again


def may_agree(case: Case) -> bool:
    """Whether the actor is asked and has not agreed."""
    recording, me = case.consult.recording, case.me
    return _is_open(recording) and me is not None and _answer(recording, me) != "agreed"


def may_refuse(case: Case) -> bool:
    """Whether the actor is asked and has not refused."""
    recording, me = case.consult.recording, case.me
    return _is_open(recording) and me is not None and _answer(recording, me) in (None, "agreed")


def may_stop(case: Case) -> bool:
    """Whether anything is recorded, or asked."""
    return _is_open(case.consult.recording)


def _is_open(recording: Recording | None) -> bool:
    return recording is not None and recording.is_open


def _answer(recording: Recording | None, me: Participant) -> str | None:
    return None if recording is None else recording.answer_of(me.id)
