"""One peer of a room: its address, its encryption, the sources it sends and the slots it receives."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Literal

from media import rtcp, rtp, twcc
from media.clock import Clock
from media.description import PeerDescription
from media.dtls import Certificate, DtlsLink
from media.forwarder import Slot
from media.interface import SourceName
from media.loss import LossMeter
from media.mux import Link, Mux, RemoteAddress
from media.path import Path
from media.rtcp import BadRtcp
from media.rtp import BadRtp
from media.source import PublisherClock, Source
from media.srtp import Receiver, Sender

FEEDBACK_S = 0.1
"""Transport-wide feedback and everything else that is regular; a publisher that gets none starves its
encoder.
"""
REPORT_S = 1.0
LOST_AFTER_S = 10.0
"""Browsers check the connection each 2.5 to 5 s at least."""
CONNECT_S_MAX = 60.0
RTT_S_DEFAULT = 0.1
EARLY_PACKETS_MAX = 64
"""Packets kept that come before our handshake has the keys: as DTLS client we have them half a round trip
late.
"""
ADDRESSES_MAX = 8
LOSS_WINDOW_S = 2.5
TAKEOVER_S = 0.5
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
        publisher_clock = PublisherClock()
        self.sources: dict[SourceName, Source] = {
            up.source: Source(up, clock, publisher_clock) for up in description.upstreams
        }
        self.slots: dict[tuple[SourceName, int], Slot] = {
            (down.source, down.slot): Slot(
                down, self, clock, sequence=random.getrandbits(15), timestamp=random.getrandbits(30)
            )
            for down in description.downstreams
        }
        self._slots_by_ssrc = {slot.ssrc: slot for slot in self.slots.values()}
        self._streams: dict[int, tuple[Source, bool]] = {}
        """SSRC -> (source, whether these are its retransmissions)."""
        self._seen: set[int] = set()
        self._mid_id = next((up.extensions.mid for up in description.upstreams if up.extensions.mid), 0)
        self._transport_id = next(
            (up.extensions.transport_cc for up in description.upstreams if up.extensions.transport_cc), 0
        )
        self._arrivals = twcc.ArrivalLog()
        self._report_at_s = 0.0
        self._nack_timer: asyncio.TimerHandle | None = None
        self.packets_in = self.bytes_in = self.packets_out = self.refused = 0
        for up in description.upstreams:
            if up.ssrc is not None:
                self._bind(up.ssrc, self.sources[up.source], retransmissions=False)
            if up.rtx_ssrc is not None:
                self._bind(up.rtx_ssrc, self.sources[up.source], retransmissions=True)
        mux.by_ufrag[description.ufrag] = self

    # -- what the port hands over

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
            if len(self._early) < EARLY_PACKETS_MAX and address in link.peers:
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
        if self.path.media((link, address), self._clock.now_s):
            self._know(link, address)
        self._heard()
        self.packets_in += 1
        self.bytes_in += len(data)
        try:
            if control:
                self._on_rtcp(packet)
            else:
                self._on_rtp(packet, ssrc)
        except (BadRtp, BadRtcp):
            self.refused += 1
        return True

    # -- connection

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
        for ssrc in self._streams:
            self._mux.by_ssrc.get(ssrc, set()).discard(self)
            if not self._mux.by_ssrc.get(ssrc, True):
                del self._mux.by_ssrc[ssrc]
        for slot in self.slots.values():
            slot.attach(None)
        for source in self.sources.values():
            for subscriber in tuple(source.slots):
                subscriber.attach(None)
        if self._nack_timer is not None:
            self._nack_timer.cancel()
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

    def measure_loss(self) -> None:
        """Bring `loss_up` and `loss_down` up to date: the share of packets lost to us and from us, over all
        streams.
        """
        expected, lost = (
            sum(s.expected for s in self.sources.values()),
            sum(s.lost for s in self.sources.values()),
        )
        self.loss_up.read(expected, lost, self._clock.now_s)
        reported = [slot.reported for slot in self.slots.values()]
        self.loss_down.read(sum(r[0] for r in reported), sum(r[1] for r in reported), self._clock.now_s)

    # -- sending

    def _send(self, data: bytes | memoryview) -> None:
        if self.path.address is not None:
            self._mux.send(*self.path.address, data)

    def send_rtp(self, head: bytearray, payload: bytes) -> None:
        """Encrypt and send one packet; nothing happens before the connection is up."""
        if self._sender is not None:
            data = self._sender.rtp(head, payload)
            if data is not None:
                self.packets_out += 1
                self._send(data)

    def send_rtcp(self, packet: bytes) -> None:
        """Encrypt and send one compound packet."""
        if self._sender is not None:
            data = self._sender.rtcp(packet)
            if data is not None:
                self._send(data)

    # -- receiving

    def _on_rtp(self, packet: bytes, ssrc: int) -> None:
        start = rtp.payload_offset(packet)
        if self._transport_id:
            number = rtp.extension(packet, self._transport_id, start)
            if number is not None and len(number) == 2:
                self._arrivals.arrived(number[0] << 8 | number[1], self._clock.now_s)
        bound = self._streams.get(ssrc) or self._learn(packet, ssrc, start)
        if bound is None:
            self.refused += 1
            return
        source, retransmissions = bound
        if retransmissions:
            source.receive_rtx(packet, start)
            return
        source.receive(packet, start)
        if source.nack_wanted and self._nack_timer is None:
            self._ask_again()
        if source.keyframes.wanted:
            self.request_keyframe(source)

    def _learn(self, packet: bytes, ssrc: int, start: int) -> tuple[Source, bool] | None:
        """Bind an SSRC that is not in the offer by its MID, else by a payload type only one source has."""
        payload_type = packet[1] & 0x7F
        fitting = [s for s in self.sources.values() if payload_type in s.codecs or payload_type in s.rtx]
        mid = rtp.extension(packet, self._mid_id, start)
        if mid is not None:
            fitting = [s for s in fitting if s.mid.encode() == mid]
        if len(fitting) != 1 or self._is_busy(fitting[0], payload_type):
            return None
        return self._bind(ssrc, fitting[0], retransmissions=payload_type in fitting[0].rtx)

    def _is_busy(self, source: Source, payload_type: int) -> bool:
        """One stream at a time: a second SSRC for the same m-line waits until the first has fallen silent."""
        last_s = source.last_at_s
        return (
            payload_type in source.codecs and last_s is not None and self._clock.now_s - last_s < TAKEOVER_S
        )

    def _bind(self, ssrc: int, source: Source, *, retransmissions: bool) -> tuple[Source, bool]:
        if not retransmissions:
            if source.ssrc is not None:
                self._streams.pop(source.ssrc, None)
            source.begin(ssrc)
            self._report_at_s = 0.0
        self._mux.by_ssrc.setdefault(ssrc, set()).add(self)
        self._streams[ssrc] = (source, retransmissions)
        return self._streams[ssrc]

    def _on_rtcp(self, packet: bytes) -> None:
        for message in rtcp.parse(packet):
            match message:
                case rtcp.SenderReport():
                    bound = self._streams.get(message.ssrc)
                    if bound is not None and not bound[1]:
                        bound[0].sender_report(message)
                case rtcp.Report():
                    self._on_report(message)
                case rtcp.Nack():
                    if slot := self._slots_by_ssrc.get(message.ssrc):
                        slot.resend(message.numbers)
                case rtcp.KeyframeRequest():
                    self._on_keyframe_request(message.ssrc)
                case rtcp.TransportFeedback():
                    pass

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

    # -- what we ask of the publisher

    def request_keyframe(self, source: Source) -> None:
        """Ask for the key frame somebody wants, if it is time to."""
        if source.ssrc is not None and source.keyframes.due(self._clock.now_s, self.rtt_s, source.last_at_s):
            self.send_rtcp(rtcp.keyframe_request(source.ssrc))

    def _ask_again(self) -> None:
        """Send the NACKs that are due, and come back when the next ones are."""
        self._nack_timer = None
        now_s = self._clock.read()
        next_s: float | None = None
        for source in self.sources.values():
            if not source.nack_wanted or source.ssrc is None:
                continue
            wanted = source.nacks.due(now_s, self.rtt_s)
            if wanted:
                self.send_rtcp(rtcp.nack(source.ssrc, wanted))
            due_s = source.nacks.next_due_s()
            source.nack_wanted = due_s is not None
            if due_s is not None:
                next_s = due_s if next_s is None else min(next_s, due_s)
        if next_s is not None:
            loop = asyncio.get_running_loop()
            self._nack_timer = loop.call_later(max(0.001, next_s - now_s), self._ask_again)

    def tick(self) -> None:
        """Ten times a second: feedback, reports, key frame requests, and a look whether the peer still
        lives.
        """
        now_s = self._clock.now_s
        if self.state == "connected":
            self._send_feedback(now_s)
            for source in self.sources.values():
                self.request_keyframe(source)
            if now_s - self.path.heard_at_s > LOST_AFTER_S:
                self._become("lost")
        elif self.state in ("new", "connecting") and now_s - self._created_at_s > CONNECT_S_MAX:
            self._become("ended")

    def _send_feedback(self, now_s: float) -> None:
        if self._arrivals.pending:
            ssrc = next((s.ssrc for s in self.sources.values() if s.ssrc is not None), 0)
            self.send_rtcp(self._arrivals.feedback(rtcp.OUR_SSRC, ssrc))
        if now_s >= self._report_at_s:
            reports = [report for source in self.sources.values() if (report := source.report())]
            if reports:
                self._report_at_s = now_s + REPORT_S
                self.send_rtcp(rtcp.receiver_report(reports))


def _ignore() -> None:
    """What is called for a change of state once the peer is closed."""
