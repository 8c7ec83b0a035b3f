"""Guests send what they like: nothing of it breaks a remuxer. And its small parts, one by one."""

from __future__ import annotations

import io
import json
import random
from struct import pack

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from media.gathering import Packet
from media.remux.avc import picture_size
from media.remux.opened import Media, Meta, Opened, PartBegan
from media.remux.ordering import Counting, Ordering
from media.remux.remuxing import remux
from media.remux.sound import duration_us as opus_us
from media.remux.survey import STREAMS_MAX, Survey
from tests.recording.generated import (
    H264,
    OPUS,
    SECOND_US,
    VP8,
    Recorded,
    camera,
    h264_key,
    opus,
    parameter_sets,
    read,
    sound,
    track_meta,
    vp8,
)

STEP_US = 100_000
SIZE = (640, 480)


@pytest.mark.parametrize("size", [(1920, 1080), (640, 360), (322, 242), (176, 144)])
@pytest.mark.parametrize("profile", ["Baseline", "High"])
def test_the_size_of_pictures_is_read_from_their_parameter_sets(size: tuple[int, int], profile: str) -> None:
    assert picture_size(parameter_sets(size, profile)[0]) == size


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
        voice = sound(tape)
        for true_us in range(0, 10 * SECOND_US, 20_000):
            voice.send(true_us, opus(true_us), marker=False, level=20)
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
    survey = Survey()
    survey.meta(track_meta(0))
    for number in range(5_000):
        head = pack(">BBHII", 0x80, OPUS, number, number * 77_777_777 & 0xFFFFFFFF, number)
        survey.packet(0, Packet(at_us=number * 1_000, data=head + b"\xf8\xff\xfe"))
    assert len(survey.tracks[0].stretches) <= STREAMS_MAX
