"""Parts of which some were brought to a store: those in the workers' folder come first."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial

from media.unsealed import PartData
from server.recordings.storage import PartStore
from server.vault.source import FolderParts, FoundPart, Windowed


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
                data = _remote(self._store, recording.hex(), part)
            yield data


def _remote(store: PartStore, recording: str, part: int) -> PartData:
    """The bytes of a part in a store. Raises OSError, FileNotFoundError where it is not."""
    size = store.size_bytes(recording, part)
    if size is None:
        raise FileNotFoundError("no such part, here or in the store")
    return Windowed(partial(store.read, recording, part), size)
