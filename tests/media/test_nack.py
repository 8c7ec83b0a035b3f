"""Missing packets are asked for soon, again after each round trip, and given up in the end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.nack import AGE_S_MAX, MISSING_MAX, REORDER_GUARD_S, TRIES_MAX, NackTracker


def test_a_gap_is_asked_for_within_20_ms_and_not_before_packets_may_have_overtaken_each_other() -> None:
    nacks = NackTracker()
    nacks.arrived(10, 0.0)
    nacks.arrived(13, 0.0)
    assert nacks.due(REORDER_GUARD_S - 0.001, 0.1) == []
    assert nacks.next_due_s() is not None
    assert nacks.next_due_s() <= 0.020  # type: ignore[operator]
    assert nacks.due(0.020, 0.1) == [11, 12]


def test_it_is_asked_for_again_after_each_round_trip_and_given_up_after_ten_tries() -> None:
    nacks = NackTracker()
    nacks.arrived(10, 0.0)
    nacks.arrived(12, 0.0)
    asked = [ms for ms in range(3_000) if nacks.due(ms / 1_000, 0.1)]
    assert asked == pytest.approx([10 + 100 * n for n in range(TRIES_MAX)], abs=10)
    assert nacks.gave_up == 1
    assert not nacks.has_missing


def test_on_a_slow_network_it_is_given_up_when_the_sender_has_forgotten_it() -> None:
    nacks = NackTracker()
    nacks.arrived(10, 0.0)
    nacks.arrived(12, 0.0)
    asked = [ms for ms in range(6_000) if nacks.due(ms / 1_000, 0.5)]
    assert asked == pytest.approx([10, 510, 1_010, 1_510], abs=4)
    assert asked[-1] < AGE_S_MAX * 1_000


def test_a_packet_that_comes_late_is_not_asked_for_again() -> None:
    nacks = NackTracker()
    nacks.arrived(10, 0.0)
    nacks.arrived(12, 0.0)
    assert nacks.is_missing(11)
    assert nacks.arrived(11, 0.005)
    assert nacks.recovered == 1
    assert nacks.due(1.0, 0.1) == []


def test_a_packet_that_was_there_already_is_of_no_use() -> None:
    nacks = NackTracker()
    assert nacks.arrived(10, 0.0)
    assert not nacks.arrived(10, 0.0)
    assert not nacks.arrived(9, 0.0)


def test_what_is_missing_before_a_key_frame_is_given_up() -> None:
    nacks = NackTracker()
    for number in (10, 12, 14):
        nacks.arrived(number, 0.0)
    nacks.keyframe(12)
    assert nacks.due(1.0, 0.1) == [13]
    assert not nacks.is_missing(11)


def test_what_a_key_frame_overtook_is_welcome_but_never_asked_for() -> None:
    nacks = NackTracker()
    for number in (10, 12):
        nacks.arrived(number, 0.0)
    nacks.keyframe(12)
    assert nacks.due(0.005, 0.1) == []
    assert nacks.arrived(11, 0.005)


def test_an_outage_is_not_repaired_packet_by_packet() -> None:
    nacks = NackTracker()
    nacks.arrived(10, 0.0)
    nacks.arrived(10 + MISSING_MAX + 2, 0.0)
    assert not nacks.has_missing


@given(st.lists(st.integers(-3, 700), max_size=60))
def test_the_list_is_bounded_and_asked_for_in_order(steps: list[int]) -> None:
    nacks = NackTracker()
    number, now_s = 100_000, 0.0
    for step in steps:
        number += step
        now_s += 0.005
        nacks.arrived(number, now_s)
        wanted = nacks.due(now_s, 0.05)
        assert wanted == sorted(wanted)
        assert len(wanted) <= MISSING_MAX
