"""A database that is away for a moment: what is asked of it meanwhile waits, and then is done once."""

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import Any, Final, ParamSpec, TypeVar

from sqlalchemy.exc import DBAPIError

from server.storage.database import DatabaseBusyError
from signaling.errors import Unstored

P = ParamSpec("P")
T = TypeVar("T")

# A database that is started again is back within seconds; people wait no longer for an answer than this.
WITHIN_S: Final = 8.0
PAUSE_S: Final = 0.1
PAUSE_S_MAX: Final = 1.0
# Waiting does not help: https://www.sqlite.org/rescode.html
HOPELESS: Final = frozenset({"SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_READONLY", "SQLITE_CORRUPT"})


def lasting(work: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Do a transaction again while the database is away, for `WITHIN_S`; then raise `Unstored`.

    The transaction must be one that can be tried again although its commit may have succeeded unheard: it
    reads, or fails the second time, as an append at a version does.
    """

    @functools.wraps(work)
    async def done(*args: P.args, **kwargs: P.kwargs) -> T:
        loop, pause_s = asyncio.get_running_loop(), PAUSE_S
        until_s = loop.time() + WITHIN_S
        while True:
            try:
                return await work(*args, **kwargs)
            except (DBAPIError, OSError, DatabaseBusyError) as error:
                if _is_hopeless(error) or loop.time() + pause_s > until_s:
                    raise Unstored from error
            await asyncio.sleep(pause_s)
            pause_s = min(PAUSE_S_MAX, pause_s * 2)

    return done


def _is_hopeless(error: Exception) -> bool:
    name = getattr(getattr(error, "orig", None), "sqlite_errorname", "")
    return name in HOPELESS
