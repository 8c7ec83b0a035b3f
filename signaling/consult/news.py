"""What servers that share a database tell each other: ids, versions and presence. No names, no text.

Whatever is said may be lost, come twice or come late. Nothing durable depends on it: a consult is read from
the database, and of two presences of a person the newer one counts wherever it is heard.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NewType

from signaling.consult.ids import ClinicId, ConsultId, DeviceId, ParticipantId, PeerId, UserId
from signaling.consult.presence import PersonPresence
from signaling.consult.values import ConnectionLevel

ServerId = NewType("ServerId", str)
"""Where the other servers reach one: it is the same after a restart."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Stamp:
    """When a person's presence was written, and by which server: a Lamport clock, so that all agree on order.

    Lamport, Time, Clocks, and the Ordering of Events in a Distributed System (1978).
    """

    count: int
    server: ServerId


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceEntry:
    """One person's presence as a server last wrote it."""

    participant: ParticipantId
    person: PersonPresence
    stamp: Stamp


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A consult is at `version` now, and these people are present like this."""

    consult: ConsultId
    clinic: ClinicId
    version: int
    people: tuple[PresenceEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PeerMeasured:
    """The media plane, which one server asks for all, measures this of a peer."""

    consult: ConsultId
    peer: PeerId
    level: ConnectionLevel
    picture_paused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaGone:
    """The media plane has lost a peer; without one, everything of the consult."""

    consult: ConsultId
    peer: PeerId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MuteAsked:
    """Somebody asks this participant to mute."""

    consult: ConsultId
    participant: ParticipantId


@dataclass(frozen=True, slots=True, kw_only=True)
class Continued:
    """A consult goes on as another one."""

    consult: ConsultId
    continued_as: ConsultId


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedOut:
    """An account is signed out on these devices."""

    user: UserId
    devices: tuple[DeviceId, ...]


News = Changed | PeerMeasured | MediaGone | MuteAsked | Continued | SignedOut


def is_newer(entry: PresenceEntry, than: Stamp | None) -> bool:
    """Whether this says something later than what is known."""
    return than is None or entry.stamp > than


def next_stamp(known: Iterable[Stamp], server: ServerId) -> Stamp:
    """A stamp after all of these."""
    return Stamp(count=max((stamp.count for stamp in known), default=0) + 1, server=server)
