"""The only file with SQL of SQLite: how its connections are opened and how its transactions begin."""

from typing import Any, Final

from sqlalchemy import Connection, Engine, event

BUSY_TIMEOUT_MS: Final = 5000
WRITES: Final = "meridian_writes"


def prepare(engine: Engine) -> None:
    """Make connections durable and strict, and let writing transactions take the write lock at their start.

    Taking it at the first write instead would let two transactions read, then one of them fail at its write
    without being allowed to wait (SQLITE_BUSY_SNAPSHOT).
    """

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: object) -> None:
        # The driver's own implicit transactions would begin too late.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout = {BUSY_TIMEOUT_MS}",
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "trusted_schema = OFF",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _began(connection: Connection) -> None:
        writes = connection.get_execution_options().get(WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
