"""In which order tests run on two cores: what measures time last and by itself, the rest beside it.

With `-n 2` a file stays in one process. The group `alone` is one process's whole work:
browsers, real servers, real networks. The other process has all the rest. Where it is not done when the
faults are measured, it stands still during each: see `turn`.
"""

import contextlib
import fcntl
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
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


def measures(nodeid: str) -> bool:
    """Whether a test measures how long something takes, so that a busy neighbour would fail it."""
    return nodeid.removeprefix("tests/").startswith("faults/")


@contextlib.contextmanager
def turn(nodeid: str, run: str | None) -> Iterator[None]:
    """When a test may run: one that measures waits for the other process's test, and holds up its next.

    `run` names what the processes have in common; None where there is one process only. Whoever measures
    keeps the gate: without it the other process, which needs the work for its next test at once, would win
    every time.
    """
    if run is None:
        yield
        return
    folder = Path(tempfile.gettempdir()) / f"meridian-tests-{run}"
    folder.mkdir(exist_ok=True)
    with (folder / "gate").open("w") as gate, (folder / "work").open("w") as work:
        fcntl.flock(gate, fcntl.LOCK_EX)
        fcntl.flock(work, fcntl.LOCK_EX if measures(nodeid) else fcntl.LOCK_SH)
        if not measures(nodeid):
            fcntl.flock(gate, fcntl.LOCK_UN)
        yield


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
