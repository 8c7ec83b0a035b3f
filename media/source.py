"""One source of a publisher as we receive it: order, loss, jitter, clock, the recent past, and who wants
it.
"""

from __future__ import annotations

from typing import Protocol

from media import h264, rtp, vp8
from media.clock import Clock
from media.description import CLOCK_RATE_HZ, Codec, Upstream
from media.keyframes import KeyframeRequests
from media.nack import NackTracker
from media.ring import AUDIO_PACKETS_MAX, VIDEO_PACKETS_MAX, Ring
from media.rtcp import Report, SenderReport

CLOCK_STEP_S = 1.0
"""A publisher's clock that disagrees with its past by more than this was set anew."""


class PublisherClock:
    """The offset of one publisher's wall clock to ours: the same for its audio and video, so that they stay
    together.
    """

    def __init__(self) -> None:
        self.offset_s: float | None = None

    def reported(self, ntp_s: float, arrived_wall_s: float) -> None:
        """A sender report came; the smallest difference seen has the least network delay in it."""
        seen = arrived_wall_s - ntp_s
        if self.offset_s is None or seen < self.offset_s or seen - self.offset_s > CLOCK_STEP_S:
            self.offset_s = seen


class Subscription(Protocol):
    """A slot that gets the packets of a source."""

    @property
    def loss_fraction(self) -> float:
        """What the subscriber lost of this stream over the last second."""

    def attach(self, source: Source | None) -> None:
        """Take packets from this source from now on; None: from nobody."""

    def restart(self) -> None:
        """The source begins anew: its next packets have nothing to do with those before."""

    def forward(
        self, packet: bytes, number: int, codec: Codec, start: int, end: int, *, keyframe: bool
    ) -> None:
        """Send one packet on; `packet[start:end]` is its payload, `number` its unwrapped sequence number."""


class Tap(Protocol):
    """A recording, which gets what the slots get, before anything is changed in it."""

    def packet(self, source: Source, data: bytes, *, keyframe: bool) -> None:
        """A packet that is of use has arrived, or was repaired."""

    def report(self, report: SenderReport) -> None:
        """The publisher told its clock."""

    def restart(self, source: Source) -> None:
        """The source begins anew."""


class Source:
    """The state of one upstream m-line."""

    def __init__(self, upstream: Upstream, clock: Clock, publisher_clock: PublisherClock) -> None:
        self.name = upstream.source
        self.mid = upstream.mid
        self.extensions = upstream.extensions
        self.codecs = {codec.payload_type: codec for codec in upstream.codecs}
        self.rtx = {c.rtx_payload_type: c for c in upstream.codecs if c.rtx_payload_type is not None}
        self.is_audio = upstream.source == "audio"
        self.rate_hz = CLOCK_RATE_HZ[upstream.codecs[0].name]
        self._clock = clock
        self._publisher_clock = publisher_clock
        self.ssrc: int | None = None
        self.slots: list[Subscription] = []
        self.tap: Tap | None = None
        self.small: Source | None = None
        """The same picture in few bits, where the publisher sends both."""
        self.keyframes = KeyframeRequests()
        self.packets = self.octets = self.keyframe_count = self.dropped_before_route = self.unusable = 0
        self.rate_kbps = 0.0
        """What it takes of a line, over the last second or so."""
        self._octets_before = 0
        self._routed = False
        self.nacks = NackTracker()
        self._recovered = 0
        self.begin(None)

    def begin(self, ssrc: int | None) -> None:
        """The source starts anew, with another SSRC or after a pause in which nothing was followed."""
        self.ssrc = ssrc
        self._forget_missing()
        self.ring = Ring(AUDIO_PACKETS_MAX if self.is_audio else VIDEO_PACKETS_MAX)
        self.last_at_s: float | None = None
        self.last_timestamp = 0
        self.jitter = 0.0
        self._transit: float | None = None
        self._first = self._highest = -1
        self._received = 0
        self._prior = (0, 0)
        self._report: tuple[SenderReport, float] | None = None
        self.loss_fraction = 0.0
        for slot in self.slots:
            slot.restart()
        if self.tap is not None:
            self.tap.restart(self)

    @property
    def routed(self) -> bool:
        """Whether the routing in force names this source; nothing of it is kept or forwarded before."""
        return self._routed

    @routed.setter
    def routed(self, value: bool) -> None:
        if value != self._routed:
            self._forget_missing()
            self.ring.clear()
        self._routed = value
        if self.small is not None:
            self.small.routed = value

    @property
    def recovered(self) -> int:
        """Packets that were missing and came after all."""
        return self._recovered + self.nacks.recovered

    def is_live(self, now_s: float, within_s: float) -> bool:
        """Whether anything of it came so recently."""
        return self.last_at_s is not None and now_s - self.last_at_s < within_s

    def measure_rate(self, seconds: float) -> None:
        """Call regularly; `seconds` since the last time."""
        rate_kbps = (self.octets - self._octets_before) * 8 / 1_000 / seconds
        self._octets_before = self.octets
        self.rate_kbps += (rate_kbps - self.rate_kbps) * seconds

    def _forget_missing(self) -> None:
        self._recovered = self.recovered
        self.nacks = NackTracker()
        self.nack_wanted = False

    def receive(self, packet: bytes, start: int, *, repaired: bool = False) -> bool:
        """A decrypted packet of this source; True when it was of use. Raises `BadRtp`."""
        codec = self.codecs.get(packet[1] & 0x7F)
        if codec is None:
            self.unusable += 1
            return False
        end = rtp.payload_end(packet, start)
        number = self._number(rtp.sequence(packet))
        if not repaired:
            self._measure(packet, number)
        if not self._routed:
            self.dropped_before_route += 1
            return False
        if self.nacks.is_outage(number) and not self.is_audio:
            self.keyframes.want(self._clock.now_s)
        if not self.nacks.arrived(number, self._clock.now_s):
            return False
        self.nack_wanted = self.nack_wanted or (codec.nack and self.nacks.has_missing)
        if start == end and self.is_audio:
            return False  # padding; for video it goes on as an empty packet, so that no number is missing
        keyframe = self._is_keyframe(codec, packet, start, end, number)
        self.ring.put(number, packet)
        for slot in tuple(self.slots):  # a key frame may bring one here from another layer
            slot.forward(packet, number, codec, start, end, keyframe=keyframe)
        if self.tap is not None:
            self.tap.packet(self, packet, keyframe=keyframe)
        return True

    def receive_rtx(self, packet: bytes, start: int) -> bool:
        """A retransmission.

        Browsers also probe with old packets and padding in this form: only what is missing counts.
        """
        codec = self.rtx.get(packet[1] & 0x7F)
        if codec is None or self.ssrc is None or self._highest < 0:
            return False
        end = rtp.payload_end(packet, start)
        original = rtp.unwrap_rtx(packet, start, end, ssrc=self.ssrc, payload_type=codec.payload_type)
        if original is None or not self.nacks.is_missing(self._number(rtp.sequence(original))):
            return False
        return self.receive(original, start, repaired=True)

    def _is_keyframe(self, codec: Codec, packet: bytes, start: int, end: int, number: int) -> bool:
        if self.is_audio:
            return False
        read = vp8.is_keyframe if codec.name == "vp8" else h264.is_keyframe
        if not read(packet, start, end):
            return False
        self.keyframe_count += 1
        self.keyframes.arrived(self._clock.now_s)
        self.nacks.keyframe(number)
        return True

    def _number(self, sequence: int) -> int:
        if self._highest < 0:
            return sequence + 0x10000
        return rtp.unwrap(sequence, self._highest)

    def _measure(self, packet: bytes, number: int) -> None:
        """Loss and jitter as RFC 3550 appendix A.3 and A.8 have them."""
        now_s = self._clock.now_s
        self.packets += 1
        self.octets += len(packet)
        self._received += 1
        if self._highest < 0:
            self._first = self._highest = number
        timestamp = rtp.timestamp(packet)
        if number >= self._highest:
            self._highest = number
            self.last_timestamp, self.last_at_s = timestamp, now_s
        transit = now_s * self.rate_hz - timestamp
        if self._transit is not None:
            difference = abs(transit - self._transit)
            if difference < self.rate_hz * 10:  # not a wrap of the 32 bit timestamp
                self.jitter += (difference - self.jitter) / 16
        self._transit = transit

    @property
    def expected(self) -> int:
        """Packets the publisher has sent as far as we know."""
        return self._highest - self._first + 1 if self._highest >= 0 else 0

    @property
    def lost(self) -> int:
        """Packets that never came, retransmissions not counted."""
        return max(0, self.expected - self._received)

    def sender_report(self, report: SenderReport) -> None:
        """The publisher told its clock."""
        self._report = (report, self._clock.now_s)
        self._publisher_clock.reported(report.ntp_s, self._clock.wall_s)
        if self.tap is not None and self._routed:
            self.tap.report(report)

    def report(self) -> Report | None:
        """Our receiver report block about this source, and its loss since the last one."""
        if self.ssrc is None or self._highest < 0:
            return None
        due, got = self.expected - self._prior[0], self._received - self._prior[1]
        self._prior = (self.expected, self._received)
        fraction = self.loss_fraction = max(0.0, (due - got) / due) if due > 0 else 0.0
        if self.is_audio and self.slots:
            # The encoder adds in-band redundancy for the loss it is told of: that of the worst listener
            # counts.
            fraction = max(fraction, *(slot.loss_fraction for slot in self.slots))
        last_sr, delay = 0, 0
        if self._report:
            last_sr, delay = self._report[0].ntp_middle, int((self._clock.now_s - self._report[1]) * 65_536)
        return Report(
            ssrc=self.ssrc,
            fraction_lost=min(255, int(fraction * 256)),
            lost=self.lost,
            highest=self._highest - (self._first & ~0xFFFF),
            jitter=int(self.jitter),
            last_sr=last_sr,
            delay_since_sr=delay,
        )

    def timestamp_now(self) -> int:
        """Where the publisher's media clock stands at this moment of ours."""
        if self._report and self._publisher_clock.offset_s is not None:
            report = self._report[0]
            return report.timestamp + int(
                (self._clock.wall_s - self._publisher_clock.offset_s - report.ntp_s) * self.rate_hz
            )
        elapsed_s = self._clock.now_s - self.last_at_s if self.last_at_s is not None else 0.0
        return self.last_timestamp + int(elapsed_s * self.rate_hz)
