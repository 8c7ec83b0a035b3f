"""Turns loss, delay and silence into one of four levels, and decides when a change is worth telling. Pure."""

from __future__ import annotations

from media.interface import Level, PeerQuality

FAIR_LOSS_PCT = 3.0
WEAK_LOSS_PCT = 10.0
FAIR_RTT_MS = 300.0
WEAK_RTT_MS = 600.0
LOST_SILENCE_S = 6.0
"""Longer than the 5 s between the connectivity checks of the laziest browser."""
TELL_LOSS_PCT = 2.0
TELL_RTT_MS = 100.0


def level(loss_pct: float, rtt_ms: float | None, silent_s: float) -> Level:
    """The level of a connection with this worst loss, this round trip and this time without an authentic
    packet.
    """
    if silent_s > LOST_SILENCE_S:
        return "lost"
    rtt = rtt_ms or 0.0
    if loss_pct >= WEAK_LOSS_PCT or rtt >= WEAK_RTT_MS:
        return "weak"
    return "fair" if loss_pct >= FAIR_LOSS_PCT or rtt >= FAIR_RTT_MS else "good"


def worth_telling(old: PeerQuality | None, new: PeerQuality) -> bool:
    """Whether the difference would change what somebody is shown."""
    if old is None or (old.level, bool(old.pictures_paused)) != (new.level, bool(new.pictures_paused)):
        return True
    losses = abs(old.loss_pct_up - new.loss_pct_up), abs(old.loss_pct_down - new.loss_pct_down)
    return max(losses) >= TELL_LOSS_PCT or abs((old.rtt_ms or 0.0) - (new.rtt_ms or 0.0)) >= TELL_RTT_MS
