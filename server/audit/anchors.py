"""Checkpoints as files, one each, for whoever takes them where the database's owner has no say.

Without such a copy a chain of hashes proves nothing against somebody who can write the whole table anew.
"""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

FOLDER: Final = "audit-anchors"
SUFFIX: Final = ".checkpoint"
SIZE_DIGITS: Final = 12
NOTE_BYTES_MAX: Final = 20_000


def newest_size(folder: Path) -> int:
    """The number of entries that the newest checkpoint in the folder is of; 0 without any."""
    sizes = (int(file.stem) for file in folder.glob(f"*{SUFFIX}") if file.stem.isdecimal())
    return max(sizes, default=0)


def newest(folder: Path) -> str | None:
    """The note of the newest checkpoint in the folder, if there is any."""
    size = newest_size(folder)
    return _text(folder / _name(size)) if size else None


def write(folder: Path, size: int, note: str) -> None:
    """Add a checkpoint's file, unless there is one; it is there whole or not at all."""
    folder.mkdir(mode=0o700, exist_ok=True)
    file = folder / _name(size)
    if file.exists():
        return
    part = folder / f".{file.name}.{secrets.token_hex(4)}.part"
    try:
        with part.open("xb") as out:
            out.write(note.encode())
            out.flush()
            os.fsync(out.fileno())
        part.chmod(0o440)
        part.rename(file)
    finally:
        part.unlink(missing_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read(folder: Path) -> Mapping[str, str]:
    """The notes in a folder, by file name. A file that is no text gives an empty note.

    Raises:
        OSError: the folder or a file cannot be read.
    """
    return {file.name: _text(file) for file in sorted(folder.iterdir()) if file.suffix == SUFFIX}


def _name(size: int) -> str:
    return f"{size:0{SIZE_DIGITS}}{SUFFIX}"


def _text(file: Path) -> str:
    with file.open("rb") as opened:
        raw = opened.read(NOTE_BYTES_MAX)
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return ""
