"""Key frames are found in VP8 and H.264, and the counters of VP8 can be moved."""

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from media import h264
from media import vp8 as vp8_format
from tests.media.packets import vp8


def test_a_vp8_key_frame_is_found_with_and_without_picture_id() -> None:
    for picture in (None, 5):
        key, delta = vp8(key=True, picture=picture), vp8(key=False, picture=picture)
        assert vp8_format.is_keyframe(key, 0, len(key))
        assert not vp8_format.is_keyframe(delta, 0, len(delta))


def test_a_picture_that_claims_to_be_16383_by_16383_costs_no_memory() -> None:
    """RFC 6386, 9.1: a key frame's size is two times fourteen bits; to decode this one takes 400 MB."""
    claimed = b"\x10" + b"\x50\x01\x00" + b"\x9d\x01\x2a" + b"\xff\x3f\xff\x3f" + bytes(20)
    tracemalloc.start()
    try:
        assert vp8_format.is_keyframe(claimed, 0, len(claimed))
        descriptor = vp8_format.describe(claimed, 0, len(claimed))
        assert descriptor is not None
        assert vp8_format.patch(claimed, descriptor, 1, 1) == claimed
        assert tracemalloc.get_traced_memory()[1] < 10_000
    finally:
        tracemalloc.stop()


def test_a_later_packet_of_a_vp8_key_frame_does_not_begin_one() -> None:
    later = b"\x00" + b"\x00more"
    assert not vp8_format.is_keyframe(later, 0, len(later))


def test_both_counters_of_a_vp8_payload_are_moved_and_wrap() -> None:
    payload = vp8(picture=0x7FFF, tl0=255)
    descriptor = vp8_format.describe(payload, 0, len(payload))
    assert descriptor is not None
    assert (descriptor.picture_id, descriptor.tl0) == (0x7FFF, 255)
    moved = vp8_format.describe(vp8_format.patch(payload, descriptor, 2, 3), 0, len(payload))
    assert moved is not None
    assert (moved.picture_id, moved.tl0, moved.long_picture_id) == (1, 2, True)


def test_a_short_picture_id_stays_short() -> None:
    payload = b"\x90\x80\x7f\x01frame"
    descriptor = vp8_format.describe(payload, 0, len(payload))
    assert descriptor is not None
    assert vp8_format.patch(payload, descriptor, 1, 0) == b"\x90\x80\x00\x01frame"


def test_h264_key_frames_are_found_alone_aggregated_and_in_fragments() -> None:
    for payload in (b"\x65data", b"\x67sps", b"\x78\x00\x04\x67sps", b"\x7c\x85data"):
        assert h264.is_keyframe(payload, 0, len(payload))
    for payload in (
        b"\x61data",
        b"\x78\x00\x04\x61sli",
        b"\x7c\x05data",
        b"\x7c\x81data",
        b"\x7c",
        b"\x78\x00",
    ):
        assert not h264.is_keyframe(payload, 0, len(payload))


@given(st.binary(max_size=20), st.integers(0, 3))
def test_no_payload_makes_the_readers_fail(payload: bytes, at: int) -> None:
    h264.is_keyframe(payload, at, len(payload))
    vp8_format.is_keyframe(payload, at, len(payload))
    descriptor = vp8_format.describe(payload, at, len(payload))
    if descriptor is not None:
        assert len(vp8_format.patch(payload[at:], descriptor, 1, 1)) == len(payload) - at
