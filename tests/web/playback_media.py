"""Small WebM files for tests of the playback page: VP8 and Opus, with holes, a moving clock and a tone.

The picture's lower half is the number of the frame in ten squares, black or white: what a browser shows can
be read back from its pixels, whatever its `currentTime` says.
"""

import math
import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av

WIDTH, HEIGHT = 320, 240
FRAMES_PER_S = 25
BITS = 10
SQUARE = WIDTH // BITS
SAMPLES_PER_S = 48_000
PACKET_SAMPLES = 960
PACKETS_PER_FRAME = SAMPLES_PER_S // PACKET_SAMPLES // FRAMES_PER_S
VIDEO_BASE = Fraction(1, 1000)

Spans = Sequence[tuple[float, float]]


def picture(frame: int, shade: int) -> av.VideoFrame:
    """A bar that moves once through the picture in a second, and the frame's number in squares."""
    at = (frame % FRAMES_PER_S) * WIDTH // FRAMES_PER_S
    bar = WIDTH // FRAMES_PER_S
    upper = bytes([shade]) * at + bytes([200]) * bar + bytes([shade]) * (WIDTH - at - bar)
    lower = b"".join(bytes([235 if frame >> bit & 1 else 16]) * SQUARE for bit in range(BITS))
    made = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
    made.planes[0].update(upper * (HEIGHT // 2) + lower * (HEIGHT // 2))
    for plane in made.planes[1:]:
        plane.update(bytes([128]) * plane.buffer_size)
    made.pts, made.time_base = frame * 1000 // FRAMES_PER_S, VIDEO_BASE
    return made


def tone(first: int, frequency_hz: float) -> av.AudioFrame:
    """One packet's worth of a sine."""
    step = 2 * math.pi * frequency_hz / SAMPLES_PER_S
    wave = [int(3000 * math.sin(step * (first + at))) for at in range(PACKET_SAMPLES)]
    made = av.AudioFrame("s16", "mono", PACKET_SAMPLES)
    made.planes[0].update(struct.pack(f"<{PACKET_SAMPLES}h", *wave))
    made.sample_rate, made.pts, made.time_base = SAMPLES_PER_S, first, Fraction(1, SAMPLES_PER_S)
    return made


def within(at_s: float, spans: Spans) -> bool:
    return any(start <= at_s < end for start, end in spans)


def make_view(path: Path, spans: Spans, *, length_s: float, shade: int = 60, hz: float = 300) -> None:
    """Write a view that has media in these spans (seconds) and nothing between; `hz` 0 makes it silent."""
    with av.open(path, "w", format="webm", options={"reserve_index_space": "20000"}) as output:
        seen = output.add_stream("libvpx", rate=FRAMES_PER_S)
        seen.width, seen.height, seen.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        seen.time_base = VIDEO_BASE
        seen.gop_size = FRAMES_PER_S
        seen.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0"}
        heard = output.add_stream("libopus", rate=SAMPLES_PER_S, layout="mono") if hz else None
        # By time, so that sound and picture lie side by side in the file.
        for packet in range(int(length_s * SAMPLES_PER_S) // PACKET_SAMPLES):
            if not within(packet * PACKET_SAMPLES / SAMPLES_PER_S, spans):
                continue
            if packet % PACKETS_PER_FRAME == 0:
                output.mux(seen.encode(picture(packet // PACKETS_PER_FRAME, shade)))
            if heard is not None:
                output.mux(heard.encode(tone(packet * PACKET_SAMPLES, hz)))
        output.mux(seen.encode(None))
        if heard is not None:
            output.mux(heard.encode(None))
