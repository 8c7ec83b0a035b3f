"""The second pass: writes one view out of its packets. Holds back some seconds of them, never more."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import Final, Literal

from media.gathering import Packet
from media.remux.avc import H264Frames
from media.remux.frames import Frame, Frames, Piece, Vp8Frames
from media.remux.mp4 import Mp4
from media.remux.opened import Remuxed, ViewFile
from media.remux.ordering import Ordering
from media.remux.sound import Sound, Spans, duration_us
from media.remux.survey import AUDIO, CAMERA, SCREEN, Codec, Described, Streams, Survey, source_of
from media.remux.timeline import Timeline
from media.remux.webm import WebM
from media.rtp import BadRtp, extension, payload_end, payload_offset

HELD_US: Final = 4_000_000
"""What is captured at the same time is written together, though it came so far apart."""
LOOK_US: Final = 100_000
SPAN_PAUSE_US: Final = 1_000_000
PICTURE_US: Final = 40_000
"""How long a picture is there at least, in the spans."""
Kind = Literal["person", "screen"]


@dataclass(slots=True)
class _Stream:
    """What one SSRC of a track sends."""

    ssrc: int
    frames: Frames | None
    ordering: Ordering[Piece] = field(default_factory=Ordering)
    clock: tuple[int, int, int] = (-1, -1, 0)
    """Stretch and timestamp of the packet before, and when that was."""
    last_us: int = 0
    """Of the picture before: they are never put out of their order."""


@dataclass(slots=True)
class _Track:
    number: int
    codec: Codec
    streams: Streams
    by_ssrc: dict[int, _Stream] = field(default_factory=dict)


class Remuxer:
    """A view being written."""

    def __init__(self, kind: Kind, person: int, survey: Survey, timeline: Timeline, file: ViewFile) -> None:
        """`survey` and `timeline` are those of the same packets that are coming now."""
        self._kind: Kind = kind
        self._person = person
        self._timeline = timeline
        self._tracks: dict[int, _Track] = {}
        for number in tracks_of(kind, person):
            codec = survey.codec(number)
            if codec is not None:
                self._tracks[number] = _Track(number, codec, Streams(survey.tracks[number].hz))
        codecs = {track.codec for track in self._tracks.values()}
        self._file: WebM | Mp4 = Mp4(file) if "h264" in codecs else WebM(file, pictures="vp8" in codecs)
        self._sound = Sound(self._file)
        self._held: list[tuple[int, int, _Stream, Frame | tuple[bytes, int, int | None]]] = []
        self._serial = 0
        self._now_us = self._looked_us = 0
        self._shown: _Stream | None = None
        self._picture_us = -1_000
        self._spans, self._frozen = Spans(SPAN_PAUSE_US), Spans(0)
        self._left_out = Spans(SPAN_PAUSE_US)

    def packet(self, number: int, packet: Packet, described: Described) -> None:
        """Take the next packet of one of its tracks, of which `described` holds now."""
        data, track = packet.data, self._tracks.get(number)
        if track is None or len(data) < 12 or data[0] >> 6 != 2:
            return
        codec = described.codecs.get(data[1] & 0x7F)
        if codec is None or 192 <= data[1] <= 223:
            return
        ssrc = int.from_bytes(data[8:12], "big")
        seen = track.streams.see(ssrc, int.from_bytes(data[4:8], "big"), packet.at_us)
        if seen is None:
            return
        if codec != track.codec:
            self._left_out.add(packet.at_us, packet.at_us + PICTURE_US)
            return
        try:
            start = payload_offset(data)
            end = payload_end(data, start)
        except BadRtp:
            return
        stream = track.by_ssrc.get(ssrc)
        if stream is None:
            stream = track.by_ssrc[ssrc] = _Stream(ssrc, _frames(codec))
        if stream.clock[0] != seen[0] or stream.clock[1] != seen[1]:
            at_us = self._timeline.at_us(number, ssrc, seen[0], seen[1], packet.at_us)
            stream.clock = (seen[0], seen[1], at_us)
        piece = Piece(data, start, end, seen[1], data[1] & 0x80 != 0, stream.clock[2], described.level)
        for given, lost in stream.ordering.add(data[2] << 8 | data[3], packet.at_us, piece):
            self._given(stream, given, lost=lost)
        self._now_us = max(self._now_us, packet.at_us)
        if self._now_us - self._looked_us >= LOOK_US:
            self._look()

    def flush(self) -> int:
        """Write what is held back: nothing more comes. Answers with the end of it, in microseconds."""
        for track in self._tracks.values():
            for stream in track.by_ssrc.values():
                for piece, lost in stream.ordering.rest():
                    self._given(stream, piece, lost=lost)
        self._write_until(1 << 62)
        return max(self._picture_us + PICTURE_US, self._sound.next_us)

    def close(self, until_us: int) -> Remuxed:
        """Write silence until the end, and what a file ends with."""
        self._sound.end(until_us)
        size = self._file.close(until_us)
        pictures = self._file.has_video
        mp4 = isinstance(self._file, Mp4)
        return Remuxed(
            view=view_name(self._kind, self._person),
            participant=self._person,
            kind=self._kind,
            mime="video/mp4" if mp4 else "video/webm" if pictures else "audio/webm",
            size_bytes=size,
            duration_us=until_us,
            has_video=pictures,
            spans=self._spans.all(),
            speech=self._sound.speech,
            frozen=self._frozen.all(),
            left_out=self._left_out.all(),
        )

    def _given(self, stream: _Stream, piece: Piece, *, lost: bool) -> None:
        """A packet whose turn it is."""
        if stream.frames is None:
            payload = piece.data[piece.start : piece.end]
            lasts_us = duration_us(payload)
            if lasts_us:
                self._hold(piece.at_us, stream, (payload, lasts_us, _level(piece)))
            return
        frame = stream.frames.add(piece, lost=lost)
        if frame is not None:
            stream.last_us = max(frame.at_us, stream.last_us)
            self._hold(stream.last_us, stream, frame)

    def _hold(self, at_us: int, stream: _Stream, what: Frame | tuple[bytes, int, int | None]) -> None:
        self._serial += 1
        heapq.heappush(self._held, (at_us, self._serial, stream, what))

    def _look(self) -> None:
        """Give up packets that do not come, and write what is old enough."""
        self._looked_us = self._now_us
        for track in self._tracks.values():
            for stream in track.by_ssrc.values():
                for piece, lost in stream.ordering.due(self._now_us):
                    self._given(stream, piece, lost=lost)
        self._write_until(self._now_us - HELD_US)

    def _write_until(self, until_us: int) -> None:
        held = self._held
        while held and held[0][0] <= until_us:
            at_us, _, stream, what = heapq.heappop(held)
            if isinstance(what, Frame):
                self._show(at_us, stream, what)
            else:
                data, lasts_us, level = what
                self._spans.add(at_us, at_us + lasts_us)
                self._sound.add(at_us, data, lasts_us, level)

    def _show(self, at_us: int, stream: _Stream, frame: Frame) -> None:
        if frame.size is not None:
            self._shown = stream
        if self._shown is not stream:
            return
        self._spans.add(at_us, at_us + PICTURE_US)
        if frame.frozen_from is not None and frame.frozen_from < at_us:
            self._frozen.add(frame.frozen_from, at_us)
        at_us = self._picture_us = max(at_us, self._picture_us + 1_000)
        self._sound.pictures_at(at_us)
        self._file.picture(at_us, frame, sound_us=self._sound.next_us)


def tracks_of(kind: Kind, person: int) -> tuple[int, ...]:
    """The tracks that are in a view."""
    return (4 * person + SCREEN,) if kind == "screen" else (4 * person + AUDIO, 4 * person + CAMERA)


def view_name(kind: Kind, person: int) -> str:
    """What a view is called."""
    return f"{'s' if kind == 'screen' else 'p'}{person}"


def views_of(survey: Survey) -> list[tuple[Kind, int]]:
    """The views there are something for, people first."""
    people = sorted({track >> 2 for track in survey.tracks if source_of(track) != SCREEN})
    screens = sorted(track >> 2 for track in survey.tracks if source_of(track) == SCREEN)
    return [*(("person", one) for one in people), *(("screen", one) for one in screens)]


def _frames(codec: Codec) -> Frames | None:
    if codec == "opus":
        return None
    return Vp8Frames() if codec == "vp8" else H264Frames()


def _level(piece: Piece) -> int | None:
    """How loud the sender says it is (RFC 6464), in -dBov."""
    found = extension(piece.data, piece.level_id, piece.start)
    return found[0] & 0x7F if found else None
