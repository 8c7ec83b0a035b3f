"""What networks and strangers do to a connection: loss, new addresses, forged packets, false certificates."""

import asyncio
import re
import socket

import pytest

from media.plane import PeerConnected, PeerLost, Route, Routing
from tests.media.conftest import Plane
from tests.media.loopback import Participant, participants, until
from tests.media.network import Network

pytestmark = pytest.mark.asyncio(loop_scope="module")

BOTH = Routing(
    revision=1,
    routes=(
        Route(publisher="p", source="audio", subscriber="d", slot=0),
        Route(publisher="p", source="video", subscriber="d", slot=0),
    ),
)


async def test_lost_video_packets_are_repaired_on_the_way_up_and_on_the_way_down(plane: Plane) -> None:
    up, down = Network(plane.settings.port, loss_up=0.1), Network(plane.settings.port, loss_down=0.1)
    # One slot: aiortc finds the stream of a repair packet only when its payload type is unique.
    patient, physician = Participant("r", "p", fps=30), Participant("r", "d", slots=1)
    try:
        async with participants(patient, physician):
            await plane.route("r", BOTH)
            await asyncio.gather(patient.connect(plane, up), physician.connect(plane, down))
            await until(lambda: physician.video_frames[0] > 60, 15)
            stats = {peer.peer: peer for peer in (await plane.stats("r")).peers}
            assert stats["p"].recovered > 0
            assert stats["p"].sources[1].lost > 0
            assert stats["d"].retransmitted > 0
            assert stats["d"].rtt_ms is not None
    finally:
        up.close()
        down.close()


@pytest.mark.parametrize("who", ["publisher", "subscriber"])
async def test_a_peer_whose_address_changes_is_followed_at_once(plane: Plane, who: str) -> None:
    network = Network(plane.settings.port)
    patient, physician = Participant("r", "p"), Participant("r", "d")
    try:
        async with participants(patient, physician):
            await plane.route("r", BOTH)
            await asyncio.gather(
                patient.connect(plane, network if who == "publisher" else None),
                physician.connect(plane, network if who == "subscriber" else None),
            )
            await until(lambda: physician.audio_frames[0] > 10, 10)
            network.change_address()
            frames = physician.audio_frames[0]
            await until(lambda: physician.audio_frames[0] > frames + 20, 2)
            assert not plane.told(PeerLost)
    finally:
        network.close()


async def test_forged_media_from_strangers_moves_nobody(plane: Plane) -> None:
    patient, physician = Participant("r", "p"), Participant("r", "d")
    async with participants(patient, physician):
        offers: list[str] = []

        def keep(sdp: str) -> str:
            offers.append(sdp)
            return sdp

        await plane.route("r", BOTH)
        await patient.connect(plane, edit=keep)
        await physician.connect(plane)
        ssrc = int(re.findall(r"a=ssrc:(\d+) ", offers[0])[0])
        await until(lambda: physician.audio_frames[0] > 5, 10)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for number in range(2_000):
                packet = (
                    b"\x80\x60" + number.to_bytes(2, "big") + bytes(4) + ssrc.to_bytes(4, "big") + bytes(60)
                )
                stranger.sendto(packet, ("127.0.0.1", plane.settings.port))
            frames = physician.audio_frames[0]
            await until(lambda: physician.audio_frames[0] > frames + 20, 5)
            stranger.settimeout(0.1)
            with pytest.raises(TimeoutError):
                stranger.recv(2_048)


async def test_a_peer_with_another_certificate_than_its_offer_says_is_not_let_in(plane: Plane) -> None:
    def forged(sdp: str) -> str:
        return re.sub(r"(a=fingerprint:sha-\d+) ..", r"\1 00", sdp)

    patient = Participant("r", "p")
    async with participants(patient):
        await patient.negotiate(plane, edit=forged)
        await until(lambda: PeerLost(room="r", peer="p") in plane.notices, 10)
    assert not plane.told(PeerConnected)
    assert (await plane.stats("r")).peers == ()


async def test_no_name_is_ever_looked_up(plane: Plane, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("a name was looked up")

    def with_names(sdp: str) -> str:
        names = "".join(
            f"a=candidate:9 1 udp 1 {name} 9 typ host\r\n" for name in ("made-up.local", "example.org")
        )
        return re.sub(r"a=candidate:[^\r]*\r\n", "", sdp).replace("a=rtcp-mux\r\n", names + "a=rtcp-mux\r\n")

    patient = Participant("r", "p")
    async with participants(patient):
        monkeypatch.setattr(socket, "getaddrinfo", refuse)
        await patient.connect(plane, edit=with_names)
