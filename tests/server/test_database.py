"""The database: migrations make exactly the tables, times stay in UTC, writers take turns."""

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from time import monotonic

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, insert, select, text
from sqlalchemy.exc import IntegrityError, StatementError

from server.storage import database as database_module
from server.storage.database import Database, DatabaseBusyError
from server.storage.tables import Base, StaffAccount
from server.storage.upgrade import NewerDatabaseError, is_usable, upgrade

SLOW = text(
    "with recursive n(i) as (select 1 union all select i + 1 from n where i < 1000000) select sum(i) from n"
)
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def account(number: int, created_at: datetime = NOON) -> dict[str, object]:
    return {
        "user_id": f"u{number}",
        "email": f"{number}@example.org",
        "name": "A",
        "role": "physician",
        "clinic_id": "main",
        "language": "en",
        "languages": [],
        "password_hash": "x",
        "created_at": created_at,
    }


def differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), Base.metadata))


async def test_the_migrations_make_exactly_the_declared_tables(database: Database) -> None:
    async with database.read() as connection:
        assert await connection.run_sync(differences) == []


async def test_they_do_so_on_postgresql_also_when_two_servers_start_at_once(postgres_url: str) -> None:
    url = postgres_url.replace("postgresql://", "postgresql+asyncpg://")
    servers = [Database(url), Database(url)]
    async with servers[0].write() as connection:
        await connection.execute(text("drop schema public cascade"))
        await connection.execute(text("create schema public"))
    await asyncio.gather(*(upgrade(server) for server in servers))
    async with servers[0].read() as connection:
        assert await connection.run_sync(differences) == []
    for server in servers:
        assert await is_usable(server)
        await server.close()


async def test_one_server_at_a_time_uses_a_postgresql_database(postgres_url: str) -> None:
    url = postgres_url.replace("postgresql://", "postgresql+asyncpg://")
    first, second = Database(url), Database(url)
    async with first.may_serve() as may:
        assert may
        for with_others in (False, True):
            async with second.may_serve(with_others=with_others) as may_too:
                assert not may_too
    await first.close()
    async with second.may_serve() as may:
        assert may
    await second.close()


async def test_several_servers_use_a_postgresql_database_if_all_of_them_may(postgres_url: str) -> None:
    url = postgres_url.replace("postgresql://", "postgresql+asyncpg://")
    first, second, alone = Database(url), Database(url), Database(url)
    async with first.may_serve(with_others=True) as one, second.may_serve(with_others=True) as two:
        assert (one, two) == (True, True)
        async with alone.may_serve() as may:
            assert not may
    for database in (first, second, alone):
        await database.close()


async def test_an_empty_database_is_not_current_and_an_upgraded_one_is(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'new.sqlite3'}")
    assert not await is_usable(database)
    before, after = await upgrade(database)
    assert before is None
    assert after is not None
    assert await upgrade(database) == (after, after)
    assert await is_usable(database)
    await database.close()


async def test_a_database_of_a_later_version_is_left_alone(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(NewerDatabaseError):
        await upgrade(database)


async def test_connections_are_durable_and_keep_foreign_keys(database: Database) -> None:
    async with database.read() as connection:
        found = [
            (await connection.execute(text(f"pragma {name}"))).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert found == ["wal", 2, 1]
    with pytest.raises(IntegrityError):
        async with database.write() as connection:
            await connection.execute(
                text("insert into person (consult_id, participant_id, name) values ('none', 'p', 'n')")
            )


async def test_times_go_in_and_come_out_aware_and_in_utc(database: Database) -> None:
    elsewhere = NOON.astimezone(timezone(timedelta(hours=3)))
    async with database.write() as connection:
        await connection.execute(insert(StaffAccount).values(account(1, elsewhere)))
    async with database.read() as connection:
        found = (await connection.execute(select(StaffAccount.created_at))).scalar_one()
    assert found == NOON
    assert found.tzinfo is UTC


async def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    naive = NOON.replace(tzinfo=None)
    with pytest.raises(StatementError, match="time zone"):
        async with database.write() as connection:
            await connection.execute(insert(StaffAccount).values(account(1, naive)))


async def test_a_failed_write_leaves_nothing_behind(database: Database) -> None:
    async def fail() -> None:
        async with database.write() as connection:
            await connection.execute(insert(StaffAccount).values(account(1)))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with database.read() as connection:
        assert (await connection.execute(select(StaffAccount.user_id))).all() == []


async def test_many_writers_at_once_all_succeed(database: Database) -> None:
    async def write(number: int) -> None:
        async with database.write() as connection:
            rows = (await connection.execute(select(StaffAccount.user_id))).all()
            await connection.execute(insert(StaffAccount).values(account(number)))
            assert len(rows) < 50

    await asyncio.gather(*(write(number) for number in range(50)))
    async with database.read() as connection:
        assert len((await connection.execute(select(StaffAccount.user_id))).all()) == 50


async def test_a_write_does_not_wait_for_ever(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "WRITE_WAIT_S", 0.01)
    async with database.write():
        with pytest.raises(DatabaseBusyError):
            async with database.write():
                pass


async def test_readers_do_not_wait_for_the_writer(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(insert(StaffAccount).values(account(1)))
        async with database.read() as reader:
            assert (await reader.execute(select(StaffAccount.user_id))).all() == []


async def test_a_reader_does_not_wait_for_ever_for_a_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "WRITE_WAIT_S", 0.05)
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'test.sqlite3'}")
    async with AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        for _ in range(database_module.POOL_CONNECTIONS):
            _ = await stack.enter_async_context(database.read())
        with pytest.raises(DatabaseBusyError):
            _ = await stack.enter_async_context(database.read())
        assert not await database.is_ready()


async def test_a_damaged_database_is_not_ready_and_no_bug(tmp_path: Path) -> None:
    (tmp_path / "test.sqlite3").write_bytes(b"no database" * 1000)
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'test.sqlite3'}")
    assert not await database.is_ready()
    await database.close()


async def test_a_slow_write_does_not_keep_the_event_loop(database: Database) -> None:
    longest_s, stop = 0.0, asyncio.Event()

    async def watch() -> None:
        nonlocal longest_s
        while not stop.is_set():
            before = monotonic()
            await asyncio.sleep(0)
            longest_s = max(longest_s, monotonic() - before)

    watcher = asyncio.create_task(watch())
    started = monotonic()
    async with database.write() as connection:
        await connection.execute(SLOW)
    took_s = monotonic() - started
    stop.set()
    await watcher
    assert longest_s < took_s / 2
