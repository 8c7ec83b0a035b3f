"""In which order tests run on two cores: what measures time last and by itself, the rest beside it.

With `-n 2 --dist loadgroup` a file stays in one process. The group `alone` is one process's whole work:
browsers, real servers, real networks. The other process has all the rest, and is done long before the faults
are measured.
"""

from pathlib import PurePosixPath
from typing import Final

import pytest

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


def path_of(item: pytest.Item) -> str:
    """The file of a test, below `tests/`."""
    parts = PurePosixPath(item.nodeid.split("::")[0]).parts
    return "/".join(parts[1:] if parts[:1] == ("tests",) else parts)


def grouped(items: list[pytest.Item]) -> None:
    """Mark each test's group, and put the group `alone` first and in its order; the sort is stable."""
    for item in items:
        path = path_of(item)
        group = path if place(path) is None else "alone"
        item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=lambda item: -1 if (at := place(path_of(item))) is None else at)
    items.sort(key=lambda item: place(path_of(item)) is None)
