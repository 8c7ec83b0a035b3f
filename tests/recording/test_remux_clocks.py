"""Sound and pictures of one moment stay together, whatever the clocks and the network do."""

from __future__ import annotations

import random
import tracemalloc
from itertools import pairwise

import pytest

from tests.recording.generated import (
    SECOND_US,
    Network,
    Read,
    Recorded,
    Stream,
    camera,
    duration_us,
    opus,
    read,
    sound,
    vp8,
)

MINUTES = 60
BASE_US = 30_000
APART_US_MAX = 40_000
SIZES = ((640, 480), (320, 240), (1280, 720))


def talk(stream: Stream, start_us: int, end_us: int, *, report_us: int = SECOND_US, level: int = 20) -> None:
    """Send sound from one moment to another: packets of 960 ticks of its own counter."""
    true_us, report_at_us = float(start_us), start_us
    while true_us < end_us:
        if report_us and true_us >= report_at_us:
            stream.report(true_us + 3_000)
            report_at_us += report_us
        stream.send(true_us, opus(int(true_us)), marker=False, level=level)
        true_us += 960 * 1e6 / stream.hz


def move(
    stream: Stream, start_us: int, end_us: int, *, report_us: int = SECOND_US, key_us: int = 10 * SECOND_US
) -> None:
    """Send pictures from one moment to another: ten in a second."""
    for number, true_us in enumerate(range(start_us, end_us, 100_000)):
        if report_us and (true_us - start_us) % report_us == 0:
            stream.report(true_us + 7_000)
        key = number % (key_us // 100_000) == 0
        size = SIZES[true_us // (600 * SECOND_US) % 3] if key else None
        stream.send(true_us, vp8(true_us, size=size), sent_us=true_us + 12_000)


def late_us(found: list[Read]) -> list[int]:
    """By how much each packet comes later than it was captured."""
    return [one.at_us - one.true_us for one in found if one.true_us is not None]


def hour(ppm: float = 80) -> Recorded:
    """One person for an hour: two drifting counters, a drifting clock, loss, jitter, mutes."""
    recorded = Recorded()
    chance = random.Random(3)
    network = Network(base_us=BASE_US, jitter_us=12_000, loss=0.03, gone=0.0005, random=chance)
    voice = sound(recorded, hz=48_000 * (1 + ppm / 1e6), network=network, ntp_ppm=150)
    face = camera(recorded, hz=90_000 * (1 - 30e-6), network=network, ntp_ppm=150)
    end_us = MINUTES * 60 * SECOND_US
    talk(voice, 0, 1_200 * SECOND_US)
    talk(voice, 1_500 * SECOND_US, end_us)
    move(face, 5 * SECOND_US, 2_000 * SECOND_US)
    move(face, 2_400 * SECOND_US, end_us)
    return recorded


@pytest.mark.timeout(120)
@pytest.mark.parametrize("ppm", [80, -80])
def test_sound_and_pictures_of_one_moment_are_together_for_all_of_an_hour(ppm: float) -> None:
    view, data = hour(ppm).remuxed()["p0"]
    sounds, pictures = read(data, "audio"), read(data, "video")
    voice, face = late_us(sounds), late_us(pictures)
    assert len(voice) > 0.99 * 50 * 3_300
    assert len(face) > 0.95 * 10 * 3_195
    assert all(abs(one - BASE_US) < APART_US_MAX for one in voice)
    assert all(abs(one - BASE_US) < APART_US_MAX for one in face)
    assert max(*voice, *face) - min(*voice, *face) < APART_US_MAX
    assert sounds[0].at_us == 0
    assert all(after.at_us - before.at_us == 20_000 for before, after in pairwise(sounds))
    assert abs(duration_us(data) - view.duration_us) < 50_000
    assert abs(view.duration_us - MINUTES * 60 * SECOND_US) < 2 * SECOND_US
    assert view.has_video


@pytest.mark.timeout(120)
def test_a_long_recording_takes_no_more_memory_than_a_short_one() -> None:
    def peak(minutes: int) -> int:
        recorded = Recorded()
        talk(sound(recorded), 0, minutes * 60 * SECOND_US, report_us=5 * SECOND_US)
        move(camera(recorded), 0, minutes * 60 * SECOND_US)
        recorded.packets.sort(key=lambda one: one[0])
        tracemalloc.start()
        try:
            from media.remux.remuxing import remux

            class Nowhere:
                def write(self, data: bytes, /) -> int:
                    return len(data)

                def seek(self, offset: int, /) -> int:
                    return offset

            remux(recorded.opened, lambda _: Nowhere())
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    short, long = peak(2), peak(12)
    assert long - short < 400_000  # bytes: ten minutes of knots, spans and cues


@pytest.mark.parametrize("steps_us", [(5_000_000, -3_600_000_000), (-200_000, 150_000)])
def test_a_senders_clock_that_is_set_does_not_part_sound_from_pictures(steps_us: tuple[int, int]) -> None:
    recorded = Recorded()
    network = Network(base_us=BASE_US, jitter_us=5_000)
    voice, face = sound(recorded, network=network), camera(recorded, network=network)
    for start, clock_us in ((0, 0), (100, steps_us[0]), (200, steps_us[1])):
        voice.ntp_us = face.ntp_us = 1_700_000_000_000_000 + clock_us
        talk(voice, start * SECOND_US, (start + 100) * SECOND_US)
        move(face, start * SECOND_US, (start + 100) * SECOND_US)
    _, data = recorded.remuxed()["p0"]
    found = late_us(read(data, "audio")) + late_us(read(data, "video"))
    assert len(found) > 60 * 290
    assert all(abs(one - BASE_US) < APART_US_MAX for one in found)


@pytest.mark.parametrize("slept_s", [4, 300])
def test_a_computer_that_slept_goes_on_where_it_is(slept_s: int) -> None:
    recorded = Recorded()
    voice, face = sound(recorded), camera(recorded)
    talk(voice, 0, 91 * SECOND_US)
    move(face, 0, 91 * SECOND_US)
    for stream in (voice, face):
        stream.clock_began_us += slept_s * SECOND_US
        stream.ntp_us -= slept_s * SECOND_US
    began_us = (91 + slept_s) * SECOND_US
    talk(voice, began_us, began_us + 100 * SECOND_US)
    move(face, began_us, began_us + 100 * SECOND_US)
    _, data = recorded.remuxed()["p0"]
    found = late_us(read(data, "audio")) + late_us(read(data, "video"))
    assert len(found) > 60 * 189
    assert all(abs(one - BASE_US) < APART_US_MAX for one in found)


@pytest.mark.parametrize("ppm", [300, -300])
@pytest.mark.parametrize(("level", "apart_us"), [(20, 22_000), (100, 12_000)])
def test_a_sound_card_that_drifts_is_followed_first_of_all_in_quiet(
    ppm: float, level: int, apart_us: int
) -> None:
    recorded = Recorded()
    talk(sound(recorded, hz=48_000 * (1 + ppm / 1e6)), 0, 600 * SECOND_US, level=level)
    _, data = recorded.remuxed()["p0"]
    found = read(data, "audio")
    assert all(abs(one - BASE_US) < apart_us for one in late_us(found))
    assert all(after.at_us - before.at_us == 20_000 for before, after in pairwise(found))
    assert len(late_us(found)) > 50 * 600 - 20


def test_a_queue_of_a_minute_does_not_move_the_time() -> None:
    recorded = Recorded()
    network = Network(base_us=BASE_US)
    voice, face = sound(recorded, network=network), camera(recorded, network=network)
    for start, queue_us in ((0, 0), (100, 300_000), (150, 0)):
        network.base_us = BASE_US + queue_us
        end = {0: 100, 100: 150, 150: 300}[start]
        talk(voice, start * SECOND_US, end * SECOND_US)
        move(face, start * SECOND_US, end * SECOND_US)
    _, data = recorded.remuxed()["p0"]
    found = late_us(read(data, "audio")) + late_us(read(data, "video"))
    assert all(abs(one - BASE_US) < APART_US_MAX for one in found)


def test_without_reports_the_packets_that_came_fastest_tell_the_time() -> None:
    recorded = Recorded()
    network = Network(base_us=BASE_US, jitter_us=20_000)
    talk(sound(recorded, network=network), 0, 120 * SECOND_US, report_us=0)
    move(camera(recorded, network=network), 0, 120 * SECOND_US, report_us=0)
    _, data = recorded.remuxed()["p0"]
    found = late_us(read(data, "audio")) + late_us(read(data, "video"))
    assert len(found) > 60 * 119
    assert all(abs(one - BASE_US) < APART_US_MAX for one in found)


@pytest.mark.parametrize("wrong", ["random", "far", "stopped"])
def test_reports_that_are_lies_are_not_believed(wrong: str) -> None:
    recorded, chance = Recorded(), random.Random(5)
    network = Network(base_us=BASE_US, jitter_us=15_000)
    voice, face = sound(recorded, network=network), camera(recorded, network=network)
    for second in range(60):
        face.ntp_us = {"random": chance.uniform(0, 1e15), "far": 3.7e9 * second, "stopped": 1e15}[wrong]
        face.ntp_us -= second * 1e6 if wrong == "stopped" else 0
        talk(voice, second * SECOND_US, (second + 1) * SECOND_US)
        move(face, second * SECOND_US, (second + 1) * SECOND_US)
    _, data = recorded.remuxed()["p0"]
    found = late_us(read(data, "audio")) + late_us(read(data, "video"))
    assert len(found) > 59 * 60
    assert all(abs(one - BASE_US) < APART_US_MAX for one in found)


def test_nothing_is_put_where_it_cannot_have_been_captured_yet() -> None:
    recorded = Recorded()
    network = Network(base_us=BASE_US, jitter_us=5_000)
    voice, face = sound(recorded, network=network), camera(recorded, network=network, report_late_us=-5e6)
    talk(voice, 0, 30 * SECOND_US)
    move(face, 0, 30 * SECOND_US)
    _, data = recorded.remuxed()["p0"]
    assert all(abs(one - BASE_US) < 200_000 for one in late_us(read(data, "video")))


def test_a_pause_of_a_night_is_a_pause_of_a_night() -> None:
    hours = 10  # the counter of pictures has gone round by more than half
    recorded = Recorded(parts_at_us=(0, hours * 3_600 * SECOND_US))
    face = camera(recorded)
    move(face, 0, 10 * SECOND_US)
    move(face, (hours * 3_600 + 5) * SECOND_US, (hours * 3_600 + 10) * SECOND_US)
    view, data = recorded.remuxed()["p0"]
    night_s = hours * 3_600
    spans = [(round(start / 1e6), round(end / 1e6)) for start, end in view.spans]
    assert spans == [(0, 10), (night_s + 5, night_s + 10)]
    assert all(abs(one - BASE_US) < APART_US_MAX for one in late_us(read(data, "video")))
