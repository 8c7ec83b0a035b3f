"""Loss on the way down is counted from transport-wide feedback, and late packets are forgiven."""

from hypothesis import given
from hypothesis import strategies as st

from media.sendlog import DOUBTFUL_MAX, SendLog
from media.twcc import Arrival


def arrivals(**came: bool) -> list[Arrival]:
    """Written as n5=True for packet 5."""
    return [Arrival(number=int(name[1:]), at_s=1.0 if here else None) for name, here in came.items()]


def test_numbers_count_up_and_wrap() -> None:
    log = SendLog()
    assert [log.number() for _ in range(0x10002)][-3:] == [0xFFFF, 0, 1]


def test_lost_packets_are_counted_and_late_ones_taken_back() -> None:
    log = SendLog()
    log.feedback(arrivals(n0=True, n1=False, n2=True))
    assert (log.reported, log.lost) == (3, 1)
    log.feedback(arrivals(n1=True, n3=True))
    assert (log.reported, log.lost) == (4, 0)


def test_a_packet_reported_lost_twice_is_lost_once() -> None:
    log = SendLog()
    log.feedback(arrivals(n1=False))
    log.feedback(arrivals(n1=False))
    assert (log.reported, log.lost) == (1, 1)


@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.booleans()), max_size=3_000))
def test_whatever_a_peer_reports_the_counts_stay_sane_and_bounded(reports: list[tuple[int, bool]]) -> None:
    log = SendLog()
    log.feedback([Arrival(number=number, at_s=1.0 if came else None) for number, came in reports])
    assert 0 <= log.lost <= log.reported <= len(reports)
    assert len(log._doubtful) <= DOUBTFUL_MAX


def test_feedback_about_far_more_packets_than_were_sent_is_not_read() -> None:
    log = SendLog()
    assert not log.may_be_told(1)
    for _ in range(100):
        log.number()
    assert log.may_be_told(300)
    assert not log.may_be_told(300)
    assert log.may_be_told(100)
