"""The one socket of a composing process, both ends: views are read and the composed file written through it.

```
job      = length u32   JSON                                        to the process, once
request  = op u8   view u16   offset u64   length u32   data        from the process
op       = R: answer with up to `length` bytes of a view (length u32, bytes)
           W: `data` is what the file has at `offset`;   P: `offset` per mille are done
           S: which walls there are, in `offset` (see `walls`);   E: all is written
           X: it failed, `data` is the name of the error's type
```
"""

from __future__ import annotations

import json
import os
import struct
from dataclasses import asdict, dataclass
from socket import socket
from typing import Any, Final

REQUEST: Final = struct.Struct(">cHQI")
LENGTH: Final = struct.Struct(">I")
PIECE_BYTES_MAX: Final = 1 << 20
JOB_BYTES_MAX: Final = 1 << 20
WHY_BYTES_MAX: Final = 64
READ, WRITE, PROGRESS, WALLS, END, FAILED = b"R", b"W", b"P", b"S", b"E", b"X"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A view that goes into the file."""

    name: str
    """Of the person, as it is drawn."""
    is_screen: bool
    has_video: bool
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is to be composed."""

    sources: tuple[Source, ...]
    duration_us: int

    def encoded(self) -> bytes:
        """As it is sent."""
        text = json.dumps({"sources": [asdict(one) for one in self.sources], "duration_us": self.duration_us})
        return LENGTH.pack(len(text.encode())) + text.encode()


def read_job(data: bytes) -> Job:
    """The job behind its length."""
    told: dict[str, Any] = json.loads(data)
    return Job(sources=tuple(Source(**one) for one in told["sources"]), duration_us=int(told["duration_us"]))


class Channel:
    """The process's end. Raises EOFError when nobody is at the other one."""

    def __init__(self, connection: socket) -> None:
        self._connection = connection

    def job(self) -> Job:
        """What is to be done."""
        (length,) = LENGTH.unpack(self._exactly(LENGTH.size))
        if length > JOB_BYTES_MAX:
            raise EOFError
        return read_job(self._exactly(length))

    def read(self, view: int, offset: int, length: int) -> bytes:
        """A piece of a view; nothing behind its end."""
        self._send(READ, view, offset, length)
        (size,) = LENGTH.unpack(self._exactly(LENGTH.size))
        return self._exactly(min(size, length))

    def write(self, offset: int, data: bytes) -> None:
        """Give a piece of the file."""
        for at in range(0, len(data), PIECE_BYTES_MAX):
            piece = data[at : at + PIECE_BYTES_MAX]
            self._send(WRITE, 0, offset + at, len(piece), piece)

    def progress(self, done: float) -> None:
        """Say how much is done, 0 to 1."""
        self._send(PROGRESS, 0, round(max(0.0, min(1.0, done)) * 1000), 0)

    def walls(self, there: int) -> None:
        """Say which walls there are."""
        self._send(WALLS, 0, there, 0)

    def failed(self, error: BaseException) -> None:
        """Say that it failed; of the error, its type alone."""
        why = type(error).__name__.encode("ascii", "replace")[:WHY_BYTES_MAX]
        self._send(FAILED, 0, 0, len(why), why)

    def end(self) -> None:
        """All is written."""
        self._send(END, 0, 0, 0)

    def _send(self, op: bytes, view: int, number: int, length: int, data: bytes = b"") -> None:
        try:
            self._connection.sendall(REQUEST.pack(op, view, number, length) + data)
        except OSError as error:
            raise EOFError from error

    def _exactly(self, length: int) -> bytes:
        found = bytearray()
        while len(found) < length:
            piece = self._connection.recv(length - len(found))
            if not piece:
                raise EOFError
            found += piece
        return bytes(found)


class ViewFile:
    """A view, to be read like a file."""

    def __init__(self, channel: Channel, view: int, size_bytes: int) -> None:
        self._channel = channel
        self._view = view
        self._size = size_bytes
        self._at = 0

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Where the next byte is."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Go somewhere."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def read(self, size: int = -1, /) -> bytes:
        """Up to so many bytes."""
        left = max(0, self._size - self._at)
        found = self._channel.read(
            self._view, self._at, min(left if size < 0 else size, left, PIECE_BYTES_MAX)
        )
        self._at += len(found)
        return found


class MadeFile:
    """The file that is made: written from its beginning to its end, its head once more at last."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._at = 0
        self._size = 0

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Where the next byte goes."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Go somewhere."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def write(self, data: Any, /) -> int:
        """Write all of it."""
        piece = bytes(data)
        self._channel.write(self._at, piece)
        self._at += len(piece)
        self._size = max(self._size, self._at)
        return len(piece)
