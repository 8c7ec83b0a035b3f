"""Seats: what a browser may speak for. One cookie per seat, so that one browser can hold several.

An invitation's secret is exchanged for such a cookie. Looking at an invitation changes nothing, so a
scanner that opens links cannot use one up; the first exchange binds the device, each later one makes a
*further* device that somebody has to admit.
"""

import base64
import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, Select, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.identity.random_values import ID_BYTES, hashed, new_id, new_secret
from server.settings import Invitations as Limits
from server.storage.database import Database
from server.storage.tables import TAKEN_AWAY, ConsultRow, Invitation, SeatDevice
from signaling.consult.ids import ConsultId, DeviceId, ParticipantId, UserId
from signaling.consult.values import OPEN, Phase

COOKIE_PREFIX: Final = "meridian_seat_"
# The server decides how long a seat is good; the browser only has to keep the cookie at least as long.
COOKIE_MAX_AGE_S: Final = 30 * 86400
DEVICE_LIFETIME_MIN: Final = timedelta(hours=2)
_OPEN: Final = frozenset(phase.value for phase in OPEN)
_LIVE: Final = frozenset({Phase.WAITING.value, Phase.IN_PROGRESS.value})


def cookie_name(consult_id: ConsultId, participant_id: ParticipantId) -> str:
    """The name of a seat's cookie, without the `__Host-` that https adds."""
    digest = hashlib.sha256(f"{consult_id}\0{participant_id}".encode()).hexdigest()
    return COOKIE_PREFIX + digest[:12]


def invitation_link(origin: str, secret: str) -> str:
    """The secret is in the fragment: no server, proxy or log on the way ever sees it."""
    return f"{origin}/v#{secret}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invited:
    """Whose invitation a secret is, and what became of it."""

    consult_id: ConsultId
    participant_id: ParticipantId
    revoked: bool
    live: bool
    expires_at: datetime

    def is_late(self, now: datetime) -> bool:
        """Whether it works no more: while people are there, it does, however long that takes."""
        return now >= self.expires_at and not self.live


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """A seat as one browser holds it. `user_id` is set when it was entered from a sign-in."""

    consult_id: ConsultId
    participant_id: ParticipantId
    device_id: DeviceId
    user_id: UserId | None
    language: str
    further: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A seat that was just taken, with the cookie to set."""

    seat: Seat
    cookie: str


class Seats:
    """Invitations and seat devices in the database."""

    def __init__(self, database: Database, limits: Limits) -> None:
        self._database = database
        self._valid_after_end = timedelta(seconds=limits.valid_after_end_s)

    async def invite(self, consult_id: ConsultId, participant_id: ParticipantId, *, now: datetime) -> str:
        """Make an invitation and return its secret, which is kept nowhere. Earlier ones stop working."""
        secret = new_secret()
        async with self._database.write() as connection:
            await connection.execute(
                update(Invitation)
                .where(
                    Invitation.consult_id == consult_id,
                    Invitation.participant_id == participant_id,
                    Invitation.revoked_at.is_(None),
                )
                .values(revoked_at=now)
            )
            await connection.execute(
                insert(Invitation).values(
                    secret_hash=hashed(secret),
                    consult_id=consult_id,
                    participant_id=participant_id,
                    created_at=now,
                )
            )
        return secret

    async def look_up(self, secret: str) -> Invited | None:
        """Whose invitation this is. Changes nothing."""
        async with self._database.read() as connection:
            return await self._look_up(connection, secret)

    async def exchange(
        self, secret: str, *, cookie: str | None, language: str, browser: str, now: datetime
    ) -> Taken | None:
        """Take the seat of an invitation: None when it is unknown, revoked or expired.

        Args:
            cookie: what the browser holds for this seat already; it then stays the same device.
            browser: the family of the browser, such as `safari`.
        """
        async with self._database.write() as connection:
            invited = await self._look_up(connection, secret)
            if invited is None or invited.revoked or invited.is_late(now):
                return None
            expires_at = max(invited.expires_at, now + DEVICE_LIFETIME_MIN)
            first = await connection.execute(
                update(Invitation)
                .where(Invitation.secret_hash == hashed(secret), Invitation.first_exchanged_at.is_(None))
                .values(first_exchanged_at=now)
            )
            known = await self._held(connection, invited.consult_id, invited.participant_id, cookie)
            if known is not None and cookie is not None:
                return await _renewed(connection, known, cookie, language=language, expires_at=expires_at)
            return await _insert(
                connection,
                Seat(
                    consult_id=invited.consult_id,
                    participant_id=invited.participant_id,
                    device_id=DeviceId(new_id()),
                    user_id=None,
                    language=language,
                    further=first.rowcount == 0,
                ),
                browser=browser,
                now=now,
                expires_at=expires_at,
            )

    async def enter(
        self,
        consult_id: ConsultId,
        participant_id: ParticipantId,
        *,
        user_id: UserId,
        cookie: str | None,
        language: str,
        browser: str,
        now: datetime,
        expires_at: datetime,
    ) -> Taken:
        """Take a seat from a sign-in, until `expires_at`. A browser that holds it stays the same device."""
        async with self._database.write() as connection:
            known = await self._held(connection, consult_id, participant_id, cookie)
            if known is not None and cookie is not None and known.user_id == user_id:
                return await _renewed(connection, known, cookie, language=language, expires_at=expires_at)
            seat = Seat(
                consult_id=consult_id,
                participant_id=participant_id,
                device_id=DeviceId(new_id()),
                user_id=user_id,
                language=language,
                further=False,
            )
            return await _insert(connection, seat, browser=browser, now=now, expires_at=expires_at)

    async def find(
        self, consult_id: ConsultId, participant_id: ParticipantId, cookie: str, *, now: datetime
    ) -> Seat | None:
        """The seat a cookie is good for now."""
        async with self._database.read() as connection:
            row = await self._held(connection, consult_id, participant_id, cookie)
        return _seat(row) if row is not None and _is_good(row, now) else None

    async def carry_over(
        self,
        consult_id: ConsultId,
        participant_id: ParticipantId,
        *,
        continues: ConsultId,
        cookie: str,
        holder: DeviceId | None,
        now: datetime,
    ) -> Taken | None:
        """Give a device with a seat in an ended consult the person's seat in the one that continues it.

        Asked again, the device stays the same one, with a new cookie. None when the cookie is not good.

        Args:
            cookie: what the browser holds for the seat in `continues`.
            holder: the device that held that seat last, None if none did; any other is a further one.
        """
        async with self._database.write() as connection:
            old = await self._held(connection, continues, participant_id, cookie)
            if old is None or not _is_good(old, now):
                return None
            seat = Seat(
                consult_id=consult_id,
                participant_id=participant_id,
                device_id=_carried(old.device_id, consult_id),
                user_id=old.user_id,
                language=old.language,
                further=old.further if holder is None else old.device_id != holder,
            )
            if not seat.further:  # the first device is known: whoever uses the new link is a further one
                await connection.execute(
                    update(Invitation)
                    .where(
                        Invitation.consult_id == consult_id,
                        Invitation.participant_id == participant_id,
                        Invitation.first_exchanged_at.is_(None),
                    )
                    .values(first_exchanged_at=now)
                )
            await connection.execute(delete(SeatDevice).where(SeatDevice.device_id == seat.device_id))
            expires_at = max(old.expires_at, now + DEVICE_LIFETIME_MIN)
            return await _insert(connection, seat, browser=old.browser, now=now, expires_at=expires_at)

    async def good_for_nothing(self, cookies: Collection[str], *, now: datetime) -> frozenset[str]:
        """Which of these cookies open no seat and never will."""
        query = _devices().where(SeatDevice.cookie_hash.in_([hashed(one) for one in cookies]))
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        good = {row.cookie_hash for row in rows if _is_good(row, now)}
        return frozenset(one for one in cookies if hashed(one) not in good)

    async def devices_of(self, user_id: UserId) -> frozenset[DeviceId]:
        """The devices with which an account has entered consults."""
        query = select(SeatDevice.device_id).where(SeatDevice.user_id == user_id)
        async with self._database.read() as connection:
            return frozenset(DeviceId(one) for one in (await connection.execute(query)).scalars())

    async def give_up(self, held: Sequence[str], *, user_id: UserId, now: datetime) -> frozenset[DeviceId]:
        """Make cookies useless with which an account has entered consults. Returns the devices they were."""
        mine = (SeatDevice.user_id == user_id, SeatDevice.cookie_hash.in_([hashed(one) for one in held]))
        async with self._database.write() as connection:
            devices = (await connection.execute(select(SeatDevice.device_id).where(*mine))).scalars().all()
            await connection.execute(update(SeatDevice).where(*mine).values(expires_at=TAKEN_AWAY))
        return frozenset(DeviceId(device) for device in devices)

    async def _look_up(self, connection: AsyncConnection, secret: str) -> Invited | None:
        query = (
            select(
                Invitation.consult_id,
                Invitation.participant_id,
                Invitation.revoked_at,
                ConsultRow.ends_at,
                ConsultRow.phase,
            )
            .join(ConsultRow, ConsultRow.consult_id == Invitation.consult_id)
            .where(Invitation.secret_hash == hashed(secret))
        )
        row = (await connection.execute(query)).one_or_none()
        if row is None:
            return None
        return Invited(
            consult_id=row.consult_id,
            participant_id=row.participant_id,
            revoked=row.revoked_at is not None,
            live=row.phase in _LIVE,
            expires_at=row.ends_at + self._valid_after_end,
        )

    @staticmethod
    async def _held(
        connection: AsyncConnection, consult_id: ConsultId, participant_id: ParticipantId, cookie: str | None
    ) -> Row[*tuple[Any, ...]] | None:
        if cookie is None:
            return None
        query = _devices().where(
            SeatDevice.cookie_hash == hashed(cookie),
            SeatDevice.consult_id == consult_id,
            SeatDevice.participant_id == participant_id,
        )
        return (await connection.execute(query)).one_or_none()


def _devices() -> Select[*tuple[Any, ...]]:
    return select(SeatDevice.__table__, ConsultRow.phase).join(
        ConsultRow, ConsultRow.consult_id == SeatDevice.consult_id
    )


def _is_good(row: Row[*tuple[Any, ...]], now: datetime) -> bool:
    """Until its consult is over, however long that takes, and some time longer; never once taken away."""
    return row.expires_at > row.created_at and (now < row.expires_at or row.phase in _OPEN)


def _carried(device_id: DeviceId, consult_id: ConsultId) -> DeviceId:
    """The id of the same device in another consult."""
    digest = hashlib.sha256(f"{device_id}\0{consult_id}".encode()).digest()
    return DeviceId(base64.urlsafe_b64encode(digest[:ID_BYTES]).decode().rstrip("="))


def _seat(row: Row[*tuple[Any, ...]], *, language: str | None = None) -> Seat:
    return Seat(
        consult_id=row.consult_id,
        participant_id=row.participant_id,
        device_id=row.device_id,
        user_id=row.user_id,
        language=language or row.language,
        further=row.further,
    )


async def _renewed(
    connection: AsyncConnection,
    known: Row[*tuple[Any, ...]],
    cookie: str,
    *,
    language: str,
    expires_at: datetime,
) -> Taken:
    change = update(SeatDevice).where(SeatDevice.cookie_hash == hashed(cookie))
    await connection.execute(change.values(expires_at=expires_at, language=language))
    return Taken(seat=_seat(known, language=language), cookie=cookie)


async def _insert(
    connection: AsyncConnection, seat: Seat, *, browser: str, now: datetime, expires_at: datetime
) -> Taken:
    cookie = new_secret()
    await connection.execute(
        insert(SeatDevice).values(
            cookie_hash=hashed(cookie),
            device_id=seat.device_id,
            consult_id=seat.consult_id,
            participant_id=seat.participant_id,
            user_id=seat.user_id,
            language=seat.language,
            browser=browser,
            further=seat.further,
            created_at=now,
            expires_at=expires_at,
        )
    )
    return Taken(seat=seat, cookie=cookie)
