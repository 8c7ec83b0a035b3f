"""Who may do what with a recording: one table, and nothing else decides it.

Whoever takes part in a consult as its physician plays its recordings and hands them out. Another physician of
the clinic breaks the glass: with a reason, and coordinators see it until they have looked at it. Coordinators
see that there are recordings, and look after them, without hearing any. A recording is deleted by two people:
a coordinator asks, a physician of the consult agrees. Nobody else learns that there is one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal, get_args

Purpose = Literal["treatment", "patient_request", "quality", "legal"]
PURPOSES: Final[tuple[Purpose, ...]] = get_args(Purpose)
REASON_CHARS_MIN: Final = 10


class Right(StrEnum):
    """Something a person may do with a recording."""

    SEE = "see"  # that there is one, of which consult, for how long
    PLAY = "play"
    BREAK_GLASS = "break_glass"  # play, with a reason and an alert
    EXPORT = "export"
    ASK_DELETION = "ask_deletion"
    AGREE_TO_DELETION = "agree_to_deletion"
    HOLD = "hold"
    RELEASE = "release"
    READ_LOG = "read_log"
    ACKNOWLEDGE = "acknowledge"  # alerts


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """What somebody is to a recording. `takes_part`: as a physician of its consult, not revoked."""

    role: str
    same_clinic: bool
    takes_part: bool = False


NOTHING: Final[frozenset[Right]] = frozenset()
TREATS: Final = frozenset(
    {Right.SEE, Right.PLAY, Right.EXPORT, Right.AGREE_TO_DELETION, Right.HOLD, Right.READ_LOG}
)
COLLEAGUE: Final = frozenset({Right.SEE, Right.BREAK_GLASS})
COORDINATES: Final = frozenset(
    {Right.SEE, Right.ASK_DELETION, Right.HOLD, Right.RELEASE, Right.READ_LOG, Right.ACKNOWLEDGE}
)
# By role, and whether they take part as a physician. A role that is not here may do nothing.
RULES: Final[Mapping[tuple[str, bool], frozenset[Right]]] = {
    ("physician", True): TREATS,
    ("physician", False): COLLEAGUE,
    ("coordinator", True): COORDINATES,
    ("coordinator", False): COORDINATES,
}


def rights(relation: Relation) -> frozenset[Right]:
    """Everything somebody may do."""
    if not relation.same_clinic:
        return NOTHING
    return RULES.get((relation.role, relation.takes_part), NOTHING)


def is_reason(text: str) -> bool:
    """Whether this says enough to break the glass with."""
    return len(text.strip()) >= REASON_CHARS_MIN
