"""The database: reading and writing transactions, and the one writer SQLite allows.

* `DatabaseBusyError`: the write lock or a connection was not free in time
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from pathlib import Path
from typing import Final

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from server.storage import postgres, sqlite

WRITE_WAIT_S: Final = 10.0
POOL_CONNECTIONS: Final = 5
READY_TIMEOUT_S: Final = 2.0


class DatabaseBusyError(Exception):
    """Others have held the write lock, or every connection, for `WRITE_WAIT_S`."""


class Database:
    """One database. `read()` and `write()` are transactions, rolled back on an exception."""

    def __init__(self, url: str) -> None:
        parts = make_url(url)
        self.is_sqlite = parts.get_backend_name() == "sqlite"
        self.file = Path(parts.database) if self.is_sqlite and parts.database else None
        self.engine: AsyncEngine = create_async_engine(
            url, pool_size=POOL_CONNECTIONS, max_overflow=0, pool_timeout=WRITE_WAIT_S
        )
        if self.is_sqlite:
            sqlite.prepare(self.engine.sync_engine)
        self._one_writer = asyncio.Lock()
        self._writing = self.engine.execution_options(**{sqlite.WRITES: True})

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that sees one state of the database."""
        async with self._connected(self.engine) as connection, connection.begin():
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that changes something. On SQLite they take turns: eight at once would be 100 times
        slower."""
        async with self._turn(), self._connected(self._writing) as connection, connection.begin():
            yield connection

    @asynccontextmanager
    async def _connected(self, engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
        connection = engine.connect()
        try:
            _ = await connection.start()
        except PoolTimeoutError:
            raise DatabaseBusyError from None
        try:
            yield connection
        finally:  # also when this task is cancelled, or the connection would be lost to the pool
            await asyncio.shield(asyncio.create_task(connection.close()))

    def _turn(self) -> AbstractAsyncContextManager[None]:
        return self._sqlite_turn() if self.is_sqlite else nullcontext()

    @asynccontextmanager
    async def _sqlite_turn(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(WRITE_WAIT_S):
                await self._one_writer.acquire()
        except TimeoutError:
            raise DatabaseBusyError from None
        try:
            yield
        finally:
            self._one_writer.release()

    @asynccontextmanager
    async def may_serve(self, *, with_others: bool = False) -> AsyncIterator[bool]:
        """Whether no other server uses this database, or all of them are `with_others`; that stays so as long
        as this lasts. SQLite: see `data_dir`.
        """
        if self.is_sqlite:
            yield True
            return
        # Not in a transaction: it would stay open as long, and keep the database from tidying up.
        async with self.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            yield await postgres.may_serve(connection, with_others=with_others)

    async def is_ready(self) -> bool:
        """Whether it answers, within `READY_TIMEOUT_S`."""
        try:
            async with asyncio.timeout(READY_TIMEOUT_S), self.read() as connection:
                await connection.execute(text("select 1"))
        except (TimeoutError, OSError, SQLAlchemyError, DatabaseBusyError):
            return False
        return True

    async def close(self) -> None:
        await self.engine.dispose()
