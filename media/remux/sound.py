"""Lays Opus packets end to end, so that every player keeps its place: holes are filled with silence. Pure.

Many players count samples and do not look at times. So each packet begins where the one before ends, and as
a sender's sound card is never as fast as a clock, a packet of silence is put in or one is left out when the
two are apart by half a packet; when it is quiet, so that nobody hears it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, Protocol

from media.remux.opened import Span

SILENT_US: Final = 20_000
QUIET_LEVEL: Final = 60
"""-dBov: sound that is not missed."""
VOICE_LEVEL: Final = 45
"""-dBov: a voice is louder."""
VOICE_PAUSE_US: Final = 600_000
PACKET_US_MAX: Final = 120_000
_TOGETHER_US: Final = 200_000
"""Sound comes so much later than pictures of the same time at most, while there is any."""
_SILK_US = (10_000, 20_000, 40_000, 60_000)
_CELT_US = (2_500, 5_000, 10_000, 20_000)


class Spans:
    """Stretches of time, told in order; those closer than `pause_us` are one."""

    def __init__(self, pause_us: int) -> None:
        self._pause_us = pause_us
        self._spans: list[list[int]] = []

    def add(self, start_us: int, end_us: int) -> None:
        """Add one; it begins no earlier than the one before."""
        if self._spans and start_us - self._spans[-1][1] <= self._pause_us:
            self._spans[-1][1] = max(self._spans[-1][1], end_us)
        else:
            self._spans.append([start_us, end_us])

    def all(self) -> tuple[Span, ...]:
        """All of them that are longer than nothing."""
        return tuple((start, end) for start, end in self._spans if end > start)


class SoundFile(Protocol):
    """Where sound is written to."""

    def sound(self, at_us: int, data: bytes) -> None:
        """Write an Opus packet."""

    def silence(self, at_us: int, frames: int) -> None:
        """Write as many silent packets of 20 ms."""


@lru_cache(maxsize=1_024)
def _duration_us(toc: int, count: int) -> int:
    if toc < 0x60:
        one = _SILK_US[toc >> 3 & 3]
    elif toc < 0x80:
        one = _SILK_US[toc >> 3 & 1]
    else:
        one = _CELT_US[toc >> 3 & 3]
    frames = (1, 2, 2, count)[toc & 3]
    return one * frames if one * frames <= PACKET_US_MAX else 0


def duration_us(packet: bytes) -> int:
    """How long an Opus packet sounds (RFC 6716 section 3.1); 0: it is none."""
    if not packet or (packet[0] & 3 == 3 and len(packet) < 2):
        return 0
    return _duration_us(packet[0], packet[1] & 0x3F if packet[0] & 3 == 3 else 0)


class Sound:
    """The sound of a view. `next_us` is where the next packet goes."""

    def __init__(self, file: SoundFile) -> None:
        self._file = file
        self._late_us = 0
        """How much later than it was written the last packet should have been."""
        self._voice = Spans(VOICE_PAUSE_US)
        self.next_us = 0

    @property
    def speech(self) -> tuple[Span, ...]:
        """When a voice was heard."""
        return self._voice.all()

    def add(self, at_us: int, data: bytes, lasts_us: int, level: int | None) -> None:
        """Write a packet of `at_us`. `level` is how loud its sender says it is, in -dBov."""
        if level is not None and level < VOICE_LEVEL:
            self._voice.add(at_us, at_us + lasts_us)
        quiet = len(data) <= 2 or (level is not None and level >= QUIET_LEVEL)
        late = at_us - self.next_us
        frames = 0
        if late - self._late_us > SILENT_US // 4:
            frames = max(0, (late + SILENT_US // 2) // SILENT_US)
        elif late > (SILENT_US // 2 if quiet else SILENT_US):
            frames = late // SILENT_US or 1
        if frames:
            self._fill(frames)
            late -= frames * SILENT_US
        if late < -(SILENT_US // 2 if quiet else SILENT_US):
            self._late_us = late + lasts_us
            return
        self._file.sound(self.next_us, data)
        self.next_us += lasts_us
        self._late_us = late

    def pictures_at(self, at_us: int) -> None:
        """Pictures are written as far as this: silence goes with them when there is no sound."""
        if at_us - self.next_us > 2 * _TOGETHER_US:
            self._fill((at_us - self.next_us - _TOGETHER_US) // SILENT_US)

    def end(self, at_us: int) -> None:
        """Be silent until the end."""
        self._fill(max(0, at_us - self.next_us) // SILENT_US)

    def _fill(self, frames: int) -> None:
        self._file.silence(self.next_us, frames)
        self.next_us += frames * SILENT_US
