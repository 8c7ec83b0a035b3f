"""The diagrams in the README are the lives that a consult and its recordings have."""

import re
from datetime import timedelta
from pathlib import Path

from hypothesis import given, settings

from signaling.consult import commands
from signaling.consult import recording_commands as recording
from signaling.consult.recording import RecordingState
from signaling.consult.values import Phase, SeatHolder, TheClock
from tests.signaling.scripts import (
    AGREE,
    AMAL,
    ASK,
    CHEN,
    DESK,
    DEVICES,
    PEOPLE,
    Moment,
    Step,
    everybody_in,
    play,
    scripts,
)

README = Path(__file__).resolve().parents[2] / "signaling/README.md"


def drawn(section: str) -> set[tuple[str, str]]:
    """The arrows of the diagram in a section of the README."""
    text = README.read_text(encoding="utf-8").partition(f"## {section}\n")[2].partition("\n## ")[0]
    return set(re.findall(r"^ +(\w+) --> (\w+)", text, re.MULTILINE))


DRAWN = drawn("The life of a consult")
COME = Step(0, SeatHolder(participant=AMAL), commands.Arrive(device=DEVICES[0]))
GO = Step(0, SeatHolder(participant=AMAL), commands.Leave())
CANCEL = Step(0, DESK, commands.Cancel(reason="mistake"))
END = Step(0, DESK, commands.End(reason="completed"))
LATER_S = round(timedelta(hours=13).total_seconds())
LIVES = (
    [COME, GO, CANCEL],
    [COME, CANCEL],
    [*everybody_in(), END],
    [COME, GO, Step(LATER_S, TheClock(), commands.EndAbandoned())],
    [COME, Step(LATER_S, TheClock(), commands.EndAbandoned())],
    [Step(LATER_S, TheClock(), commands.MarkNoShow())],
)


RECORDED = drawn("Recording")
ASKED = [*everybody_in(), Step(1, SeatHolder(participant=CHEN), ASK)]
BEGUN = [*ASKED, *(Step(1, SeatHolder(participant=p), AGREE) for p in PEOPLE if p != CHEN)]
REVOKE = Step(1, SeatHolder(participant=AMAL), recording.RefuseRecording())
STOP = Step(1, SeatHolder(participant=CHEN), recording.StopRecording())
AGAIN = Step(1, SeatHolder(participant=AMAL), AGREE)
RECORDINGS = ([*ASKED, STOP], [*BEGUN, REVOKE, STOP], [*BEGUN, REVOKE, AGAIN, STOP])


def moves(moments: list[Moment]) -> set[tuple[str, str]]:
    return {
        (m.before.phase.value, m.after.phase.value) for m in moments if m.before.phase is not m.after.phase
    }


def test_every_arrow_of_the_diagram_is_a_life_a_consult_can_have() -> None:
    assert {move for life in LIVES for move in moves(play(life))} == DRAWN
    assert {phase for move in DRAWN for phase in move} == set(Phase)


@settings(max_examples=80, deadline=None)
@given(scripts)
def test_no_life_takes_an_arrow_that_is_not_drawn(script: list[Step]) -> None:
    assert moves(play(script)) <= DRAWN


def recorded_moves(moments: list[Moment]) -> set[tuple[str, str]]:
    pairs = ((m.before.recording, m.after.recording) for m in moments)
    return {
        (one.state.value, after.state.value)
        for one, after in pairs
        if one is not None and after is not None and one.no == after.no and one.state is not after.state
    }


def test_every_arrow_of_a_recording_is_one_that_it_can_take() -> None:
    assert {move for life in RECORDINGS for move in recorded_moves(play(life))} == RECORDED
    assert {state for move in RECORDED for state in move} == set(RecordingState)


@settings(max_examples=80, deadline=None)
@given(scripts)
def test_no_recording_takes_an_arrow_that_is_not_drawn(script: list[Step]) -> None:
    assert recorded_moves(play([*BEGUN, *script])) <= RECORDED


def test_the_readme_names_files_that_exist() -> None:
    for name in re.findall(r"`([a-z_/]+\.py)`", README.read_text(encoding="utf-8")):
        assert (README.parent / name).exists(), name
