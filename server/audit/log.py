"""Writing to the audit log: an entry is appended in the transaction of what it tells of, or that fails too.

Append as the last thing of a transaction: from then on until its end, nobody else can append.
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeAlias

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.audit.chain import (
    FIRST_PREV,
    SALT_BYTES,
    body_bytes,
    hash_of,
    leaf_of,
    mac_of,
    time_text,
)
from server.storage.audit_tables import KIND_CHARS_MAX, OBJECT_CHARS_MAX, AuditHead, AuditRow
from server.storage.database import Database
from server.storage.interpreting import insert_new
from server.storage.lasting import lasting
from server.storage.tables import ID_CHARS_MAX
from signaling.ports import Clock

# Whatever JSON can say, by name.
Body: TypeAlias = Mapping[str, object]

CHAIN: Final = 1
BODY_BYTES_MAX: Final = 64 * 1024
# How far back an entry is looked for whose commit may have succeeded unheard.
AGAIN_ENTRIES_MAX: Final = 1000
_CHARS_MAX: Final = {
    "kind": KIND_CHARS_MAX,
    "actor": ID_CHARS_MAX,
    "role": KIND_CHARS_MAX,
    "consult": ID_CHARS_MAX,
    "object": OBJECT_CHARS_MAX,
    "purpose": KIND_CHARS_MAX,
    "outcome": KIND_CHARS_MAX,
}
# No spaces and no "@": names and addresses of persons have them, and what is in the head stays for ever.
_CODE: Final = re.compile(r"[A-Za-z0-9._:/,+-]*", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Something that was done or tried.

    `kind` is `subject.verb` ("recording.play"); `actor` is an id of a user or participant, `object` the id of
    what it was done to; `role`, `purpose` and `outcome` ("ok", "refused", …) are codes. None of these can be
    erased ever: only `body`, and `reason`, a person's own words, which is stored in it.
    """

    kind: str
    actor: str = ""
    role: str = ""
    consult: str = ""
    object: str = ""
    purpose: str = ""
    outcome: str = "ok"
    reason: str = ""
    body: Body = field(default_factory=dict)

    def head(self, at: str) -> tuple[str, ...]:
        """The part that is never erased, in the order it is hashed in.

        Raises:
            ValueError: a part is too long or no code or id.
        """
        if not self.kind:
            raise ValueError("an entry has a kind")
        for name, chars_max in _CHARS_MAX.items():
            value = getattr(self, name)
            if len(value) > chars_max or not _CODE.fullmatch(value):
                raise ValueError(f"an entry's {name} is a code or an id; what persons say goes into its body")
        return (at, self.kind, self.actor, self.role, self.consult, self.object, self.purpose, self.outcome)


async def append(
    connection: AsyncConnection, entry: Entry, *, now: datetime, salt: bytes | None = None
) -> int:
    """Append an entry in a transaction of `Database.write()`; returns its number, 1 for the first.

    It is there once that transaction is committed, and leaves no hole if it is not. `salt` is for tests.

    Raises:
        TypeError, ValueError: the entry cannot be stored as it is.
    """
    at = time_text(now)
    head = entry.head(at)
    body = body_bytes(entry.body, entry.reason)
    if len(body) > BODY_BYTES_MAX:
        raise ValueError(f"an entry's body has at most {BODY_BYTES_MAX} bytes")
    salt = secrets.token_bytes(SALT_BYTES) if salt is None else salt
    last, prev = await _locked_head(connection)
    seq, body_mac = last + 1, mac_of(body, salt)
    hash_ = hash_of(leaf_of(seq, prev, head, body_mac))
    row = {
        "seq": seq,
        "at": at,
        **{name: getattr(entry, name) for name in _CHARS_MAX},
        "body": body,
        "salt": salt,
        "body_mac": body_mac,
        "prev": prev,
        "hash": hash_,
    }
    await connection.execute(insert(AuditRow).values(**row))
    moved = update(AuditHead).where(AuditHead.chain == CHAIN).values(seq=seq, hash=hash_)
    await connection.execute(moved)
    return seq


async def _locked_head(connection: AsyncConnection) -> tuple[int, bytes]:
    """The last entry's number and hash; nobody else gets them until the transaction ends.

    SQLite has one writer anyway, and its dialect leaves the "for update" out.
    """
    query = select(AuditHead.seq, AuditHead.hash).where(AuditHead.chain == CHAIN).with_for_update()
    found = (await connection.execute(query)).one_or_none()
    if found is None:
        last = select(AuditRow.seq, AuditRow.hash).order_by(AuditRow.seq.desc()).limit(1)
        row = (await connection.execute(last)).one_or_none()
        first = {"chain": CHAIN, "seq": row.seq if row else 0, "hash": row.hash if row else FIRST_PREV}
        await connection.execute(insert_new(connection, AuditHead, first))
        found = (await connection.execute(query)).one()
    return found.seq, found.hash


class Audit:
    """The audit log for what changes nothing else: looking at something, or being refused."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def record(self, entry: Entry) -> int:
        """Append an entry in a transaction of its own; returns its number.

        Whoever records that something is shown does it first, and shows nothing if this fails.

        Raises:
            Unstored: the database stayed away.
            TypeError, ValueError: the entry cannot be stored as it is.
        """
        return await self._record(entry, secrets.token_bytes(SALT_BYTES), [])

    @lasting
    async def _record(self, entry: Entry, salt: bytes, tried: list[bool]) -> int:
        async with self._database.write() as connection:
            if tried and (seq := await _noted(connection, salt)) is not None:
                return seq
            tried.append(True)
            return await append(connection, entry, now=self._clock.now(), salt=salt)


async def _noted(connection: AsyncConnection, salt: bytes) -> int | None:
    """The number of the entry with this salt, if its commit did succeed."""
    last, _ = await _locked_head(connection)
    query = select(AuditRow.seq).where(AuditRow.seq > last - AGAIN_ENTRIES_MAX, AuditRow.salt == salt)
    return (await connection.execute(query)).scalar_one_or_none()
