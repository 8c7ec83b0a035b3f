"""Writes WebM (RFC 8794, RFC 9559) with one track of Opus and one of VP8, and with cues to seek by. Pure.

Blocks are gathered into a cluster, which is written once it is whole. So only the head, which knows at last
how long everything is, is written twice.
"""

from __future__ import annotations

from array import array
from struct import pack
from typing import Final

from media.remux.frames import Frame
from media.remux.opened import ViewFile

CLUSTER_MS: Final = 2_000
CLUSTER_BYTES: Final = 1 << 20
CUE_MS_MIN: Final = 500
"""A picture that needs no other begins a cluster, so that it is found; but not more often than this."""
EARLIER_MS: Final = 25
SOUND, PICTURES = 1, 2
SILENCE: Final = b"\xf8\xff\xfe"
"""20 ms of Opus that is silent (RFC 6716 section 3.1: CELT, one channel, one frame)."""
SILENCE_MS: Final = 20
OPUS_HEAD: Final = b"OpusHead" + pack("<BBHIhB", 1, 2, 0, 48_000, 0, 0)
_APP: Final = "Meridian"
_EBML, _SEGMENT, _CLUSTER, _VOID = 0x1A45DFA3, 0x18538067, 0x1F43B675, 0xEC
_SEEK_HEAD, _INFO, _TRACKS, _CUES = 0x114D9B74, 0x1549A966, 0x1654AE6B, 0x1C53BB6B
_KEY, _NOT_KEY = 0x80, 0x00
_SILENT: Final = [
    b"\xa3" + bytes([0x84 + len(SILENCE), 0x80 | SOUND]) + pack(">hB", ms, _KEY) + SILENCE
    for ms in range(CLUSTER_MS + SILENCE_MS)
]
"""The block of each place in a cluster: there are millions of them where a recording was paused for long."""


def _id(identifier: int) -> bytes:
    return identifier.to_bytes((identifier.bit_length() + 7) // 8, "big")


def _element(identifier: int, body: bytes) -> bytes:
    """An element whose size takes eight bytes, so that it does not change with its contents."""
    return _id(identifier) + (1 << 56 | len(body)).to_bytes(8, "big") + body


def _number(identifier: int, value: int, width: int = 8) -> bytes:
    return _id(identifier) + bytes([0x80 | width]) + value.to_bytes(width, "big")


def _text(identifier: int, value: str) -> bytes:
    return _element(identifier, value.encode())


def _void(size: int) -> bytes:
    """As many bytes that mean nothing; 9 at least."""
    return _element(_VOID, bytes(size - 9))


class WebM:
    """A file being written. Times are in microseconds from its beginning and must not go back in a track."""

    def __init__(self, file: ViewFile, *, pictures: bool) -> None:
        """`pictures`: whether a track for them is kept free; it vanishes if none come."""
        self._file = file
        self._pictures = pictures
        self._size: tuple[int, int] | None = None
        self._at = 0
        self._cluster = bytearray()
        self._cluster_ms = 0
        self._cluster_first_ms = 0
        self._cluster_key_ms = -1
        self._cues = array("Q")  # three for each cluster: its ms, its key picture's ms + 1 or 0, where it is
        self._write(self._head(0, 0, 0))

    @property
    def has_video(self) -> bool:
        """Whether a picture was written."""
        return self._size is not None

    def sound(self, at_us: int, data: bytes) -> None:
        """Write an Opus packet."""
        ms = at_us // 1000
        self._room(ms, len(data))
        self._block(SOUND, ms, _KEY, data)

    def silence(self, at_us: int, frames: int) -> None:
        """Write as many silent packets of 20 ms."""
        ms = at_us // 1000
        while frames:
            self._room(ms, len(SILENCE))
            first = ms - self._cluster_ms
            now = max(1, min(frames, (CLUSTER_MS - first + SILENCE_MS - 1) // SILENCE_MS))
            if now == 1:
                self._block(SOUND, ms, _KEY, SILENCE)
            else:
                self._cluster += b"".join(_SILENT[first : first + SILENCE_MS * now : SILENCE_MS])
            ms += SILENCE_MS * now
            frames -= now

    def picture(self, at_us: int, frame: Frame, *, sound_us: int) -> None:
        """Write a VP8 frame. `sound_us` is when the next sound will be: no cluster begins after it."""
        ms = at_us // 1000
        if frame.size is None:
            self._room(ms, len(frame.data), min(ms, sound_us // 1000))
        else:
            self._size = self._size or frame.size
            if not self._cluster or ms - self._cluster_ms >= CUE_MS_MIN or self._cluster_key_ms < 0:
                self._end_cluster()
                self._begin_cluster(min(ms, sound_us // 1000))
                self._cluster_key_ms = ms
        self._block(PICTURES, ms, _NOT_KEY if frame.size is None else _KEY, frame.data)

    def close(self, duration_us: int) -> int:
        """Write the cues and the head. Answers with the size of the whole in bytes."""
        self._end_cluster()
        cues_at = self._at
        self._write_cues()
        size, head = self._at, self._head(duration_us, cues_at, self._at)
        self._file.seek(0)
        self._file.write(head)
        return size

    def _room(self, ms: int, length: int, first_ms: int | None = None) -> None:
        """Make sure that a block fits the cluster that is gathered; another begins at `first_ms` or `ms`."""
        full = len(self._cluster) + length > CLUSTER_BYTES or ms - self._cluster_ms >= CLUSTER_MS
        if full or not self._cluster:
            self._end_cluster()
            self._begin_cluster(ms if first_ms is None else first_ms)

    def _begin_cluster(self, ms: int) -> None:
        # Sound that was laid a little late may be followed by a picture that is a little earlier.
        self._cluster_first_ms, self._cluster_key_ms = ms, -1
        self._cluster_ms = max(self._cluster_ms, ms - EARLIER_MS)
        self._cluster += _number(0xE7, self._cluster_ms)

    def _end_cluster(self) -> None:
        if self._cluster:
            where = self._at - self._segment_at
            self._cues.extend((self._cluster_first_ms, self._cluster_key_ms + 1, where))
            self._write(_id(_CLUSTER) + (1 << 56 | len(self._cluster)).to_bytes(8, "big"))
            self._write(self._cluster)
            self._cluster = bytearray()

    def _block(self, track: int, ms: int, flags: int, data: bytes) -> None:
        length = len(data) + 4
        size = (
            (0x80 | length).to_bytes(1, "big") if length < 127 else (0x10000000 | length).to_bytes(4, "big")
        )
        offset = max(0, min(ms - self._cluster_ms, 32_767))
        self._cluster += b"\xa3" + size + pack(">BhB", 0x80 | track, offset, flags) + data

    def _write(self, data: bytes | bytearray) -> None:
        self._file.write(bytes(data))
        self._at += len(data)

    def _write_cues(self) -> None:
        points = bytearray()
        for index in range(0, len(self._cues), 3):
            ms, key_ms, where = self._cues[index : index + 3]
            points += _cue(ms, SOUND, where)
            if key_ms and self._size:
                points += _cue(key_ms - 1, PICTURES, where)
        self._write(_element(_CUES, bytes(points)))

    def _head(self, duration_us: int, cues_at: int, size: int) -> bytes:
        """Everything before the first cluster. Always of the same length."""
        doc = _text(0x4282, "webm") + _number(0x4287, 4) + _number(0x4285, 2)
        limits = _number(0x4286, 1) + _number(0x42F7, 1) + _number(0x42F2, 4) + _number(0x42F3, 8)
        ebml = _element(_EBML, limits + doc)
        self._segment_at = len(ebml) + 12
        info = _element(
            _INFO,
            _number(0x2AD7B1, 1_000_000)
            + _id(0x4489)
            + b"\x88"
            + pack(">d", duration_us / 1000)
            + _text(0x4D80, _APP)
            + _text(0x5741, _APP),
        )
        tracks = self._tracks(last=size > 0)
        seek_length = len(_seek_head(0, 0, 0))
        seek = _seek_head(seek_length, seek_length + len(info), cues_at - self._segment_at if size else 0)
        body = max(0, size - self._segment_at)
        segment = _id(_SEGMENT) + (1 << 56 | body if size else (1 << 57) - 1).to_bytes(8, "big")
        return ebml + segment + seek + info + tracks

    def _tracks(self, *, last: bool) -> bytes:
        sound = _element(
            0xAE,
            _track(SOUND, 2, "A_OPUS")
            + _element(0x63A2, OPUS_HEAD)
            + _number(0x56AA, 0)
            + _number(0x56BB, 80_000_000)
            + _element(0xE1, _id(0xB5) + b"\x88" + pack(">d", 48_000.0) + _number(0x9F, 2)),
        )
        if not self._pictures:
            return _element(_TRACKS, sound)
        width, height = self._size or (0, 0)
        size = _element(0xE0, _number(0xB0, width) + _number(0xBA, height))
        pictures = _element(0xAE, _track(PICTURES, 1, "V_VP8") + size)
        if last and self._size is None:
            return _element(_TRACKS, sound) + _void(len(pictures))
        return _element(_TRACKS, sound + pictures)


def _track(number: int, kind: int, codec: str) -> bytes:
    return _number(0xD7, number) + _number(0x73C5, number) + _number(0x83, kind) + _text(0x86, codec)


def _seek_head(info_at: int, tracks_at: int, cues_at: int) -> bytes:
    there = ((_INFO, info_at), (_TRACKS, tracks_at), (_CUES, cues_at))
    seeks = [_element(0x4DBB, _element(0x53AB, _id(what)) + _number(0x53AC, at)) for what, at in there]
    return _element(_SEEK_HEAD, b"".join(seeks))


def _cue(ms: int, track: int, where: int) -> bytes:
    position = _number(0xF7, track, 1) + _number(0xF1, where)
    point = _number(0xB3, ms) + b"\xb7" + bytes([0x80 | len(position)]) + position
    return b"\xbb" + bytes([0x80 | len(point)]) + point
