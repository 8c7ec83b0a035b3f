"""The database keeps the contract of a consult store, on SQLite and on PostgreSQL."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from server.storage.consults import Consults
from server.storage.database import Database
from server.storage.tables import Base
from server.storage.upgrade import upgrade
from signaling.ports import ConsultStore
from tests.contracts.consult_store import ConsultStoreContract


class TestSqliteConsults(ConsultStoreContract):
    @pytest.fixture
    async def store(self, database: Database) -> ConsultStore:
        return Consults(database)


class TestPostgresConsults(ConsultStoreContract):
    @pytest.fixture
    async def store(self, postgres_url: str) -> AsyncIterator[ConsultStore]:
        database = Database(postgres_url.replace("postgresql://", "postgresql+asyncpg://"))
        await upgrade(database)
        yield Consults(database)
        async with database.write() as connection:
            tables = ", ".join(table.name for table in Base.metadata.sorted_tables)
            await connection.execute(text(f"truncate {tables}"))
        await database.close()
