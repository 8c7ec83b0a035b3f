"""What the probes need of a browser tab, whichever browser it is in."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

POLL_S = 0.1
T = TypeVar("T")


class Tab(Protocol):
    """A page in a browser: Playwright's Page has this shape, and so has our Firefox."""

    async def evaluate(self, expression: str, arg: Any = None) -> Any:
        """Call the JavaScript function `expression` with `arg`; both ways as JSON, promises are awaited."""
        ...


async def eventually(
    probe: Callable[[], Awaitable[T]], accept: Callable[[T], bool], *, within_s: float, what: str
) -> T:
    """Ask `probe` until `accept` likes the answer; AssertionError with the last answer after `within_s`."""
    deadline = time.monotonic() + within_s
    while True:
        seen = await probe()
        if accept(seen):
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s} s: {what}; last seen: {seen!r}")
        await asyncio.sleep(POLL_S)
