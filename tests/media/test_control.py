"""The control protocol: what is encoded is decoded, and nothing else is accepted."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import control
from media.answer import answer_offer
from media.interface import (
    Notice,
    PeerLost,
    PeerQuality,
    RecordedTrack,
    RecordingFailed,
    RecordingKey,
    RecordingOrder,
    RecordingProgress,
    RoomStats,
    Route,
    Routing,
    WorkerLost,
    WorkerTotals,
)
from media.sdp import parse_offer
from tests.media.offers import CHROMIUM, CREDENTIALS, ENDPOINT

DESCRIPTION = answer_offer(parse_offer(CHROMIUM), ENDPOINT, CREDENTIALS)[1]
ROUTING = Routing(revision=3, routes=(Route(publisher="a", source="audio", subscriber="b", slot=4),))
ORDER = RecordingOrder(
    recording="0f" * 16,
    epoch_ms=1,
    first_part=2,
    what="video",
    shred="5a" * 32,
    recipients=(RecordingKey(key_id="4b" * 16, public="01" * 32),),
    agreed=("a", "b"),
    tracks=(RecordedTrack(peer="a", source="screen", track=6),),
    consents="cc" * 32,
)
RECORDED = replace(ROUTING, recording=ORDER)
STOPPED = replace(ROUTING, recording_stop="revoked", recording_cut_ms=5)
REQUESTS: list[control.Request] = [
    control.Hello(token="t"),
    control.AddPeer(room="r", peer="p", description=DESCRIPTION),
    control.RemovePeer(room="r", peer="p"),
    control.RemoveRoom(room="r"),
    control.SetRouting(room="r", routing=ROUTING),
    control.SetRouting(room="r", routing=RECORDED),
    control.SetRouting(room="r", routing=STOPPED),
    control.GetStats(room="r"),
    control.GetTotals(),
    control.Shutdown(),
]
RESPONSES: list[control.Response] = [
    control.Welcome(worker=0, boot="b", pid=1, endpoint=ENDPOINT, rooms=("r",)),
    control.Done(),
    control.Refused(code="c", hint="h"),
    control.Stats(stats=RoomStats(room="r", routing_revision=1, peers=())),
    control.Totals(totals=WorkerTotals(worker=0, rooms=1, peers=2, packets={"received": 3})),
]
NEWS: list[Notice] = [
    PeerLost(room="r", peer="p"),
    PeerQuality(room="r", peer="p", loss_pct_up=1.0, loss_pct_down=2.0, rtt_ms=None, level="fair"),
    WorkerLost(rooms=("r",)),
    RecordingProgress(
        room="r", recording="0f" * 16, part=2, records=3, size_bytes=4, chain="00" * 32, ended="paused"
    ),
    RecordingFailed(room="r", recording="0f" * 16, code="disk_full"),
]
FRAMES: list[control.Frame] = [
    *(control.Call(number=n, request=request) for n, request in enumerate(REQUESTS)),
    *(control.Reply(number=n, response=response) for n, response in enumerate(RESPONSES)),
    *(control.News(notice=notice) for notice in NEWS),
]


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: type(getattr(frame, "request", frame)).__name__)
def test_every_frame_survives_the_way_over_the_socket(frame: control.Frame) -> None:
    encoded = control.encode(frame)
    assert int.from_bytes(encoded[:4], "big") == len(encoded) - 4
    assert control.decode(encoded[4:]) == frame


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b'{"kind":"call","number":1}',
        b'{"kind":"call","number":1,"request":{"kind":"launch"}}',
        b'{"kind":"call","number":1,"request":{"kind":"shutdown","now":true}}',
        b'{"kind":"call","number":"one","request":{"kind":"shutdown"}}',
        b"[" * 10_000,
    ],
)
def test_everything_else_is_refused_without_being_quoted(body: bytes) -> None:
    with pytest.raises(control.BadFrame) as refused:
        control.decode(body)
    assert "launch" not in str(refused.value)


@given(st.binary(max_size=200))
def test_no_bytes_make_the_decoder_fail_in_any_other_way(body: bytes) -> None:
    with pytest.raises(control.BadFrame):
        control.decode(body)


async def test_a_frame_that_claims_to_be_huge_is_refused_before_it_is_read() -> None:
    reader = asyncio.StreamReader()
    reader.feed_data((control.FRAME_BYTES_MAX + 1).to_bytes(4, "big"))
    with pytest.raises(control.BadFrame):
        await control.read_frame(reader)


async def test_a_connection_that_ends_within_a_frame_is_a_connection_that_ended() -> None:
    reader = asyncio.StreamReader()
    reader.feed_data(b"\x00\x00\x00\x10{}")
    reader.feed_eof()
    assert await control.read_frame(reader) is None


def test_the_secret_of_a_recording_is_not_in_what_is_logged_of_its_order() -> None:
    assert ORDER.shred not in repr(RECORDED)
