"""Where closed parts are kept beside the workers' folder: an object store, or another folder.

Parts are sealed before they come here: whoever keeps them reads nothing of them. Functions block: call them
in a thread. All raise OSError where the store does not do it, FileNotFoundError where there is no such part.
"""

import contextlib
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import ObjectStore, S3Store

from server.identity.random_values import new_id

# Of S3: stored with each part and checked by whoever stores it.
CHECKSUM: Final = "sha256"
_NAME: Final = re.compile(r"([0-9a-f]{32})/(\d{5,10})\.tcr")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPart:
    """A part that is kept there."""

    recording: str
    part: int
    size_bytes: int


class PartStore(Protocol):
    """Keeps sealed parts. Recordings are named in hex."""

    @property
    def where(self) -> str:
        """What the rows of parts say of it, such as s3://bucket/prefix."""
        ...

    def put(self, recording: str, part: int, file: Path) -> None:
        """Keep a file that is closed; it is there whole or not at all. One that was there is replaced."""
        ...

    def size_bytes(self, recording: str, part: int) -> int | None:
        """Of a part; None where there is none."""
        ...

    def read(self, recording: str, part: int, start: int, end: int) -> bytes:
        """The bytes from `start` up to `end`, which are in the part."""
        ...

    def parts(self, recording: str | None = None) -> Sequence[StoredPart]:
        """All there are, of one recording or of all; in order."""
        ...

    def delete(self, recording: str, part: int) -> None:
        """Keep it no more; where there is none, nothing changes."""
        ...


class FolderStore:
    """Another folder: a mounted share, or a second disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.where = folder.absolute().as_uri()

    def put(self, recording: str, part: int, file: Path) -> None:
        target = self._folder / name_of(recording, part)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = target.with_name(f".{new_id()}")
        try:
            with file.open("rb") as source, draft.open("xb") as copy:
                shutil.copyfileobj(source, copy)
                copy.flush()
                os.fsync(copy.fileno())
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
        fsync_folder(target.parent)

    def size_bytes(self, recording: str, part: int) -> int | None:
        try:
            return (self._folder / name_of(recording, part)).stat().st_size
        except FileNotFoundError:
            return None

    def read(self, recording: str, part: int, start: int, end: int) -> bytes:
        with (self._folder / name_of(recording, part)).open("rb") as file:
            file.seek(start)
            return file.read(end - start)

    def parts(self, recording: str | None = None) -> Sequence[StoredPart]:
        found = self._folder.glob(f"{recording or '*'}/*.tcr")
        named = ((file.relative_to(self._folder).as_posix(), file.stat().st_size) for file in found)
        return _sorted(named)

    def delete(self, recording: str, part: int) -> None:
        file = self._folder / name_of(recording, part)
        file.unlink(missing_ok=True)
        if file.parent.exists():
            fsync_folder(file.parent)


class Objects:
    """An object store."""

    def __init__(self, store: ObjectStore, where: str) -> None:
        self._store = store
        self.where = where

    def put(self, recording: str, part: int, file: Path) -> None:
        with _as_os_errors():
            obstore.put(self._store, name_of(recording, part), file)

    def size_bytes(self, recording: str, part: int) -> int | None:
        try:
            with _as_os_errors():
                return obstore.head(self._store, name_of(recording, part))["size"]
        except FileNotFoundError:
            return None

    def read(self, recording: str, part: int, start: int, end: int) -> bytes:
        with _as_os_errors():
            found = obstore.get_range(self._store, name_of(recording, part), start=start, end=end)
            return found.to_bytes()

    def parts(self, recording: str | None = None) -> Sequence[StoredPart]:
        with _as_os_errors():
            chunks = list(obstore.list(self._store, prefix=recording))
        return _sorted((one["path"], one["size"]) for chunk in chunks for one in chunk)

    def delete(self, recording: str, part: int) -> None:
        with contextlib.suppress(FileNotFoundError), _as_os_errors():
            obstore.delete(self._store, name_of(recording, part))


def store_for(url: str | None) -> PartStore | None:
    """The store of a setting (s3://bucket/prefix); credentials come from the environment, as AWS names them.

    Raises:
        OSError: what is set makes no store.
    """
    if url is None:
        return None
    with _as_os_errors():
        return Objects(S3Store.from_url(url, checksum_algorithm=CHECKSUM), url)


def name_of(recording: str, part: int) -> str:
    """What a part is called in a store."""
    return f"{recording}/{part:05}.tcr"


def fsync_folder(folder: Path) -> None:
    """Names in a folder are on the disk when this returns."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _as_os_errors() -> Iterator[None]:
    """The store's errors as those of a disk; their texts may have addresses in them, and stay behind."""
    try:
        yield
    except (NotFoundError, FileNotFoundError):
        raise FileNotFoundError("no such part in the store") from None
    except BaseError as error:
        raise OSError(f"the store refused ({type(error).__name__})") from None


def _sorted(named: Iterator[tuple[str, int]]) -> Sequence[StoredPart]:
    """The parts behind these names; what else lies there is not ours."""
    matched = ((_NAME.fullmatch(name), size) for name, size in named)
    found = [
        StoredPart(recording=name[1], part=int(name[2]), size_bytes=size) for name, size in matched if name
    ]
    return sorted(found, key=lambda one: (one.recording, one.part))
