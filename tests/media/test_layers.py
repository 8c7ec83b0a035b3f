"""A picture that comes in two layers: the subscriber gets the one that fits, without a gap between them."""

from struct import pack

import pytest

from media.description import Codec, Extensions, Upstream
from media.forwarder import RETURN_S, STARVED_S
from media.source import Source
from media.uplink import Uplink
from tests.media.packets import packet, vp8
from tests.media.test_forwarding import VP8, Scene, feed

MID, RID, REPAIRED_RID = 4, 10, 11


@pytest.fixture
def scene() -> Scene:
    return Scene()


def layered(scene: Scene) -> Source:
    """A source with a small layer; both have begun."""
    whole, small = scene.source(), scene.source()
    small.begin(78)
    whole.small = small
    whole.routed = True
    return whole


def both(source: Source, number: int, *, key: bool = False) -> None:
    """One frame of each layer."""
    assert source.small is not None
    for one, body in ((source, b"whole"), (source.small, b"small")):
        feed(one, packet(number, timestamp=number * 3_000, payload=vp8(key=key, body=body)))


def shown(scene: Scene) -> list[str]:
    return ["whole" if b"whole" in sent.payload else "small" for sent in scene.subscriber.packets]


def test_nothing_is_sent_of_the_whole_picture_while_the_small_ones_key_frame_is_awaited(scene: Scene) -> None:
    source, slot = layered(scene), scene.slot()
    slot.attach(source)
    both(source, 1, key=True)
    slot.choose(small=True)
    assert source.small is not None
    assert source.small.keyframes.wanted
    both(source, 2)
    both(source, 3, key=True)
    both(source, 4)
    assert shown(scene) == ["whole", "small", "small"]
    numbers = [sent.sequence for sent in scene.subscriber.packets]
    assert numbers == list(range(numbers[0], numbers[0] + 3))
    assert len({sent.ssrc for sent in scene.subscriber.packets}) == 1


def test_it_goes_back_to_the_whole_picture_in_the_same_way(scene: Scene) -> None:
    source, slot = layered(scene), scene.slot()
    slot.attach(source)
    both(source, 1, key=True)
    slot.choose(small=True)
    both(source, 2, key=True)
    slot.choose(small=False)
    both(source, 3)
    both(source, 4, key=True)
    both(source, 5)
    assert shown(scene)[-3:] == ["small", "whole", "whole"]


def test_a_sender_without_room_for_the_whole_picture_is_shown_small_and_not_in_turns(scene: Scene) -> None:
    source, slot = layered(scene), scene.slot()
    slot.attach(source)
    both(source, 1, key=True)
    small = source.small
    assert small is not None
    scene.clock.now_s += STARVED_S + 0.1
    feed(small, packet(2, payload=vp8(body=b"small")))
    slot.choose(small=False)
    feed(small, packet(3, payload=vp8(key=True, body=b"small")))
    assert shown(scene) == ["whole", "small"]
    scene.clock.now_s += RETURN_S / 2
    both(source, 4, key=True)
    slot.choose(small=False)
    both(source, 5, key=True)
    assert shown(scene)[-1] == "small"
    for step in range(8):
        scene.clock.now_s += STARVED_S / 2
        both(source, 6 + step)
        slot.choose(small=False)
    both(source, 20, key=True)
    assert shown(scene)[-1] == "whole"


def test_a_slot_that_is_taken_away_waits_for_no_layer(scene: Scene) -> None:
    source, slot = layered(scene), scene.slot()
    slot.attach(source)
    both(source, 1, key=True)
    slot.choose(small=True)
    slot.attach(None)
    assert source.small is not None
    assert source.slots == source.small.slots == []
    both(source, 2, key=True)
    assert shown(scene) == ["whole"]


class Peer:
    """As much of a peer as its uplink asks for."""

    rtt_s = 0.05

    def send_rtcp(self, packet: bytes) -> None:
        del packet


def stream(number: int, ssrc: int, *, rid: bytes = b"", repaired: bytes = b"", rtx: bool = False) -> bytes:
    """One packet as a browser with simulcast sends it."""
    elements = bytes((MID << 4, ord("1")))
    if rid:
        elements += bytes((RID << 4 | len(rid) - 1,)) + rid
    if repaired:
        elements += bytes((REPAIRED_RID << 4 | len(repaired) - 1,)) + repaired
    payload = (pack("!H", number) if rtx else b"") + vp8(key=True)
    return packet(number, ssrc=ssrc, payload_type=97 if rtx else 96, payload=payload, extensions=elements)


def test_layers_are_told_apart_by_their_ids_also_when_sent_again(scene: Scene) -> None:
    codec = Codec(name="vp8", payload_type=96, rtx_payload_type=97, nack=True, pli=True)
    assert codec == VP8
    up = Upstream(
        mid="1",
        source="video",
        codecs=(codec,),
        extensions=Extensions(mid=MID, rid=RID, repaired_rid=REPAIRED_RID),
        layers=("l", "h"),
    )
    uplink = Uplink((up,), scene.clock, Peer(), lambda _ssrc: None)
    whole = uplink.sources["video"]
    assert whole.small is not None
    assert uplink.receive(stream(1, 11, rid=b"l"), 11)
    assert uplink.receive(stream(1, 12, rid=b"h"), 12)
    assert uplink.receive(stream(5, 21, repaired=b"l", rtx=True), 21)
    assert (whole.small.ssrc, whole.ssrc) == (11, 12)
    assert not uplink.receive(stream(1, 13, rid=b"x"), 13)
    assert not uplink.receive(stream(1, 14), 14)
    assert uplink.receive(packet(2, ssrc=12, payload=vp8()), 12), "once known, without any id"
