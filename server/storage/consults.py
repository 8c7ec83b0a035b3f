"""Consults in the database: the `ConsultStore` of `signaling.ports`."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from server.recordings.keeping import KEPT, put_recording
from server.storage.database import Database
from server.storage.interpreting import notes_of, put_interpreting
from server.storage.lasting import lasting
from server.storage.tables import (
    TAKEN_AWAY,
    ChatMessage,
    CommandDone,
    ConsultEvent,
    ConsultRow,
    Invitation,
    PersonRow,
    SeatDevice,
    StaffAccount,
)
from signaling.consult.events import Event, InvitationRevoked
from signaling.consult.evolve import replay
from signaling.consult.ids import ActorId, ClinicId, ConsultId, MessageId, ParticipantId
from signaling.consult.stored import decode, encode
from signaling.consult.values import Consult, Phase
from signaling.errors import VersionConflict
from signaling.ports import BOARD_ROWS_MAX, ChatRow, CommandRow, Notes, Person, PersonChange, SideRows

_LIVE: Final = (Phase.WAITING.value, Phase.IN_PROGRESS.value)
_PERSON_FIELDS: Final = tuple(field.name for field in fields(Person))


class Consults:
    """The consults in one database."""

    def __init__(self, database: Database, *, recordings_kept: timedelta = KEPT) -> None:
        """`recordings_kept`: from the end of a recording until it is destroyed."""
        self._database = database
        self._recordings_kept = recordings_kept

    @lasting
    async def load(self, consult: ConsultId) -> Consult | None:
        query = select(ConsultEvent.body).where(ConsultEvent.consult_id == consult)
        async with self._database.read() as connection:
            bodies = (await connection.execute(query.order_by(ConsultEvent.version))).scalars().all()
        return replay(None, map(decode, bodies))

    @lasting
    async def events(self, consult: ConsultId) -> Sequence[Event]:
        """All that has happened to a consult, in order; nothing where there is none."""
        query = select(ConsultEvent.body).where(ConsultEvent.consult_id == consult)
        async with self._database.read() as connection:
            bodies = (await connection.execute(query.order_by(ConsultEvent.version))).scalars().all()
        return [decode(body) for body in bodies]

    @lasting
    async def append(
        self,
        after: Consult,
        events: Sequence[Event],
        *,
        expected_version: int,
        due_at: datetime | None,
        rows: SideRows,
    ) -> None:
        try:
            async with self._database.write() as connection:
                await _append_events(connection, after.id, events, expected_version)
                await _put_summary(connection, after, due_at, is_new=expected_version == 0)
                await _put_people(connection, after.id, rows.people)
                if rows.chat:
                    await connection.execute(
                        insert(ChatMessage), [_chat_values(after.id, row) for row in rows.chat]
                    )
                if rows.command is not None:
                    await connection.execute(insert(CommandDone).values(**_command_values(rows.command)))
                await put_interpreting(connection, after, events, rows)
                for event in events:
                    if isinstance(event, InvitationRevoked):
                        await _revoke(connection, after.id, event.participant, event.at)
                await put_recording(connection, after, events, kept=self._recordings_kept)
        except IntegrityError as error:
            raise VersionConflict from error

    @lasting
    async def due(self, now: datetime, *, limit: int) -> Sequence[ConsultId]:
        query = select(ConsultRow.consult_id).where(ConsultRow.due_at <= now)
        return await self._ids(query.order_by(ConsultRow.due_at, ConsultRow.consult_id).limit(limit))

    @lasting
    async def live(self, *, limit: int) -> Sequence[ConsultId]:
        opened = (ConsultRow.phase == Phase.SCHEDULED.value) & ConsultRow.opened
        query = select(ConsultRow.consult_id).where(or_(_is_live(), opened))
        return await self._ids(query.order_by(ConsultRow.starts_at, ConsultRow.consult_id).limit(limit))

    @lasting
    async def board(self, clinic: ClinicId, start: datetime, end: datetime) -> Sequence[ConsultId]:
        of_the_day = (ConsultRow.starts_at >= start) & (ConsultRow.starts_at < end)
        query = select(ConsultRow.consult_id).where(
            ConsultRow.clinic_id == clinic, or_(of_the_day, _is_live())
        )
        return await self._ids(
            query.order_by(ConsultRow.starts_at, ConsultRow.consult_id).limit(BOARD_ROWS_MAX)
        )

    @lasting
    async def versions(self, consults: Sequence[ConsultId]) -> Mapping[ConsultId, int]:
        query = select(ConsultRow.consult_id, ConsultRow.version)
        async with self._database.read() as connection:
            rows = (await connection.execute(query.where(ConsultRow.consult_id.in_(consults)))).all()
        return {ConsultId(row.consult_id): row.version for row in rows}

    @lasting
    async def directory(self, consult: ConsultId) -> Mapping[ParticipantId, Person]:
        query = select(PersonRow.__table__).where(PersonRow.consult_id == consult)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return {
            ParticipantId(row.participant_id): Person(**{name: getattr(row, name) for name in _PERSON_FIELDS})
            for row in rows
        }

    @lasting
    async def notes(self, consult: ConsultId) -> Notes:
        async with self._database.read() as connection:
            return await notes_of(connection, consult)

    @lasting
    async def ringing(self, clinic: ClinicId) -> Sequence[ConsultId]:
        query = select(ConsultRow.consult_id).where(ConsultRow.clinic_id == clinic, ConsultRow.ringing)
        return await self._ids(query.order_by(ConsultRow.starts_at, ConsultRow.consult_id))

    @lasting
    async def chat(self, consult: ConsultId, *, after_seq: int, limit: int) -> Sequence[ChatRow]:
        query = (
            select(ChatMessage.__table__)
            .where(ChatMessage.consult_id == consult, ChatMessage.seq > after_seq)
            .order_by(ChatMessage.seq)
            .limit(limit)
        )
        async with self._database.read() as connection:
            return [_chat_row(row) for row in await connection.execute(query)]

    @lasting
    async def done(self, actor: ActorId, command_id: str) -> CommandRow | None:
        query = select(CommandDone.__table__).where(
            CommandDone.actor_id == actor, CommandDone.command_id == command_id
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else _command_row(row)

    async def forget_commands(self, before: datetime) -> None:
        """Forget commands done before then: whoever sends one again does so within minutes."""
        async with self._database.write() as connection:
            await connection.execute(delete(CommandDone).where(CommandDone.at < before))

    @lasting
    async def continued_as(self, consult: ConsultId) -> ConsultId | None:
        ids = await self._ids(select(ConsultRow.consult_id).where(ConsultRow.continues == consult))
        return ids[0] if ids else None

    async def is_only_of(self, clinic: ClinicId) -> bool:
        """Whether there are consults of no other clinic."""
        return not await self._ids(
            select(ConsultRow.consult_id).where(ConsultRow.clinic_id != clinic).limit(1)
        )

    async def _ids(self, query: Select[str]) -> Sequence[ConsultId]:
        async with self._database.read() as connection:
            return [ConsultId(row) for row in (await connection.execute(query)).scalars()]


def _command_values(command: CommandRow) -> dict[str, Any]:
    return {
        "actor_id": command.actor,
        "command_id": command.command_id,
        "at": command.at,
        "consult_id": command.consult,
        "participant_id": command.participant,
    }


def _command_row(row: Row[Any]) -> CommandRow:
    return CommandRow(
        actor=ActorId(row.actor_id),
        command_id=row.command_id,
        at=row.at,
        consult=ConsultId(row.consult_id),
        participant=None if row.participant_id is None else ParticipantId(row.participant_id),
    )


def _is_live() -> ColumnElement[bool]:
    return ConsultRow.phase.in_(_LIVE)


async def _append_events(
    connection: AsyncConnection, consult: ConsultId, events: Sequence[Event], expected_version: int
) -> None:
    """The primary key (consult, version) is the lock: of two writers at one version the second fails."""
    await connection.execute(
        insert(ConsultEvent),
        [
            {
                "consult_id": consult,
                "version": version,
                "type": event.type,
                "at": event.at,
                "by": event.by,
                "body": encode(event),
            }
            for version, event in enumerate(events, start=expected_version + 1)
        ],
    )


async def _put_summary(
    connection: AsyncConnection,
    after: Consult,
    due_at: datetime | None,
    *,
    is_new: bool,
) -> None:
    values: dict[str, Any] = {
        "clinic_id": after.clinic,
        "phase": after.phase.value,
        "version": after.version,
        "starts_at": after.starts_at,
        "ends_at": after.ends_at,
        "due_at": due_at,
        "opened": after.opened,
        "continues": after.continues,
        "ringing": after.request is not None and after.request.is_open,
    }
    if is_new:
        await connection.execute(insert(ConsultRow).values(consult_id=after.id, **values))
    else:
        await connection.execute(update(ConsultRow).where(ConsultRow.consult_id == after.id).values(**values))


async def _put_people(
    connection: AsyncConnection, consult: ConsultId, changes: Sequence[PersonChange]
) -> None:
    for change in changes:
        values = {name: value for name in _PERSON_FIELDS if (value := getattr(change, name)) is not None}
        mine = (PersonRow.consult_id == consult, PersonRow.participant_id == change.participant)
        known = (await connection.execute(select(PersonRow.participant_id).where(*mine))).first()
        if known is None:
            values.setdefault("name", await _account_name(connection, change))
            values |= {"consult_id": consult, "participant_id": change.participant}
            await connection.execute(insert(PersonRow).values(**values))
        elif values:
            await connection.execute(update(PersonRow).where(*mine).values(**values))


async def _account_name(connection: AsyncConnection, change: PersonChange) -> str:
    query = select(StaffAccount.name).where(StaffAccount.user_id == change.user)
    return (await connection.execute(query)).scalar_one_or_none() or ""


async def _revoke(
    connection: AsyncConnection, consult: ConsultId, participant: ParticipantId, now: datetime
) -> None:
    """The links stop working, and the cookies of whoever used one."""
    await connection.execute(
        update(Invitation)
        .where(
            Invitation.consult_id == consult,
            Invitation.participant_id == participant,
            Invitation.revoked_at.is_(None),
        )
        .values(revoked_at=now)
    )
    await connection.execute(
        update(SeatDevice)
        .where(
            SeatDevice.consult_id == consult,
            SeatDevice.participant_id == participant,
        )
        .values(expires_at=TAKEN_AWAY)
    )


def _chat_values(consult: ConsultId, row: ChatRow) -> dict[str, Any]:
    return {
        "consult_id": consult,
        "seq": row.seq,
        "message_id": row.message,
        "participant_id": row.participant,
        "at": row.at,
        "text": row.text,
    }


def _chat_row(row: Row[*tuple[Any, ...]]) -> ChatRow:
    return ChatRow(
        seq=row.seq,
        message=MessageId(row.message_id),
        participant=ParticipantId(row.participant_id),
        at=row.at,
        text=row.text,
    )
