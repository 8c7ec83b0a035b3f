"""Passwords of staff: argon2id, a few at a time, off the event loop."""

import asyncio
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# RFC 9106 section 4, second recommendation: 64 MiB, 3 passes, 4 lanes.
_HASHER: Final = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=4)
CONCURRENT_MAX: Final = 2
PASSWORD_CHARS_MIN: Final = 12
PASSWORD_CHARS_MAX: Final = 200
# Of a random value nobody has: checked when the account is unknown, so that both take as long.
_NOBODY: Final = (
    "$argon2id$v=19$m=65536,t=3,p=4$jvOdozTQr9cwhZMzDvKLJA$5oVE69OeDjnIF47KboX6QYvPkzlflDa/jENgPH56Gxw"
)


class Passwords:
    """Makes and checks password hashes, `CONCURRENT_MAX` at a time: each takes 64 MiB while it runs."""

    def __init__(self, hasher: PasswordHasher = _HASHER) -> None:
        self._hasher = hasher
        self._turns = asyncio.Semaphore(CONCURRENT_MAX)

    async def hashed(self, password: str) -> str:
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def matches(self, password: str, stored: str | None) -> bool:
        """Whether a password belongs to a stored hash; takes as long when there is none."""
        async with self._turns:
            right = await asyncio.to_thread(self._verified, password, stored or _NOBODY)
        return right and stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Whether a hash was made with other parameters and should be made again."""
        return self._hasher.check_needs_rehash(stored)

    def _verified(self, password: str, stored: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False
