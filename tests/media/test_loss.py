"""Loss is measured over whole windows, so that one report of three packets does not raise an alarm."""

from media.loss import LossMeter


def test_loss_is_the_change_of_the_counters_over_a_window() -> None:
    meter = LossMeter(1.0)
    meter.read(100, 10, 0.0)
    assert meter.read(103, 12, 0.1) == 0.0
    assert meter.read(200, 15, 1.0) == 0.05
    assert meter.read(300, 15, 2.0) == 0.0


def test_counters_that_went_back_and_packets_that_came_twice_are_no_loss() -> None:
    meter = LossMeter(1.0)
    meter.read(1_000, 50, 0.0)
    assert meter.read(10, 0, 1.0) == 0.0
    assert meter.read(20, -5, 2.0) == 0.0


def test_loss_never_exceeds_all() -> None:
    meter = LossMeter(1.0)
    meter.read(0, 0, 0.0)
    assert meter.read(10, 50, 1.0) == 1.0
