"""What is known of people and clinics beside the facts: rows that may be corrected and erased."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from signaling.consult.ids import ParticipantId, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What is known of a participant beside the facts: rows that can be erased."""

    name: str
    birth_year: int | None = None
    time_zone: str | None = None  # IANA name
    country: str | None = None  # as booked, ISO 3166-1 alpha-2
    city: str | None = None  # as booked
    location_country: str | None = None  # as told by the person
    location_text: str | None = None  # as told by the person


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonChange:
    """Set these fields of one participant's row (made if missing); None leaves a field as it is.

    A new participant with a staff account and no `name` gets the account's name from the store.
    """

    participant: ParticipantId
    user: UserId | None = None
    name: str | None = None
    birth_year: int | None = None
    time_zone: str | None = None
    country: str | None = None
    city: str | None = None
    location_country: str | None = None
    location_text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notes:
    """What else rows say of a consult: the case in the physician's words, and interpreters' numbers."""

    case: str | None = None
    numbers: Mapping[UserId, str] = field(default_factory=lambda: MappingProxyType({}))


NO_NOTES: Final = Notes()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClinicFacts:
    """What views say about the clinic."""

    name: str
    phone: str
    time_zone: str  # IANA name; the board's day is a day there
    emergency_numbers: Mapping[str, str]  # by ISO 3166-1 alpha-2
    interpreter_line: str = ""  # the telephone interpreters called when nobody answers a ring
