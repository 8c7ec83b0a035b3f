"""Headers are read in place, and packets whose lengths contradict each other are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import rtp
from tests.media.packets import packet


def test_payload_and_extensions_are_found() -> None:
    data = packet(extensions=b"\x31\x12\x34" + b"\x10\x7f", payload=b"voice")
    start = rtp.payload_offset(data)
    assert data[start : rtp.payload_end(data, start)] == b"voice"
    assert rtp.extension(data, 3, start) == b"\x12\x34"
    assert rtp.extension(data, 1, start) == b"\x7f"
    assert rtp.extension(data, 5, start) is None


def test_two_byte_extensions_are_read() -> None:
    body = b"\x03\x02\x12\x34\x01\x00\x00\x00"
    data = b"\x90" + packet()[1:12] + b"\x10\x00\x00\x02" + body + b"voice"
    start = rtp.payload_offset(data)
    assert rtp.extension(data, 3, start) == b"\x12\x34"
    assert rtp.extension(data, 1, start) == b""


def test_padding_is_not_payload() -> None:
    data = packet(payload=b"voice", padding=7)
    start = rtp.payload_offset(data)
    assert data[start : rtp.payload_end(data, start)] == b"voice"
    only = packet(payload=b"", padding=200)
    assert rtp.payload_end(only, rtp.payload_offset(only)) == rtp.payload_offset(only)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80" * 11,
        b"\x00" * 20,
        b"\x8f" + bytes(20),
        b"\x90" + bytes(13),
        b"\x90" + bytes(11) + b"\xbe\xde\x00\x09" + bytes(4),
    ],
)
def test_a_header_that_is_cut_off_is_refused(data: bytes) -> None:
    with pytest.raises(rtp.BadRtp):
        rtp.payload_offset(data)


def test_padding_longer_than_the_payload_is_refused() -> None:
    for last in (0, 99):
        data = packet(payload=b"abc", padding=4)[:-1] + bytes((last,))
        with pytest.raises(rtp.BadRtp):
            rtp.payload_end(data, rtp.payload_offset(data))


@given(st.binary(min_size=0, max_size=80), st.integers(1, 14))
def test_no_packet_makes_the_reader_fail_in_any_other_way(data: bytes, identifier: int) -> None:
    for candidate in (data, b"\x90" + data, b"\xb0" + data):
        try:
            start = rtp.payload_offset(candidate)
            rtp.extension(candidate, identifier, start)
            end = rtp.payload_end(candidate, start)
        except rtp.BadRtp:
            continue
        assert 12 <= start <= end <= len(candidate)
        rtp.unwrap_rtx(candidate, start, end, ssrc=1, payload_type=96)


@given(st.integers(0, 1 << 40), st.integers(-32_767, 32_767))
def test_wrapping_numbers_are_continued_from_the_nearest(near: int, step: int) -> None:
    assert rtp.unwrap((near + step) & 0xFFFF, near) == near + step


def test_a_retransmission_gives_back_the_original_packet() -> None:
    original = packet(4_711, timestamp=9, ssrc=77, payload_type=96, payload=b"frame", marker=True)
    repeat = packet(5, timestamp=9, ssrc=78, payload_type=97, payload=b"\x12\x67frame", marker=True)
    start = rtp.payload_offset(repeat)
    assert rtp.unwrap_rtx(repeat, start, len(repeat), ssrc=77, payload_type=96) == original
    assert rtp.unwrap_rtx(repeat, start, start + 2, ssrc=77, payload_type=96) is None
