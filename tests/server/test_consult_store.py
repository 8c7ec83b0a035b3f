"""The database keeps the contract of a consult store, on SQLite and on PostgreSQL."""

import pytest

from server.storage.consults import Consults
from server.storage.database import Database
from signaling.ports import ConsultStore
from tests.contracts.consult_store import ConsultStoreContract


class TestSqliteConsults(ConsultStoreContract):
    @pytest.fixture
    async def store(self, database: Database) -> ConsultStore:
        return Consults(database)


class TestPostgresConsults(ConsultStoreContract):
    @pytest.fixture
    async def store(self, postgres: Database) -> ConsultStore:
        return Consults(postgres)
