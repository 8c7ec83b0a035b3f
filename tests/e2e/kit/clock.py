"""Reads a recording back: which frame of a clock is seen when, which moment of a known voice is heard."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import av
from av.audio.resampler import AudioResampler
from av.container import InputContainer

from tests.e2e.kit.media import CLOCK_BITS, CLOCK_FRAMES_PER_S

LOOP_S = (1 << CLOCK_BITS) / CLOCK_FRAMES_PER_S
STEP_S = 0.01  # of the loudness curve
HEARING_HZ = 8_000
WHITE, BLACK = 170, 85


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """At `at_s` of the file the clock stood at `clock_s`, within its loop."""

    at_s: float
    clock_s: float


def sights(file: Path) -> list[Sight]:
    """Every frame whose clock can be read, in order."""
    found = []
    with av.open(str(file)) as container:
        if not container.streams.video:
            return []
        for frame in container.decode(video=0):
            grey = frame.reformat(format="gray")
            number = _number(bytes(grey.planes[0]), grey.planes[0].line_size, grey.width, grey.height)
            if number is not None and frame.time is not None:
                found.append(Sight(at_s=frame.time, clock_s=number / CLOCK_FRAMES_PER_S))
    return found


def _number(grey: bytes, line_bytes: int, width: int, height: int) -> int | None:
    number = 0
    for bit in range(CLOCK_BITS):
        x = int((bit + 0.5) * width / CLOCK_BITS)
        shade = grey[height // 8 * line_bytes + x]
        if BLACK < shade < WHITE:
            return None
        number |= (shade >= WHITE) << bit
    return number


def loudness(file: Path) -> list[float]:
    """How loud the sound is, each hundredth of a second from the beginning of the file."""
    size = int(HEARING_HZ * STEP_S)
    curve: list[float] = []
    with av.open(str(file)) as container:
        for start, samples in _samples(container):
            place = round(start / size)
            curve.extend([0.0] * (place - len(curve)))
            starts = range(0, len(samples) - size + 1, size)
            curve.extend(sum(map(abs, samples[at : at + size])) / size for at in starts)
    return curve


def _samples(container: InputContainer) -> list[tuple[int, Sequence[int]]]:
    """Runs of samples (16 bit, `HEARING_HZ`, mono), and the sample each begins at."""
    resampler = AudioResampler(format="s16", layout="mono", rate=HEARING_HZ)
    runs: list[tuple[int, bytearray]] = []
    for frame in container.decode(audio=0):
        for one in resampler.resample(frame):
            start = round((one.time or 0.0) * HEARING_HZ)
            data = bytes(one.planes[0])[: one.samples * 2]
            if runs and abs(runs[-1][0] + len(runs[-1][1]) // 2 - start) <= HEARING_HZ // 100:
                runs[-1][1].extend(data)
            else:
                runs.append((start, bytearray(data)))
    return [(start, memoryview(bytes(data)[: len(data) // 2 * 2]).cast("h")) for start, data in runs]


def place_in(curve: Sequence[float], known: Sequence[float]) -> tuple[float, float]:
    """Where in a looping `known` voice a curve begins (seconds), and how alike they are (-1 to 1)."""
    best, score = 0, -2.0
    doubled = [*known, *known, *known]
    for shift in range(len(known)):
        alike = _correlation(curve, doubled[shift : shift + len(curve)])
        if alike > score:
            best, score = shift, alike
    return best * STEP_S, score


def _correlation(one: Sequence[float], other: Sequence[float]) -> float:
    count = min(len(one), len(other))
    mean, mean_other = sum(one[:count]) / count, sum(other[:count]) / count
    a = [value - mean for value in one[:count]]
    b = [value - mean_other for value in other[:count]]
    power = (sum(x * x for x in a) * sum(y * y for y in b)) ** 0.5
    return sum(x * y for x, y in zip(a, b, strict=True)) / power if power else -2.0
