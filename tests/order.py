"""In which order tests run on two cores: what measures time last and by itself, the rest beside it.

With `-n 2` a file stays in one process. The group `alone` is one process's whole work:
browsers, real servers, real networks. The other process has all the rest, and is done long before the faults
are measured.
"""

from pathlib import PurePosixPath
from typing import Final

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

ALONE: Final = (
    "e2e/",
    "server/test_several_servers.py",
    "media/test_network.py",
    "media/test_plane.py",
    "hostile/",
    "e2e/interpreting/",
    "faults/",
)


def place(path: str) -> int | None:
    """The place of a test file in the group `alone`: the last prefix that fits; None if it is not in it."""
    fits = [at for at, prefix in enumerate(ALONE) if path.startswith(prefix)]
    return max(fits, default=None)


def group(nodeid: str) -> str:
    """The group of a test: `alone`, or its file below `tests/`."""
    parts = PurePosixPath(nodeid.split("::", maxsplit=1)[0]).parts
    path = "/".join(parts[1:] if parts[:1] == ("tests",) else parts)
    return path if place(path) is None else "alone"


def longest_first(items: list[pytest.Item]) -> None:
    """Put the group `alone` first, in its order; the sort is stable."""

    def rank(item: pytest.Item) -> int:
        at = place(item.nodeid.split("::")[0].removeprefix("tests/"))
        return len(ALONE) if at is None else at

    items.sort(key=rank)


class Groups(LoadScopeScheduling):  # type: ignore[misc]
    """Gives a process one group after the other."""

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid)
