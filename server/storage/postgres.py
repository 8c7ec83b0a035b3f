"""The only file with SQL of PostgreSQL: locks that servers take among each other."""

from typing import Final

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection

# Any numbers, the same in every process.
_UPGRADE: Final = 6_374_001
_SERVER: Final = 6_374_002


def wait_for_upgrade(connection: Connection) -> None:
    """Let servers that start at once upgrade one after the other; held until the transaction ends."""
    connection.execute(text(f"select pg_advisory_xact_lock({_UPGRADE})"))


async def is_only_server(connection: AsyncConnection) -> bool:
    """Take the server's lock, held as long as the connection; False when another server has it."""
    return bool((await connection.execute(text(f"select pg_try_advisory_lock({_SERVER})"))).scalar_one())
