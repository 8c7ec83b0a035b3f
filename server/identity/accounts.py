"""Accounts of staff: physicians, coordinators and staff interpreters of a clinic.

* `EmailTakenError`: there is an account with this e-mail address already
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, get_args

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from server.identity.passwords import Passwords
from server.identity.random_values import new_id
from server.storage.database import Database
from server.storage.tables import TAKEN_AWAY, SeatDevice, StaffAccount, StaffSignIn
from signaling.consult.ids import ClinicId, UserId

StaffRole = Literal["physician", "coordinator", "interpreter"]
STAFF_ROLES: Final[tuple[StaffRole, ...]] = get_args(StaffRole)


class EmailTakenError(Exception):
    """There is an account with this e-mail address already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A member of staff."""

    user_id: UserId
    name: str
    role: StaffRole
    clinic_id: ClinicId
    language: str
    languages: tuple[str, ...]


_COLUMNS = (
    StaffAccount.user_id,
    StaffAccount.name,
    StaffAccount.role,
    StaffAccount.clinic_id,
    StaffAccount.language,
    StaffAccount.languages,
)


def _account(row: Row[*tuple[Any, ...]]) -> Account:
    return Account(
        user_id=row.user_id,
        name=row.name,
        role=row.role,
        clinic_id=row.clinic_id,
        language=row.language,
        languages=tuple(row.languages),
    )


class Accounts:
    """The accounts in the database. E-mail addresses compare without regard to case."""

    def __init__(self, database: Database, passwords: Passwords) -> None:
        self._database = database
        self._passwords = passwords

    async def add(
        self,
        *,
        email: str,
        name: str,
        role: StaffRole,
        clinic_id: ClinicId,
        language: str,
        languages: Sequence[str],
        password: str,
        now: datetime,
    ) -> UserId:
        """Make an account and return its id, or raise `EmailTakenError`."""
        user_id = UserId(new_id())
        row = {
            "user_id": user_id,
            "email": email.strip().lower(),
            "name": name,
            "role": role,
            "clinic_id": clinic_id,
            "language": language,
            "languages": list(languages),
            "password_hash": await self._passwords.hashed(password),
            "created_at": now,
        }
        try:
            async with self._database.write() as connection:
                await connection.execute(insert(StaffAccount).values(row))
        except IntegrityError as error:
            raise EmailTakenError from error
        return user_id

    async def checked(self, *, email: str, password: str) -> Account | None:
        """The account of an e-mail address and its password, or None."""
        query = select(*_COLUMNS, StaffAccount.password_hash).where(
            StaffAccount.email == email.strip().lower(), StaffAccount.disabled_at.is_(None)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        if not await self._passwords.matches(password, row.password_hash if row else None) or row is None:
            return None
        if self._passwords.is_outdated(row.password_hash):
            await self._store(UserId(row.user_id), password)
        return _account(row)

    async def reset_password(self, *, email: str, password: str, end_sign_ins: bool = True) -> bool:
        """Set a new password and end every sign-in of the account. False when there is none."""
        user_id = await self.id_of(email)
        if user_id is None:
            return False
        await self._store(user_id, password, end_sign_ins=end_sign_ins)
        return True

    async def disable(self, *, email: str, now: datetime) -> bool:
        """Close an account with its sign-ins and the seats it entered. False when there is none open."""
        open_one = (StaffAccount.email == email.strip().lower(), StaffAccount.disabled_at.is_(None))
        async with self._database.write() as connection:
            query = select(StaffAccount.user_id).where(*open_one)
            user_id = (await connection.execute(query)).scalar_one_or_none()
            if user_id is None:
                return False
            await connection.execute(
                update(StaffAccount).where(StaffAccount.user_id == user_id).values(disabled_at=now)
            )
            await connection.execute(delete(StaffSignIn).where(StaffSignIn.user_id == user_id))
            await connection.execute(
                update(SeatDevice).where(SeatDevice.user_id == user_id).values(expires_at=TAKEN_AWAY)
            )
        return True

    async def find(self, user_id: UserId) -> Account | None:
        """The account with an id, unless it is disabled."""
        query = select(*_COLUMNS).where(StaffAccount.user_id == user_id, StaffAccount.disabled_at.is_(None))
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return _account(row) if row else None

    async def of_clinic(self, clinic_id: ClinicId) -> tuple[Account, ...]:
        """Everyone who works in a clinic, by name."""
        query = (
            select(*_COLUMNS)
            .where(StaffAccount.clinic_id == clinic_id, StaffAccount.disabled_at.is_(None))
            .order_by(func.lower(StaffAccount.name), StaffAccount.user_id)
        )
        async with self._database.read() as connection:
            return tuple(_account(row) for row in await connection.execute(query))

    async def id_of(self, email: str) -> UserId | None:
        """The id behind an e-mail address."""
        query = select(StaffAccount.user_id).where(StaffAccount.email == email.strip().lower())
        async with self._database.read() as connection:
            user_id = (await connection.execute(query)).scalar_one_or_none()
        return UserId(user_id) if user_id else None

    async def _store(self, user_id: UserId, password: str, *, end_sign_ins: bool = False) -> None:
        stored = await self._passwords.hashed(password)
        async with self._database.write() as connection:
            change = update(StaffAccount).where(StaffAccount.user_id == user_id)
            await connection.execute(change.values(password_hash=stored))
            if end_sign_ins:
                await connection.execute(delete(StaffSignIn).where(StaffSignIn.user_id == user_id))
