"""The audit log: one unbroken chain, which nobody can change, cut or write anew unseen."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from server.audit.chain import hash_of, leaf_of
from server.audit.erasing import erase, seqs_of_consult
from server.audit.log import Audit, Entry, append
from server.audit.notes import Checkpoint, SigningKey
from server.audit.walking import HEAD
from server.storage.database import Database
from tests.server.audited import ORIGIN, Log
from tests.server.conftest import NOON, SetClock


@pytest.fixture
def log(each_database: Database, tmp_path: Path) -> Log:
    return Log(each_database, tmp_path)


# --- appending -------------------------------------------------------------------------------------------


async def test_entries_are_numbered_from_one_and_the_log_is_found_right(log: Log) -> None:
    await log.fill(3)
    assert [row.seq for row in await log.rows()] == [1, 2, 3]
    verdict = await log.verdict()
    assert (verdict.faults, verdict.first, verdict.entries) == ([], 1, 3)


async def test_an_empty_log_is_right(log: Log) -> None:
    assert await log.faults() == []
    assert not await log.checkpoints.make()


async def test_fifty_at_once_give_one_unbroken_chain(log: Log) -> None:
    audit = Audit(log.database, log.clock)
    numbers = await asyncio.gather(*(audit.record(Entry(kind="staff.sign_in")) for _ in range(50)))
    assert sorted(numbers) == list(range(1, 51))
    assert await log.faults() == []


async def test_servers_that_share_a_database_append_to_one_chain(postgres: Database, tmp_path: Path) -> None:
    others = [Database(postgres.engine.url.render_as_string(hide_password=False)) for _ in range(2)]
    audits = [Audit(database, SetClock()) for database in (postgres, *others)]
    work = (audit.record(Entry(kind="staff.sign_in")) for audit in audits for _ in range(10))
    assert sorted(await asyncio.gather(*work)) == list(range(1, 31))
    assert await Log(postgres, tmp_path).faults() == []
    for database in others:
        await database.close()


async def test_an_entry_goes_with_the_transaction_it_was_in_and_leaves_no_hole(log: Log) -> None:
    await log.fill(1)

    async def fail() -> None:
        async with log.database.write() as connection:
            await append(connection, Entry(kind="consult.end"), now=NOON)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    await log.fill(1)
    assert [row.seq for row in await log.rows()] == [1, 2]
    assert await log.faults() == []


async def test_the_chain_goes_on_when_the_note_of_its_last_entry_is_lost(log: Log) -> None:
    await log.fill(2)
    await log.tamper("delete from audit_head")
    await log.fill(1)
    assert await log.faults() == []


async def test_a_commit_that_was_not_heard_of_is_not_done_again(log: Log) -> None:
    class Deaf(Database):
        """Loses the connection after its first commit."""

        heard = False

        @asynccontextmanager
        async def write(self) -> AsyncIterator[AsyncConnection]:
            async with super().write() as connection:
                yield connection
            if not self.heard:
                self.heard = True
                raise ConnectionResetError

    deaf = Deaf(log.database.engine.url.render_as_string(hide_password=False))
    assert await Audit(deaf, log.clock).record(Entry(kind="staff.sign_in")) == 1
    assert (deaf.heard, len(await log.rows())) == (True, 1)
    await deaf.close()


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": ""},
        {"actor": "Dr. Amal Haddad"},
        {"actor": "a@example.org"},
        {"object": "x" * 201},
        {"body": {"reason": "a"}, "reason": "b"},
        {"body": {"large": "x" * 70_000}},
    ],
    ids=["no kind", "name", "address", "long", "two reasons", "large"],
)
async def test_what_could_never_be_erased_or_is_ambiguous_is_refused(
    database: Database, wrong: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match=r"an entry|a body"):
        async with database.write() as connection:
            await append(connection, Entry(**{"kind": "a.b", **wrong}), now=NOON)


# --- what the database refuses ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "update audit set outcome = 'refused' where seq = 2",
        "update audit set body = '{}' where seq = 2",
        "update audit set body = null, salt = null, actor = 'u2' where seq = 2",
        "update audit set body = null where seq = 2",
        "delete from audit where seq = 3",
        "delete from audit",
        "update audit_checkpoint set note = ''",
        "delete from audit_checkpoint",
    ],
)
async def test_changes_are_refused_by_the_database(log: Log, statement: str) -> None:
    await log.fill(3)
    assert await log.checkpoints.make()
    with pytest.raises(DBAPIError, match="only grows"):
        async with log.database.write() as connection:
            await connection.execute(text(statement))
    assert await log.faults() == []


@pytest.mark.parametrize("table", ["audit", "audit_checkpoint"])
async def test_postgresql_does_not_let_them_be_emptied(postgres: Database, table: str) -> None:
    with pytest.raises(DBAPIError, match="only grows"):
        async with postgres.write() as connection:
            await connection.execute(text(f"truncate {table}"))


async def test_sqlite_does_not_let_an_entry_be_replaced(database: Database, tmp_path: Path) -> None:
    log = Log(database, tmp_path)
    await log.fill(2)
    with pytest.raises(DBAPIError, match="only grows"):
        async with database.write() as connection:
            await connection.execute(text("insert or replace into audit select * from audit where seq = 1"))


# --- what is found ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", [*HEAD, "body", "salt", "body_mac", "prev", "hash"])
async def test_an_entry_that_was_edited_is_found(log: Log, column: str) -> None:
    await log.fill(5)
    value = "x" if column in HEAD else b"x"
    await log.tamper(f"update audit set {column} = :value where seq = 3", value=value)  # noqa: S608
    assert await log.faults() == [("edited", 3)]


async def test_an_entry_that_was_edited_with_its_hash_is_found(log: Log) -> None:
    await log.fill(5)
    row = (await log.rows())[2]
    head = ("2020-01-01T00:00:00.000000Z", *(getattr(row, name) for name in HEAD[1:]))
    hash_ = hash_of(leaf_of(3, row.prev, head, row.body_mac))
    await log.tamper("update audit set at = :at, hash = :hash where seq = 3", at=head[0], hash=hash_)
    assert await log.faults() == [("edited", 3)]
    await log.tamper("delete from audit where seq > 3")
    assert await log.faults() == [("tail cut", 4)]
    await log.tamper("update audit_head set seq = 3")
    assert await log.faults() == [("edited", 3)]


async def test_a_value_of_another_type_is_found_and_no_bug(database: Database, tmp_path: Path) -> None:
    log = Log(database, tmp_path)
    await log.fill(3)
    await log.tamper("update audit set salt = 'text', body_mac = 7 where seq = 2")
    assert await log.faults() == [("edited", 2)]


@pytest.mark.parametrize("seq", [1, 3])
async def test_an_entry_that_was_deleted_is_found(log: Log, seq: int) -> None:
    await log.fill(5)
    await log.tamper(f"delete from audit where seq = {seq}")  # noqa: S608
    assert await log.faults() == [("deleted", seq)]


async def test_an_entry_that_was_put_in_is_found(log: Log) -> None:
    await log.fill(4)
    values = "0, at, kind, actor, role, consult, object, purpose, outcome, body, salt, body_mac, prev, hash"
    await log.tamper(f"insert into audit select {values} from audit where seq = 1")  # noqa: S608
    assert await log.faults() == []  # before the first one it is none of the log
    await log.tamper("delete from audit where seq = 3", "update audit set seq = 3 where seq = 0")
    assert await log.faults() == [("edited", 3)]


async def test_a_tail_that_was_cut_is_found(log: Log) -> None:
    await log.fill(5)
    await log.tamper("delete from audit where seq > 3")
    assert await log.faults() == [("tail cut", 4)]


async def test_a_tail_that_was_cut_with_all_that_tells_of_it_is_found_by_the_anchors(log: Log) -> None:
    await log.fill(5)
    assert await log.checkpoints.keep()
    hash_ = (await log.rows())[2].hash
    await log.tamper("delete from audit where seq > 3", "delete from audit_checkpoint")
    await log.tamper("update audit_head set seq = 3, hash = :hash", hash=hash_)
    assert await log.faults(anchored=False) == []
    assert await log.faults() == [("tail cut", 4)]


async def test_a_log_that_was_written_anew_is_found_by_the_anchors(log: Log) -> None:
    await log.fill(3)
    await log.checkpoints.make()
    await log.fill(3)
    await log.checkpoints.make()
    await log.checkpoints.keep()
    await log.write_anew(5)
    await log.tamper("delete from audit_checkpoint")
    assert await log.faults(anchored=False) == []
    assert await log.faults() == [("rebuilt", 4)]


async def test_a_log_that_was_written_anew_does_not_fit_its_stored_checkpoint(log: Log) -> None:
    await log.fill(3)
    await log.checkpoints.make()
    await log.write_anew(2)
    assert await log.faults() == [("rebuilt", 1)]


async def test_a_checkpoint_that_another_key_has_signed_is_found(log: Log, tmp_path: Path) -> None:
    await log.fill(3)
    await log.checkpoints.keep()
    (tmp_path / "other").mkdir()
    other = SigningKey.kept_in(tmp_path / "other", ORIGIN)
    forged = other.sign(Checkpoint(ORIGIN, 3, bytes(32)))
    await log.tamper("update audit_checkpoint set note = :note", note=forged)
    assert await log.faults() == [("checkpoint", 3)]


async def test_verifying_can_begin_at_a_checkpoint(log: Log) -> None:
    await log.fill(3)
    await log.checkpoints.keep()
    await log.fill(3)
    verdict = await log.verdict(since=5)
    assert (verdict.faults, verdict.first, verdict.entries, verdict.anchored) == ([], 4, 3, 3)
    await log.tamper("update audit set actor = 'u2' where seq = 2")
    assert await log.faults(since=5) == []
    await log.tamper("update audit set actor = 'u2' where seq = 6")
    assert await log.faults(since=5) == [("edited", 6)]


# --- erasing ---------------------------------------------------------------------------------------------


async def test_a_log_whose_bodies_were_erased_is_still_found_right(log: Log) -> None:
    await log.fill(3)
    await log.fill(2, consult="c2")
    await log.checkpoints.keep()
    entry = Entry(kind="", actor="u9", consult="c1", reason="asked by the patient")
    async with log.database.write() as connection:
        seqs = await seqs_of_consult(connection, "c1")
        assert await erase(connection, seqs, entry, now=NOON) == [6]
    rows = await log.rows()
    assert [row.seq for row in rows if row.body is None and row.salt is None] == [1, 2, 3]
    assert (rows[5].kind, rows[5].object) == ("audit.erase", "1-3")
    assert await log.faults() == []


async def test_bodies_that_were_erased_without_an_entry_are_found(log: Log) -> None:
    await log.fill(5)
    async with log.database.write() as connection:
        await connection.execute(text("update audit set body = null, salt = null where seq = 2"))
    assert await log.faults() == [("erased", 2)]


async def test_erasing_many_single_entries_names_all_of_them(log: Log) -> None:
    await log.fill(200)
    async with log.database.write() as connection:
        added = await erase(connection, range(1, 201, 2), Entry(kind="", actor="u9"), now=NOON)
    assert len(added) > 1
    assert await log.faults() == []
