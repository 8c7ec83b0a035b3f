"""A log of the tests with its checkpoints, and the hand of somebody who may do anything to the database."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import text

from server.audit import anchors, notes
from server.audit.chain import FIRST_PREV, hash_of, leaf_of, mac_of
from server.audit.checkpoints import Checkpoints
from server.audit.log import Entry, append
from server.audit.notes import SigningKey
from server.audit.verifying import Verdict, Verification
from server.audit.walking import HEAD
from server.storage.database import Database
from tests.server.conftest import NOON, SetClock

ORIGIN = notes.origin_of("demo")


class Log:
    """A log with its checkpoints, and the hand of somebody who may do anything to the database."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.clock = SetClock()
        self.key = SigningKey.kept_in(folder, ORIGIN)
        self.folder = folder / anchors.FOLDER
        self.checkpoints = Checkpoints(database, self.clock, self.key, self.folder)

    async def fill(self, entries: int, *, consult: str = "c1") -> None:
        async with self.database.write() as connection:
            for number in range(entries):
                entry = Entry(kind="recording.play", actor="u1", consult=consult, body={"from_us": number})
                await append(connection, entry, now=NOON)

    async def verdict(self, *, since: int = 1, anchored: bool = True) -> Verdict:
        found = anchors.read(self.folder) if anchored and self.folder.exists() else {}
        async with self.database.read() as connection:
            looking = Verification(connection, [self.key.public], anchors=found)
            return await looking.run(since=since)

    async def faults(self, **how: Any) -> list[tuple[str, int]]:
        return [(fault.what, fault.seq) for fault in (await self.verdict(**how)).faults]

    async def tamper(self, *statements: str, **values: Any) -> None:
        """Do something to the tables past their triggers."""
        async with self.database.write() as connection:
            if self.database.is_sqlite:
                found = "select name, sql from sqlite_master where type = 'trigger'"
                triggers = (await connection.execute(text(found))).all()
                for trigger in triggers:
                    await connection.execute(text(f"drop trigger {trigger.name}"))
            else:
                triggers = []
                await connection.execute(text("set local session_replication_role = replica"))
            for statement in statements:
                await connection.execute(text(statement), values)
            for trigger in triggers:
                await connection.execute(text(trigger.sql))

    async def rows(self) -> Sequence[Any]:
        async with self.database.read() as connection:
            return (await connection.execute(text("select * from audit order by seq"))).all()

    async def write_anew(self, changed: int) -> None:
        """A whole new chain, right in itself, in which entry `changed` says something else."""
        prev, rows = FIRST_PREV, []
        for row in await self.rows():
            values = dict(row._mapping)
            if row.seq == changed:
                values["body"] = b'{"from_us":999}'
                values["body_mac"] = mac_of(values["body"], row.salt)
            head = tuple(values[name] for name in HEAD)
            values |= {"prev": prev, "hash": hash_of(leaf_of(row.seq, prev, head, values["body_mac"]))}
            prev = values["hash"]
            rows.append(values)
        for values in rows:
            change = "update audit set body = :body, body_mac = :body_mac, prev = :prev, hash = :hash"
            names = ("body", "body_mac", "prev", "hash", "seq")
            await self.tamper(f"{change} where seq = :seq", **{name: values[name] for name in names})
        await self.tamper("update audit_head set hash = :hash", hash=prev)
