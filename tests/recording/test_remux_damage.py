"""What gets lost, comes late, or changes in the middle costs no more than it must."""

from __future__ import annotations

import io
import random
import re
from itertools import pairwise
from struct import pack

import av
import pytest

from media.remux.opened import Media, Meta, Opened
from media.remux.remuxing import remux
from tests.recording.generated import (
    H264,
    SECOND_US,
    VP8,
    Network,
    Recorded,
    Stream,
    camera,
    h264_key,
    opus,
    read,
    sound,
    vp8,
)

BASE_US = 30_000
STEP_US = 100_000
SIZE = (640, 480)


def talk(stream: Stream, start_s: float, end_s: float, level: int | None = 20) -> None:
    for true_us in range(int(start_s * SECOND_US), int(end_s * SECOND_US), 20_000):
        if true_us % SECOND_US == 0:
            stream.report(true_us)
        stream.send(true_us, opus(true_us), marker=False, level=level)


def move(
    stream: Stream, start_s: float, end_s: float, *, key_s: float = 1e9, lost: tuple[int, ...] = ()
) -> None:
    """Ten pictures in a second, the first of them a key frame; those whose number is in `lost` never come."""
    start_us = int(start_s * SECOND_US)
    for number, true_us in enumerate(range(start_us, int(end_s * SECOND_US), STEP_US)):
        if number % 10 == 0:
            stream.report(true_us)
        key = number % int(key_s * 10) == 0
        stream.send(true_us, vp8(true_us, size=SIZE if key else None), lost=number in lost)


def shown_s(data: bytes) -> list[float]:
    """When the pictures in a view were captured."""
    return [one.true_us / SECOND_US for one in read(data, "video") if one.true_us is not None]


def heard_s(data: bytes) -> list[float]:
    """When the sound in a view was captured."""
    return [one.true_us / SECOND_US for one in read(data, "audio") if one.true_us is not None]


def tenths(start: int, end: int) -> list[float]:
    return [one / 10 for one in range(start, end)]


def test_pictures_after_a_lost_one_are_left_out_until_the_next_key_frame() -> None:
    tape = Recorded()
    talk(sound(tape), 0, 10)
    move(camera(tape), 0, 10, key_s=5, lost=(23,))
    view, data = tape.remuxed()["p0"]
    assert shown_s(data) == tenths(0, 23) + tenths(50, 100)
    ((start_us, end_us),) = view.frozen
    assert abs(start_us - BASE_US - 2_400_000) < 5_000
    assert abs(end_us - BASE_US - 5_000_000) < 5_000


def test_a_lost_picture_that_nothing_needs_freezes_nothing() -> None:
    tape = Recorded()
    face = camera(tape)
    for number in range(100):
        layer, base = number % 2, number // 2
        descriptor = pack(">BBBBB", 0x90, 0xE0, number & 0x7F, base & 0xFF, layer << 6 | 0x20 * layer)
        face.send(
            number * STEP_US,
            vp8(number * STEP_US, size=None if number else SIZE, descriptor=descriptor),
            lost=number in (31, 55),
        )
    view, data = tape.remuxed()["p0"]
    assert shown_s(data) == [one for one in tenths(0, 100) if one not in (3.1, 5.5)]
    assert view.frozen == ()


def test_a_lost_picture_of_the_base_layer_freezes_until_the_next_key_frame() -> None:
    tape = Recorded()
    face = camera(tape)
    for number in range(100):
        layer, base = number % 2, number // 2
        descriptor = pack(">BBBBB", 0x90, 0xE0, number & 0x7F, base & 0xFF, layer << 6 | 0x20 * layer)
        face.send(
            number * STEP_US,
            vp8(number * STEP_US, size=None if number % 60 else SIZE, descriptor=descriptor),
            lost=number == 32,
        )
    view, data = tape.remuxed()["p0"]
    assert shown_s(data) == tenths(0, 32) + tenths(60, 100)
    assert len(view.frozen) == 1


def test_half_a_picture_is_no_picture() -> None:
    tape = Recorded()
    face = camera(tape)
    for number in range(30):
        whole = vp8(number * STEP_US, size=None if number % 15 else SIZE)
        face.send(number * STEP_US, whole[:9], marker=False)
        face.send(number * STEP_US, b"\x00" + whole[9:], lost=number == 4)
    _, data = tape.remuxed()["p0"]
    assert shown_s(data) == tenths(0, 4) + tenths(15, 30)


def test_packets_that_come_late_twice_or_out_of_order_come_out_once_in_order() -> None:
    tape = Recorded()
    network = Network(base_us=BASE_US, jitter_us=150_000, loss=0.1)
    talk(sound(tape, network=network), 0, 20)
    move(camera(tape, network=network), 0, 20)
    chance = random.Random(2)
    again = [(at + 300_000, track, data) for at, track, data in tape.packets if chance.random() < 0.2]
    tape.packets += again
    _, data = tape.remuxed()["p0"]
    assert shown_s(data) == tenths(0, 200)
    heard = heard_s(data)
    assert heard == sorted(set(heard))
    assert len(heard) > 0.99 * 50 * 20


def test_a_page_that_is_loaded_again_goes_on_in_the_same_view() -> None:
    tape = Recorded()
    talk(sound(tape), 0, 10)
    move(camera(tape), 0, 10)
    later = {"timestamp": 77, "number": 5, "ntp_us": 1_700_000_123_000_000}
    talk(sound(tape, ssrc=71, **later), 15, 25)
    move(camera(tape, ssrc=72, **later), 15, 25)
    view, data = tape.remuxed()["p0"]
    assert shown_s(data) == tenths(0, 100) + tenths(150, 250)
    assert all(abs(one.at_us - one.true_us - BASE_US) < 3_000 for one in read(data, "video") if one.true_us)
    assert all(abs(one.at_us - one.true_us - BASE_US) < 12_000 for one in read(data, "audio") if one.true_us)
    assert [(round(a / 1e6), round(b / 1e6)) for a, b in view.spans] == [(0, 10), (15, 25)]


def test_a_stream_that_takes_over_without_a_key_frame_is_not_shown_before_one() -> None:
    tape = Recorded()
    large, small = camera(tape), camera(tape, ssrc=5, timestamp=9)
    move(large, 0, 4)
    for number in range(40, 60):
        small.send(number * STEP_US, vp8(number * STEP_US, size=SIZE if number == 45 else None))
    for number in range(60, 80):
        large.send(number * STEP_US, vp8(number * STEP_US, size=SIZE if number == 63 else None))
    _, data = tape.remuxed()["p0"]
    assert shown_s(data) == tenths(0, 40) + tenths(45, 60) + tenths(63, 80)


def test_who_joins_late_is_silent_until_then() -> None:
    tape = Recorded()
    talk(sound(tape), 0, 60)
    talk(sound(tape, 1), 40, 50)
    move(camera(tape, 1), 41, 50)
    views = tape.remuxed()
    view, data = views["p1"]
    sounds = read(data, "audio")
    assert sounds[0].at_us == 0
    assert all(after.at_us - before.at_us == 20_000 for before, after in pairwise(sounds))
    assert {one.data for one in sounds if one.true_us is None} == {b"\xf8\xff\xfe"}
    assert view.duration_us == views["p0"][0].duration_us >= 60 * SECOND_US
    assert [(round(a / 1e6), round(b / 1e6)) for a, b in view.spans] == [(40, 50)]
    assert shown_s(data) == tenths(410, 500)


def test_all_views_last_as_long_as_the_recording_is_said_to() -> None:
    tape = Recorded()
    talk(sound(tape), 0, 5)
    view, data = tape.remuxed(duration_us=20 * SECOND_US)["p0"]
    assert view.duration_us == 20 * SECOND_US
    assert read(data, "audio")[-1].at_us == 20 * SECOND_US - 20_000


def test_sound_that_is_not_sent_while_nobody_speaks_is_silence() -> None:
    tape = Recorded()
    voice = sound(tape)
    talk(voice, 0, 2)
    for true_us in range(2 * SECOND_US, 6 * SECOND_US, 400_000):
        voice.send(true_us, b"\xf8", marker=False, level=127)
    talk(voice, 6, 8)
    view, data = tape.remuxed()["p0"]
    sounds = read(data, "audio")
    assert all(after.at_us - before.at_us == 20_000 for before, after in pairwise(sounds))
    assert len(heard_s(data)) == 200
    assert len(view.speech) == 2
    assert len(view.spans) == 1


@pytest.mark.parametrize(("first_s", "mime"), [(20, "video/webm"), (5, "video/mp4")])
def test_of_two_codecs_the_longer_one_is_kept_and_the_other_named(first_s: int, mime: str) -> None:
    tape = Recorded()
    talk(sound(tape), 0, 30)
    move(camera(tape), 0, first_s)
    face = camera(tape, ssrc=9, payload_type=H264)
    for number in range(10 * first_s, 300):
        face.send(number * STEP_US, h264_key())
    view, data = tape.remuxed()["p0"]
    assert view.mime == mime
    other = (first_s, 30) if mime == "video/webm" else (0, first_s)
    assert [(round(a / 1e6), round(b / 1e6)) for a, b in view.left_out] == [other]
    assert len(read(data, "video")) == 10 * (first_s if mime == "video/webm" else 30 - first_s)


def h264_slice(true_us: int) -> bytes:
    """A slice that says when it was captured."""
    return b"\x41\x9a\x10T" + pack(">q", true_us)


def test_pictures_of_h264_after_a_lost_one_are_left_out_until_the_next_that_needs_none() -> None:
    tape = Recorded()
    face = camera(tape, payload_type=H264)
    for number in range(100):
        whole = h264_slice(number * STEP_US) if number % 40 else h264_key()
        face.send(number * STEP_US, whole, lost=number == 25)
    view, data = tape.remuxed()["p0"]
    places = [round((one.at_us - BASE_US) / STEP_US) for one in read(data, "video")]
    assert places == [*range(25), *range(40, 100)]
    assert [(round(a / 1e5), round(b / 1e5)) for a, b in view.frozen] == [(26, 40)]


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_key_picture_of_h264_that_lacks_a_slice_is_none(lost: int) -> None:
    tape = Recorded()
    face = camera(tape, payload_type=H264)
    sets = h264_key()
    for number in range(30):
        if number % 10:
            face.send(number * STEP_US, h264_slice(number * STEP_US))
            continue
        slices = (sets, b"\x65\x40\x80\x10\x00", b"\x65\x20\x80\x10\x00")
        for place, one in enumerate(slices):
            face.send(number * STEP_US, one, marker=place == 2, lost=number == 10 and place == lost)
    view, data = tape.remuxed()["p0"]
    places = [round((one.at_us - BASE_US) / STEP_US) for one in read(data, "video")]
    assert places == [*range(10), *range(20, 30)]
    assert len(view.frozen) == 1


def test_pictures_stay_in_their_order_though_their_times_do_not() -> None:
    tape = Recorded()
    face = camera(tape)
    for number in range(40):
        true_us = number * STEP_US - (150_000 if number == 20 else 0)
        face.send(true_us, vp8(number, size=None if number else SIZE), sent_us=number * STEP_US)
    _, data = tape.remuxed()["p0"]
    found = read(data, "video")
    assert [one.true_us for one in found] == list(range(40))
    assert all(before.at_us < after.at_us for before, after in pairwise(found))


def test_cues_name_every_key_picture_and_the_cluster_that_it_is_in() -> None:
    tape = Recorded()
    talk(sound(tape), 0, 30)
    move(camera(tape), 4, 30, key_s=3)
    _, data = tape.remuxed()["p0"]
    cues = data[data.rindex(b"\x1c\x53\xbb\x6b") :]
    points = re.findall(rb"\xbb.\xb3\x88(.{8})\xb7.\xf7\x81(.)\xf1\x88(.{8})", cues, re.DOTALL)
    segment_at = data.index(b"\x18\x53\x80\x67") + 12
    named: dict[int, list[int]] = {1: [], 2: []}
    for ms, track, where in points:
        named[track[0]].append(int.from_bytes(ms, "big"))
        assert data[segment_at + int.from_bytes(where, "big") :].startswith(b"\x1f\x43\xb6\x75")
    keys = [one.at_us // 1000 for one in read(data, "video") if one.key]
    assert named[2] == keys
    assert len(keys) == 9
    assert all(after - before <= 2_100 for before, after in pairwise(named[1]))


def test_who_never_sent_a_key_frame_is_heard_only() -> None:
    tape = Recorded()
    talk(sound(tape), 0, 5)
    face = camera(tape)
    for number in range(50):
        face.send(number * STEP_US, vp8(number * STEP_US))
    view, data = tape.remuxed()["p0"]
    assert (view.mime, view.has_video) == ("audio/webm", False)
    assert len(heard_s(data)) == 250
    with av.open(io.BytesIO(data), "r") as container:
        assert [one.type for one in container.streams] == ["audio"]


def test_a_screen_has_a_view_of_its_own() -> None:
    tape = Recorded()
    talk(sound(tape, 2), 0, 10)
    screen = Stream(into=tape, track=4 * 2 + 2, ssrc=3, payload_type=VP8, hz=90_000)
    move(screen, 3, 8)
    views = tape.remuxed()
    assert set(views) == {"p2", "s2"}
    view, data = views["s2"]
    assert (view.kind, view.participant, view.mime) == ("screen", 2, "video/webm")
    assert shown_s(data) == tenths(30, 80)
    assert read(data, "audio")[0].at_us == 0


def test_nothing_recorded_is_no_view() -> None:
    assert Recorded().remuxed() == {}


def test_parts_that_follow_each_other_are_one_view_and_progress_is_told() -> None:
    tape = Recorded(parts_at_us=(0, 10 * SECOND_US, 20 * SECOND_US))
    talk(sound(tape), 0, 30)
    move(camera(tape), 0, 30)
    done: list[float] = []
    _, data = tape.remuxed(progress=done.append)["p0"]
    assert shown_s(data) == tenths(0, 300)
    assert (done[0], done[-1]) == (0.0, 1.0)
    assert done == sorted(done)
    assert len(done) > 4


def test_a_file_that_is_closed_in_the_middle_is_not_passed_over() -> None:
    class Closing(io.BytesIO):
        def write(self, data: bytes, /) -> int:  # type: ignore[override]
            if self.tell() > 4_000:
                raise ValueError("closed")
            return super().write(data)

    tape = Recorded()
    talk(sound(tape), 0, 20)
    tape.packets.sort()
    with pytest.raises(ValueError, match="closed"):
        remux(tape.opened, lambda _: Closing())


def test_a_record_that_makes_no_sense_costs_itself_only() -> None:
    tape = Recorded()
    talk(sound(tape), 0, 5)
    tape.packets.sort()

    def torn() -> list[Opened]:
        whole = list(tape.opened())
        return [
            *whole[:20],
            Media(track=0, at_us=2_000_000, body=b"\0\0\0\0\0\x40half"),
            Media(track=65_535, at_us=2_000_000, body=b""),
            Meta(at_us=0, body=b"{"),
            Meta(at_us=0, body=b"[" * 60_000),
            *whole[20:],
        ]

    file = io.BytesIO()
    (view,) = remux(lambda: iter(torn()), lambda _: file)
    assert view.size_bytes == len(file.getvalue())
    assert len(heard_s(file.getvalue())) == 250
