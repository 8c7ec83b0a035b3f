"""Limits on how often something may be tried, by address, consult or account.

In this process; in Redis where one is set, so that a restart, or another server, begins no new count. Redis
holds hashes and numbers, and nothing waits for it: while it is away, this process counts by itself.
"""

from collections.abc import Callable
from typing import Any, Final, Literal

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter
from redis.asyncio import ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from server.identity.random_values import hashed
from server.logs import logger
from server.settings import Settings

ACCOUNT_MINUTES: Final = 15
# Of one device or account; a page needs one each time it connects. More would crowd out those of others.
TICKETS_PER_MINUTE: Final = 120
# A person waits for the answer to each try: a Redis slower than this is as good as away.
REDIS_ANSWER_S_MAX: Final = 0.5

log = logger("throttle")

What = Literal[
    "sign_in_address",
    "sign_in_account",
    "invitation_address",
    "invitation_consult",
    "demo_address",
    "ticket",
]


class Throttle:
    """Counts tries. What is counted is kept as a hash alone."""

    def __init__(self, settings: Settings) -> None:
        sign_in, invitations = settings.sign_in, settings.invitations
        self._limits: dict[What, RateLimitItem] = {
            "sign_in_address": RateLimitItemPerMinute(sign_in.attempts_per_minute),
            "sign_in_account": RateLimitItemPerMinute(sign_in.attempts_per_account, ACCOUNT_MINUTES),
            "invitation_address": RateLimitItemPerMinute(invitations.tries_per_minute),
            "invitation_consult": RateLimitItemPerMinute(invitations.tries_per_consult),
            "demo_address": RateLimitItemPerMinute(invitations.tries_per_minute),
            "ticket": RateLimitItemPerMinute(TICKETS_PER_MINUTE),
        }
        self._here = FixedWindowRateLimiter(MemoryStorage())
        self._pool = _pool(settings)
        self._shared = _shared(self._pool)
        self._is_away = False

    async def allows(self, what: What, key: str) -> bool:
        """Count one try; False when there were too many."""
        item, counted = self._limits[what], hashed(key)
        # Counted here as well: when Redis goes away in the middle of an attack, the count goes on.
        here = await self._here.hit(item, what, counted)
        if self._shared is None:
            return here
        try:
            shared = await self._shared.hit(item, what, counted)
        except (RedisError, OSError) as error:
            self._tell(away=True, error=type(error).__name__)
            return here
        self._tell(away=False)
        return here and shared

    async def close(self) -> None:
        """Let go of Redis."""
        if self._pool is not None:
            await self._pool.disconnect()

    def _tell(self, *, away: bool, error: str = "") -> None:
        """Say it once when Redis goes, and once when it is back."""
        if away != self._is_away:
            self._is_away = away
            say: Callable[..., None] = log.warning if away else log.info
            say("limits are counted here alone" if away else "limits are shared again", error=error)


def _pool(settings: Settings) -> ConnectionPool | None:
    """Connections that answer at once or are given up: the try is then counted here alone."""
    if settings.redis.url is None:
        return None
    return ConnectionPool.from_url(
        settings.redis.url.get_secret_value(),
        socket_timeout=REDIS_ANSWER_S_MAX,
        socket_connect_timeout=REDIS_ANSWER_S_MAX,
        retry=Retry(NoBackoff(), 0),
    )


def _shared(pool: ConnectionPool | None) -> FixedWindowRateLimiter | None:
    if pool is None:
        return None
    own: dict[str, Any] = {"connection_pool": pool}
    storage = RedisStorage("async+redis://", implementation="redispy", key_prefix="meridian", **own)
    return FixedWindowRateLimiter(storage)
