"""Who hears whom, and how loud: each person hears their own language without choosing a channel. Pure.

The server forwards and does not mix. What is *off* is not forwarded; the rest the listener's browser plays,
*full* or *ducked*: turned down while the interpretation it receives is heard, and smoothly back when that
pauses.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from signaling.consult.ids import ParticipantId
from signaling.consult.interpreting import Side, Stage
from signaling.consult.presence import ConsultPresence
from signaling.consult.values import GUESTS, Consult, Participant, Role, SeatState

Level = Literal["full", "duck", "off"]
# These are never left with each other when no physician is in the room.
SEPARABLE: Final = frozenset({Role.PATIENT, Role.COMPANION, Role.INTERPRETER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """How one listener hears one speaker; `under` is whose voice turns a ducked one down."""

    level: Level
    under: ParticipantId | None = None


FULL: Final = Hearing(level="full")
OFF: Final = Hearing(level="off")


def side_of(person: Participant) -> Side:
    """Whose language somebody who does not interpret speaks."""
    return "patient" if person.role in GUESTS else "clinician"


def may_meet(consult: Consult, one: Participant, other: Participant) -> bool:
    """Whether two people in the room may hear and see each other at all."""
    if one.id == other.id:
        return False
    if consult.session is not None and consult.session.stage is Stage.BRIEFING:
        return one.role not in GUESTS and other.role not in GUESTS and _accompanied(consult, one, other)
    return _accompanied(consult, one, other)


def _accompanied(consult: Consult, one: Participant, other: Participant) -> bool:
    return consult.physician_present or not (one.role in SEPARABLE and other.role in SEPARABLE)


def listening_policy(
    consult: Consult, presence: ConsultPresence, listener: Participant
) -> Mapping[ParticipantId, Hearing]:
    """How `listener` hears each of the others who are in the room now. Nobody outside it is named."""
    if listener.seat is not SeatState.PRESENT or consult.over:
        return {}
    return {
        speaker.id: _hearing(consult, presence, listener, speaker)
        for speaker in consult.participants
        if speaker.id != listener.id and speaker.seat is SeatState.PRESENT
    }


def _hearing(
    consult: Consult, presence: ConsultPresence, listener: Participant, speaker: Participant
) -> Hearing:
    session = consult.session
    if not may_meet(consult, listener, speaker):
        return OFF
    if session is None:
        return FULL
    if speaker.role is Role.INTERPRETER and speaker.id != session.interpreter:
        return OFF  # listens in, or has been relieved
    if listener.role is Role.INTERPRETER:
        return FULL
    if speaker.id == session.interpreter:
        return _interpretation(consult, presence, listener)
    return _original(consult, presence, listener, speaker)


def _interpretation(consult: Consult, presence: ConsultPresence, listener: Participant) -> Hearing:
    """Simultaneously interpreted, one hears one's own language or nothing of it."""
    session = consult.session
    if session is None or session.mode == "consecutive" or session.stage is not Stage.INTERPRETING:
        return FULL
    if presence.of(listener.id).prefers_original:
        return OFF
    into = presence.of(session.interpreter).interprets_into
    return FULL if into is None or into == side_of(listener) else OFF


def _original(
    consult: Consult, presence: ConsultPresence, listener: Participant, speaker: Participant
) -> Hearing:
    session = consult.session
    if session is None or presence.of(listener.id).prefers_original:
        return FULL
    if side_of(speaker) == side_of(listener) and session.mode == "simultaneous":
        return FULL
    return Hearing(level="duck", under=session.interpreter)
