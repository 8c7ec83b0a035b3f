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


async def may_serve(connection: AsyncConnection, *, with_others: bool) -> bool:
    """Take the servers' lock, held as long as the connection; False when a server has it that wants it alone,
    or this one wants it alone and another has it.
    """
    take = "pg_try_advisory_lock_shared" if with_others else "pg_try_advisory_lock"
    return bool((await connection.execute(text(f"select {take}({_SERVER})"))).scalar_one())
