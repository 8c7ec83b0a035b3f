"""What gets lost, comes late, changes in the middle or is a lie costs no more than it must."""

from __future__ import annotations

import functools
import io
import json
import random
import re
from itertools import pairwise
from struct import pack

import av
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from media.gathering import Packet
from media.remux.avc import picture_size
from media.remux.opened import Media, Meta, Opened, PartBegan
from media.remux.ordering import Counting, Ordering
from media.remux.remuxing import remux
from media.remux.sound import duration_us as opus_us
from tests.recording.generated import (
    H264,
    OPUS,
    SECOND_US,
    VP8,
    Network,
    Recorded,
    Stream,
    camera,
    opus,
    read,
    sound,
    track_meta,
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


def parameter_sets(size: tuple[int, int], profile: str) -> list[bytes]:
    """What x264 says of its pictures."""
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height = size
    encoder.pix_fmt, encoder.profile = "yuv420p", profile
    encoder.flags |= 1 << 22  # apart from the pictures
    encoder.open()
    units = bytes(encoder.extradata or b"").replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")
    return [one for one in units if one and one[0] & 0x1F in (7, 8)]


@functools.cache
def h264_key() -> bytes:
    """A STAP-A of parameter sets and an IDR slice that nobody can decode."""
    units = [*parameter_sets((64, 48), "Baseline"), b"\x65\x88\x80\x10\x00"]
    return b"\x78" + b"".join(pack(">H", len(one)) + one for one in units)


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


@pytest.mark.parametrize("size", [(1920, 1080), (640, 360), (322, 242), (176, 144)])
@pytest.mark.parametrize("profile", ["Baseline", "High"])
def test_the_size_of_pictures_is_read_from_their_parameter_sets(size: tuple[int, int], profile: str) -> None:
    assert picture_size(parameter_sets(size, profile)[0]) == size


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


@pytest.mark.parametrize(
    ("packet", "lasts_us"),
    [
        (b"\xf8\xff\xfe", 20_000),
        (b"\x08", 20_000),  # SILK 20 ms
        (b"\x19", 120_000),  # two of SILK 60 ms
        (b"\x1b\x03", 0),  # three of them are too long
        (b"\xe3\x30", 120_000),  # 48 of CELT 2.5 ms
        (b"\x63\x02", 20_000),  # two of hybrid 10 ms
        (b"\xfb", 0),
        (b"\xfb\x00", 0),
        (b"", 0),
    ],
)
def test_the_length_of_sound_is_read_from_its_first_bytes(packet: bytes, lasts_us: int) -> None:
    assert opus_us(packet) == lasts_us


def test_timestamps_go_on_after_a_day_and_begin_anew_where_they_must() -> None:
    counting = Counting(48_000, 4_294_967_000, 0)
    assert counting.see(4_294_967_000, 0) == (0, 4_294_967_000)
    assert counting.see(664, 20_000) == (0, 4_294_967_296 + 664)
    day_us = 30 * 3_600 * SECOND_US
    ticks = 4_294_967_000 + 30 * 3_600 * 48_000
    assert counting.see(ticks & 0xFFFFFFFF, day_us) == (0, ticks)
    assert counting.see(5, day_us + 20_000)[0] == 1
    assert counting.see((ticks + 960) & 0xFFFFFFFF, day_us + 40_000) == (0, ticks + 960)  # late
    assert counting.see(1_925, day_us + 60_000)[0] == 1


def test_a_packet_that_comes_again_after_a_silence_is_not_another_one() -> None:
    ordering: Ordering[int] = Ordering()
    came = [(65_534, 0), (65_535, 1), (0, 2), (0, 6), (65_535, 7), (1, 11), (2, 11), (1, 14)]
    out = [one for number, at_s in came for one in ordering.add(number, at_s * SECOND_US, number)]
    out += ordering.rest()
    assert [number for number, _ in out] == [65_534, 65_535, 0, 1, 2]
    assert [lost for _, lost in out] == [True, False, False, False, False]


@given(st.lists(st.tuples(st.integers(0, 65_535), st.integers(0, 3_000_000)), max_size=60))
def test_what_is_put_in_order_comes_out_once_and_all_of_it_or_is_late(
    came: list[tuple[int, int]],
) -> None:
    ordering: Ordering[int] = Ordering()
    out: list[int] = []
    at_us = 0
    for place, (number, pause_us) in enumerate(came):
        at_us += pause_us
        out += [one for one, _ in ordering.add(number, at_us, place)]
    out += [one for one, _ in ordering.rest()]
    assert len(out) == len(set(out))
    assert set(out) <= set(range(len(came)))


def hostile(packets: list[tuple[int, int, bytes]], metas: list[bytes]) -> dict[str, bytes]:
    """Remux what may be anything."""
    opened: list[Opened] = [PartBegan(part=1, parts=1), *(Meta(at_us=0, body=one) for one in metas)]
    opened += [Meta(at_us=0, body=track_meta(track)) for track in (0, 1, 2)]
    for track, at_us, data in packets:
        body = pack(">IH", 0, len(data)) + data
        opened.append(Media(track=track, at_us=at_us, body=body))
    files: dict[str, io.BytesIO] = {}
    remux(lambda: iter(opened), lambda name: files.setdefault(name, io.BytesIO()))
    return {name: file.getvalue() for name, file in files.items()}


HEADS = st.builds(
    lambda first, kind, number, timestamp, ssrc: pack(">BBHII", first, kind, number, timestamp, ssrc),
    st.sampled_from((0x80, 0x90, 0xA0, 0xB1)),
    st.sampled_from((OPUS, OPUS | 0x80, VP8, VP8 | 0x80, H264, H264 | 0x80, 200, 13)),
    st.integers(0, 200),
    st.integers(0, 0xFFFFFFFF) | st.integers(0, 90_000),
    st.integers(0, 2),
)
PAYLOADS = st.binary(max_size=40) | st.sampled_from(
    (
        vp8(5, size=SIZE),
        vp8(6),
        opus(7),
        h264_key(),
        b"\x7c\x85\x88\x80",
        b"\x7c\x45\x01",
        b"\xbe\xde\xff\xff",
    )
)
PACKETS = st.tuples(
    st.integers(0, 3),
    st.integers(0, 5_000_000),
    st.binary(max_size=60) | st.builds(lambda head, payload: head + payload, HEADS, PAYLOADS),
)
METAS = st.binary(max_size=40) | st.builds(
    lambda track, codecs, level: json.dumps(
        {"kind": "track", "track": track, "codecs": codecs, "level": level}
    ).encode(),
    st.integers(-1, 50) | st.none() | st.text(max_size=3),
    st.dictionaries(st.text(max_size=4), st.text(max_size=4) | st.integers(), max_size=3) | st.integers(),
    st.integers() | st.text(max_size=2) | st.none() | st.booleans(),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(PACKETS, max_size=60), st.lists(METAS, max_size=4))
def test_bytes_of_a_guest_never_break_it(packets: list[tuple[int, int, bytes]], metas: list[bytes]) -> None:
    for data in hostile(packets, metas).values():
        read(data, "audio")


def test_a_recording_with_flipped_bytes_is_still_a_file_that_opens() -> None:
    chance = random.Random(11)
    for payload in (VP8, H264):
        tape = Recorded()
        talk(sound(tape), 0, 10)
        face = camera(tape, payload_type=payload)
        for number in range(100):
            whole = (
                h264_key() if payload == H264 else vp8(number * STEP_US, size=None if number % 9 else SIZE)
            )
            face.send(number * STEP_US, whole)
        flipped = []
        for at_us, track, data in sorted(tape.packets):
            broken = bytearray(data)
            for _ in range(chance.choice((0, 0, 1, 4))):
                broken[chance.randrange(len(broken))] = chance.randrange(256)
            flipped.append((track, at_us, bytes(broken[: chance.choice((999, 999, len(broken) - 1, 13))])))
        for data in hostile(flipped, []).values():
            assert read(data, "audio")[0].at_us == 0
            read(data, "video")


def test_a_flood_of_streams_and_counters_is_not_remembered_for_ever() -> None:
    from media.remux.survey import STREAMS_MAX, Survey

    survey = Survey()
    survey.meta(track_meta(0))
    for number in range(5_000):
        head = pack(">BBHII", 0x80, OPUS, number, number * 77_777_777 & 0xFFFFFFFF, number)
        survey.packet(0, Packet(at_us=number * 1_000, data=head + b"\xf8\xff\xfe"))
    assert len(survey.tracks[0].stretches) <= STREAMS_MAX
