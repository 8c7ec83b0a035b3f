"""Parts of which some were brought to a store: those in the workers' folder come first."""

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from media.unsealed import PartData
from server.recordings.storage import PartStore
from server.vault.source import WINDOW_BYTES, WINDOWS_KEPT, FolderParts, FoundPart


class StoredParts:
    """A `PartSource` over a folder and a store."""

    def __init__(self, folder: FolderParts, store: PartStore) -> None:
        self._folder = folder
        self._store = store

    def recordings(self) -> Sequence[bytes]:
        """The recordings there are parts of, here or there."""
        there = {bytes.fromhex(one.recording) for one in self._store.parts()}
        return sorted(there.union(self._folder.recordings()))

    def list(self, recording: bytes) -> Sequence[FoundPart]:
        """The parts of a recording, in order; a part that is in both counts as the folder has it."""
        found = {
            one.part: FoundPart(part=one.part, size_bytes=one.size_bytes)
            for one in self._store.parts(recording.hex())
        }
        found |= {one.part: one for one in self._folder.list(recording)}
        return [found[part] for part in sorted(found)]

    @contextmanager
    def open(self, recording: bytes, part: int) -> Iterator[PartData]:
        """A part's bytes; read in windows, so that memory does not grow with it."""
        with ExitStack() as stack:
            try:
                data: PartData = stack.enter_context(self._folder.open(recording, part))
            except FileNotFoundError:
                data = _Remote(self._store, recording.hex(), part)
            yield data


class _Remote:
    """The bytes of a part in a store, of which only some windows are in memory."""

    def __init__(self, store: PartStore, recording: str, part: int) -> None:
        size = store.size_bytes(recording, part)
        if size is None:
            raise FileNotFoundError("no such part, here or in the store")
        self._store, self._recording, self._part, self._size = store, recording, part, size
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
                break  # there is less by now
            found += more
            start += len(more)
        return bytes(found)

    def _window(self, number: int) -> bytes:
        for known, data in self._windows:
            if known == number:
                return data
        start = number * WINDOW_BYTES
        end = min(self._size, start + WINDOW_BYTES)
        data = self._store.read(self._recording, self._part, start, end)
        self._windows.append((number, data))
        return data
