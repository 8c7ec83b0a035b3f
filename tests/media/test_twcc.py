"""Transport-wide feedback: what is written is what is read, gaps included, and nothing is reported twice or
left out.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import rtcp, twcc


def read(packet: bytes) -> list[twcc.Arrival]:
    """Through the RTCP reader, as a browser would get it."""
    (message,) = rtcp.parse(packet)
    assert isinstance(message, rtcp.TransportFeedback)
    return twcc.parse(message.body)


@given(
    st.lists(st.tuples(st.integers(1, 40), st.floats(-0.05, 0.5)), min_size=1, max_size=80),
    st.integers(0, 0xFFFF),
)
def test_feedback_is_read_back_to_a_quarter_millisecond(steps: list[tuple[int, float]], first: int) -> None:
    arrivals: dict[int, float] = {}
    number, at_s = first + 0x10000, 1_000.0
    for step, pause_s in steps:
        number, at_s = number + step, max(1_000.0, at_s + pause_s)
        arrivals[number] = at_s
    result = read(twcc.build(1, 77, 5, min(arrivals), max(arrivals), arrivals))
    assert [arrival.number for arrival in result] == [
        n & 0xFFFF for n in range(min(arrivals), max(arrivals) + 1)
    ]
    came = [arrival.at_s for arrival in result if arrival.at_s is not None]
    expected = [arrivals[n] for n in sorted(arrivals)]
    assert len(came) == len(expected)
    assert came == pytest.approx(expected, abs=0.0003)


def test_a_gap_between_two_feedbacks_is_reported_as_lost() -> None:
    log = twcc.ArrivalLog()
    for number in (10, 11):
        log.arrived(number, 1.0)
    log.feedback(1, 77)
    log.arrived(14, 1.1)
    result = read(log.feedback(1, 77))
    assert [(a.number, a.at_s is not None) for a in result] == [(12, False), (13, False), (14, True)]


def test_a_late_packet_is_still_reported() -> None:
    log = twcc.ArrivalLog()
    log.arrived(10, 1.0)
    log.arrived(12, 1.0)
    log.feedback(1, 77)
    log.arrived(11, 1.1)
    assert [(a.number, a.at_s is not None) for a in read(log.feedback(1, 77))] == [(11, True)]
    log.arrived(13, 1.2)
    assert [a.number for a in read(log.feedback(1, 77))] == [13]


def test_numbers_wrap() -> None:
    log = twcc.ArrivalLog()
    for number in (0xFFFE, 0xFFFF, 0, 1):
        log.arrived(number, 1.0)
    assert [a.number for a in read(log.feedback(1, 77))] == [0xFFFE, 0xFFFF, 0, 1]


def test_a_jump_of_numbers_does_not_make_an_endless_feedback() -> None:
    log = twcc.ArrivalLog()
    log.arrived(0, 1.0)
    log.feedback(1, 77)
    log.arrived(30_000, 1.1)
    assert len(read(log.feedback(1, 77))) <= twcc.STATUS_MAX


def test_a_flood_is_remembered_only_in_part() -> None:
    log = twcc.ArrivalLog()
    for number in range(twcc.PENDING_MAX * 2):
        log.arrived(number & 0xFFFF, 1.0)
    told = []
    while log.pending:
        told += read(log.feedback(1, 77))
    assert [a.number for a in told] == list(range(twcc.PENDING_MAX))


@pytest.mark.parametrize("step", [1, 2, 7, 8, 15, 39])
def test_every_feedback_fits_a_datagram(step: int) -> None:
    log = twcc.ArrivalLog()
    for number in range(1_000):
        log.arrived(number * step & 0xFFFF, 1.0 + number * 0.07)
    told = []
    while log.pending:
        packet = log.feedback(1, 77)
        assert len(packet) <= 1_200
        told += [a.number for a in read(packet) if a.at_s is not None]
    assert told == [number * step & 0xFFFF for number in range(1_000)]


@given(st.binary(max_size=100))
def test_no_feedback_makes_the_reader_fail_in_any_other_way(body: bytes) -> None:
    try:
        assert len(twcc.parse(body)) <= 0xFFFF
    except twcc.BadFeedback:
        return
