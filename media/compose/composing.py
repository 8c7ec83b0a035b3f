"""Decodes all views side by side, puts their pictures into one, their voices together, and encodes that."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import Any, BinaryIO, Final, cast

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.error import FFmpegError
from av.filter import Graph
from av.packet import Packet
from av.video.frame import VideoFrame

from media.compose.channel import Source
from media.compose.lettering import drawable, drawn
from media.compose.picture import (
    BLACK,
    HEIGHT,
    LETTERS_MAX,
    SCALE,
    WHITE,
    WIDTH,
    Cell,
    Picture,
    Plane,
    cells,
    fitted,
)

TICK_US: Final = 1_000_000 // 15
AHEAD_US: Final = 3_000_000
"""How far a view is read ahead: its sound and its pictures lie beside each other, not in perfect order."""
AGAIN_US: Final = 2_000_000
"""A picture that stands still is written again after so long."""
GONE_US: Final = {False: 3_000_000, True: 15_000_000}
"""For so long the last picture of a person (False) or a screen (True) is shown when none follows."""
CAPTION_US: Final = 10_000_000
PIXELS_MAX: Final = 4096 * 2304
SOUND_HZ: Final = 48_000
NEVER_US: Final = 1 << 60
BUFFER_BYTES: Final = 262_144
MS: Final = Fraction(1, 1000)
_VIDEO: Final = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "auto-alt-ref": "0"}

Progress = Callable[[float], None]


class _View:
    """One view, decoded as time goes on. What cannot be decoded is passed over."""

    def __init__(self, file: BinaryIO, source: Source) -> None:
        self._container = av.open(file, mode="r", buffer_size=BUFFER_BYTES)
        for stream in self._container.streams.video:
            stream.codec_context.thread_count = 1
        self._packets = self._container.demux()
        self._pictures: deque[tuple[int, Packet[Any]]] = deque()
        self._resampler = AudioResampler(format="flt", layout="mono", rate=SOUND_HZ)
        self._read_us = -1
        self._over = False
        self.is_screen = source.is_screen
        self.has_sound = bool(self._container.streams.audio)
        self.shown_us = -NEVER_US
        self.sounds: deque[AudioFrame] = deque()

    def advance(self, now_us: int) -> VideoFrame | None:
        """The newest picture up to now, if there is a new one; what was heard meanwhile is in `sounds`."""
        while not self._over and self._read_us <= now_us + AHEAD_US:
            self._read()
        newest: VideoFrame | None = None
        while self._pictures and self._pictures[0][0] <= now_us:
            at_us, packet = self._pictures.popleft()
            for frame in _decoded(packet):
                if isinstance(frame, VideoFrame) and frame.width * frame.height <= PIXELS_MAX:
                    newest, self.shown_us = frame, at_us
        return newest

    def close(self) -> None:
        """Nothing more is read."""
        self._container.close()

    def _read(self) -> None:
        try:
            packet = next(self._packets, None)
        except FFmpegError:
            packet = None
        if packet is None:
            self._over = True
        elif packet.pts is not None and packet.time_base is not None:
            at_us = int(packet.pts * packet.time_base * 1_000_000)
            self._read_us = max(self._read_us, at_us)
            if packet.stream.type == "video":
                self._pictures.append((at_us, packet))
            elif packet.stream.type == "audio":
                for frame in _decoded(packet):
                    if isinstance(frame, AudioFrame):
                        self.sounds.extend(self._resampler.resample(frame))


def _decoded(packet: Packet[Any]) -> Sequence[object]:
    try:
        return packet.decode()
    except FFmpegError:
        return []


class _Mixer:
    """All voices together."""

    def __init__(self, voices: int) -> None:
        graph = Graph()
        self._sources = [
            graph.add_abuffer(
                sample_rate=SOUND_HZ, format="flt", layout="mono", time_base=Fraction(1, SOUND_HZ)
            )
            for _ in range(voices)
        ]
        mix = graph.add("amix", f"inputs={voices}:normalize=0:dropout_transition=0")
        for number, source in enumerate(self._sources):
            even = graph.add("aresample", f"{SOUND_HZ}:async=1:first_pts=0")
            source.link_to(even)
            even.link_to(mix, 0, number)
        limit, form = (
            graph.add("alimiter", "level=0"),
            graph.add("aformat", "sample_fmts=flt:channel_layouts=mono"),
        )
        self._sink = graph.add("abuffersink")
        mix.link_to(limit)
        limit.link_to(form)
        form.link_to(self._sink)
        graph.configure()
        self._graph = graph

    def add(self, voice: int, frame: AudioFrame | None) -> None:
        """What one said; None: nothing more."""
        self._sources[voice].push(frame)

    def mixed(self) -> Iterator[AudioFrame]:
        """What is ready."""
        while True:
            try:
                frame = self._sink.pull()
            except (BlockingIOError, EOFError):
                return
            if isinstance(frame, AudioFrame):
                yield frame


class _Labels:
    """What is written into each cell, and what captions say where it cannot be written."""

    def __init__(self, sources: Sequence[Source]) -> None:
        names = [drawable(one.name) for one in sources]
        self.caption = ""
        if None in names:
            self.caption = "\n".join(f"{number} {one.name}" for number, one in enumerate(sources, 1))
            names = [f"{number} {name or ''}".strip() for number, name in enumerate(names, 1)]
        self.rows = [
            drawn(name[:LETTERS_MAX], scale=SCALE, light=WHITE, dark=BLACK) if name else None
            for name in names
        ]


class Composer:
    """One file made of views that are all equally long."""

    def __init__(self, files: Sequence[BinaryIO], sources: Sequence[Source], into: BinaryIO) -> None:
        self._views = [_View(file, source) for file, source in zip(files, sources, strict=True)]
        self._voices = [number for number, view in enumerate(self._views) if view.has_sound]
        self._mixer = _Mixer(len(self._voices)) if self._voices else None
        self._seen = [number for number, one in enumerate(sources) if one.has_video] or list(
            range(len(sources))
        )
        places = cells([sources[number].is_screen for number in self._seen])
        self._cells = dict(zip(self._seen, places, strict=True))
        self._labels = _Labels(sources)
        self._picture = Picture()
        nowhere = Cell(0, 0, 0, 0)  # so that all are cleared at first
        self._shown: dict[int, Cell | None] = dict.fromkeys(self._seen, nowhere)
        self._written_us = -AGAIN_US
        self._caption_us = 0
        self._container = av.open(into, mode="w", format="webm")
        self._video = self._container.add_stream("libvpx", rate=15, options=_VIDEO)
        self._video.width, self._video.height, self._video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        self._video.bit_rate = 1_500_000
        self._video.codec_context.time_base = MS
        self._video.codec_context.gop_size = 60
        self._video.codec_context.thread_count = 1
        self._audio = self._container.add_stream("libopus", rate=SOUND_HZ)
        self._audio.layout, self._audio.bit_rate = "mono", 48_000
        self._captions = self._container.add_mux_stream("webvtt") if self._labels.caption else None

    def run(self, duration_us: int, progress: Progress) -> None:
        """Make all of it. Raises FFmpegError where it cannot be encoded."""
        said = 0.0
        for now_us in range(0, max(duration_us, TICK_US), TICK_US):
            self._tick(now_us)
            if now_us / duration_us - said >= 0.005:
                said = now_us / duration_us
                progress(said)
        for voice in range(len(self._voices)):
            if self._mixer is not None:
                self._mixer.add(voice, None)
        self._mix()
        for packet in [*self._video.encode(None), *self._audio.encode(None)]:
            self._container.mux(packet)
        self._container.close()
        for view in self._views:
            view.close()

    def _tick(self, now_us: int) -> None:
        changed = False
        for number, view in enumerate(self._views):
            frame = view.advance(now_us)
            if number in self._cells:
                changed |= self._show(number, view, frame, now_us)
        for voice, number in enumerate(self._voices):
            sounds = self._views[number].sounds
            while sounds and self._mixer is not None:
                self._mixer.add(voice, sounds.popleft())
        self._mix()
        if self._captions is not None and now_us >= self._caption_us:
            self._write_caption()
        if changed or now_us - self._written_us >= AGAIN_US:
            self._written_us = now_us
            self._write_picture(now_us)

    def _show(self, number: int, view: _View, frame: VideoFrame | None, now_us: int) -> bool:
        """Bring a cell up to date; whether it is another than before."""
        cell = self._cells[number]
        is_gone = now_us - view.shown_us > GONE_US[view.is_screen]
        if frame is not None:
            place = fitted(cell, frame.width, frame.height)
            if self._shown[number] != place:
                self._picture.clear(cell)
            small = frame.reformat(width=place.width, height=place.height, format="yuv420p")
            self._picture.put(place, cast(Sequence[Plane], small.planes))
            self._shown[number] = place
        elif is_gone and self._shown[number] is not None:
            self._picture.clear(cell)
            self._shown[number] = None
        else:
            return False
        self._letter(number, cell)
        return True

    def _letter(self, number: int, cell: Cell) -> None:
        rows = self._labels.rows[number]
        if rows is not None:
            self._picture.letter(cell, rows)

    def _write_picture(self, now_us: int) -> None:
        frame = VideoFrame(WIDTH, HEIGHT, "yuv420p")
        for plane, content in zip(frame.planes, self._picture.planes, strict=True):
            _fill(plane, content)
        frame.pts, frame.time_base = now_us // 1000, MS
        for packet in self._video.encode(frame):
            self._container.mux(packet)

    def _write_caption(self) -> None:
        packet = Packet(self._labels.caption.encode())
        packet.pts = packet.dts = self._caption_us // 1000
        packet.duration, packet.time_base = CAPTION_US // 1000, MS
        if self._captions is not None:
            packet.stream = self._captions
            self._container.mux(packet)
        self._caption_us += CAPTION_US

    def _mix(self) -> None:
        if self._mixer is None:
            return
        for frame in self._mixer.mixed():
            for packet in self._audio.encode(frame):
                self._container.mux(packet)


def _fill(plane: Any, content: bytearray) -> None:
    """Rows of a plane may be longer than what is seen of them."""
    wide = WIDTH if plane.width == WIDTH else WIDTH // 2
    if plane.line_size == wide:
        plane.update(content)
        return
    into = memoryview(plane)
    for row in range(plane.height):
        into[row * plane.line_size : row * plane.line_size + wide] = content[row * wide : row * wide + wide]
