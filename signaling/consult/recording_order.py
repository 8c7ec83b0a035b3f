"""What of a consult is recorded now. Pure; the media plane keeps exactly this and nothing else."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from signaling.consult.ids import ParticipantId, RecordingId
from signaling.consult.presence import ConsultPresence
from signaling.consult.recording import RecordingState, What, consents_hash
from signaling.consult.values import Consult, SeatState, Source

SOURCES: Final[tuple[Source, ...]] = ("audio", "camera", "screen")
TRACKS_EACH: Final = 4  # numbers a participant has: one for each source, one to spare


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One source of one person, under the number it has in every part of every recording of the consult."""

    participant: ParticipantId
    source: Source
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Keep these tracks, as long as nobody takes part who is not one of `agreed`."""

    recording: RecordingId
    what: What
    begun_at: datetime
    agreed: frozenset[ParticipantId]
    tracks: frozenset[Track]
    consents: str  # see `recording.consents_hash`


def recording_order(consult: Consult, presence: ConsultPresence) -> Order | None:
    """What is to be kept now; None while nothing may be.

    Only people who are present and have a peer are recorded, and only what is forwarded to somebody.
    """
    recording = consult.recording
    if recording is None or recording.state is not RecordingState.ON or recording.begun_at is None:
        return None
    if consult.over:
        return None
    here = [
        (place, p)
        for place, p in enumerate(consult.participants)
        if p.seat is SeatState.PRESENT
        and presence.of(p.id).peer is not None
        and recording.answer_of(p.id) == "agreed"
    ]
    sources = SOURCES[:1] if recording.what == "audio" else SOURCES
    return Order(
        recording=recording.id,
        what=recording.what,
        begun_at=recording.begun_at,
        agreed=frozenset(p.id for _, p in here),
        tracks=frozenset(
            Track(participant=p.id, source=source, number=place * TRACKS_EACH + SOURCES.index(source))
            for place, p in here
            for source in sources
        ),
        consents=consents_hash(recording),
    )
