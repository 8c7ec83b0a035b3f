"""Writes MP4 (ISO/IEC 14496-12, -15; Opus in ISOBMFF) with one track of Opus and one of H.264. Pure.

Not fragmented: a table of all samples at its end lets every player seek, and a fragmented one does not. The
table is all that is kept in memory: eight bytes for a packet of sound, sixteen for a picture at most.
"""

from __future__ import annotations

import sys
from array import array
from itertools import groupby
from struct import pack
from typing import Final

from media.remux.frames import Frame
from media.remux.opened import ViewFile
from media.remux.webm import SILENCE

CHUNK_US: Final = 1_000_000
_MOVIE_HZ: Final = 1_000
_HZ: Final = {"soun": 48_000, "vide": 90_000}
_MATRIX: Final = pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_HEAD: Final = pack(">I4s4sI4s4s4s", 28, b"ftyp", b"isom", 512, b"isom", b"iso2", b"mp41")


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return pack(">I4s", len(body) + 8, kind) + body


def _big(numbers: array[int]) -> bytes:
    if sys.byteorder == "little":
        numbers = numbers[:]
        numbers.byteswap()
    return numbers.tobytes()


class _Track:
    """The samples of a track that are in the file, and those that wait for their chunk."""

    def __init__(self) -> None:
        self.sizes = array("I")
        self.keys = array("I")
        self.runs = array("I")  # how many samples, how long each of them
        self.chunks = array("Q")  # where in the file
        self.in_chunk = array("I")  # how many samples
        self.first: int | None = None  # in ticks
        self.ticks = 0  # of all samples but the last
        self.waiting = bytearray()
        self.count_waiting = 0

    def add(self, data: bytes, *, key: bool) -> None:
        self.sizes.append(len(data))
        if key:
            self.keys.append(len(self.sizes))
        self.waiting += data
        self.count_waiting += 1

    def lasted(self, ticks: int) -> None:
        """Say how long the sample before took."""
        self.ticks += ticks
        if self.runs and self.runs[-1] == ticks:
            self.runs[-2] += 1
        else:
            self.runs.extend((1, ticks))


class Mp4:
    """A file being written. Times are in microseconds from its beginning and must not go back in a track."""

    def __init__(self, file: ViewFile) -> None:
        self._file = file
        self._at = 0
        self._sound = _Track()
        self._pictures = _Track()
        self._chunk_us = 0
        self._size: tuple[int, int] | None = None
        self._sets: tuple[bytes, bytes] = (b"", b"")
        self._sets_differ = False
        self._sound_end = 0
        self._picture_at = 0
        self._write(_HEAD + pack(">I4sQ", 1, b"mdat", 0))

    @property
    def has_video(self) -> bool:
        """Whether a picture was written."""
        return self._size is not None

    def sound(self, at_us: int, data: bytes) -> None:
        """Write an Opus packet."""
        at = at_us * 48 // 1000
        if self._sound.sizes:
            self._sound.lasted(max(0, at - self._sound_end))
        self._sound_end = at
        self._room(at_us)
        self._sound.add(data, key=False)

    def silence(self, at_us: int, frames: int) -> None:
        """Write as many silent packets of 20 ms."""
        for number in range(frames):
            self.sound(at_us + 20_000 * number, SILENCE)

    def picture(self, at_us: int, frame: Frame, *, sound_us: int) -> None:
        """Write an access unit, its NAL units each after their length."""
        at = at_us * 90 // 1000
        track = self._pictures
        if track.first is None:
            track.first, self._size, self._sets = at, frame.size, frame.sets
        else:
            track.lasted(max(1, at - self._picture_at))
        self._sets_differ |= frame.sets != self._sets
        self._picture_at = track.first + track.ticks
        self._room(at_us)
        track.add(frame.data, key=frame.size is not None)

    def close(self, duration_us: int) -> int:
        """Write the tables and say how long the media are. Answers with the size of the whole in bytes."""
        self._end_chunks()
        media = self._at - len(_HEAD)
        if self._sound.sizes:
            self._sound.lasted(max(0, duration_us * 48 // 1000 - self._sound_end))
        if self._pictures.sizes:
            self._pictures.lasted(max(1, duration_us * 90 // 1000 - self._picture_at))
        self._write(self._moov(duration_us))
        self._file.seek(len(_HEAD) + 8)
        self._file.write(pack(">Q", media))
        return self._at

    def _room(self, at_us: int) -> None:
        if at_us - self._chunk_us >= CHUNK_US:
            self._end_chunks()
            self._chunk_us = at_us

    def _end_chunks(self) -> None:
        for track in (self._sound, self._pictures):
            if track.count_waiting:
                track.chunks.append(self._at)
                track.in_chunk.append(track.count_waiting)
                self._write(track.waiting)
                track.waiting, track.count_waiting = bytearray(), 0

    def _write(self, data: bytes | bytearray) -> None:
        self._file.write(bytes(data))
        self._at += len(data)

    def _moov(self, duration_us: int) -> bytes:
        duration = duration_us // 1000
        head = pack(">IIIII", 0, 0, 0, _MOVIE_HZ, min(duration, 0xFFFFFFFF))
        head += pack(">IHHII", 0x10000, 0x100, 0, 0, 0) + _MATRIX + bytes(24) + pack(">I", 3)
        tracks = [_trak(1, "soun", self._sound, _opus_entry(), duration, (0, 0))]
        if self._size is not None:
            entry = _h264_entry(self._size, self._sets, in_band=self._sets_differ)
            tracks.append(_trak(2, "vide", self._pictures, entry, duration, self._size))
        return _box(b"moov", _box(b"mvhd", head), *tracks)


def _trak(
    number: int, kind: str, track: _Track, entry: bytes, duration_ms: int, size: tuple[int, int]
) -> bytes:
    hz, sounds = _HZ[kind], kind == "soun"
    duration = min(duration_ms, 0xFFFFFFFF)
    head = pack(">IIIIII", 7, 0, 0, number, 0, duration) + bytes(8)
    head += (
        pack(">HHHH", 0, 0, 0x100 if sounds else 0, 0) + _MATRIX + pack(">II", size[0] << 16, size[1] << 16)
    )
    late_ms = (track.first or 0) * 1000 // hz
    edits = [pack(">Iihh", late_ms, -1, 1, 0)] if late_ms else []
    edits.append(pack(">Iihh", max(0, duration - late_ms), 0, 1, 0))
    media_head = pack(">IQQIQHH", 1 << 24, 0, 0, hz, track.ticks, 0x55C4, 0)
    handler = pack(">II4s12x", 0, 0, kind.encode()) + b"Meridian\0"
    kind_head = _box(b"smhd", bytes(8)) if sounds else _box(b"vmhd", pack(">IQ", 1, 0))
    here = _box(b"dinf", _box(b"dref", pack(">II", 0, 1), _box(b"url ", pack(">I", 1))))
    minf = _box(b"minf", kind_head, here, _stbl(track, entry, sync=not sounds))
    mdia = _box(b"mdia", _box(b"mdhd", media_head), _box(b"hdlr", handler), minf)
    elst = _box(b"elst", pack(">II", 0, len(edits)), *edits)
    return _box(b"trak", _box(b"tkhd", head), _box(b"edts", elst), mdia)


def _stbl(track: _Track, entry: bytes, *, sync: bool) -> bytes:
    chunks = array("I")
    place = 1
    for samples, same in groupby(track.in_chunk):
        chunks.extend((place, samples, 1))
        place += len(list(same))
    boxes = [
        _box(b"stsd", pack(">II", 0, 1), entry),
        _box(b"stts", pack(">II", 0, len(track.runs) // 2), _big(track.runs)),
        _box(b"stsc", pack(">II", 0, len(chunks) // 3), _big(chunks)),
        _box(b"stsz", pack(">III", 0, 0, len(track.sizes)), _big(track.sizes)),
        _box(b"co64", pack(">II", 0, len(track.chunks)), _big(track.chunks)),
    ]
    if sync:
        boxes.append(_box(b"stss", pack(">II", 0, len(track.keys)), _big(track.keys)))
    return _box(b"stbl", *boxes)


def _opus_entry() -> bytes:
    head = _box(b"dOps", pack(">BBHIhB", 0, 2, 0, 48_000, 0, 0))
    return _box(b"Opus", pack(">6xH8xHHIHH", 1, 2, 16, 0, 48_000, 0), head)


def _h264_entry(size: tuple[int, int], sets: tuple[bytes, bytes], *, in_band: bool) -> bytes:
    sequence, picture = sets
    config = pack(">B3sBB", 1, sequence[1:4].ljust(3, b"\0"), 0xFF, 0xE1)
    config += pack(">H", len(sequence)) + sequence + pack(">BH", 1, len(picture)) + picture
    head = pack(">6xH16xHHIIIH32xHh", 1, *size, 0x480000, 0x480000, 0, 1, 24, -1)
    return _box(b"avc3" if in_band else b"avc1", head, _box(b"avcC", config))
