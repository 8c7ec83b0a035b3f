"""Real sound and pictures go through unharmed: every picture is the right one, at its time, and is found."""

from __future__ import annotations

import io
import math
from array import array
from fractions import Fraction
from typing import Any

import av
import pytest
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.opus import OpusEncoder
from aiortc.codecs.vpx import Vp8Encoder

from media.remux.opened import HEAD_BYTES_MAX, Remuxed
from tests.recording.generated import (
    H264,
    SECOND_US,
    VP8,
    Network,
    Recorded,
    Stream,
    camera,
    duration_us,
    read,
    sound,
)

BASE_US = 30_000
FPS = 15
BITS = 10
SECONDS = 24
KEY_EVERY = 60
TONE_S = range(8, 12)


def picture(number: int, width: int, height: int) -> av.VideoFrame:
    """A clock: the bits of a number as stripes."""
    stripe = width // BITS
    row = b"".join(bytes([220 if number >> bit & 1 else 30]) * stripe for bit in range(BITS))
    row = row.ljust(width, b"\x80")
    frame = av.VideoFrame(width, height, "yuv420p")
    for index, plane in enumerate(frame.planes):
        line = row if index == 0 else b"\x80" * (width // 2)
        plane.update(line.ljust(plane.line_size, b"\0") * (height if index == 0 else height // 2))
    frame.pts, frame.time_base = number * 90_000 // FPS, Fraction(1, 90_000)
    return frame


def number_in(frame: av.VideoFrame) -> int:
    """What the clock says."""
    plane = frame.planes[0]
    line = bytes(plane)[plane.line_size * (frame.height // 2) :]
    stripe = frame.width // BITS
    return sum((line[stripe * bit + stripe // 2] > 125) << bit for bit in range(BITS))


def films(stream: Stream, encoder: Any) -> None:
    """Half of it small, half of it large; a key frame every four seconds."""
    for number in range(SECONDS * FPS):
        true_us = number * SECOND_US / FPS
        width, height = (200, 160) if number < SECONDS * FPS // 2 else (320, 240)
        key = number % KEY_EVERY == 0
        payloads, _ = encoder.encode(picture(number, width, height), force_keyframe=key)
        if number % FPS == 0:
            stream.report(true_us)
        for place, payload in enumerate(payloads):
            last = place == len(payloads) - 1
            stream.send(true_us, payload, marker=last, sent_us=true_us + 5_000 + 300 * place)


def sings(stream: Stream) -> None:
    """A tone for some seconds, silence before and after."""
    encoder = OpusEncoder()
    for number in range(SECONDS * 50):
        at_s = number / 50
        loud = TONE_S.start <= at_s < TONE_S.stop
        wave = (math.sin(2 * math.pi * 440 * (number * 960 + i) / 48_000) for i in range(960))
        samples = array("h", (int(9_000 * one) if loud else 0 for one in wave for _ in range(2)))
        frame = av.AudioFrame(format="s16", layout="stereo", samples=960)
        frame.planes[0].update(samples.tobytes())
        frame.sample_rate, frame.pts, frame.time_base = 48_000, number * 960, Fraction(1, 48_000)
        payloads, _ = encoder.encode(frame)
        if number % 50 == 0:
            stream.report(at_s * SECOND_US)
        stream.send(at_s * SECOND_US, payloads[0], marker=False, level=20 if loud else 127)


def recorded(payload_type: int, encoder: Any) -> tuple[Remuxed, bytes]:
    """A person filmed with an encoder, over a bad network."""
    tape = Recorded()
    network = Network(base_us=BASE_US, jitter_us=8_000, loss=0.05)
    films(camera(tape, network=network, payload_type=payload_type), encoder)
    sings(sound(tape, network=network))
    return tape.remuxed()["p0"]


@pytest.fixture(scope="module")
def webm() -> tuple[Remuxed, bytes]:
    return recorded(VP8, Vp8Encoder())


@pytest.fixture(scope="module")
def mp4() -> tuple[Remuxed, bytes]:
    return recorded(H264, H264Encoder())


@pytest.fixture(params=["webm", "mp4"])
def seen(request: pytest.FixtureRequest) -> tuple[Remuxed, bytes]:
    found: tuple[Remuxed, bytes] = request.getfixturevalue(request.param)
    return found


def test_every_picture_is_decoded_and_shown_at_its_time(seen: tuple[Remuxed, bytes]) -> None:
    view, data = seen
    shown = []
    with av.open(io.BytesIO(data), "r") as container:
        for frame in container.decode(video=0):
            assert frame.time is not None
            shown.append((number_in(frame), frame.width, round(frame.time * SECOND_US)))
    assert [number for number, _, _ in shown] == list(range(SECONDS * FPS))
    assert {width for number, width, _ in shown if number < SECONDS * FPS // 2} == {200}
    assert {width for number, width, _ in shown if number >= SECONDS * FPS // 2} == {320}
    for number, _, at_us in shown:
        assert abs(at_us - number * SECOND_US / FPS - BASE_US) < 3_000
    assert view.frozen == ()


def test_it_says_what_it_is(webm: tuple[Remuxed, bytes], mp4: tuple[Remuxed, bytes]) -> None:
    assert (webm[0].mime, mp4[0].mime) == ("video/webm", "video/mp4")
    for view, data in (webm, mp4):
        assert view.size_bytes == len(data)
        assert (b"avc3" in data) == (view.mime == "video/mp4")  # its parameter sets change
        assert (view.view, view.participant, view.kind, view.has_video) == ("p0", 0, "person", True)
        assert abs(view.duration_us - SECONDS * SECOND_US) < SECOND_US
        assert abs(duration_us(data) - view.duration_us) < 50_000


def test_the_tone_is_where_it_was_and_silence_elsewhere(seen: tuple[Remuxed, bytes]) -> None:
    loud_at_s = []
    with av.open(io.BytesIO(seen[1]), "r") as container:
        for frame in container.decode(audio=0):
            assert frame.time is not None
            samples = array("f", bytes(frame.planes[0])[: 4 * frame.samples])
            if max(map(abs, samples)) > 0.1:
                loud_at_s.append(frame.time)
    assert abs(loud_at_s[0] - TONE_S.start) < 0.07
    assert abs(loud_at_s[-1] - TONE_S.stop) < 0.07
    assert len(loud_at_s) > 0.98 * 50 * len(TONE_S)


def test_a_voice_is_where_the_sender_said_it_is_loud(seen: tuple[Remuxed, bytes]) -> None:
    ((start_us, end_us),) = seen[0].speech
    assert abs(start_us - TONE_S.start * SECOND_US) < 60_000
    assert abs(end_us - TONE_S.stop * SECOND_US) < 60_000


@pytest.mark.parametrize("wanted_s", [0.5, 6.0, 11.9, 13.0, 21.5])
def test_a_player_finds_every_moment_by_the_key_frame_before(
    seen: tuple[Remuxed, bytes], wanted_s: float
) -> None:
    with av.open(io.BytesIO(seen[1]), "r") as container:
        stream = container.streams.video[0]
        container.seek(int(wanted_s * SECOND_US), backward=True)
        first = next(one for one in container.demux(stream) if one.size)
        assert first.is_keyframe
        assert first.pts is not None
        assert first.time_base is not None
        at_s = float(first.pts * first.time_base)
        newest_key_s = (wanted_s - BASE_US / 1e6) // (KEY_EVERY / FPS) * (KEY_EVERY / FPS)
        assert abs(at_s - newest_key_s - BASE_US / 1e6) < 0.02
    with av.open(io.BytesIO(seen[1]), "r") as container:
        container.seek(int(wanted_s * SECOND_US), backward=True)
        for frame in container.decode(video=0):
            assert frame.time is not None
            if frame.time >= wanted_s:
                assert abs(number_in(frame) / FPS + BASE_US / 1e6 - wanted_s) < 1 / FPS + 0.02
                break


def test_only_the_beginning_is_written_again(seen: tuple[Remuxed, bytes]) -> None:
    class Careful(io.BytesIO):
        rewritten = 0

        def write(self, data: Any, /) -> int:
            if self.tell() < len(self.getbuffer()):
                self.rewritten = max(self.rewritten, self.tell() + len(data))
            return super().write(data)

        def seek(self, offset: int, whence: int = 0, /) -> int:
            assert offset < HEAD_BYTES_MAX
            return super().seek(offset, whence)

    from media.remux.remuxing import remux

    tape, files = Recorded(), [Careful() for _ in range(2)]
    films(camera(tape, payload_type=VP8 if seen[0].mime == "video/webm" else H264), encoder_of(seen[0]))
    waiting = iter(files)
    remux(tape.opened, lambda _: next(waiting))
    assert 0 < files[0].rewritten <= HEAD_BYTES_MAX


def encoder_of(view: Remuxed) -> Any:
    """One of the kind a view was made with."""
    return Vp8Encoder() if view.mime == "video/webm" else H264Encoder()


def test_all_keys_are_marked_and_nothing_else(seen: tuple[Remuxed, bytes]) -> None:
    keys = [number for number, one in enumerate(read(seen[1], "video")) if one.key]
    assert keys == list(range(0, SECONDS * FPS, KEY_EVERY))
