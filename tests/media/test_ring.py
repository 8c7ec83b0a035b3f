"""The ring keeps the recent past, bounded in packets and in bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.ring import VIDEO_PACKETS_MAX, Ring
from tests.media.packets import packet


def test_a_packet_is_found_by_its_number_until_it_is_overwritten() -> None:
    ring = Ring(8)
    for number in range(100, 120):
        ring.put(number, packet(number))
    assert ring.get(119) == packet(119)
    assert ring.get(112) == packet(112)
    assert ring.get(111) is None
    assert ring.get(120) is None


def test_two_seconds_of_four_megabit_video_fit() -> None:
    ring = Ring(VIDEO_PACKETS_MAX)
    count = 4_000_000 // 8 * 2 // 1_100
    for number in range(count):
        ring.put(number, packet(number, payload=bytes(1_100)))
    assert ring.get(0) is not None


def test_bytes_are_bounded() -> None:
    ring = Ring(64, bytes_max=10_000)
    for number in range(64):
        ring.put(number, packet(number, payload=bytes(988)))
        assert ring.size_bytes <= 10_000
    assert ring.get(63) is not None
    assert ring.get(40) is None


def test_a_late_packet_takes_its_place() -> None:
    ring = Ring(8)
    ring.put(10, packet(10))
    ring.put(12, packet(12))
    ring.put(11, packet(11))
    assert ring.get(11) == packet(11)


def test_the_number_of_places_is_a_power_of_two() -> None:
    with pytest.raises(ValueError, match="power of two"):
        Ring(100)


@given(st.lists(st.integers(1, 300), min_size=1, max_size=120), st.integers(100, 4_000))
def test_counted_bytes_are_those_of_the_packets_kept(numbers: list[int], bytes_max: int) -> None:
    ring = Ring(16, bytes_max)
    for number in numbers:
        ring.put(number, packet(number, payload=bytes(number)))
    kept = [found for number in range(301) if (found := ring.get(number))]
    assert ring.size_bytes == sum(len(found) for found in kept)
    assert len(kept) <= 16
