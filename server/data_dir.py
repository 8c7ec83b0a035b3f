"""The data directory: made for this account alone, used by one server at a time where SQLite is in it.

* `DataDirError`: it cannot be used; says why and what to do
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

LOCK: Final = "server.lock"


class DataDirError(Exception):
    """The data directory cannot be used. `hint` is the next step."""

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


def prepare(folder: Path) -> None:
    """Make the folder, readable by this account alone, and see that it can be written."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = folder / f".write-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise DataDirError(
            f"server.data_dir cannot be written: {folder} ({error.strerror})",
            hint="set server.data_dir to a folder of this account",
        ) from error


@contextmanager
def only_server(folder: Path) -> Iterator[None]:
    """Hold the folder: a second server on the same SQLite file would serve people past the first one."""
    with (folder / LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DataDirError(
                f"another server uses {folder}, and SQLite serves one",
                hint="end that server, set another server.data_dir, or set database.url to PostgreSQL",
            ) from error
        yield
