"""The services that tests ask for are real ones."""

import asyncio
from urllib.parse import urlsplit

import asyncpg


async def test_redis_answers(redis_url: str) -> None:
    where = urlsplit(redis_url)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    writer.write(f"AUTH {where.password}\r\nPING\r\n".encode())
    assert await reader.readuntil(b"PONG\r\n") == b"+OK\r\n+PONG\r\n"
    writer.close()
    await writer.wait_closed()


async def test_postgresql_answers(postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    assert await connection.fetchval("select 1") == 1
    await connection.close()
