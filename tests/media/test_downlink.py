"""A subscriber's line that queues or loses packets gets fewer pictures, and gets them back when it can."""

import pytest

from media.allowance import PROVEN_S, SETTLE_S, Allowance
from media.allowance import TRY_AGAIN_S as TRIES_S
from media.downlink import LIMIT_KEPT_S, Congestion, Downlink
from media.twcc import Arrival

DELAY_S, QUEUE_S = 0.05, 0.3
TRY_AGAIN_S = TRIES_S["shown"]
SKEW_S = 1_000.0  # the peer's clock is another one


class Line:
    """A line with a bottleneck: packets wait in a queue, and what finds it full is lost."""

    def __init__(
        self, rate_kbps: float, *, lose_every: int = 0, delay_s: float = 0.05, queue_s: float = 0.3
    ) -> None:
        self.rate_kbps = rate_kbps
        self.downlink = Downlink()
        self._lose_every = lose_every
        self._free_at_s = 0.0
        self._number = 0
        self.now_s = 0.0

    def send(self, kbps: float, seconds: float, *, packet_bytes: int = 1_000) -> Congestion:
        """So much for so long; feedback comes each 100 ms. Returns what the line looks like at the end."""
        arrivals: list[Arrival] = []
        step_s = packet_bytes * 8 / (kbps * 1_000)
        until_s, told_at_s = self.now_s + seconds, self.now_s
        while self.now_s < until_s:
            number = self._number & 0xFFFF
            self._number += 1
            self.downlink.sent(number, self.now_s, size=packet_bytes)
            arrivals.append(Arrival(number=number, at_s=self._arrival(packet_bytes)))
            self.now_s += step_s
            if self.now_s - told_at_s >= 0.1:
                self.downlink.reported(arrivals, self.now_s)
                arrivals, told_at_s = [], self.now_s
        return self.downlink.congestion(self.now_s)

    def _arrival(self, packet_bytes: int) -> float | None:
        if self._lose_every and self._number % self._lose_every == 0:
            return None
        if self._free_at_s - self.now_s > QUEUE_S:
            return None
        self._free_at_s = max(self._free_at_s, self.now_s) + packet_bytes * 8 / (self.rate_kbps * 1_000)
        return self._free_at_s + DELAY_S + SKEW_S


def test_what_fits_is_no_congestion_and_neither_is_chance_loss() -> None:
    assert Line(600).send(500, 5) == "none"
    assert Line(600, lose_every=20).send(500, 5) == "none"


def test_a_line_is_not_asked_for_more_than_it_carried_when_it_was_full() -> None:
    line = Line(600)
    assert line.downlink.may_carry(1_500, line.now_s), "nothing is known yet"
    looks = [line.send(1_500, 0.1) for _ in range(20)]
    assert looks[-1] != "none"
    line.send(300, 5)
    assert line.downlink.may_carry(300, line.now_s)
    assert not line.downlink.may_carry(1_200, line.now_s)
    line.send(300, LIMIT_KEPT_S)
    assert line.downlink.may_carry(1_200, line.now_s), "it may have become better"


def test_a_queue_that_does_not_empty_is_noticed_within_two_seconds() -> None:
    line = Line(600)
    assert line.send(500, 5) == "none"
    assert line.send(800, 1.8) == "some"


def test_far_more_than_goes_through_is_heavy() -> None:
    line = Line(600)
    line.send(500, 5)
    assert line.send(3_000, 1.0) == "heavy"


def test_it_is_over_when_less_is_sent() -> None:
    line = Line(600)
    line.send(500, 5)
    line.send(3_000, 1.0)
    assert line.send(100, 1.5) == "none"


def test_feedback_about_packets_that_were_never_sent_changes_nothing() -> None:
    downlink = Downlink()
    downlink.reported([Arrival(number=n, at_s=None) for n in range(100)], 1.0)
    assert downlink.congestion(1.0) == "none"


def run(
    allowance: Allowance, congestion: Congestion, start_s: float, seconds: float, wanted: int = 2
) -> list[int]:
    """What is allowed, ten times a second."""
    ticks = range(round(seconds * 10))
    steps = (allowance.steps(0, wanted, congestion=congestion, now_s=start_s + n / 10) for n in ticks)
    return [wanted - none for _, none in steps]


def test_one_picture_less_at_a_time_and_never_less_than_none() -> None:
    allowance = Allowance()
    seen = run(allowance, "some", 0.0, 4 * SETTLE_S)
    assert seen[0] == 1
    assert seen[round(SETTLE_S * 10)] == 0
    assert min(seen) == 0


def test_heavy_congestion_takes_all_at_once() -> None:
    assert run(Allowance(), "heavy", 0.0, 0.1) == [0]


def test_they_come_back_one_by_one_and_a_failed_try_is_repeated_more_rarely() -> None:
    allowance = Allowance()
    run(allowance, "some", 0.0, 0.1, wanted=1)
    back = run(allowance, "none", 0.1, TRY_AGAIN_S + 1, wanted=1)
    assert back[0] == 0
    assert back[-1] == 1
    run(allowance, "some", 20.0, 0.1, wanted=1)
    assert run(allowance, "none", 20.1, TRY_AGAIN_S + 1, wanted=1)[-1] == 0
    assert run(allowance, "none", 20.1 + TRY_AGAIN_S + 1, TRY_AGAIN_S, wanted=1)[-1] == 1


def test_a_picture_that_stays_makes_the_next_try_quick_again() -> None:
    allowance = Allowance()
    run(allowance, "some", 0.0, 0.1, wanted=1)
    run(allowance, "none", 0.1, TRY_AGAIN_S + PROVEN_S + 2, wanted=1)
    start_s = TRY_AGAIN_S + PROVEN_S + 3
    run(allowance, "some", start_s, 0.1, wanted=1)
    assert run(allowance, "none", start_s + 0.1, TRY_AGAIN_S + 1, wanted=1)[-1] == 1


def test_pictures_become_small_before_any_is_left_out() -> None:
    allowance = Allowance()
    seen = [allowance.steps(2, 3, congestion="some", now_s=n * SETTLE_S) for n in range(6)]
    assert seen == [(1, 0), (2, 0), (2, 1), (2, 2), (2, 3), (2, 3)]


def test_heavy_congestion_makes_all_small_at_once_and_leaves_out_all_only_when_that_is_not_enough() -> None:
    allowance = Allowance()
    assert allowance.steps(2, 2, congestion="heavy", now_s=0.0) == (2, 0)
    assert allowance.steps(2, 2, congestion="heavy", now_s=SETTLE_S / 2) == (2, 0)
    assert allowance.steps(2, 2, congestion="heavy", now_s=SETTLE_S) == (2, 2)


@pytest.mark.parametrize("wanted", [0, 1, 5])
def test_without_congestion_everything_is_sent(wanted: int) -> None:
    assert set(run(Allowance(), "none", 0.0, 3, wanted=wanted)) == {wanted}


@pytest.mark.parametrize(("congested_s", "paused"), [(1.0, 0), (2.0, 1)])
def test_a_moments_queue_makes_a_picture_small_and_takes_none_away(congested_s: float, paused: int) -> None:
    allowance = Allowance()
    assert allowance.steps(1, 1, congestion="some", now_s=0.0) == (1, 0)
    for tenth in range(1, 40):
        allowance.steps(1, 1, congestion="none", now_s=tenth / 10)
    found = (1, 0)
    for tenth in range(round(congested_s * 10) + 1):
        found = allowance.steps(1, 1, congestion="some", now_s=4 + tenth / 10)
    assert found == (1, paused)
