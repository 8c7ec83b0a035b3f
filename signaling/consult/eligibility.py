"""Who may be rung for a request, and in which tier. Pure; the register is looked up outside.

A language fits if what the interpreter is qualified for covers what is asked: somebody qualified for `es`
interprets `es-MX`, somebody for `es-MX` alone is not assumed to interpret every Spanish (BCP 47, RFC 4647
section 3.3.1, basic filtering). Languages that share a tag's first part and are not understood by each
other's speakers (`yue` and `cmn`, written `zh-Hant` and `zh-Hans`) are therefore kept apart.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from signaling.consult.ids import UserId
from signaling.consult.interpreting import Employer, Gender, Tier, Wanted

Availability = Literal["available", "on_break", "away"]
SEEN_WITHIN: Final = timedelta(seconds=45)  # a desk says every 15 s that it is open


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """What the register knows of an interpreter. `pairs` are directions: (from, into), BCP 47."""

    user: UserId
    employer: Employer
    pairs: frozenset[tuple[str, str]]
    vetted: bool
    medical: bool  # certified (CCHI, NBCMI) or trained, with the clinic's proof
    gender: Gender | None
    camera: bool
    availability: Availability
    seen_at: datetime | None  # when their desk was last known to be open
    busy: bool  # in another consult, or on their way to one
    excluded: bool = False  # not to be rung for this patient or physician
    known: bool = False  # interpreted for this patient before


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Somebody who may be rung, from which tier on."""

    user: UserId
    tier: Tier


def covers(qualified: str, wanted: str) -> bool:
    """Whether somebody qualified for one language tag is qualified for another."""
    have, want = qualified.lower(), wanted.lower()
    return want == have or want.startswith(have + "-")


def interprets(person: Interpreter, one: str, other: str) -> bool:
    """Whether they interpret between two languages, in both directions."""

    def into(a: str, b: str) -> bool:
        return any(covers(source, a) and covers(target, b) for source, target in person.pairs)

    return into(one, other) and into(other, one)


def is_eligible(person: Interpreter, wanted: Wanted, *, now: datetime) -> bool:
    """Whether this person may be rung at all: vetted, qualified, both directions, free, at their desk."""
    at_desk = person.seen_at is not None and now - person.seen_at <= SEEN_WITHIN
    return (
        person.vetted
        and person.medical
        and not person.excluded
        and not person.busy
        and person.availability == "available"
        and at_desk
        and (person.camera or wanted.mode == "audio")
        and interprets(person, wanted.patient_language, wanted.clinician_language)
    )


def tier_of(person: Interpreter, wanted: Wanted) -> Tier:
    """From which tier on they are rung. A preference that does not fit puts them last, never out."""
    if wanted.gender is not None and person.gender != wanted.gender:
        return Tier.ALL
    if person.known:
        return Tier.KNOWN
    return Tier.STAFF if person.employer == "staff" else Tier.AGENCY


def candidates(register: Iterable[Interpreter], wanted: Wanted, *, now: datetime) -> tuple[Candidate, ...]:
    """Everybody who may be rung, by id."""
    found = (
        Candidate(user=person.user, tier=tier_of(person, wanted))
        for person in register
        if is_eligible(person, wanted, now=now)
    )
    return tuple(sorted(found, key=lambda one: one.user))
