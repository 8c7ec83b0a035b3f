"""Pictures in a recording: key frames, and which of two layers."""

from pathlib import Path

import pytest

from media.recorder import STARVED_S, tick_all
from media.source import Source
from tests.recording.studio import Studio, kept

STEP_S = 0.1


class Camera:
    """Somebody whose picture comes in two layers."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.whole = studio.join("l", layers=True).sources["video"]
        assert self.whole.small is not None
        self.small = self.whole.small
        studio.record("l", "d")

    def frame(self, *layers: Source, key: bool = False) -> None:
        """One frame of each of these layers, a tenth of a second after the one before."""
        for one in layers:
            self.studio.arrive(one, b"whole" if one is self.whole else b"small", key=key)
        tick_all([self.studio.recorder])
        self.studio.pass_s(STEP_S)

    def seen(self) -> list[str]:
        """Which layer each packet that was kept is of."""
        self.studio.pass_s(1)
        packets = [each.data for track, each in kept(self.studio.parts()) if track == 1]
        return ["whole" if data.endswith(b"whole") else "small" for data in packets]


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(tmp_path, "p", "d")


@pytest.fixture
def camera(studio: Studio) -> Camera:
    return Camera(studio)


def test_a_key_frame_is_wanted_from_the_beginning_until_one_comes(studio: Studio) -> None:
    studio.record("p", "d")
    picture = studio.room.peers["p"].sources["video"]
    assert picture.keyframes.wanted
    studio.say("p", b"later", source="video")
    assert picture.keyframes.wanted
    studio.say("p", b"face", source="video", key=True)
    studio.record("p", "d")
    tick_all([studio.recorder])
    assert not picture.keyframes.wanted


def test_each_part_gets_a_key_frame_of_its_own(studio: Studio) -> None:
    studio.record("p", "d")
    picture = studio.room.peers["p"].sources["video"]
    studio.say("p", b"face", source="video", key=True)
    assert not picture.keyframes.wanted
    studio.pass_s(1)
    assert picture.keyframes.wanted, "a part has begun since"


def test_a_long_recording_has_a_key_frame_every_ten_seconds_to_jump_to(studio: Studio) -> None:
    studio.record("p", "d")
    picture = studio.room.peers["p"].sources["video"]
    studio.say("p", b"face", source="video", key=True)
    studio.pass_s(1)
    studio.say("p", b"face", source="video", key=True)
    for _ in range(9):
        studio.pass_s(1)
        studio.say("p", b"later", source="video")
        tick_all([studio.recorder])
        assert not picture.keyframes.wanted
    studio.pass_s(2)
    tick_all([studio.recorder])
    assert not picture.keyframes.wanted, "nothing comes of it: nobody would answer"
    studio.say("p", b"later", source="video")
    tick_all([studio.recorder])
    assert picture.keyframes.wanted


def test_a_source_that_begins_anew_is_asked_for_a_key_frame(studio: Studio) -> None:
    studio.record("p", "d")
    picture = studio.room.peers["p"].sources["video"]
    studio.say("p", b"face", source="video", key=True)
    assert not picture.keyframes.wanted
    picture.begin(4_711)
    assert picture.keyframes.wanted


def test_of_two_layers_the_whole_one_is_recorded(camera: Camera) -> None:
    camera.frame(camera.whole, camera.small, key=True)
    camera.frame(camera.whole, camera.small)
    camera.frame(camera.small, key=True)
    camera.frame(camera.whole, camera.small)
    assert camera.seen() == ["whole", "whole", "whole"]


def test_while_nothing_comes_of_the_whole_one_the_small_one_is_beginning_with_its_key_frame(
    camera: Camera,
) -> None:
    camera.frame(camera.whole, camera.small, key=True)
    for _ in range(int(STARVED_S / STEP_S) + 1):
        camera.frame(camera.small)
    assert camera.small.keyframes.wanted
    camera.frame(camera.small, key=True)
    camera.frame(camera.small)
    camera.frame(camera.whole, camera.small)
    assert camera.whole.keyframes.wanted
    camera.frame(camera.whole, camera.small, key=True)
    camera.frame(camera.whole, camera.small)
    assert camera.seen() == ["whole", "small", "small", "small", "whole", "whole"]


def test_who_stops_being_recorded_is_tapped_in_no_layer(camera: Camera, studio: Studio) -> None:
    layers = (camera.whole, camera.small)
    assert None not in [layer.tap for layer in layers]
    studio.route("l", "d")
    assert [layer.tap for layer in layers] == [None, None]
    camera.frame(camera.whole, camera.small, key=True)
    assert camera.seen() == []
