"""Puts H.264 pictures together again from RTP payloads (RFC 6184), in the form MP4 wants. Pure."""

from __future__ import annotations

from functools import lru_cache
from struct import pack
from typing import Final

from media.remux.frames import FRAME_BYTES_MAX, Frame, Piece

_SLICE, _IDR, _SPS, _PPS, _AUD = 1, 5, 7, 8, 9
_STAP_A, _FU_A = 24, 28
_SET_BYTES_MAX: Final = 1_024
_WITH_CHROMA: Final = frozenset((100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135))
_SIDE_MAX: Final = 8_192


class H264Frames:
    """The pictures of one H.264 stream."""

    def __init__(self) -> None:
        self._frozen_from: int | None = None
        self._intact = False
        self._suspect = True
        """Packets before this picture were lost: maybe its own beginning."""
        self._first: Piece | None = None
        self._units: list[bytes] = []
        self._bytes = 0
        self._fragment: bytearray | None = None
        self._sets = (b"", b"")

    def add(self, piece: Piece, *, lost: bool) -> Frame | None:
        """Take the next packet; answers with the picture it completes."""
        if lost:
            self._lose(piece)
        if piece.start >= piece.end:
            return None
        if self._first is not None and self._first.timestamp != piece.timestamp:
            self._lose(self._first)
        if self._first is None:
            self._first, self._units, self._fragment, self._bytes = piece, [], None, 0
        self._bytes += piece.end - piece.start
        if self._bytes > FRAME_BYTES_MAX or not self._take(piece.data[piece.start : piece.end]):
            self._lose(piece)
            return None
        if not piece.marker:
            return None
        if self._fragment is not None or not self._units:
            self._lose(piece)
            return None
        return self._whole()

    def _lose(self, piece: Piece) -> None:
        first = self._first or piece
        self._first = None
        self._intact, self._suspect = False, True
        if self._frozen_from is None:
            self._frozen_from = first.at_us

    def _take(self, payload: bytes) -> bool:
        """Take the NAL units out of a payload; False when it makes no sense."""
        kind = payload[0] & 0x1F
        if kind == _FU_A:
            return self._take_fragment(payload)
        if self._fragment is not None:
            return False
        if kind == _STAP_A:
            return self._take_several(payload)
        if 0 < kind < _STAP_A:
            self._unit(payload)
            return True
        return False

    def _take_fragment(self, payload: bytes) -> bool:
        if len(payload) < 3:
            return False
        if payload[1] & 0x80:
            if self._fragment is not None:
                return False
            self._fragment = bytearray([payload[0] & 0xE0 | payload[1] & 0x1F])
        elif self._fragment is None:
            return False
        self._fragment += payload[2:]
        if payload[1] & 0x40:
            self._unit(bytes(self._fragment))
            self._fragment = None
        return True

    def _take_several(self, payload: bytes) -> bool:
        at = 1
        while at + 2 < len(payload):
            length = payload[at] << 8 | payload[at + 1]
            at += 2
            if not 0 < length <= len(payload) - at:
                return False
            self._unit(payload[at : at + length])
            at += length
        return at == len(payload)

    def _unit(self, unit: bytes) -> None:
        self._units.append(unit)
        kind = unit[0] & 0x1F
        if kind == _SPS and len(unit) <= _SET_BYTES_MAX:
            self._sets = (unit, self._sets[1])
        elif kind == _PPS and len(unit) <= _SET_BYTES_MAX:
            self._sets = (self._sets[0], unit)

    def _whole(self) -> Frame | None:
        first = self._first
        assert first is not None  # noqa: S101 (it began)
        self._first = None
        kinds = [unit[0] & 0x1F for unit in self._units]
        size = self._key_size(kinds)
        if size is not None:
            self._intact = True
        elif not self._intact or _IDR in kinds or _SLICE not in kinds:
            if kinds[-1] in (_IDR, _SLICE):
                self._lose(first)
            return None
        self._suspect = False
        units = self._units
        if size is not None:
            units = [
                one for one, kind in zip(self._sets, (_SPS, _PPS), strict=True) if kind not in kinds
            ] + units
        frozen_from, self._frozen_from = self._frozen_from, None
        return Frame(
            data=b"".join(pack(">I", len(unit)) + unit for unit in units),
            at_us=first.at_us,
            size=size,
            frozen_from=frozen_from,
            sets=self._sets,
        )

    def _key_size(self, kinds: list[int]) -> tuple[int, int] | None:
        if _IDR not in kinds or not all(self._sets):
            return None
        first = self._units[0]
        begins = kinds[0] in (_SPS, _AUD) or (len(first) > 1 and first[1] & 0x80)  # first_mb_in_slice is 0
        if self._suspect and not begins:
            return None
        return picture_size(self._sets[0])


class _Bits:
    """Reads the bits of a parameter set; zeros after its end."""

    def __init__(self, unit: bytes) -> None:
        raw = unit.replace(b"\0\0\3", b"\0\0")
        self._value = int.from_bytes(raw, "big")
        self._left = 8 * len(raw)

    def fixed(self, bits: int) -> int:
        self._left -= bits
        if self._left < 0:
            raise ValueError("a parameter set that is cut off")
        return self._value >> self._left & (1 << bits) - 1

    def golomb(self) -> int:
        zeros = 0
        while not self.fixed(1):
            zeros += 1
            if zeros > 31:
                raise ValueError("a number that is too long")
        return (1 << zeros) - 1 + self.fixed(zeros)

    def signed(self) -> int:
        value = self.golomb()
        return (value + 1) // 2 if value & 1 else -(value // 2)


@lru_cache(maxsize=64)
def picture_size(sps: bytes) -> tuple[int, int] | None:
    """Width and height a sequence parameter set says (H.264 section 7.3.2.1.1); None when it says none."""
    try:
        width, height = _size(_Bits(sps[1:]))
    except ValueError:
        return None
    return (width, height) if 0 < width <= _SIDE_MAX and 0 < height <= _SIDE_MAX else None


def _size(bits: _Bits) -> tuple[int, int]:
    profile = bits.fixed(8)
    bits.fixed(16)
    bits.golomb()
    chroma = _skip_chroma(bits) if profile in _WITH_CHROMA else 1
    bits.golomb()
    order = bits.golomb()
    if order == 0:
        bits.golomb()
    elif order == 1:
        bits.fixed(1)
        for _ in range(2):
            bits.golomb()
        for _ in range(min(bits.golomb(), 255)):
            bits.golomb()
    bits.golomb()
    bits.fixed(1)
    width, rows = 16 * (bits.golomb() + 1), bits.golomb() + 1
    frames_only = bits.fixed(1)
    if not frames_only:
        bits.fixed(1)
    height = 16 * rows * (2 - frames_only)
    bits.fixed(1)
    if bits.fixed(1):
        left, right, top, bottom = (bits.golomb() for _ in range(4))
        width -= (left + right) * (2 if chroma in (1, 2) else 1)
        height -= (top + bottom) * (2 if chroma == 1 else 1) * (2 - frames_only)
    return width, height


def _skip_chroma(bits: _Bits) -> int:
    chroma = bits.golomb()
    if chroma == 3:
        bits.fixed(1)
    bits.golomb()
    bits.golomb()
    bits.fixed(1)
    if bits.fixed(1):
        for index in range(8 if chroma != 3 else 12):
            if bits.fixed(1):
                _skip_scaling(bits, 16 if index < 6 else 64)
    return chroma


def _skip_scaling(bits: _Bits, count: int) -> None:
    last = following = 8
    for _ in range(count):
        if following:
            following = (last + bits.signed()) % 256
        last = following or last
