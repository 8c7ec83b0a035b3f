"""Recordings in the database, and what is written to the audit log with each change of one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol

from sqlalchemy import ColumnElement, Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.audit.log import Entry, append
from server.logs import logger
from server.recordings.names import id_of
from server.storage.database import Database
from server.storage.lasting import lasting
from server.storage.recording_tables import RecordingDeletion, RecordingPart, RecordingRow
from server.storage.tables import ConsultEvent, PersonRow
from signaling.consult.events import InvitationRevoked, ParticipantInvited
from signaling.consult.ids import ClinicId, ConsultId, RecordingId, UserId
from signaling.consult.stored import decode

LISTED_MAX: Final = 200
_INVITING: Final = ("participant_invited", "invitation_revoked")

log = logger("recordings")


class Progress(Protocol):
    """How far a part is on the disk: `media.interface.RecordingProgress`, `recording` in hex."""

    @property
    def recording(self) -> str: ...

    @property
    def part(self) -> int: ...

    @property
    def records(self) -> int: ...

    @property
    def size_bytes(self) -> int: ...

    @property
    def chain(self) -> str: ...

    @property
    def ended(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Somebody of a consult. `index` is their place in it, which their tracks are numbered by."""

    index: int
    participant: str
    role: str
    language: str
    name: str = ""
    user: UserId | None = None
    revoked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PartFacts:
    """One sealed file as the worker last told of it."""

    part: int
    began_at: datetime
    records: int
    size_bytes: int
    chain: str
    ended: str
    at: datetime
    stored: str

    def as_json(self) -> dict[str, object]:
        """What the vault compares the file with, and what a certificate says of it."""
        return {
            "part": self.part,
            "records": self.records,
            "size_bytes": self.size_bytes,
            "chain": self.chain,
            "ended": self.ended,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Somebody asks that a recording be deleted."""

    by: UserId
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A recording with the people of its consult."""

    id: RecordingId
    consult: ConsultId
    clinic: ClinicId
    no: int
    what: str
    state: str
    asked_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    ended_why: str | None
    epoch_ms: int | None
    status: str
    keep_until: datetime | None
    held: bool
    destroying_at: datetime | None
    destroying_why: str | None
    destroying_place: str | None
    shredded_at: datetime | None
    people: tuple[Member, ...] = ()
    parts: tuple[PartFacts, ...] = ()
    deletion: Asked | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing is added any more."""
        return self.ended_at is not None

    @property
    def is_gone(self) -> bool:
        """Whether it is destroyed, or was decided to be."""
        return self.destroying_at is not None or self.shredded_at is not None

    def is_treated_by(self, user: UserId) -> bool:
        """Whether this account takes part in the consult as a physician."""
        return any(p.user == user and p.role == "physician" and not p.revoked for p in self.people)

    def name_of(self, role: str) -> str:
        """The name of the first person with a role; empty where there is none."""
        return next((p.name for p in self.people if p.role == role and not p.revoked), "")


_PART_FIELDS: Final = tuple(PartFacts.__dataclass_fields__)
_COLUMNS: Final = {
    "id": RecordingRow.recording_id,
    "consult": RecordingRow.consult_id,
    "clinic": RecordingRow.clinic_id,
    **{
        name: getattr(RecordingRow, name)
        for name in Recorded.__dataclass_fields__
        if name not in ("id", "consult", "clinic", "people", "parts", "deletion")
    },
}


@dataclass(slots=True)
class _Around:
    """What belongs to some recordings."""

    people: dict[str, list[Member]] = field(default_factory=dict)
    parts: dict[str, list[PartFacts]] = field(default_factory=dict)
    asked: dict[str, Asked] = field(default_factory=dict)


class Recordings:
    """The recordings of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @lasting
    async def of_clinic(self, clinic: ClinicId, *, limit: int = LISTED_MAX) -> Sequence[Recorded]:
        """Those that were begun, the newest first."""
        found = (RecordingRow.clinic_id == clinic, RecordingRow.started_at.is_not(None))
        async with self._database.read() as connection:
            return await _read(connection, *found, limit=limit)

    @lasting
    async def one(self, recording: RecordingId) -> Recorded | None:
        """A recording, or None."""
        async with self._database.read() as connection:
            return await one(connection, recording)

    @lasting
    async def found(self, recording: RecordingId, status: str) -> None:
        """Write down what the vault found it to be."""
        async with self._database.write() as connection:
            mine = update(RecordingRow).where(RecordingRow.recording_id == recording)
            await connection.execute(mine.values(status=status))

    @lasting
    async def progress(self, notice: Progress, *, now: datetime) -> bool:
        """Write down how far a part is, with an entry in the audit log; whether its recording is known.

        What was told before, or is told late, changes nothing. Raises `Unstored`, and ValueError for a notice
        that names no recording.
        """
        recording = id_of(notice.recording)
        async with self._database.write() as connection:
            query = select(RecordingRow.consult_id).where(RecordingRow.recording_id == recording)
            consult = (await connection.execute(query)).scalar_one_or_none()
            if consult is None:
                log.warning("a part of an unknown recording")
                return False
            is_new = await _put_part(connection, recording, notice, now)
            if is_new is not None:
                kind = "recording.part" if is_new or notice.ended else "recording.checkpoint"
                body = {name: getattr(notice, name) for name in ("records", "size_bytes", "chain", "ended")}
                entry = Entry(
                    kind=kind,
                    actor="worker",
                    consult=consult,
                    object=recording,
                    body={"part": notice.part, **body},
                )
                await append(connection, entry, now=now)
        return True


async def one(connection: AsyncConnection, recording: RecordingId) -> Recorded | None:
    """A recording as this transaction sees it, or None."""
    found = await _read(connection, RecordingRow.recording_id == recording, limit=1)
    return found[0] if found else None


async def _put_part(
    connection: AsyncConnection, recording: RecordingId, notice: Progress, now: datetime
) -> bool | None:
    """Whether the part is new; None where nothing is."""
    mine = (RecordingPart.recording_id == recording, RecordingPart.part == notice.part)
    told = {
        "records": notice.records,
        "size_bytes": notice.size_bytes,
        "chain": notice.chain,
        "ended": notice.ended,
    }
    known = (await connection.execute(select(RecordingPart.__table__).where(*mine))).one_or_none()
    if known is None:
        row = {"recording_id": recording, "part": notice.part, "began_at": now, "at": now, **told}
        await connection.execute(insert(RecordingPart).values(**row))
        return True
    is_late = known.ended != "" or notice.records < known.records
    if is_late or all(getattr(known, name) == value for name, value in told.items()):
        return None
    await connection.execute(update(RecordingPart).where(*mine).values(at=now, **told))
    return False


async def _read(connection: AsyncConnection, *where: ColumnElement[bool], limit: int) -> Sequence[Recorded]:
    query = select(*(column.label(name) for name, column in _COLUMNS.items())).where(*where)
    newest = query.order_by(RecordingRow.asked_at.desc(), RecordingRow.recording_id).limit(limit)
    rows = (await connection.execute(newest)).all()
    around = await _around(connection, rows)
    return [
        Recorded(
            **row._mapping,  # noqa: SLF001 (SQLAlchemy's public name for a row's fields)
            people=tuple(around.people.get(row.consult, ())),
            parts=tuple(around.parts.get(row.id, ())),
            deletion=around.asked.get(row.id),
        )
        for row in rows
    ]


async def _around(connection: AsyncConnection, rows: Sequence[Row[Any]]) -> _Around:
    ids, consults = [row.id for row in rows], list({row.consult for row in rows})
    found = _Around(people=await members(connection, consults))
    parts = select(RecordingPart.__table__).where(RecordingPart.recording_id.in_(ids))
    for row in await connection.execute(parts.order_by(RecordingPart.recording_id, RecordingPart.part)):
        part = PartFacts(**{name: getattr(row, name) for name in _PART_FIELDS})
        found.parts.setdefault(row.recording_id, []).append(part)
    asked = select(RecordingDeletion.__table__).where(RecordingDeletion.recording_id.in_(ids))
    for row in await connection.execute(asked):
        found.asked[row.recording_id] = Asked(by=row.asked_by, at=row.asked_at, reason=row.reason)
    return found


async def members(connection: AsyncConnection, consults: Sequence[str]) -> dict[str, list[Member]]:
    """The people of these consults, in the order they were invited."""
    query = select(ConsultEvent.consult_id, ConsultEvent.body).where(
        ConsultEvent.consult_id.in_(consults), ConsultEvent.type.in_(_INVITING)
    )
    invited: dict[str, list[ParticipantInvited]] = {}
    revoked: set[tuple[str, str]] = set()
    for row in await connection.execute(query.order_by(ConsultEvent.consult_id, ConsultEvent.version)):
        event = decode(row.body)
        if isinstance(event, ParticipantInvited):
            invited.setdefault(row.consult_id, []).append(event)
        elif isinstance(event, InvitationRevoked):
            revoked.add((row.consult_id, event.participant))
    people = select(PersonRow.consult_id, PersonRow.participant_id, PersonRow.name)
    rows = await connection.execute(people.where(PersonRow.consult_id.in_(consults)))
    names: Mapping[tuple[str, str], str] = {(r.consult_id, r.participant_id): r.name for r in rows}
    return {
        consult: [
            Member(
                index=index,
                participant=one.participant,
                role=one.role.value,
                language=one.language,
                name=names.get((consult, one.participant), ""),
                user=one.user,
                revoked=(consult, one.participant) in revoked,
            )
            for index, one in enumerate(events)
        ]
        for consult, events in invited.items()
    }
