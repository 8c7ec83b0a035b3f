"""Secrets that work once and for a short time: socket tickets and the demo's links. In memory, bounded."""

from collections import OrderedDict
from collections.abc import Callable
from time import monotonic
from typing import Final, Generic, TypeVar

from server.identity.random_values import hashed, new_secret

HELD_MAX: Final = 10_000

T = TypeVar("T")


class OneUse(Generic[T]):
    """Gives out secrets for values and takes each back once.

    Args:
        lifetime_s: seconds a secret works.
        now_s: a clock in seconds that never goes back.
    """

    def __init__(self, *, lifetime_s: float, now_s: Callable[[], float] = monotonic) -> None:
        self.lifetime_s = lifetime_s
        self._now_s = now_s
        self._held: OrderedDict[str, tuple[float, T]] = OrderedDict()

    def issue(self, value: T) -> str:
        """A new secret for a value. Over `HELD_MAX`, the oldest stops working."""
        self._forget_late()
        if len(self._held) >= HELD_MAX:
            self._held.popitem(last=False)
        secret = new_secret()
        self._held[hashed(secret)] = (self._now_s() + self.lifetime_s, value)
        return secret

    def redeem(self, secret: str) -> T | None:
        """The value of a secret, once; None when it is unknown, used or late."""
        until_s, value = self._held.pop(hashed(secret), (0.0, None))
        return value if self._now_s() < until_s else None

    def _forget_late(self) -> None:
        now_s = self._now_s()
        while self._held and next(iter(self._held.values()))[0] <= now_s:
            self._held.popitem(last=False)
