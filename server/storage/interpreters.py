"""The register of interpreters in the database: the `Interpreters` of `signaling.ports`, and its keeping."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, Select, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from server.storage.database import Database
from server.storage.interpreting import insert_new
from server.storage.lasting import lasting
from server.storage.tables import (
    ConsultEvent,
    ConsultRow,
    Engagement,
    Interpreted,
    InterpreterExclusion,
    InterpreterRow,
    PersonRow,
    Rating,
    Shift,
    StaffAccount,
)
from signaling.consult.counting import Counted, count, usual_s
from signaling.consult.eligibility import Availability, Interpreter
from signaling.consult.ids import ClinicId, ConsultId, ParticipantId, UserId
from signaling.consult.stored import decode
from signaling.consult.values import Consult, Role
from signaling.ports import Clock, DeskEntry

RECENT: Final = timedelta(days=30)
RECENT_MAX: Final = 40  # consults whose connect times are looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """A line of the register, as coordinators keep it."""

    user: UserId
    name: str
    number: str
    agency: str | None
    pairs: tuple[tuple[str, str], ...]
    vetted: bool
    qualification: str
    gender: str | None
    camera: bool
    availability: Availability = "away"
    excluded: tuple[UserId, ...] = ()  # physicians


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftRow:
    """A time an interpreter is on duty, UTC."""

    shift: str
    user: UserId
    starts_at: datetime
    ends_at: datetime


class Interpreters:
    """The register in one database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    # --- signaling.ports.Interpreters --------------------------------------------------------------------

    @lasting
    async def register(self, consult: Consult) -> Sequence[Interpreter]:
        async with self._database.read() as connection:
            rows = (await connection.execute(_lines(consult.clinic))).all()
            engaged = await _engaged(connection)
            excluded = await _excluded(connection, consult)
            known = await _known(connection, consult)
        return [
            _interpreter(
                row,
                busy=engaged.get(row.user_id, consult.id) != consult.id,
                excluded=row.user_id in excluded,
                known=row.user_id in known,
            )
            for row in rows
        ]

    @lasting
    async def entry(self, user: UserId) -> DeskEntry | None:
        query = select(InterpreterRow.__table__).where(InterpreterRow.user_id == user)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
            engaged = await _engaged(connection)
        if row is None:
            return None
        return DeskEntry(interpreter=_interpreter(row, busy=user in engaged), number=row.number)

    @lasting
    async def set_availability(self, user: UserId, availability: Availability, *, now: datetime) -> bool:
        change = update(InterpreterRow).where(InterpreterRow.user_id == user)
        async with self._database.write() as connection:
            done = await connection.execute(change.values(availability=availability, seen_at=now))
        return done.rowcount > 0

    @lasting
    async def at_desk(self, users: Collection[UserId], *, now: datetime) -> None:
        if not users:
            return
        change = update(InterpreterRow).where(InterpreterRow.user_id.in_(tuple(users)))
        async with self._database.write() as connection:
            await connection.execute(change.values(seen_at=now))

    @lasting
    async def expected_s(self, clinic: ClinicId, language: str) -> int:
        counted = await self.counted(clinic, since=self._clock.now() - RECENT, limit=RECENT_MAX)
        short = language.split("-", maxsplit=1)[0].lower()
        own = [one for one in counted if any(s.language.lower().startswith(short) for s in one.searches)]
        return usual_s(own)

    # --- counts ------------------------------------------------------------------------------------------

    async def counted(self, clinic: ClinicId, *, since: datetime, limit: int) -> list[Counted]:
        """The counts of the clinic's newest consults in which an interpreter was asked for."""
        return [count(events) for _, events in await self.histories(clinic, since=since, limit=limit)]

    async def histories(
        self, clinic: ClinicId, *, since: datetime, limit: int
    ) -> Sequence[tuple[ConsultId, Sequence[Any]]]:
        """The events of those consults, each from its first one on."""
        asked = select(ConsultEvent.consult_id).where(
            ConsultEvent.type.in_(("interpreter_requested", "interpreter_connected")),
            ConsultEvent.at >= since,
        )
        newest = (
            select(ConsultRow.consult_id)
            .where(ConsultRow.clinic_id == clinic, ConsultRow.consult_id.in_(asked))
            .order_by(ConsultRow.starts_at.desc())
            .limit(limit)
        )
        query = (
            select(ConsultEvent.consult_id, ConsultEvent.body)
            .where(ConsultEvent.consult_id.in_(newest))
            .order_by(ConsultEvent.consult_id, ConsultEvent.version)
        )
        found: dict[ConsultId, list[Any]] = {}
        async with self._database.read() as connection:
            for row in await connection.execute(query):
                found.setdefault(ConsultId(row.consult_id), []).append(decode(row.body))
        return list(found.items())

    # --- the register as coordinators keep it ------------------------------------------------------------

    async def lines(self, clinic: ClinicId) -> Sequence[Registered]:
        """Everybody on the register, by name."""
        async with self._database.read() as connection:
            rows = (await connection.execute(_lines(clinic).order_by(StaffAccount.name))).all()
            found = await connection.execute(select(InterpreterExclusion.__table__))
            excluded: dict[str, list[UserId]] = {}
            for one in found:
                excluded.setdefault(one.user_id, []).append(UserId(one.physician_id))
        return [_registered(row, tuple(sorted(excluded.get(row.user_id, ())))) for row in rows]

    async def put(self, line: Registered) -> None:
        """Add or change a line; whom it excludes is replaced. The number is unique.

        Raises:
            IntegrityError: somebody else has this number, or there is no such account.
        """
        values = {
            "number": line.number,
            "agency": line.agency,
            "pairs": [list(pair) for pair in line.pairs],
            "vetted": line.vetted,
            "qualification": line.qualification,
            "gender": line.gender,
            "camera": line.camera,
        }
        new = {**values, "user_id": line.user, "availability": line.availability}
        async with self._database.write() as connection:
            change = update(InterpreterRow).where(InterpreterRow.user_id == line.user).values(**values)
            if not (await connection.execute(change)).rowcount:
                await connection.execute(insert(InterpreterRow).values(**new))
            mine = InterpreterExclusion.user_id == line.user
            await connection.execute(delete(InterpreterExclusion).where(mine))
            for physician in line.excluded:
                row = {"user_id": line.user, "physician_id": physician}
                await connection.execute(insert_new(connection, InterpreterExclusion, row))

    async def rate(
        self,
        consult: ConsultId,
        participant: ParticipantId,
        *,
        stars: int,
        tags: Sequence[str],
        now: datetime,
    ) -> None:
        """Note how somebody found the interpreting; the first answer stands."""
        row = {
            "consult_id": consult,
            "participant_id": participant,
            "stars": stars,
            "tags": sorted(set(tags)),
            "at": now,
        }
        async with self._database.write() as connection:
            await connection.execute(insert_new(connection, Rating, row))

    async def stars(self, since: datetime) -> Mapping[ConsultId, tuple[int, ...]]:
        """The stars given since then, by consult."""
        query = select(Rating.consult_id, Rating.stars).where(Rating.at >= since)
        found: dict[ConsultId, tuple[int, ...]] = {}
        async with self._database.read() as connection:
            for row in await connection.execute(query):
                found[ConsultId(row.consult_id)] = (*found.get(ConsultId(row.consult_id), ()), row.stars)
        return found

    async def shifts(self, clinic: ClinicId, start: datetime, end: datetime) -> Sequence[ShiftRow]:
        """Who is on duty at some time between `start` and `end`, by start."""
        query = (
            select(Shift.__table__)
            .join(StaffAccount, StaffAccount.user_id == Shift.user_id)
            .where(StaffAccount.clinic_id == clinic, Shift.starts_at < end, Shift.ends_at > start)
            .order_by(Shift.starts_at, Shift.shift_id)
        )
        async with self._database.read() as connection:
            return [
                ShiftRow(
                    shift=row.shift_id,
                    user=UserId(row.user_id),
                    starts_at=row.starts_at,
                    ends_at=row.ends_at,
                )
                for row in await connection.execute(query)
            ]

    async def add_shift(self, shift: ShiftRow) -> None:
        """Put somebody on duty."""
        row = {
            "shift_id": shift.shift,
            "user_id": shift.user,
            "starts_at": shift.starts_at,
            "ends_at": shift.ends_at,
        }
        async with self._database.write() as connection:
            await connection.execute(insert(Shift).values(**row))

    async def remove_shift(self, shift: str, *, clinic: ClinicId) -> None:
        """Take a shift of the clinic out of the plan."""
        own = select(StaffAccount.user_id).where(StaffAccount.clinic_id == clinic)
        async with self._database.write() as connection:
            await connection.execute(delete(Shift).where(Shift.shift_id == shift, Shift.user_id.in_(own)))


def _lines(clinic: ClinicId) -> Select[Any]:
    return (
        select(InterpreterRow.__table__, StaffAccount.name)
        .join(StaffAccount, StaffAccount.user_id == InterpreterRow.user_id)
        .where(StaffAccount.clinic_id == clinic, StaffAccount.disabled_at.is_(None))
    )


async def _engaged(connection: AsyncConnection) -> Mapping[str, str]:
    rows = await connection.execute(select(Engagement.user_id, Engagement.consult_id))
    return {row.user_id: row.consult_id for row in rows}


async def _excluded(connection: AsyncConnection, consult: Consult) -> frozenset[str]:
    physicians = [p.user for p in consult.of_role(Role.PHYSICIAN) if p.user is not None]
    mine = InterpreterExclusion.physician_id.in_(physicians)
    rows = await connection.execute(select(InterpreterExclusion.user_id).where(mine))
    return frozenset(rows.scalars())


async def _known(connection: AsyncConnection, consult: Consult) -> frozenset[str]:
    """Who interpreted for the same person before, told apart by name and year of birth."""
    patient = next(consult.of_role(Role.PATIENT), None)
    if patient is None:
        return frozenset()
    now, then = aliased(PersonRow), aliased(PersonRow)
    query = (
        select(Interpreted.user_id)
        .join(then, then.consult_id == Interpreted.consult_id)
        .join(now, (now.name == then.name) & (now.birth_year == then.birth_year))
        .where(now.consult_id == consult.id, now.participant_id == patient.id)
        .where(then.consult_id != consult.id, now.name != "")
    )
    return frozenset((await connection.execute(query)).scalars())


def _interpreter(row: Row[Any], *, busy: bool, excluded: bool = False, known: bool = False) -> Interpreter:
    return Interpreter(
        user=UserId(row.user_id),
        employer="staff" if row.agency is None else "agency",
        pairs=frozenset((source, target) for source, target in row.pairs),
        vetted=row.vetted,
        medical=row.qualification != "",
        gender=row.gender,
        camera=row.camera,
        availability=row.availability,
        seen_at=row.seen_at,
        busy=busy,
        excluded=excluded,
        known=known,
    )


def _registered(row: Row[Any], excluded: tuple[UserId, ...]) -> Registered:
    return Registered(
        user=UserId(row.user_id),
        name=row.name,
        number=row.number,
        agency=row.agency,
        pairs=tuple((source, target) for source, target in row.pairs),
        vetted=row.vetted,
        qualification=row.qualification,
        gender=row.gender,
        camera=row.camera,
        availability=row.availability,
        excluded=excluded,
    )
