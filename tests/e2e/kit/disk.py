"""A disk with room for little, so that a full one can be tried."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.kit import needs


@contextmanager
def small_disk(folder: Path, size_bytes: int) -> Iterator[Path]:
    """`folder`, made new, is a disk of its own of this size while the context lasts."""
    if os.geteuid() != 0:
        pytest.skip("a disk that can be filled needs root: sudo python3 dev.py test")
    folder.mkdir(exist_ok=True)
    _run("mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", str(folder))
    try:
        yield folder
    finally:
        _run("umount", "-l", str(folder))


def _run(name: str, *arguments: str) -> None:
    subprocess.run([needs.program(name, package="mount"), *arguments], check=True)
