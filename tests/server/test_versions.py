"""Two versions side by side: a new one brings the tables up to date, and servers of the old one run on."""

from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text, update

from server.storage.consults import Consults
from server.storage.database import Database
from server.storage.tables import SchemaUse
from server.storage.upgrade import NewerDatabaseError, config, is_usable
from signaling.ports import ConsultStore
from tests.contracts.consult_store import ConsultStoreContract

# Which columns each table has, and whether whoever inserts must know the column.
Shape = dict[str, dict[str, bool]]


async def _one_step_ahead(database: Database, *, oldest: str) -> None:
    """Do what the next version may do to a database that servers of this one use: add, and say so."""
    async with database.write() as connection:
        for change in (
            "create table later (id varchar(64) primary key)",
            "alter table consult add column later varchar(64)",
            "alter table consult_event add column later varchar(64) not null default 'x'",
            "update alembic_version set version_num = '9999'",
        ):
            await connection.execute(text(change))
        await connection.execute(update(SchemaUse).values(oldest=oldest))


def _head() -> str:
    head = ScriptDirectory.from_config(config()).get_current_head()
    assert head is not None
    return head


class TestOneStepAhead(ConsultStoreContract):
    """This version's servers keep every promise on the next version's tables."""

    @pytest.fixture
    async def store(self, database: Database) -> ConsultStore:
        await _one_step_ahead(database, oldest=_head())
        return Consults(database)


async def test_a_server_starts_on_a_database_the_next_version_has_added_to(database: Database) -> None:
    await _one_step_ahead(database, oldest=_head())
    assert await is_usable(database)


async def test_a_server_refuses_a_database_the_next_version_has_broken_with(database: Database) -> None:
    await _one_step_ahead(database, oldest="9999")
    with pytest.raises(NewerDatabaseError):
        await is_usable(database)


def _shape(connection: Connection) -> Shape:
    found = inspect(connection)
    return {
        table: {
            column["name"]: not column["nullable"] and column["default"] is None
            for column in found.get_columns(table)
        }
        for table in found.get_table_names()
    }


def _upgraded(connection: Connection, revision: str) -> Shape:
    settings = config()
    settings.attributes["connection"] = connection
    command.upgrade(settings, revision)
    return _shape(connection)


async def test_no_step_takes_from_running_servers_what_they_use_or_asks_more_of_them(tmp_path: Path) -> None:
    script = ScriptDirectory.from_config(config())
    first, *later = [step.revision for step in reversed(list(script.walk_revisions()))]
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'steps.sqlite3'}")
    async with database.write() as connection:
        before = await connection.run_sync(_upgraded, first)
        for step in later:
            after = await connection.run_sync(_upgraded, step)
            for table, columns in before.items():
                assert columns.keys() <= after.get(table, {}).keys(), (step, table)
                asked = [name for name, must in after[table].items() if must and name not in columns]
                assert asked == [], (step, table)
            before = after
    await database.close()
