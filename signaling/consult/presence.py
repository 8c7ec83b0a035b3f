"""Presence: what is true of people only while their browsers are connected. Pure, never stored as events."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final

from signaling.consult.ids import ConnectionId, DeviceId, ParticipantId, PeerId
from signaling.consult.interpreting import Side
from signaling.consult.values import CheckResult, ConnectionLevel

_LEVELS: Final[tuple[ConnectionLevel, ...]] = ("good", "fair", "weak", "lost")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """How a device check went; None is not tried."""

    camera: CheckResult | None = None
    microphone: CheckResult | None = None
    speaker: CheckResult | None = None
    network: CheckResult | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonPresence:
    """One participant's presence. `connection` is the one that holds the seat, last from `device`."""

    connection: ConnectionId | None = None
    device: DeviceId | None = None
    gone_since: datetime | None = None
    peer: PeerId | None = None
    audio_on: bool = True
    video_on: bool = True
    reported_level: ConnectionLevel = "good"  # by the browser
    measured_level: ConnectionLevel = "good"  # by the media plane, of the present peer
    picture_paused: bool = False  # the present peer is not sent all pictures: there is no room for them
    device_check: Checked | None = None
    interprets_into: Side | None = None  # an interpreter: whose language they speak now
    prefers_original: bool = False  # understands both languages

    @property
    def connection_level(self) -> ConnectionLevel:
        """How good the connection is: the worse of what either end sees."""
        return max(self.reported_level, self.measured_level, key=_LEVELS.index)


NOBODY: Final = PersonPresence()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsultPresence:
    """The presence in one consult. `revision` grows with each change."""

    revision: int = 0
    people: Mapping[ParticipantId, PersonPresence] = field(default_factory=lambda: MappingProxyType({}))

    def of(self, participant: ParticipantId) -> PersonPresence:
        """The presence of one participant; of nobody if never here."""
        return self.people.get(participant, NOBODY)


EMPTY: Final = ConsultPresence()


def with_person(
    presence: ConsultPresence, participant: ParticipantId, person: PersonPresence
) -> ConsultPresence:
    """Replace one participant's presence; nothing changes, the revision included, if it is the same."""
    if presence.of(participant) == person:
        return presence
    people = MappingProxyType({**presence.people, participant: person})
    return ConsultPresence(revision=presence.revision + 1, people=people)


def connected(
    presence: ConsultPresence, participant: ParticipantId, connection: ConnectionId, device: DeviceId
) -> ConsultPresence:
    """`connection` from `device` holds the participant's seat from here on."""
    known = presence.of(participant)
    person = replace(known, connection=connection, device=device, gone_since=None)
    return with_person(presence, participant, person)


def disconnected(
    presence: ConsultPresence, participant: ParticipantId, connection: ConnectionId | None, *, now: datetime
) -> ConsultPresence:
    """`connection` is gone. Nothing changes if another one holds the seat by now."""
    person = presence.of(participant)
    if person.connection != connection or person.gone_since is not None:
        return presence
    return with_person(presence, participant, replace(person, connection=None, gone_since=now))


def given_up(presence: ConsultPresence, participant: ParticipantId) -> ConsultPresence:
    """Being gone has had its consequence; it has none a second time."""
    return with_person(presence, participant, replace(presence.of(participant), gone_since=None))


def with_peer(presence: ConsultPresence, participant: ParticipantId, peer: PeerId | None) -> ConsultPresence:
    """The participant's media goes through `peer`, or nowhere; nothing is measured of it yet."""
    person = replace(presence.of(participant), peer=peer, measured_level="good", picture_paused=False)
    return with_person(presence, participant, person)


def without_peer(presence: ConsultPresence, peer: PeerId) -> ConsultPresence:
    """`peer` is gone, whoever had it."""
    for participant, person in presence.people.items():
        if person.peer == peer:
            return with_peer(presence, participant, None)
    return presence


def with_reported_level(
    presence: ConsultPresence, participant: ParticipantId, level: ConnectionLevel
) -> ConsultPresence:
    """The participant's browser says its connection is `level`."""
    return with_person(presence, participant, replace(presence.of(participant), reported_level=level))


def with_measured(
    presence: ConsultPresence,
    participant: ParticipantId | None,
    level: ConnectionLevel,
    *,
    picture_paused: bool,
) -> ConsultPresence:
    """The media plane says so of the participant's peer; None is nobody here."""
    if participant is None:
        return presence
    person = replace(presence.of(participant), measured_level=level, picture_paused=picture_paused)
    return with_person(presence, participant, person)


def with_media(
    presence: ConsultPresence, participant: ParticipantId, *, audio_on: bool, video_on: bool
) -> ConsultPresence:
    """The participant's microphone and camera are on or off."""
    person = replace(presence.of(participant), audio_on=audio_on, video_on=video_on)
    return with_person(presence, participant, person)


def with_direction(
    presence: ConsultPresence, participant: ParticipantId, into: Side | None
) -> ConsultPresence:
    """The interpreter speaks this side's language now; None is both in turn."""
    return with_person(presence, participant, replace(presence.of(participant), interprets_into=into))


def with_original(presence: ConsultPresence, participant: ParticipantId, *, prefers: bool) -> ConsultPresence:
    """The participant wants to hear originals rather than their interpretation, or no longer."""
    return with_person(presence, participant, replace(presence.of(participant), prefers_original=prefers))


def with_check(presence: ConsultPresence, participant: ParticipantId, check: Checked) -> ConsultPresence:
    """The participant's device check went like this."""
    return with_person(presence, participant, replace(presence.of(participant), device_check=check))


def owner_of(presence: ConsultPresence, peer: PeerId) -> ParticipantId | None:
    """Whose `peer` this is."""
    return next((p for p, person in presence.people.items() if person.peer == peer), None)


def overdue(presence: ConsultPresence, *, now: datetime, after_s: int) -> tuple[ParticipantId, ...]:
    """Who has been gone for at least `after_s` seconds."""
    return tuple(
        participant
        for participant, person in presence.people.items()
        if person.gone_since is not None and (now - person.gone_since).total_seconds() >= after_s
    )
