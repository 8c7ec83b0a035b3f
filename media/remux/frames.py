"""Puts pictures together again from RTP payloads, VP8 here; leaves out those that cannot be shown. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

FRAME_BYTES_MAX: Final = 4 << 20
_BASE_S_MAX: Final = 2
_VIDEO_HZ: Final = 90_000
_KEY_START: Final = b"\x9d\x01\x2a"


class Piece(NamedTuple):
    """The payload `data[start:end]` of an RTP packet."""

    data: bytes
    start: int
    end: int
    timestamp: int
    """Unbounded."""
    marker: bool
    at_us: int
    """Of the recording."""
    level_id: int = 0
    """Of the header extension that tells how loud it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """A picture that can be shown, given those before it."""

    data: bytes
    at_us: int
    """Of the recording."""
    size: tuple[int, int] | None
    """Width and height if it needs no picture before it."""
    frozen_from: int | None = None
    """From when on pictures were left out before this one."""
    sets: tuple[bytes, bytes] = (b"", b"")
    """H.264: the parameter sets that hold for it."""


class Frames(Protocol):
    """What makes pictures of one stream."""

    def add(self, piece: Piece, *, lost: bool) -> Frame | None:
        """Take the next packet; answers with the picture it completes. `lost`: some before it never came."""


@dataclass(slots=True)
class _Descriptor:
    """RFC 7741 section 4.2. -1: not there."""

    payload_at: int
    begins: bool
    tl0: int = -1
    layer: int = -1


def _describe(data: bytes, at: int, end: int) -> _Descriptor | None:
    first = data[at]
    at += 1
    found = _Descriptor(at, first & 0x17 == 0x10)
    if first & 0x80:
        if at >= end:
            return None
        flags = data[at]
        at += 1
        if flags & 0x80:
            at += 2 if at < end and data[at] & 0x80 else 1
        if flags & 0x40:
            found.tl0 = data[at] if at < end else -1
            at += 1
        if flags & 0x30:
            found.layer = data[at] >> 6 if at < end and flags & 0x20 else -1
            at += 1
        found.payload_at = at
    return found if at < end else None


class Vp8Frames:
    """The pictures of one VP8 stream."""

    def __init__(self) -> None:
        self._frozen_from: int | None = None
        self._intact = False
        self._frame = bytearray()
        self._first: Piece | None = None
        self._described = _Descriptor(0, begins=False)
        self._base = (-1, 0)
        """Counter and timestamp of the last picture of the base layer."""

    def add(self, piece: Piece, *, lost: bool) -> Frame | None:
        """Take the next packet; answers with the picture it completes."""
        if lost:
            self._lose(piece)
        if piece.start >= piece.end:
            return None
        found = _describe(piece.data, piece.start, piece.end)
        if found is None:
            self._lose(piece)
            return None
        if found.begins:
            if self._first is not None:
                self._lose(self._first)
            self._first, self._described = piece, found
            self._frame = bytearray()
        elif self._first is None or self._first.timestamp != piece.timestamp:
            self._lose(piece)
            return None
        self._frame += memoryview(piece.data)[found.payload_at : piece.end]
        if len(self._frame) > FRAME_BYTES_MAX:
            self._lose(piece)
            return None
        return self._whole() if piece.marker else None

    def _lose(self, piece: Piece) -> None:
        """A picture is not whole: what follows may need it."""
        first = self._first or piece
        self._first = None
        self._intact = False
        if self._frozen_from is None:
            self._frozen_from = first.at_us

    def _whole(self) -> Frame | None:
        first = self._first
        assert first is not None  # noqa: S101 (it began)
        self._first = None
        data, size = bytes(self._frame), None
        if not data[0] & 1:
            size = _key_size(data)
            if size is None:
                self._lose(first)
                return None
            self._intact = True
        elif not self._intact and not self._next_of_base(first):
            if self._frozen_from is None:
                self._frozen_from = first.at_us
            return None
        if self._described.layer <= 0:
            self._base = (self._described.tl0, first.timestamp)
        frozen_from, self._frozen_from = self._frozen_from, None
        return Frame(data=data, at_us=first.at_us, size=size, frozen_from=frozen_from)

    def _next_of_base(self, first: Piece) -> bool:
        """Whether only pictures were lost that nothing needs: this one follows the last of the base layer."""
        tl0, timestamp = self._base
        if self._described.layer != 0 or self._described.tl0 < 0 or tl0 < 0:
            return False
        soon = 0 < first.timestamp - timestamp < _BASE_S_MAX * _VIDEO_HZ
        self._intact = soon and self._described.tl0 == tl0 + 1 & 0xFF
        return self._intact


def _key_size(data: bytes) -> tuple[int, int] | None:
    """Width and height in the head of a VP8 key frame (RFC 6386 section 9.1)."""
    if len(data) < 10 or data[3:6] != _KEY_START:
        return None
    width = (data[7] << 8 | data[6]) & 0x3FFF
    height = (data[9] << 8 | data[8]) & 0x3FFF
    return (width, height) if width and height else None
