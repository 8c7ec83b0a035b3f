"""A worker's engine with real connections in this process: whose address is whose, and what is left when
somebody goes.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from struct import pack

import pytest
import pytest_asyncio

from media.answer import answer_offer
from media.bench.client import LoadPeer, binding_request
from media.bench.descriptions import offer, remote
from media.control import AddPeer, Done, RemovePeer, RemoveRoom, SetRouting
from media.dtls import fingerprint_of, make_certificate
from media.engine import Engine
from media.interface import Notice, PeerConnected, PeerLost, Route, Routing
from media.mux import STRANGERS_PER_S
from media.peer import CONSENT_S_MAX, LOST_AFTER_S, Peer
from media.plane import _credentials
from media.sdp import parse_offer
from media.twcc import Arrival
from tests.media.loopback import until

LOOPBACK = "127.0.0.1"
CERTIFICATE = make_certificate()
A_TO_B = Routing(revision=1, routes=(Route(publisher="a", source="audio", subscriber="b", slot=0),))


class Scene:
    """An engine, what it told, and the peers of room `r`."""

    def __init__(self, recordings: Path) -> None:
        self.told: list[Notice] = []
        self.engine = Engine(0, (LOOPBACK,), (), 0, self.told.append, recordings)
        self.loads: list[LoadPeer] = []

    async def join(self, name: str) -> LoadPeer:
        """A connected peer that can send."""
        load = LoadPeer(CERTIFICATE, LOOPBACK)
        self.loads.append(load)
        text = offer(load, LOOPBACK, fingerprint_of(CERTIFICATE), ("audio", "video"))
        answer, description = answer_offer(parse_offer(text), self.engine.endpoint, _credentials())
        assert self.engine.handle(AddPeer(room="r", peer=name, description=description)) == Done()
        await load.connect(remote(answer, answered=True))
        await until(lambda: PeerConnected(room="r", peer=name) in self.told, 5)
        return load

    def peer(self, name: str) -> Peer:
        """The engine's side of a peer."""
        return self.engine.rooms["r"].peers[name]

    def is_clean(self) -> bool:
        """Whether nothing leads from a datagram to any peer."""
        mux = self.engine.mux
        return not mux.by_ufrag and not mux.by_ssrc and not any(link.peers for link in mux.links)


@pytest_asyncio.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    made = Scene(tmp_path)
    try:
        yield made
    finally:
        for load in made.loads:
            await load.close()
        await made.engine.close()


def check(load: LoadPeer) -> bytes:
    """A connectivity check with this peer's own credentials."""
    assert load._remote is not None
    return binding_request(load._remote, load.ufrag)


async def talk(load: LoadPeer, scene: Scene, name: str, packets: int = 5) -> None:
    """Send some audio and wait until it has arrived."""
    before = scene.peer(name).packets_in
    for _ in range(packets):
        load._send(111, load._audio_count, load._audio_count * 960, load.audio_ssrc, b"voice")
        load._audio_count += 1
    await until(lambda: scene.peer(name).packets_in >= before + packets, 2)


async def test_nobody_takes_the_address_of_a_peer_whose_media_comes_from_it(scene: Scene) -> None:
    first, second = await scene.join("a"), await scene.join("b")
    await talk(first, scene, "a")
    for _ in range(5):
        first._send_datagram(check(second))
    await until(lambda: scene.engine.mux.dropped["taken"] == 5, 2)
    await talk(first, scene, "a")
    path = scene.peer("b").path.address
    assert path is not None
    assert path[1][1] == second.port


async def test_an_address_its_owner_has_left_can_be_anothers(scene: Scene) -> None:
    first, second = await scene.join("a"), await scene.join("b")
    await talk(first, scene, "a")
    scene.peer("a").path.media_at_s -= 1.5
    first._send_datagram(check(second))
    mine = scene.peer("b")
    await until(
        lambda: any(link.peers.get((LOOPBACK, first.port)) is mine for link in scene.engine.mux.links), 2
    )


async def test_a_silent_peer_is_lost_and_after_thirty_seconds_nothing_is_sent_to_it_any_more(
    scene: Scene,
) -> None:
    await scene.join("a")
    peer = scene.peer("a")
    peer.path.heard_at_s -= LOST_AFTER_S + 1
    peer.tick()
    assert scene.told.count(PeerLost(room="r", peer="a")) == 1
    assert peer.state == "lost"
    peer.path.heard_at_s -= CONSENT_S_MAX
    peer.tick()
    assert scene.engine.rooms["r"].peers == {}
    assert scene.is_clean()


async def test_a_peer_that_is_closed_leaves_nothing_behind(scene: Scene) -> None:
    first, _ = await scene.join("a"), await scene.join("b")
    scene.engine.handle(SetRouting(room="r", routing=A_TO_B))
    await talk(first, scene, "a")
    scene.engine.handle(RemovePeer(room="r", peer="a"))
    assert all(slot.source is None for slot in scene.peer("b").slots.values())
    scene.engine.handle(RemoveRoom(room="r"))
    assert scene.is_clean()
    assert scene.engine.rooms == {}


async def test_a_handshake_that_ends_after_the_peer_was_closed_connects_nobody(scene: Scene) -> None:
    load = await scene.join("a")
    await talk(load, scene, "a")
    peer = scene.peer("a")
    receiver, sender = peer._receiver, peer._sender
    assert receiver is not None
    assert sender is not None
    scene.engine.handle(RemovePeer(room="r", peer="a"))
    peer._up(receiver, sender)
    assert peer.state == "ended"
    assert scene.is_clean()


async def test_the_first_routing_of_another_server_holds_whatever_its_number(scene: Scene) -> None:
    def route(revision: int) -> int:
        scene.engine.handle(SetRouting(room="r", routing=Routing(revision=revision, routes=())))
        return scene.engine.rooms["r"].routing.revision

    assert (route(10), route(9)) == (10, 10)
    assert scene.engine.begin_server().rooms == ("r",)
    assert (route(3), route(2)) == (3, 3)


async def test_the_totals_keep_what_peers_did_who_have_left(scene: Scene) -> None:
    first, _ = await scene.join("a"), await scene.join("b")
    await talk(first, scene, "a")
    scene.engine.handle(SetRouting(room="r", routing=A_TO_B))
    await talk(first, scene, "a")
    first._send_datagram(b"")
    await until(lambda: scene.engine.mux.dropped["foreign"] == 1, 2)
    before = scene.engine.totals()
    assert (before.worker, before.rooms, before.peers) == (0, 1, 2)
    assert before.packets["forwarded"] == 5
    assert before.packets["dropped_before_route"] == 5
    assert before.packets["dropped_foreign"] == 1
    assert before.packets["received"] > 10
    scene.engine.handle(RemoveRoom(room="r"))
    after = scene.engine.totals()
    assert (after.rooms, after.peers) == (0, 0)
    assert all(after.packets[what] >= count for what, count in before.packets.items())


async def test_strangers_make_us_try_to_decrypt_a_bounded_number_of_packets(scene: Scene) -> None:
    first, second = await scene.join("a"), await scene.join("b")
    await talk(first, scene, "a")
    scene.engine.mux.by_ssrc[first.audio_ssrc].add(scene.peer("b"))
    stranger = LoadPeer(CERTIFICATE, LOOPBACK)
    scene.loads.append(stranger)
    stranger._to = second._to
    forged = b"\x80\x6f" + bytes(6) + first.audio_ssrc.to_bytes(4, "big") + bytes(60)
    for _ in range(STRANGERS_PER_S * 3):
        stranger._send_datagram(forged)
    await until(lambda: scene.engine.mux.dropped["stranger"] == STRANGERS_PER_S * 3, 5)
    assert scene.peer("a").refused + scene.peer("b").refused < STRANGERS_PER_S * 2


async def test_feedback_that_claims_packets_we_never_sent_is_not_read(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    await scene.join("a")
    peer = scene.peer("a")
    told: list[list[Arrival]] = []
    monkeypatch.setattr(peer._sent, "feedback", told.append)
    body = bytes(2) + b"\xff\xff" + bytes(4) + b"\x1f\xff" * 9
    peer._on_rtcp(b"\x8f\xcd" + (len(body) // 4 + 3).to_bytes(2, "big") + bytes(8) + body + bytes(2))
    assert told == []


def authentic_nonsense(load: LoadPeer, chance: random.Random) -> Iterator[bytes]:
    """Packets that decrypt, and make no sense: a participant's browser may be anybody's program."""
    assert load._sender is not None
    for number in range(2_000):
        body = chance.randbytes(chance.randrange(60))
        ssrc = chance.choice((load.audio_ssrc, load.video_ssrc, chance.randrange(1 << 32)))
        kind = chance.choice((111, 96, 97, 0, 127)) | chance.choice((0, 0x80))
        if not 192 <= kind <= 223:
            first = chance.choice((0x80, 0x80, 0x90, 0xA0, 0xBF, 0x8F))
            sequence = chance.choice((number, chance.randrange(1 << 16)))
            head = pack("!BBHII", first, kind, sequence, chance.randrange(1 << 32), ssrc)
            # libsrtp refuses to encrypt what contradicts itself.
            if (data := load._sender.rtp(head, body)) is not None:
                yield bytes(data)
        rtcp = pack(
            "!BBHI", 0x80 | chance.randrange(64), chance.randrange(200, 208), chance.randrange(16), ssrc
        )
        if (data := load._sender.rtcp(rtcp + body)) is not None:
            yield bytes(data)


async def test_nothing_a_participant_can_send_makes_the_engine_fail(scene: Scene) -> None:
    failures: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
    first, second = await scene.join("a"), await scene.join("b")
    scene.engine.handle(SetRouting(room="r", routing=A_TO_B))
    chance = random.Random(7)
    for number, data in enumerate(authentic_nonsense(first, chance)):
        first._send_datagram(data)
        first._send_datagram(chance.randbytes(chance.randrange(40)))
        first._send_datagram(
            bytes((chance.choice((20, 21, 22, 23, 25)),)) + b"\xfe\xfd" + chance.randbytes(30)
        )
        broken = bytearray(check(first))
        broken[chance.randrange(len(broken))] ^= 1 << chance.randrange(8)
        first._send_datagram(bytes(broken[: chance.randrange(len(broken) + 1)]))
        if number % 10 == 0:
            await asyncio.sleep(0)
    await talk(second, scene, "b")
    assert scene.peer("a").packets_in > 500
    assert scene.peer("a").refused > 500
    assert failures == []
