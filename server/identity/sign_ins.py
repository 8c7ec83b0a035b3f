"""Signed-in browsers of staff: opaque ids, stored as hashes, ended by idleness, age or sign-out."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, case, delete, insert, select, update

from server.identity.accounts import Account, Accounts
from server.identity.random_values import hashed, new_secret
from server.settings import SignIn
from server.storage.database import Database
from server.storage.tables import StaffSignIn
from signaling.consult.ids import UserId

# Use is written down at most this often.
TOUCH_AFTER: Final = timedelta(seconds=60)
PER_ACCOUNT_MAX: Final = 20
# How long a sign-in that is too old waits for the end of a consult each time it is looked at.
WAITS: Final = timedelta(minutes=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A browser in which a member of staff is signed in."""

    account: Account


class SignIns:
    """The sign-ins in the database."""

    def __init__(self, database: Database, accounts: Accounts, settings: SignIn) -> None:
        self._database = database
        self._accounts = accounts
        self._idle = timedelta(seconds=settings.idle_s)
        self._absolute = timedelta(seconds=settings.absolute_s)

    async def begin(self, user_id: UserId, *, replaces: str | None, now: datetime) -> str:
        """Sign an account in and return the new cookie. Its earlier one in this browser stops working.

        Another account's goes on while its pages are open: nobody else's consult is cut off by this.
        """
        cookie = new_secret()
        mine = StaffSignIn.user_id == user_id
        newest = (
            select(StaffSignIn.cookie_hash)
            .where(mine)
            .order_by(StaffSignIn.created_at.desc())
            .limit(PER_ACCOUNT_MAX - 1)
        )
        async with self._database.write() as connection:
            if replaces is not None:
                await connection.execute(
                    delete(StaffSignIn).where(mine, StaffSignIn.cookie_hash == hashed(replaces))
                )
            kept = (await connection.execute(newest)).scalars().all()
            await connection.execute(delete(StaffSignIn).where(mine, StaffSignIn.cookie_hash.not_in(kept)))
            await connection.execute(
                insert(StaffSignIn).values(
                    cookie_hash=hashed(cookie),
                    user_id=user_id,
                    created_at=now,
                    last_used_at=now,
                    expires_at=now + self._absolute,
                )
            )
        return cookie

    async def find(self, cookie: str, *, now: datetime) -> SignedIn | None:
        """Who is signed in with a cookie; None when nobody is any more. Counts as use."""
        query = select(StaffSignIn.user_id, StaffSignIn.last_used_at, StaffSignIn.expires_at).where(
            StaffSignIn.cookie_hash == hashed(cookie)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None or now >= row.expires_at or now - row.last_used_at >= self._idle:
            return None
        account = await self._accounts.find(UserId(row.user_id))
        if account is None:
            return None
        if now - row.last_used_at >= TOUCH_AFTER:
            await self._touch(cookie, now)
        return SignedIn(account=account)

    async def has_any(self, user_id: UserId, *, now: datetime) -> bool:
        """Whether an account is signed in anywhere."""
        query = select(StaffSignIn.user_id).where(*self._good(user_id, now)).limit(1)
        async with self._database.read() as connection:
            return (await connection.execute(query)).first() is not None

    async def keep(self, user_id: UserId, *, in_consult: bool, now: datetime) -> bool:
        """Count an open page as use: whoever watches the board or is in a consult is not idle.

        Nobody is sent out of a consult because of their sign-in's age: until they have left it, that waits.
        False when the account has no sign-in any more: its pages are to be closed.
        """
        if await self._accounts.find(user_id) is None:
            return False
        change = update(StaffSignIn).where(*self._good(user_id, now)).values(last_used_at=now)
        if in_consult:
            soon, ends = now + WAITS, StaffSignIn.expires_at
            change = change.values(expires_at=case((ends < soon, soon), else_=ends))
        async with self._database.write() as connection:
            return (await connection.execute(change)).rowcount > 0

    def _good(self, user_id: UserId, now: datetime) -> tuple[ColumnElement[bool], ...]:
        return (
            StaffSignIn.user_id == user_id,
            StaffSignIn.expires_at > now,
            StaffSignIn.last_used_at > now - self._idle,
        )

    async def end(self, cookie: str) -> None:
        """Sign out."""
        async with self._database.write() as connection:
            await connection.execute(delete(StaffSignIn).where(StaffSignIn.cookie_hash == hashed(cookie)))

    async def forget_old(self, now: datetime) -> None:
        """Delete what has expired."""
        async with self._database.write() as connection:
            await connection.execute(delete(StaffSignIn).where(StaffSignIn.expires_at <= now))

    async def _touch(self, cookie: str, now: datetime) -> None:
        async with self._database.write() as connection:
            change = update(StaffSignIn).where(StaffSignIn.cookie_hash == hashed(cookie))
            await connection.execute(change.values(last_used_at=now))
