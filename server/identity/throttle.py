"""Limits on how often something may be tried, by address, consult or account. In memory: one server."""

from typing import Final, Literal

from limits import RateLimitItem, RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter

from server.identity.random_values import hashed
from server.settings import Settings

ACCOUNT_MINUTES: Final = 15
# Of one device or account; a page needs one each time it connects. More would crowd out those of others.
TICKETS_PER_MINUTE: Final = 120

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
        self._windows = FixedWindowRateLimiter(MemoryStorage())

    async def allows(self, what: What, key: str) -> bool:
        """Count one try; False when there were too many."""
        return await self._windows.hit(self._limits[what], what, hashed(key))
