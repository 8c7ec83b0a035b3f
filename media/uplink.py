"""What one peer sends: which stream is which source, and everything we ask and tell its sender."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from media import rtcp, rtp, twcc
from media.clock import Clock
from media.description import Upstream
from media.interface import SourceName
from media.source import PublisherClock, Source

TICK_S = 0.1
REPORT_S = 1.0
NACK_PAUSE_S_MIN = 0.001
TAKEOVER_S = 0.5
"""How long a stream must be silent before another may take its m-line over."""


class Sender(Protocol):
    """The peer all this is about."""

    rtt_s: float

    def send_rtcp(self, packet: bytes) -> None:
        """Encrypt and send one compound packet."""


class Uplink:
    """The sources of one peer. `claim` is called with each SSRC that is theirs."""

    def __init__(
        self, upstreams: tuple[Upstream, ...], clock: Clock, sender: Sender, claim: Callable[[int], None]
    ) -> None:
        self._clock = clock
        self._sender = sender
        self._claim = claim
        publisher_clock = PublisherClock()
        self.sources: dict[SourceName, Source] = {
            up.source: Source(up, clock, publisher_clock) for up in upstreams
        }
        self._small: dict[SourceName, Source] = {}
        self._layers: dict[SourceName, tuple[bytes, ...]] = {}
        for up in upstreams:
            if up.layers:
                small = self.sources[up.source].small = Source(up, clock, publisher_clock)
                self._small[up.source] = small
                self._layers[up.source] = tuple(layer.encode() for layer in up.layers)
        self._everything = (*self.sources.values(), *self._small.values())
        self._streams: dict[int, tuple[Source, bool]] = {}
        """SSRC -> (source, whether these are its retransmissions)."""
        self._rid_id = next((up.extensions.rid for up in upstreams if up.extensions.rid), 0)
        self._repaired_rid_id = next(
            (up.extensions.repaired_rid for up in upstreams if up.extensions.repaired_rid), 0
        )
        # A bundle has one id for each extension, so those of the first section that has one hold for all.
        self._mid_id = next((up.extensions.mid for up in upstreams if up.extensions.mid), 0)
        self._number_id = next(
            (up.extensions.transport_cc for up in upstreams if up.extensions.transport_cc), 0
        )
        self._arrivals = twcc.ArrivalLog()
        self._report_at_s = 0.0
        self._nack_timer: asyncio.TimerHandle | None = None
        for up in upstreams:
            if up.ssrc is not None and not up.layers:
                self._bind(up.ssrc, self.sources[up.source], retransmissions=False)
            if up.rtx_ssrc is not None and not up.layers:
                self._bind(up.rtx_ssrc, self.sources[up.source], retransmissions=True)

    @property
    def counts(self) -> tuple[int, int]:
        """Packets sent by the peer as far as we know, and lost of them, over all sources."""
        sources = self._everything
        return sum(source.expected for source in sources), sum(source.lost for source in sources)

    def receive(self, packet: bytes, ssrc: int) -> bool:
        """A decrypted RTP packet; False when it belongs to no source. Raises `BadRtp`."""
        start = rtp.payload_offset(packet)
        if self._number_id:
            number = rtp.extension(packet, self._number_id, start)
            if number is not None and len(number) == 2:
                self._arrivals.arrived(number[0] << 8 | number[1], self._clock.now_s)
        bound = self._streams.get(ssrc) or self._learn(packet, ssrc, start)
        if bound is None:
            return False
        source, retransmissions = bound
        if retransmissions:
            source.receive_rtx(packet, start)
            return True
        source.receive(packet, start)
        if source.nack_wanted and self._nack_timer is None:
            self._ask_again()
        if source.keyframes.wanted:
            self.request_keyframe(source)
        return True

    def on_sender_report(self, report: rtcp.SenderReport) -> None:
        """The peer told its clock for one of its streams."""
        bound = self._streams.get(report.ssrc)
        if bound is not None and not bound[1]:
            bound[0].sender_report(report)

    def request_keyframe(self, source: Source) -> None:
        """Ask for the key frame somebody wants, if it is time to."""
        if source.ssrc is None:
            return
        if source.keyframes.due(self._clock.now_s, self._sender.rtt_s, source.last_at_s):
            self._sender.send_rtcp(rtcp.keyframe_request(source.ssrc))

    def tick(self) -> None:
        """Ten times a second: feedback, reports, key frame requests."""
        for source in self._everything:
            self.request_keyframe(source)
            source.measure_rate(TICK_S)
        while self._arrivals.pending:
            ssrc = next((s.ssrc for s in self.sources.values() if s.ssrc is not None), 0)
            self._sender.send_rtcp(self._arrivals.feedback(rtcp.OUR_SSRC, ssrc))
        if self._clock.now_s >= self._report_at_s:
            reports = [report for source in self._everything if (report := source.report())]
            if reports:
                self._report_at_s = self._clock.now_s + REPORT_S
                self._sender.send_rtcp(rtcp.receiver_report(reports))

    def close(self) -> None:
        """Take the sources away from all slots, and from the recording."""
        for source in self._everything:
            source.tap = None
            for subscriber in tuple(source.slots):
                subscriber.attach(None)
        if self._nack_timer is not None:
            self._nack_timer.cancel()

    def _learn(self, packet: bytes, ssrc: int, start: int) -> tuple[Source, bool] | None:
        """Bind an SSRC that is not in the offer by its MID, else by a payload type only one source has."""
        payload_type = packet[1] & 0x7F
        fitting = [s for s in self.sources.values() if payload_type in s.codecs or payload_type in s.rtx]
        mid = rtp.extension(packet, self._mid_id, start)
        if mid is not None:
            fitting = [s for s in fitting if s.mid.encode() == mid]
        if len(fitting) != 1:
            return None
        if fitting[0].small is not None:
            return self._learn_layer(packet, ssrc, start, fitting[0])
        retransmissions = payload_type in fitting[0].rtx
        if not retransmissions and self._is_busy(fitting[0]):
            return None
        return self._bind(ssrc, fitting[0], retransmissions=retransmissions)

    def _learn_layer(self, packet: bytes, ssrc: int, start: int, whole: Source) -> tuple[Source, bool] | None:
        """Bind an SSRC of simulcast by its restriction id, smallest picture first (RFC 8852)."""
        retransmissions = packet[1] & 0x7F in whole.rtx
        identifier = self._repaired_rid_id if retransmissions else self._rid_id
        rid = rtp.extension(packet, identifier, start) if identifier else None
        layers = self._layers[whole.name]
        if rid not in layers:
            return None
        layer = whole.small if rid == layers[0] else whole
        if layer is None or (not retransmissions and self._is_busy(layer)):
            return None
        return self._bind(ssrc, layer, retransmissions=retransmissions)

    def _is_busy(self, source: Source) -> bool:
        return source.last_at_s is not None and self._clock.now_s - source.last_at_s < TAKEOVER_S

    def _bind(self, ssrc: int, source: Source, *, retransmissions: bool) -> tuple[Source, bool]:
        if not retransmissions:
            if source.ssrc is not None:
                self._streams.pop(source.ssrc, None)
            source.begin(ssrc)
            self._report_at_s = 0.0  # browsers drop MID from their packets once they have a report
        self._claim(ssrc)
        self._streams[ssrc] = (source, retransmissions)
        return self._streams[ssrc]

    def _ask_again(self) -> None:
        """Send the NACKs that are due, and come back when the next ones are."""
        self._nack_timer = None
        now_s = self._clock.read()
        pause_s: float | None = None
        for source in self._everything:
            if not source.nack_wanted or source.ssrc is None:
                continue
            wanted = source.nacks.due(now_s, self._sender.rtt_s)
            if wanted:
                self._sender.send_rtcp(rtcp.nack(source.ssrc, wanted))
            next_s = source.nacks.next_due_s()
            source.nack_wanted = next_s is not None
            if next_s is not None:
                pause_s = next_s - now_s if pause_s is None else min(pause_s, next_s - now_s)
        if pause_s is not None:
            loop = asyncio.get_running_loop()
            self._nack_timer = loop.call_later(max(NACK_PAUSE_S_MIN, pause_s), self._ask_again)
