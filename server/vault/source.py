"""Where sealed parts lie, behind one seam: a folder here, an object store elsewhere.

A part is read in pieces and once: memory does not grow with it, and a file that is cut meanwhile gives less
instead of killing the reader, as a memory map would.
"""

import os
import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from media.parts import part_file
from media.unsealed import PartData
from server.vault.places import Places

WINDOW_BYTES: Final = 1 << 20
WINDOWS_KEPT: Final = 2
_NAME: Final = re.compile(r"([0-9a-f]{32})\.(\d{5,10})\.tcr")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPart:
    """A part that is there."""

    part: int
    size_bytes: int


class PartSource(Protocol):
    """The sealed parts of all recordings. `recording` is 16 bytes. Functions may block."""

    def recordings(self) -> Sequence[bytes]:
        """The recordings it has parts of. Raises OSError."""

    def list(self, recording: bytes) -> Sequence[FoundPart]:
        """The parts of a recording, in order; none for one that is not known. Raises OSError."""

    def open(self, recording: bytes, part: int) -> AbstractContextManager[PartData]:
        """A part's bytes, while the context lasts. Raises OSError, FileNotFoundError where it is not."""


class Windowed:
    """The bytes of something long, of which only some windows are in memory."""

    def __init__(self, read: Callable[[int, int], bytes], size_bytes: int) -> None:
        """`read(start, end)` gives what is there of these bytes, as long as this is used."""
        self._read = read
        self._size = size_bytes
        self._windows: deque[tuple[int, bytes]] = deque(maxlen=WINDOWS_KEPT)

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, piece: slice, /) -> bytes:
        start, stop, _ = piece.indices(self._size)
        found = bytearray()
        while start < stop:
            number, at = divmod(start, WINDOW_BYTES)
            more = self._window(number)[at : at + stop - start]
            if not more:
                break  # the file has become shorter
            found += more
            start += len(more)
        return bytes(found)

    def _window(self, number: int) -> bytes:
        for known, data in self._windows:
            if known == number:
                return data
        start = number * WINDOW_BYTES
        data = self._read(start, min(self._size, start + WINDOW_BYTES))
        self._windows.append((number, data))
        return data


def read_file(file: int, start: int, end: int) -> bytes:
    """What an open file has between these bytes; less where it has become shorter. Raises OSError."""
    return os.pread(file, end - start, start)


class FolderParts:
    """The parts in a folder, as media workers write them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def recordings(self) -> Sequence[bytes]:
        """The recordings there are files of."""
        return sorted({recording for recording, _, _ in self._files()})

    def list(self, recording: bytes) -> Sequence[FoundPart]:
        """The parts of a recording, in order."""
        found = [
            FoundPart(part=part, size_bytes=file.stat().st_size)
            for of, part, file in self._files()
            if of == recording
        ]
        return sorted(found, key=lambda one: one.part)

    @contextmanager
    def open(self, recording: bytes, part: int) -> Iterator[PartData]:
        """A part's bytes; of a file that still grows, those there are now."""
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
        file = os.open(part_file(self._folder, recording, part), flags)
        try:
            yield Windowed(partial(read_file, file), os.fstat(file).st_size)
        finally:
            os.close(file)

    def _files(self) -> Iterator[tuple[bytes, int, os.DirEntry[str]]]:
        if not self._folder.is_dir():
            return
        with os.scandir(self._folder) as files:
            for file in files:
                name = _NAME.fullmatch(file.name)
                if name is not None and file.is_file(follow_symlinks=False):
                    yield bytes.fromhex(name[1]), int(name[2]), file


def source_for(data_dir: Path, storage_url: str | None) -> PartSource:
    """Where the parts are: in the workers' folder, and at `storage_url` (s3://… or None).

    Raises:
        OSError: `storage_url` makes no store.
    """
    folder = FolderParts(Places(data_dir).recordings)
    if storage_url is None:
        return folder
    from server.recordings.storage import store_for
    from server.vault.stored import StoredParts

    store = store_for(storage_url)
    return folder if store is None else StoredParts(folder, store)
