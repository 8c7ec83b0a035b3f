"""Loads all that composing needs, by composing something small: behind the walls nothing can be loaded."""

from __future__ import annotations

import gc
import io
from fractions import Fraction
from typing import BinaryIO, Final, cast

import av
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame

from media.compose.channel import Source
from media.compose.composing import SOUND_HZ, TICK_US, Composer

_SIZE: Final = 16
_FRAME_SAMPLES: Final = 960


def warm_up() -> None:
    """Compose a view of two frames whose name cannot be drawn."""
    view = _view()
    source = Source(name="名", is_screen=False, has_video=True, size_bytes=len(view))
    made = cast(BinaryIO, io.BytesIO())
    Composer([cast(BinaryIO, io.BytesIO(view))], [source], made).run(3 * TICK_US, lambda done: None)
    gc.collect()  # threads that a codec began end with it; a process with threads cannot wall itself in


def _view() -> bytes:
    file = io.BytesIO()
    with av.open(file, mode="w", format="webm") as container:
        video, audio = container.add_stream("libvpx", rate=10), container.add_stream("libopus", rate=SOUND_HZ)
        video.codec_context.thread_count = 1
        video.width, video.height, video.pix_fmt = _SIZE, _SIZE, "yuv420p"
        audio.layout = "stereo"
        for number in range(2):
            picture = VideoFrame(_SIZE, _SIZE, "yuv420p")
            for plane in picture.planes:
                plane.update(bytes(plane.buffer_size))
            picture.pts, picture.time_base = number, Fraction(1, 10)
            sound = AudioFrame(format="flt", layout="stereo", samples=_FRAME_SAMPLES)
            for samples in sound.planes:
                samples.update(bytes(samples.buffer_size))
            sound.sample_rate, sound.pts = SOUND_HZ, number * _FRAME_SAMPLES
            for packet in [*video.encode(picture), *audio.encode(sound)]:
                container.mux(packet)
        for packet in [*video.encode(None), *audio.encode(None)]:
            container.mux(packet)
    return file.getvalue()
