"""A file with random access that is never plain on a disk.

It is made of chunks of 64 KiB, each sealed by itself, so a player's range costs only the chunks it touches.
At its end an index says how long it is and how often each chunk was written: an old copy of a chunk, or a
file that was cut, does not open.

```
file    = slot*  index  length of index u32  magic 4
slot    = nonce 12  AES-256-GCM(64 KiB, padded with zeros)  tag 16
          additional data = file id 16  view name  chunk u64  version u32
index   = nonce 12  AES-256-GCM(JSON)  tag 16          additional data = file id 16  view name  "index"
file id = the first 16 bytes of the file, random: before the first slot
```

* `BrokenViewError`: the file is damaged, unfinished, or sealed with another key
"""

import json
import os
import struct
from collections import OrderedDict
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

CHUNK_BYTES: Final = 65_536
CHUNKS_KEPT: Final = 8
NONCE_BYTES: Final = 12
SLOT_BYTES: Final = NONCE_BYTES + CHUNK_BYTES + 16
ID_BYTES: Final = 16
MAGIC: Final = b"tcv1"
INDEX_BYTES_MAX: Final = 16 << 20
_TAIL: Final = struct.Struct(">I4s")
_CHUNK: Final = struct.Struct(">QI")


class BrokenViewError(Exception):
    """The file is not what was sealed under this name with this key."""


def view_key(vault_secret: bytes, shred: bytes, recording: bytes, view: str) -> bytes:
    """What a view is sealed with: nobody can make it without the vault's secret, nor after the recording's
    shred secret is destroyed. Secrets are 32 bytes, `recording` 16.
    """
    info = b"tcv1" + recording + b"|" + view.encode()
    return HKDF(SHA256(), 32, salt=shred, info=info).derive(vault_secret)


def seal_blob(key: bytes, content: bytes, label: bytes) -> bytes:
    """Something short, sealed whole."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, content, label)


def open_blob(key: bytes, sealed: bytes, label: bytes) -> bytes:
    """The opposite of `seal_blob`. Raises `BrokenViewError`."""
    try:
        return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], label)
    except (InvalidTag, ValueError) as error:
        raise BrokenViewError("sealed otherwise") from error


class SealedFile:
    """One sealed file: `create` it, write, `finish`; later `open` it and read. Not for two threads at once.

    It raises OSError where the disk fails, `BrokenViewError` where what is read is not what was written,
    ValueError after it is closed.
    """

    def __init__(self, file: int, key: bytes, name: str, file_id: bytes, *, writable: bool) -> None:
        self._file = file
        self._aead = AESGCM(key)
        self._bound = file_id + name.encode()
        self._writable = writable
        self._size = 0
        self._at = 0
        self._versions: dict[int, int] = {}  # how often each chunk was written
        self._there: set[int] = set()  # the chunks that are no holes
        self._plain: OrderedDict[int, bytearray] = OrderedDict()
        self._changed: set[int] = set()
        self._closed = False

    @classmethod
    def create(cls, path: Path, key: bytes, name: str) -> Self:
        """A new file; `name` is bound to it. Raises FileExistsError."""
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        file = os.open(path, flags, 0o600)
        file_id = os.urandom(ID_BYTES)
        try:
            _pwrite(file, file_id, 0)
        except OSError:
            os.close(file)
            raise
        return cls(file, key, name, file_id, writable=True)

    @classmethod
    def open(cls, path: Path, key: bytes, name: str) -> Self:
        """A finished file, to be read."""
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            opened = cls(file, key, name, os.pread(file, ID_BYTES, 0), writable=False)
            opened._read_index()
        except BaseException:
            os.close(file)
            raise
        return opened

    @property
    def size_bytes(self) -> int:
        """How much plain content it has."""
        return self._size

    def tell(self) -> int:
        """Where the next read or write is."""
        return self._at

    def seekable(self) -> bool:
        """Always."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Go somewhere, past the end too, as in every file. Raises ValueError before its beginning."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("before the beginning")
        self._at = base + offset
        return self._at

    def read(self, size: int = -1, /) -> bytes:
        """The next bytes, fewer where the file ends."""
        self._check()
        left = max(0, self._size - self._at)
        size = left if size < 0 else min(size, left)
        found = bytearray()
        while size > 0:
            number, at = divmod(self._at, CHUNK_BYTES)
            piece = self._chunk(number)[at : at + size]
            found += piece
            self._at += len(piece)
            size -= len(piece)
        return bytes(found)

    def write(self, data: bytes, /) -> int:
        """Write all of `data` here; a hole before it reads as zeros."""
        self._check(write=True)
        left = memoryview(data)
        while left:
            number, at = divmod(self._at, CHUNK_BYTES)
            piece = left[: CHUNK_BYTES - at]
            self._chunk(number)[at : at + len(piece)] = piece
            self._changed.add(number)
            self._at += len(piece)
            self._size = max(self._size, self._at)
            left = left[len(piece) :]
        return len(data)

    def truncate(self, size: int | None = None, /) -> int:
        """Make it so long, here if nothing is said; what is added reads as zeros."""
        self._check(write=True)
        size = self._at if size is None else size
        last, at = divmod(size, CHUNK_BYTES)
        if size < self._size:
            behind = last + 1 if at else last
            self._there = {number for number in self._there if number < behind}
            self._changed = {number for number in self._changed if number < behind}
            for number in [number for number in self._plain if number >= behind]:
                del self._plain[number]
            if last in self._there or last in self._plain:
                self._chunk(last)[at:] = bytes(CHUNK_BYTES - at)
                self._changed.add(last)
        self._size = size
        return size

    def finish(self) -> None:
        """Write what waits and the index; all is on the disk, and the file closed, when this returns."""
        self._check(write=True)
        for number in sorted(self._changed):
            self._put(number)
        again = {str(number): self._versions[number] for number in self._there if self._versions[number] > 1}
        chunks = -(-self._size // CHUNK_BYTES)
        holes = [number for number in range(chunks) if number not in self._there]
        content = json.dumps({"size": self._size, "again": again, "holes": holes}).encode()
        nonce = os.urandom(NONCE_BYTES)
        index = nonce + self._aead.encrypt(nonce, content, self._bound + b"index")
        at = ID_BYTES + chunks * SLOT_BYTES
        os.ftruncate(self._file, at)
        _pwrite(self._file, index + _TAIL.pack(len(index), MAGIC), at)
        os.fsync(self._file)
        self.close()

    def close(self) -> None:
        """Close it as it is; what is not finished can never be opened."""
        if not self._closed:
            self._closed = True
            self._plain.clear()
            os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check(self, *, write: bool = False) -> None:
        if self._closed or (write and not self._writable):
            raise ValueError("closed, or opened for reading")

    def _chunk(self, number: int) -> bytearray:
        """A chunk, opened; the ones not used for long make room."""
        found = self._plain.get(number)
        if found is not None:
            self._plain.move_to_end(number)
            return found
        while len(self._plain) >= CHUNKS_KEPT:
            oldest = next(iter(self._plain))
            if oldest in self._changed:
                self._put(oldest)
            del self._plain[oldest]
        found = self._get(number) if number in self._there else bytearray(CHUNK_BYTES)
        self._plain[number] = found
        return found

    def _get(self, number: int) -> bytearray:
        slot = os.pread(self._file, SLOT_BYTES, ID_BYTES + number * SLOT_BYTES)
        bound = self._bound + _CHUNK.pack(number, self._versions[number])
        try:
            return bytearray(self._aead.decrypt(slot[:NONCE_BYTES], slot[NONCE_BYTES:], bound))
        except (InvalidTag, ValueError) as error:
            raise BrokenViewError("a chunk that does not open") from error

    def _put(self, number: int) -> None:
        version = self._versions.get(number, 0) + 1
        nonce = os.urandom(NONCE_BYTES)
        bound = self._bound + _CHUNK.pack(number, version)
        slot = nonce + self._aead.encrypt(nonce, bytes(self._plain[number]), bound)
        _pwrite(self._file, slot, ID_BYTES + number * SLOT_BYTES)
        self._versions[number] = version
        self._there.add(number)
        self._changed.discard(number)

    def _read_index(self) -> None:
        size = os.fstat(self._file).st_size
        tail = os.pread(self._file, _TAIL.size, max(0, size - _TAIL.size))
        if len(tail) < _TAIL.size:
            raise BrokenViewError("too short")
        length, magic = _TAIL.unpack(tail)
        at = size - _TAIL.size - length
        if magic != MAGIC or length > INDEX_BYTES_MAX or at < ID_BYTES:
            raise BrokenViewError("it was not finished")
        sealed = os.pread(self._file, length, at)
        try:
            content = self._aead.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], self._bound + b"index")
        except (InvalidTag, ValueError) as error:
            raise BrokenViewError("an index that does not open") from error
        found = json.loads(content)
        self._size = found["size"]
        holes = set(found["holes"])
        chunks = range(-(-self._size // CHUNK_BYTES))
        self._there = set(chunks) - holes
        again = {int(number): times for number, times in found["again"].items()}
        self._versions = dict.fromkeys(self._there, 1) | again


def _pwrite(file: int, data: bytes, at: int) -> None:
    if os.pwrite(file, data, at) != len(data):
        raise OSError("the disk took a piece of it")
