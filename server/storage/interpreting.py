"""What is stored of interpreting with a consult's events: case cards, and who is taken up."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Insert, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from server.storage.tables import Base, CaseCard, Engagement, Interpreted, InterpreterRow
from signaling.consult.events import Event
from signaling.consult.ids import ConsultId, UserId
from signaling.consult.interpreting_events import InterpreterConnected, RingAccepted
from signaling.consult.values import Consult
from signaling.errors import Engaged
from signaling.ports import Notes, SideRows


async def notes_of(connection: AsyncConnection, consult: ConsultId) -> Notes:
    """A consult's case card, and the numbers of whoever has interpreted or is to interpret in it."""
    case = await connection.execute(select(CaseCard.text).where(CaseCard.consult_id == consult))
    engaged = select(Engagement.user_id).where(Engagement.consult_id == consult)
    interpreted = select(Interpreted.user_id).where(Interpreted.consult_id == consult)
    users = engaged.union(interpreted)
    numbers = select(InterpreterRow.user_id, InterpreterRow.number).where(InterpreterRow.user_id.in_(users))
    rows = (await connection.execute(numbers)).all()
    return Notes(case=case.scalar_one_or_none(), numbers={UserId(row.user_id): row.number for row in rows})


async def put_interpreting(
    connection: AsyncConnection, after: Consult, events: Sequence[Event], rows: SideRows
) -> None:
    """Store what belongs to these events.

    Raises:
        Engaged: whoever accepts is taken up by another consult; the transaction is to be undone.
    """
    if rows.case is not None:
        await connection.execute(delete(CaseCard).where(CaseCard.consult_id == after.id))
        card = insert_new(connection, CaseCard, {"consult_id": after.id, "text": rows.case})
        await connection.execute(card)
    if after.over:  # nobody is to be briefed any more
        await connection.execute(delete(CaseCard).where(CaseCard.consult_id == after.id))
    if rows.engaged is not None:
        await _engage(connection, after.id, rows.engaged)
    for event in events:
        if isinstance(event, RingAccepted):
            await _check_engaged_here(connection, after.id, event.user)
        elif isinstance(event, InterpreterConnected):
            person = after.participant(event.participant)
            if person is not None and person.user is not None:
                done = {"consult_id": after.id, "user_id": person.user}
                await connection.execute(insert_new(connection, Interpreted, done))


async def _engage(connection: AsyncConnection, consult: ConsultId, users: frozenset[UserId]) -> None:
    """The primary key decides between two consults that take somebody up at once."""
    gone = delete(Engagement).where(Engagement.consult_id == consult, Engagement.user_id.not_in(users))
    await connection.execute(gone)
    for user in sorted(users):
        taken = {"user_id": user, "consult_id": consult}
        await connection.execute(insert_new(connection, Engagement, taken))


async def _check_engaged_here(connection: AsyncConnection, consult: ConsultId, user: UserId) -> None:
    query = select(Engagement.consult_id).where(Engagement.user_id == user)
    if (await connection.execute(query)).scalar_one_or_none() != consult:
        raise Engaged


def insert_new(connection: AsyncConnection, table: type[Base], row: Mapping[str, Any]) -> Insert:
    """Insert a row unless there is one with its key."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table).values(**row).on_conflict_do_nothing()
    return sqlite.insert(table).values(**row).on_conflict_do_nothing()
