"""Who receives whom, and in which slot. Pure; the media plane does exactly this and nothing else."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from signaling.consult.ids import ParticipantId
from signaling.consult.listening import OFF, SEPARABLE, Hearing, listening_policy, may_meet
from signaling.consult.presence import ConsultPresence
from signaling.consult.values import Consult, Participant, SeatState, Source

SCREEN_SLOT: Final = 0  # the one slot for a shared screen, apart from the people's


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Forward `source` of one participant to a slot of another."""

    publisher: ParticipantId
    source: Source
    subscriber: ParticipantId
    slot: int


def slot_of(other: Participant, *, viewer: Participant) -> int | None:
    """The slot `other` has for `viewer`, 0..4, the same for the whole consult; None before admission."""
    if other.seat_no is None or viewer.seat_no is None or other.id == viewer.id:
        return None
    return other.seat_no - (1 if other.seat_no > viewer.seat_no else 0)


def separated(consult: Consult, participant: Participant) -> bool:
    """Whether this person is kept apart because no physician is in the room."""
    return (
        participant.role in SEPARABLE
        and participant.seat is SeatState.PRESENT
        and not consult.physician_present
    )


def routing(consult: Consult, presence: ConsultPresence) -> frozenset[Link]:
    """Every link of the consult now. Only people who are present and have a peer send or receive.

    A dropped socket does not cut a link: media flows on while the browser reconnects, until the person is
    marked lost.
    """
    if consult.over:
        return frozenset()
    here = [
        p for p in consult.participants if p.seat is SeatState.PRESENT and presence.of(p.id).peer is not None
    ]
    heard = {p.id: listening_policy(consult, presence, p) for p in here}
    return frozenset(
        link
        for publisher in here
        for subscriber in here
        if may_meet(consult, publisher, subscriber)
        for link in _links(consult, presence, publisher, subscriber, heard[subscriber.id])
    )


def _links(
    consult: Consult,
    presence: ConsultPresence,
    publisher: Participant,
    subscriber: Participant,
    heard: Mapping[ParticipantId, Hearing],
) -> Iterator[Link]:
    slot = slot_of(publisher, viewer=subscriber)
    if slot is None:
        return
    person = presence.of(publisher.id)
    if person.audio_on and heard.get(publisher.id, OFF).level != "off":
        yield Link(publisher=publisher.id, source="audio", subscriber=subscriber.id, slot=slot)
    if person.video_on:
        yield Link(publisher=publisher.id, source="camera", subscriber=subscriber.id, slot=slot)
    if consult.sharing == publisher.id:
        yield Link(publisher=publisher.id, source="screen", subscriber=subscriber.id, slot=SCREEN_SLOT)
