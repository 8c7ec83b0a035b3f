"""One peer of a room: its address, its encryption, the sources it sends and the slots it receives."""

from __future__ import annotations

import random
from collections.abc import Callable
from struct import pack_into
from typing import Literal

from media import rtcp, twcc
from media.allowance import Allowance
from media.clock import Clock
from media.description import PeerDescription
from media.downlink import Downlink
from media.dtls import Certificate, DtlsLink
from media.forwarder import Slot
from media.interface import SourceName
from media.loss import LossMeter
from media.mux import Link, Mux, RemoteAddress
from media.path import Path
from media.rtcp import BadRtcp
from media.rtp import BadRtp
from media.sendlog import SendLog
from media.source import Source
from media.srtp import Receiver, Sender
from media.twcc import BadFeedback
from media.uplink import Uplink

FEEDBACK_S = 0.1
"""Transport-wide feedback and everything else that is regular; a publisher that gets none starves its
encoder.
"""
LOST_AFTER_S = 10.0
"""Browsers check the connection each 2.5 to 5 s at least."""
CONSENT_S_MAX = 30.0
"""After so long without a check we must stop sending: the address may be somebody else's (RFC 7675 5.1)."""
HELD_S = 1.0
"""An address from which a peer's media came within this time is not given to another peer."""
CONNECT_S_MAX = 60.0
RTT_S_DEFAULT = 0.1
EARLY_PACKETS_MAX = 64
"""Packets kept that come before our handshake has the keys: as DTLS client we have them half a round trip
late.
"""
ADDRESSES_MAX = 8
LOSS_WINDOW_S = 2.5
SSRCS_MAX = 64
"""Each makes libsrtp keep a stream; browsers use one for each m-line and one for its retransmissions."""

State = Literal["new", "connecting", "connected", "lost", "ended"]


class Peer:
    """Everything about one participant's connection. `on_change` is called after each change of `state`."""

    def __init__(
        self,
        description: PeerDescription,
        mux: Mux,
        clock: Clock,
        certificate: Certificate,
        on_change: Callable[[], None],
    ) -> None:
        self.description = description
        self.password = description.password
        self.state: State = "new"
        self.rtt_s = RTT_S_DEFAULT
        self.rtt_known = False
        self.loss_up, self.loss_down = LossMeter(LOSS_WINDOW_S), LossMeter(LOSS_WINDOW_S)
        self._mux = mux
        self._clock = clock
        self._certificate = certificate
        self._on_change = on_change
        self._created_at_s = clock.now_s
        self.path: Path[tuple[Link, RemoteAddress]] = Path()
        self._addresses: list[tuple[Link, RemoteAddress]] = []
        self._dtls: DtlsLink | None = None
        self._receiver: Receiver | None = None
        self._sender: Sender | None = None
        self._early: list[tuple[Link, RemoteAddress, bytes]] = []
        self._claimed: set[int] = set()
        self.uplink = Uplink(description.upstreams, clock, self, self._claim)
        self.slots: dict[tuple[SourceName, int], Slot] = {
            (down.source, down.slot): Slot(
                down, self, clock, sequence=random.getrandbits(15), timestamp=random.getrandbits(30)
            )
            for down in description.downstreams
        }
        self._slots_by_ssrc = {slot.ssrc: slot for slot in self.slots.values()}
        self._seen: set[int] = set()
        self._sent = SendLog()
        self._downlink, self._allowance = Downlink(), Allowance()
        self._small = 0
        self.pictures_paused = 0
        self.packets_in = self.bytes_in = self.packets_out = self.refused = 0
        mux.by_ufrag[description.ufrag] = self

    # -- what the port hands over

    def holds(self, link: Link, address: RemoteAddress) -> bool:
        """Whether this peer's media comes from that address now."""
        return self.path.address == (link, address) and self._clock.now_s - self.path.media_at_s < HELD_S

    def on_check(self, link: Link, address: RemoteAddress, *, nominated: bool) -> None:
        """A connectivity check that knew our password."""
        self._know(link, address)
        self.path.checked((link, address), nominated=nominated, now_s=self._clock.now_s)
        self._heard()
        if self._dtls is None and self.state != "ended":
            self.state = "connecting"
            self._dtls = DtlsLink(self._certificate, self.description, self._send, self._up, self._ended)

    def on_dtls(self, data: bytes) -> bool:
        """A DTLS record from an address that has passed a check."""
        return self._dtls is not None and self._dtls.put(data)

    def on_media(self, link: Link, address: RemoteAddress, data: bytes) -> bool:
        """An SRTP or SRTCP packet from any address; False unless it was authentic."""
        if self._receiver is None:
            if len(self._early) < EARLY_PACKETS_MAX and link.peers.get(address) is self:
                self._early.append((link, address, data))
            return False
        if len(data) < 12:
            self.refused += 1
            return False
        control = 192 <= data[1] <= 223
        ssrc = int.from_bytes(data[4:8] if control else data[8:12], "big")
        if ssrc not in self._seen and len(self._seen) >= SSRCS_MAX:
            self.refused += 1
            return False
        packet = self._receiver.rtcp(data) if control else self._receiver.rtp(data)
        if packet is None:
            self.refused += 1
            return False
        self._seen.add(ssrc)
        self._follow(link, address)
        self.packets_in += 1
        self.bytes_in += len(data)
        try:
            if control:
                self._on_rtcp(packet)
            else:
                self.refused += not self.uplink.receive(packet, ssrc)
        except (BadRtp, BadRtcp, BadFeedback):
            self.refused += 1
        return True

    # -- connection

    def _follow(self, link: Link, address: RemoteAddress) -> None:
        """An authentic packet came from this address."""
        known = self.path.address
        if known is not None and known[0] is link and known[1] == address:
            self.path.media(known, self._clock.now_s)
        elif self.path.media((link, address), self._clock.now_s):
            self._know(link, address)
        self._heard()

    def _know(self, link: Link, address: RemoteAddress) -> None:
        """From now on, packets from this address are this peer's."""
        key = (link, address)
        link.peers[address] = self
        if key in self._addresses:
            return
        self._addresses.append(key)
        if len(self._addresses) > ADDRESSES_MAX:
            oldest = next(known for known in self._addresses if known not in (key, self.path.address))
            self._addresses.remove(oldest)
            self._forget(*oldest)

    def _forget(self, link: Link, address: RemoteAddress) -> None:
        if link.peers.get(address) is self:
            del link.peers[address]

    def _heard(self) -> None:
        if self.state == "lost":
            self._become("connected")

    def _become(self, state: State) -> None:
        self.state = state
        self._on_change()

    def _up(self, receiver: Receiver, sender: Sender) -> None:
        if self.state == "ended":  # the handshake came to its end between `leave` and `close`
            return
        self._receiver, self._sender = receiver, sender
        if self._dtls is not None and self._dtls.round_trip_s:
            self._measured_rtt(self._dtls.round_trip_s)
        self._become("connected")
        for slot in self.slots.values():
            slot.request_keyframe()
        early, self._early = self._early, []
        for link, address, data in early:
            self.on_media(link, address, data)

    def _ended(self) -> None:
        self._become("ended")

    def leave(self) -> None:
        """No packet of this peer is looked at any more, its slots are empty, its sources are gone."""
        self.state = "ended"
        self._on_change = _ignore
        if self._mux.by_ufrag.get(self.description.ufrag) is self:
            del self._mux.by_ufrag[self.description.ufrag]
        for ssrc in self._claimed:
            claimants = self._mux.by_ssrc.get(ssrc, set())
            claimants.discard(self)
            if not claimants:
                self._mux.by_ssrc.pop(ssrc, None)
        for slot in self.slots.values():
            slot.attach(None)
        self.uplink.close()
        for known in self._addresses:
            self._forget(*known)

    async def close(self) -> None:
        """Say goodbye; after `leave`."""
        if self._dtls is not None:
            await self._dtls.close()

    @property
    def ready(self) -> bool:
        """Whether packets for this peer can be sent."""
        return self._sender is not None

    @property
    def sources(self) -> dict[SourceName, Source]:
        """What this peer sends."""
        return self.uplink.sources

    @property
    def counts(self) -> dict[str, int]:
        """Packets by what became of them, as in `WorkerTotals`."""
        sources, slots = self.uplink.sources.values(), self.slots.values()
        return {
            "forwarded": self.packets_out,
            "retransmitted": sum(slot.retransmitted for slot in slots),
            "recovered": sum(source.recovered for source in sources),
            "dropped_refused": self.refused,
            "dropped_before_route": sum(source.dropped_before_route for source in sources),
        }

    def measure_loss(self) -> None:
        """Bring `loss_up` and `loss_down` up to date: the share of packets lost to us and from us."""
        self.loss_up.read(*self.uplink.counts, self._clock.now_s)
        if self._sent.reported:
            self.loss_down.read(self._sent.reported, self._sent.lost, self._clock.now_s)
            return
        reported = [slot.reported for slot in self.slots.values()]
        self.loss_down.read(sum(r[0] for r in reported), sum(r[1] for r in reported), self._clock.now_s)

    # -- sending

    def _send(self, data: bytes | memoryview) -> None:
        if self.path.address is not None:
            self._mux.send(*self.path.address, data)

    def send_rtp(self, head: bytearray, payload: bytes, number_at: int) -> None:
        """Encrypt and send one packet; nothing happens before the connection is up."""
        if self._sender is not None:
            if number_at:
                number = self._sent.number()
                self._downlink.sent(number, self._clock.now_s, size=len(payload))
                pack_into("!H", head, number_at, number)
            data = self._sender.rtp(head, payload)
            if data is not None and self.path.address is not None:
                self.packets_out += 1
                link, address = self.path.address
                try:
                    link.sock.sendto(data, address)
                except OSError:  # a full buffer or a missing route: lost, as on any network
                    self._mux.dropped["send"] += 1

    def send_rtcp(self, packet: bytes) -> None:
        """Encrypt and send one compound packet."""
        if self._sender is not None:
            data = self._sender.rtcp(packet)
            if data is not None:
                self._send(data)

    # -- receiving

    def _claim(self, ssrc: int) -> None:
        """Packets with this SSRC from unknown addresses may be ours."""
        self._claimed.add(ssrc)
        self._mux.by_ssrc.setdefault(ssrc, set()).add(self)

    def _on_rtcp(self, packet: bytes) -> None:
        for message in rtcp.parse(packet):
            match message:
                case rtcp.SenderReport():
                    self.uplink.on_sender_report(message)
                case rtcp.Report():
                    self._on_report(message)
                case rtcp.Nack():
                    if slot := self._slots_by_ssrc.get(message.ssrc):
                        slot.resend(message.numbers)
                case rtcp.KeyframeRequest():
                    self._on_keyframe_request(message.ssrc)
                case rtcp.TransportFeedback():
                    if self._sent.may_be_told(twcc.status_count(message.body)):
                        arrivals = twcc.parse(message.body)
                        self._sent.feedback(arrivals)
                        self._downlink.reported(arrivals, self._clock.now_s)

    def _on_report(self, report: rtcp.Report) -> None:
        slot = self._slots_by_ssrc.get(report.ssrc)
        if slot is None:
            return
        slot.on_report(report)
        if report.last_sr:
            now = rtcp.ntp(self._clock.wall_s) >> 16 & 0xFFFFFFFF
            ticks = (now - report.last_sr - report.delay_since_sr) & 0xFFFFFFFF
            if ticks < 10 << 16:
                self._measured_rtt(ticks / 65_536)

    def _measured_rtt(self, rtt_s: float) -> None:
        self.rtt_s = self.rtt_s * 0.75 + rtt_s * 0.25 if self.rtt_known else rtt_s
        self.rtt_known = True

    def _on_keyframe_request(self, ssrc: int) -> None:
        slot = self._slots_by_ssrc.get(ssrc)
        if slot is not None:
            slot.request_keyframe()

    def tick(self) -> None:
        """Ten times a second: the uplink's regular work, and a look whether the peer still lives."""
        now_s = self._clock.now_s
        silent_s = now_s - self.path.heard_at_s
        match self.state:
            case "connected":
                self.uplink.tick()
                self._make_room()
                if silent_s > LOST_AFTER_S:
                    self._become("lost")
            case "lost" if silent_s > CONSENT_S_MAX:
                self._become("ended")
            case "new" | "connecting" if now_s - self._created_at_s > CONNECT_S_MAX:
                self._become("ended")

    def _make_room(self) -> None:
        """Smaller, then fewer pictures while the line is congested: a shared screen last, sound never."""
        showing = [slot for slot in self.slots.values() if slot.downstream.source != "audio" and slot.source]
        showing.sort(key=lambda slot: (slot.downstream.source != "screen", slot.downstream.slot))
        now_s = self._clock.now_s
        congestion = self._downlink.congestion(now_s)
        layered = [slot for slot in showing if slot.has_layers]
        next_whole = layered[len(layered) - self._small] if 0 < self._small <= len(layered) else None
        small, none = self._allowance.steps(
            len(layered),
            len(showing),
            congestion=congestion,
            now_s=now_s,
            whole_fits=self._downlink.may_carry(next_whole.more_kbps if next_whole else 0.0, now_s),
        )
        self._small = small
        for place, slot in enumerate(showing):
            slot.paused = place >= len(showing) - none
        for place, slot in enumerate(layered):
            slot.choose(small=place >= len(layered) - small)
        self.pictures_paused = none


def _ignore() -> None:
    """What is called for a change of state once the peer is closed."""
