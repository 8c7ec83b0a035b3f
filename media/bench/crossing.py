"""Whether a packet of one consult ever reaches another: every payload carries the mark of its consult, one
participant of each consult sends under the SSRCs of all the others, and peers have the same names everywhere.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from media.bench.client import TICK_S, LoadPeer, own_address
from media.bench.report import machine
from media.bench.targets import Ours
from media.dtls import Certificate, make_certificate
from media.srtp import Receiver, Sender

RESULTS = Path(__file__).parent / "CROSSING.md"
PEOPLE = 3
MARK_BYTES = 8
STOLEN_EVERY = 3
"""Each such packet of a thief goes out under somebody else's SSRC."""
REPORT_EVERY = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """What was counted. `foreign` must be 0."""

    consults: int
    received: int
    stolen: int
    foreign: int
    took_s: float


class MarkedPeer(LoadPeer):
    """Marks what it sends with its consult and looks for the marks of others in what it gets."""

    def __init__(self, certificate: Certificate, address: str) -> None:
        super().__init__(certificate, address)
        self.mark = bytes(MARK_BYTES)
        self.foreign = self.stolen = self._packets = 0
        self.steal_from: list[int] = []
        self._receiver: Receiver | None = None

    def _connected(self, receiver: Receiver, sender: Sender) -> None:
        self._receiver = receiver
        super()._connected(receiver, sender)

    def _send(self, kind: int, sequence: int, timestamp: int, ssrc: int, payload: bytes) -> None:
        self._packets += 1
        if self.steal_from and self._packets % STOLEN_EVERY == 0:
            ssrc = self.steal_from[self._packets % len(self.steal_from)]
            self.stolen += 1
        super()._send(kind, sequence, timestamp, ssrc, payload[:-MARK_BYTES] + self.mark)

    def _got(self, data: bytes) -> None:
        super()._got(data)
        if self._receiver is not None and not 192 <= data[1] <= 223:
            packet = self._receiver.rtp(data)
            self.foreign += packet is None or packet[-MARK_BYTES:] != self.mark


class MarkedRooms(Ours):
    """Our media plane with marked participants."""

    def make_peer(self) -> MarkedPeer:
        """One participant."""
        peer = MarkedPeer(self._certificate, self._address)
        self.marked.append(peer)
        return peer

    async def start(self) -> None:
        """Start the worker process."""
        self.marked: list[MarkedPeer] = []
        await super().start()


async def crossing(consults: int, packets: int, tell: Callable[[str], None]) -> Crossing:
    """Send until `packets` have been received in `consults` rooms."""
    with tempfile.TemporaryDirectory() as directory:
        target = MarkedRooms(Path(directory), own_address(), make_certificate())
        await target.start()
        try:
            for room in range(consults):
                await target.consult(room, PEOPLE)
                for peer in target.marked[-PEOPLE:]:
                    peer.mark = room.to_bytes(MARK_BYTES, "big")
            thieves = target.marked[::PEOPLE]
            for thief in thieves:
                others = (peer for peer in target.marked if peer.mark != thief.mark)
                thief.steal_from = [ssrc for peer in others for ssrc in (peer.audio_ssrc, peer.video_ssrc)]
            return await _run(target.marked, consults, packets, tell)
        finally:
            await target.stop()


async def _run(peers: list[MarkedPeer], consults: int, packets: int, tell: Callable[[str], None]) -> Crossing:
    began_s, told = time.monotonic(), 0
    for peer in peers:
        peer.start_sending()
    while (received := sum(peer.received for peer in peers)) < packets:
        now_s = time.monotonic()
        for peer in peers:
            peer.send_due(now_s)
        if received >= told + REPORT_EVERY:
            told = received
            tell(f"{received:,} packets received")
        await asyncio.sleep(TICK_S)
    return Crossing(
        consults=consults,
        received=received,
        stolen=sum(peer.stolen for peer in peers),
        foreign=sum(peer.foreign for peer in peers),
        took_s=time.monotonic() - began_s,
    )


def text(result: Crossing) -> str:
    """What was counted, in Markdown."""
    return f"""# Packets that cross between consults

{machine()}. Written by `python -m media.bench crossing`.

{result.consults} consults of {PEOPLE} on one worker, every payload marked with its consult. One participant
of each sent every third packet under an SSRC of another consult, and peers had the same names everywhere.

| packets received | sent under stolen SSRCs | with the mark of another consult | seconds |
|---|---|---|---|
| {result.received:,} | {result.stolen:,} | **{result.foreign:,}** | {result.took_s:.0f} |
"""
