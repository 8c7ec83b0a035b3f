"""Brings a database to the tables of this version.

* `NewerDatabaseError`: a later version of Meridian has used it
"""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, select

from server.storage import postgres
from server.storage.database import Database
from server.storage.tables import SchemaUse

MIGRATIONS: Final = Path(__file__).parent / "migrations"


class NewerDatabaseError(Exception):
    """The database has steps this version does not know. Nothing was changed."""


def config() -> Config:
    """Alembic's configuration; there is no alembic.ini."""
    settings = Config()
    settings.set_main_option("script_location", str(MIGRATIONS))
    return settings


async def upgrade(database: Database) -> tuple[str | None, str | None]:
    """Run the missing steps in one transaction. Returns the revision before and after."""
    async with database.write() as connection:
        return await connection.run_sync(_upgrade)


async def is_usable(database: Database) -> bool:
    """Whether the database has every step this version knows, and no later one it cannot live with.

    Raises `NewerDatabaseError` if a later version has changed what this one needs.
    """
    script = ScriptDirectory.from_config(config())
    known = {step.revision for step in script.walk_revisions()}
    async with database.read() as connection:
        revision = await connection.run_sync(_revision)
        if revision is None or revision in known:
            return revision == script.get_current_head()
        oldest = (await connection.execute(select(SchemaUse.oldest))).scalar_one()
    if oldest not in known:
        raise NewerDatabaseError
    return True


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _upgrade(connection: Connection) -> tuple[str | None, str | None]:
    if connection.dialect.name == "postgresql":
        postgres.wait_for_upgrade(connection)
    before = _revision(connection)
    settings = config()
    settings.attributes["connection"] = connection
    try:
        command.upgrade(settings, "head")
    except CommandError as error:
        raise NewerDatabaseError from error
    return before, _revision(connection)
