"""One file of all views: everybody at their place, named and heard, and walls around who makes it."""

from __future__ import annotations

import io
import math
import subprocess
import sys
from array import array
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO, cast

import av
import pytest
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame

from media.compose import lettering
from media.compose.channel import Job, Source, read_job
from media.compose.composing import Composer
from media.compose.picture import HEIGHT, WIDTH, Cell, cells, fitted
from media.compose.walls import EMPTY_ROOT, NO_FILES, NO_NEW_PRIVILEGES, OWN_NETWORK
from server.vault.environment import ROOT

SECONDS = 4
RATE = 48_000
SECOND_US = 1_000_000


def view(
    light: int | None, tone_hz: float, *, size: tuple[int, int] = (320, 240), seconds: int = SECONDS
) -> bytes:
    """A view of one colour and one tone."""
    file = io.BytesIO()
    with av.open(file, "w", format="webm") as container:
        audio = container.add_stream("libopus", rate=RATE)
        audio.layout = "mono"
        video: Any = None
        if light is not None:
            video = container.add_stream("libvpx", rate=10)
            video.codec_context.thread_count = 1
            video.width, video.height, video.pix_fmt = *size, "yuv420p"
        for number in range(seconds * 10):
            if video is not None:
                for packet in video.encode(_colour(light or 0, size, number)):
                    container.mux(packet)
            for packet in audio.encode(_tone(tone_hz, number)):
                container.mux(packet)
        for stream in (audio, video) if video is not None else (audio,):
            for packet in stream.encode(None):
                container.mux(packet)
    return file.getvalue()


def _colour(light: int, size: tuple[int, int], number: int) -> VideoFrame:
    frame = VideoFrame(*size, "yuv420p")
    for index, plane in enumerate(frame.planes):
        plane.update(bytes([128 if index else light]) * plane.buffer_size)
    frame.pts, frame.time_base = number, Fraction(1, 10)
    return frame


def _tone(hz: float, number: int) -> AudioFrame:
    count = RATE // 10
    first = number * count
    points = array("h", (int(8000 * math.sin(2 * math.pi * hz * (first + at) / RATE)) for at in range(count)))
    frame = AudioFrame(format="s16", layout="mono", samples=count)
    frame.planes[0].update(points.tobytes())
    frame.sample_rate, frame.pts, frame.time_base = RATE, first, Fraction(1, RATE)
    return frame


def composed(views: Sequence[bytes], names: Sequence[str], *, screens: Sequence[bool] = ()) -> bytes:
    """The one file of these views."""
    sources = [
        Source(
            name=name,
            is_screen=bool(screens) and screens[number],
            has_video=b"V_VP8" in data[:4096],
            size_bytes=len(data),
        )
        for number, (data, name) in enumerate(zip(views, names, strict=True))
    ]
    into, told = io.BytesIO(), list[float]()
    files = [cast(BinaryIO, io.BytesIO(data)) for data in views]
    Composer(files, sources, into).run(SECONDS * SECOND_US, told.append)
    assert told == sorted(told)
    assert told[-1] > 0.9
    return into.getvalue()


def last_picture(data: bytes) -> VideoFrame:
    with av.open(io.BytesIO(data), "r") as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.width, stream.height) == ("vp8", WIDTH, HEIGHT)
        pictures = list(container.decode(stream))
    return pictures[-1]


def light_at(frame: VideoFrame, x: int, y: int) -> int:
    plane = frame.planes[0]
    return bytes(plane)[y * plane.line_size + x]


def loudness(data: bytes, hz: float) -> float:
    """How strong a tone is in the middle of a file."""
    with av.open(io.BytesIO(data), "r") as container:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
        points = array("h")
        for frame in container.decode(container.streams.audio[0]):
            for one in resampler.resample(frame):
                points.frombytes(bytes(one.planes[0])[: one.samples * 2])
    middle = points[RATE : RATE * 2]
    turns = [2 * math.pi * hz * at / RATE for at in range(len(middle))]
    real = sum(point * math.cos(turn) for point, turn in zip(middle, turns, strict=True))
    other = sum(point * math.sin(turn) for point, turn in zip(middle, turns, strict=True))
    return math.hypot(real, other) * 2 / len(middle)


def tracks(data: bytes) -> list[str]:
    with av.open(io.BytesIO(data), "r") as container:
        return [one.type for one in container.streams]


def test_everybody_is_at_their_place_and_heard() -> None:
    data = composed([view(200, 440), view(60, 1000)], ["Amal Haddad", "Zoë Brûlé"])
    picture = last_picture(data)
    assert abs(light_at(picture, WIDTH // 4, HEIGHT // 2) - 200) < 12
    assert abs(light_at(picture, 3 * WIDTH // 4, HEIGHT // 2) - 60) < 12
    assert loudness(data, 440) > 4000
    assert loudness(data, 1000) > 4000
    assert loudness(data, 700) < 500
    with av.open(io.BytesIO(data), "r") as container:
        assert container.duration is not None
        assert abs(container.duration - SECONDS * SECOND_US) < SECOND_US / 2


def test_names_are_drawn_at_the_bottom_of_their_places() -> None:
    picture = last_picture(composed([view(120, 440)], ["MMMM"]))
    line = [light_at(picture, x, HEIGHT - 10) for x in range(60)]
    assert max(line) > 200
    assert min(line) < 60


def test_a_name_that_cannot_be_drawn_is_in_captions_beside_a_number() -> None:
    data = composed([view(120, 440), view(60, 1000)], ["王小明", "Amal"])
    assert tracks(data) == ["video", "audio", "subtitle"]
    with av.open(io.BytesIO(data), "r") as container:
        packets = [packet for packet in container.demux(container.streams[2]) if packet.size]
    assert bytes(packets[0]).decode() == "1 王小明\n2 Amal"
    assert tracks(composed([view(120, 440)], ["Amal"])) == ["video", "audio"]


def test_a_screen_gets_most_of_the_picture() -> None:
    picture = last_picture(
        composed([view(60, 440), view(200, 1000, size=(640, 480))], ["Amal", "Amal"], screens=[False, True])
    )
    assert abs(light_at(picture, 480, HEIGHT // 2) - 200) < 12
    assert abs(light_at(picture, WIDTH - 160, HEIGHT // 2) - 60) < 12


def test_voices_alone_make_a_file_too() -> None:
    data = composed([view(None, 440), view(None, 1000)], ["Amal", "Ben"])
    assert tracks(data) == ["video", "audio"]
    assert loudness(data, 440) > 4000
    assert loudness(data, 1000) > 4000


def test_a_camera_that_goes_off_leaves_an_empty_place() -> None:
    picture = last_picture(composed([view(220, 440, seconds=2), view(60, 1000)], ["Amal", "Ben"]))
    assert light_at(picture, WIDTH // 4, HEIGHT // 2) > 200, "it stays for three seconds"
    data = io.BytesIO()
    source = Source(name="Amal", is_screen=False, has_video=True, size_bytes=0)
    Composer([cast(BinaryIO, io.BytesIO(view(220, 440, seconds=1)))], [source], data).run(
        6 * SECOND_US, lambda done: None
    )
    assert light_at(last_picture(data.getvalue()), WIDTH // 2, HEIGHT // 2) < 60


def test_what_cannot_be_decoded_is_passed_over() -> None:
    broken = bytearray(view(200, 440))
    for at in range(len(broken) // 2, len(broken) - 2000, 97):
        broken[at] ^= 0x55
    data = composed([bytes(broken), view(60, 1000)], ["Amal", "Ben"])
    assert abs(light_at(last_picture(data), 3 * WIDTH // 4, HEIGHT // 2) - 60) < 12
    assert loudness(data, 1000) > 4000


@pytest.mark.parametrize("count", range(1, 17))
def test_places_do_not_overlap_and_are_even(count: int) -> None:
    for screens in ([False] * count, [True] * count, [number % 3 == 0 for number in range(count)]):
        taken: set[tuple[int, int]] = set()
        for cell in cells(screens):
            assert not any(value & 1 for value in (cell.left, cell.top, cell.width, cell.height))
            assert cell.left + cell.width <= WIDTH
            assert cell.top + cell.height <= HEIGHT
            here = {
                (x, y)
                for x in range(cell.left // 20, (cell.left + cell.width) // 20)
                for y in range(cell.top // 20, (cell.top + cell.height) // 20)
            }
            assert here
            assert not here & taken
            taken |= here


@pytest.mark.parametrize("size", [(640, 480), (480, 640), (2, 2), (16_000, 10), (1, 1)])
def test_a_picture_fits_its_place(size: tuple[int, int]) -> None:
    cell = Cell(640, 360, 640, 360)
    place = fitted(cell, *size)
    assert cell.left <= place.left
    assert place.left + place.width <= cell.left + cell.width
    assert cell.top <= place.top
    assert place.top + place.height <= cell.top + cell.height
    assert not any(value & 1 for value in (place.left, place.top, place.width, place.height))


def test_latin_names_can_be_drawn_and_others_not() -> None:
    assert lettering.drawable("Zoë Brûlé-Åström") == "ZOE BRULE-ASTROM"
    assert lettering.drawable("Dr. O’Neill (2)") == "DR. O'NEILL (2)"
    assert lettering.drawable("Groß, Łukasz") == "GROSS  LUKASZ"
    for name in ("王小明", "أمل", "Ольга", "x\n"):
        assert lettering.drawable(name) is None


def test_a_job_is_the_same_behind_the_socket() -> None:
    job = Job(
        sources=(Source(name="王", is_screen=True, has_video=False, size_bytes=7),), duration_us=5 * SECOND_US
    )
    assert read_job(job.encoded()[4:]) == job


TRIES = """
import os, socket, sys
from pathlib import Path
from media.compose import composing
from media.compose.walls import raise_walls
there = raise_walls(Path(sys.argv[1]))
def fails(what):
    try:
        what()
    except OSError:
        return True
    return False
def reach():
    with socket.socket() as one:
        one.settimeout(5)
        one.connect(("127.0.0.1", int(sys.argv[3])))
def listed():
    assert os.listdir("/") == []
    raise OSError
print(there, fails(lambda: open(sys.argv[2]).read()), fails(reach), fails(listed),
      fails(lambda: os.execv(sys.executable, [sys.executable, "-V"])), dict(os.environ))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="these walls are Linux's")
def test_the_walls_leave_no_files_no_network_and_no_other_program(tmp_path: Path) -> None:
    import socket

    secret, empty = tmp_path / "secret", tmp_path / "empty"
    secret.write_text("a key")
    secret.chmod(0o644)
    empty.mkdir()
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        command = [sys.executable, "-s", "-c", TRIES, str(empty), str(secret)]
        done = subprocess.run(
            [*command, str(listening.getsockname()[1])],
            cwd=ROOT,
            env={},
            check=True,
            capture_output=True,
            text=True,
        )
    there = int(done.stdout.split()[0])
    if not there & (EMPTY_ROOT | NO_FILES):
        pytest.skip("this machine lets nobody raise walls")
    assert there & NO_NEW_PRIVILEGES
    network = "True" if there & OWN_NETWORK else "False"
    assert done.stdout.split()[1:3] == ["True", network]
    assert done.stdout.split()[4] == "True"
