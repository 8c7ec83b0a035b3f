"""The quality level is what a person would call it, and only differences that matter are told."""

from dataclasses import replace

import pytest

from media.interface import Level, PeerQuality
from media.quality import level, worth_telling

QUALITY = PeerQuality(room="r", peer="p", loss_pct_up=0.0, loss_pct_down=0.0, rtt_ms=50.0, level="good")


@pytest.mark.parametrize(
    ("loss_pct", "rtt_ms", "silent_s", "expected"),
    [
        (0.0, None, 0.0, "good"),
        (2.9, 299.0, 5.0, "good"),
        (3.0, 50.0, 0.0, "fair"),
        (0.0, 300.0, 0.0, "fair"),
        (10.0, 50.0, 0.0, "weak"),
        (0.0, 600.0, 0.0, "weak"),
        (0.0, 50.0, 6.1, "lost"),
    ],
)
def test_level(loss_pct: float, rtt_ms: float | None, silent_s: float, expected: Level) -> None:
    assert level(loss_pct, rtt_ms, silent_s) == expected


def test_the_first_quality_and_a_change_of_level_are_told() -> None:
    assert worth_telling(None, QUALITY)
    assert worth_telling(QUALITY, replace(QUALITY, level="fair"))


def test_small_changes_are_not_told() -> None:
    assert not worth_telling(QUALITY, replace(QUALITY, loss_pct_up=1.9, rtt_ms=149.0))
    assert worth_telling(QUALITY, replace(QUALITY, loss_pct_down=2.0))
    assert worth_telling(QUALITY, replace(QUALITY, rtt_ms=150.0))
