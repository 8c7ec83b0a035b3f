"""The in-memory store of these tests keeps the contract of the real ones."""

import pytest

from signaling.ports import ConsultStore
from tests.contracts.consult_store import ConsultStoreContract
from tests.signaling.fakes import MemoryStore


class TestMemoryStore(ConsultStoreContract):
    @pytest.fixture
    async def store(self) -> ConsultStore:
        return MemoryStore()
