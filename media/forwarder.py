"""One slot of a subscriber: rewrites what it is given into one unbroken stream, whatever its source is."""

from __future__ import annotations

from struct import pack, pack_into
from typing import Protocol

from media import rtcp, vp8
from media.clock import Clock
from media.description import CLOCK_RATE_HZ, Codec, Downstream
from media.loss import LossMeter
from media.rtp import HEADER_BYTES, ONE_BYTE_PROFILE, extension, payload_end, payload_offset, timestamp
from media.source import Source

REPORT_SPACING_S = 1.0
LOSS_WINDOW_S = 1.0
REPORT_AGE_S_MAX = 10.0
"""A subscriber that has not reported for so long says nothing about loss any more."""
RESEND_SPACING_S_MIN = 0.020
RESENDS_PER_S_MAX = 500
"""Of one slot: more is an outage that repairs would only prolong, or somebody who wants our uplink for it."""
RESENT_MAX = 512
STARVED_S = 0.7
"""A whole picture of which nothing has come for so long: its sender has no room for it."""
RETURN_S = 3.0
"""It is shown again when it has come without such a gap for so long."""
"""Recently repeated packets remembered, so that a second request within one round trip costs nothing."""


class Outlet(Protocol):
    """The peer behind a slot."""

    rtt_s: float

    @property
    def ready(self) -> bool:
        """Whether anything can be sent yet."""

    def send_rtp(self, head: bytearray, payload: bytes, number_at: int) -> None:
        """Encrypt and send one packet, its transport-wide number written at this place of the head (0:
        nowhere).
        """

    def send_rtcp(self, packet: bytes) -> None:
        """Encrypt and send one compound packet."""


class Slot:
    """The outgoing stream of one downstream m-line."""

    def __init__(
        self, downstream: Downstream, outlet: Outlet, clock: Clock, *, sequence: int, timestamp: int
    ) -> None:
        self.downstream = downstream
        self.ssrc = downstream.ssrc
        self._outlet = outlet
        self._clock = clock
        self._types = {codec.name: codec for codec in downstream.codecs}
        self._rate_hz = CLOCK_RATE_HZ[downstream.codecs[0].name]
        self._is_audio = downstream.source == "audio"
        self._head = _Head(downstream, downstream.ssrc, with_level=False)
        self._level_head = _Head(downstream, downstream.ssrc, with_level=True)
        repair = downstream.rtx_ssrc
        self._rtx_head = None if repair is None else _Head(downstream, repair, with_level=False)
        self._rtx_sequence = sequence ^ 0x5555
        self.source: Source | None = None
        """Whose packets go out; of a picture with layers, one of them."""
        self._whole: Source | None = None
        self._upcoming = Upcoming(self, clock)
        self._starved_at_s = float("-inf")
        self._paused = self._is_held = False
        self._codec: Codec | None = None
        self._payload_type = 0
        self._rtx_payload_type: int | None = None
        self._base = 0
        """First number of the source that goes into this slot."""
        self._sequence_offset = self._timestamp_offset = self._picture_offset = self._tl0_offset = 0
        self._newest = -1
        self._last_sequence = sequence
        self._last_timestamp = timestamp
        self._last_payload = b""
        """As it was sent: the picture counters of the next source continue from it."""
        self._last_at_s: float | None = None
        self._report_at_s = 0.0
        self._reported_at_s = float("-inf")
        self._resent: dict[int, float] = {}
        self._budget, self._budget_at_s = RESENDS_PER_S_MAX, clock.now_s
        self.packets = self.octets = self.retransmitted = 0
        self._loss = LossMeter(LOSS_WINDOW_S)
        self.reported = (0, 0)
        """Packets expected and lost since the beginning, as the subscriber last reported them."""

    def attach(self, source: Source | None) -> None:
        """Take packets from `source` from now on, and from nobody else; None stops the slot.

        Of one with two layers it takes whichever fits, once `choose` has looked.
        """
        if source is self._whole:
            return
        self._whole = source
        self._is_held = False
        self._upcoming.attach(None)
        self._take(source)
        self.restart()

    def _take(self, source: Source | None) -> None:
        if self.source is not None and self in self.source.slots:
            self.source.slots.remove(self)
        self.source = source
        if source is not None:
            source.slots.append(self)

    @property
    def has_layers(self) -> bool:
        """Whether what it shows also comes in few bits."""
        return self._whole is not None and self._whole.small is not None

    @property
    def more_kbps(self) -> float:
        """What the whole picture takes more of a line than the small one."""
        whole = self._whole
        return 0.0 if whole is None or whole.small is None else whole.rate_kbps - whole.small.rate_kbps

    def choose(self, *, small: bool) -> None:
        """Show the small layer or the whole one, whichever still comes; the change waits for a key frame.

        Down, nothing is sent meanwhile, as there is no room for it; up, the small one goes on.
        """
        whole = self._whole
        if whole is None or whole.small is None or self._paused:
            return
        now_s = self._clock.now_s
        starved = not whole.is_live(now_s, STARVED_S)
        if starved:
            self._starved_at_s = now_s
        small = small or now_s - self._starved_at_s < RETURN_S
        wanted = whole.small if small and whole.small.is_live(now_s, STARVED_S) else whole
        self._upcoming.attach(None if wanted is self.source else wanted)
        # The whole one would only keep the small one's key frame from coming through.
        self._is_held = wanted is whole.small and wanted is not self.source

    def change(self, source: Source) -> None:
        """Go on with this layer: its key frame is here."""
        self._upcoming.attach(None)
        self._is_held = False
        self._take(source)
        self._codec = None

    def restart(self) -> None:
        """The source begins anew: go on with its next key frame, as after a change of source."""
        self._codec = None
        self.request_keyframe()

    @property
    def paused(self) -> bool:
        """Whether nothing of the source goes out for now: the connection has no room for it."""
        return self._paused

    @paused.setter
    def paused(self, value: bool) -> None:
        if value == self._paused:
            return
        self._paused = value
        if not value:
            self.restart()

    @property
    def loss_fraction(self) -> float:
        """What the subscriber lost of this stream over the last second."""
        is_old = self._clock.now_s - self._reported_at_s > REPORT_AGE_S_MAX
        return 0.0 if is_old or self.source is None else self._loss.fraction

    def on_report(self, report: rtcp.Report) -> None:
        """The subscriber says what it has received of this stream."""
        self.reported = (report.highest, report.lost)
        self._reported_at_s = self._clock.now_s
        self._loss.read(report.highest, report.lost, self._clock.now_s)

    def request_keyframe(self) -> None:
        """The subscriber cannot show the source without a key frame."""
        if self.source is not None and not self._is_audio and not self._paused:
            self.source.keyframes.want(self._clock.now_s)

    def forward(
        self, packet: bytes, number: int, codec: Codec, start: int, end: int, *, keyframe: bool
    ) -> None:
        """Send one packet of the source on.

        Video begins, and begins anew after a change of codec, with a key frame.
        """
        if self._paused or self._is_held:
            return
        if codec is not self._codec:
            if not (self._is_audio or keyframe) or codec.name not in self._types or not self._outlet.ready:
                return
            self._begin(packet, number, codec, start, end)
        elif number < self._base:
            return
        payload = self._payload(packet, start, end)
        sequence = (number + self._sequence_offset) & 0xFFFF
        stamp = (timestamp(packet) + self._timestamp_offset) & 0xFFFFFFFF
        if number > self._newest:
            self._newest, self._last_sequence, self._last_timestamp = number, sequence, stamp
            self._last_at_s = self._clock.now_s
            self._last_payload = payload or self._last_payload
        self.packets += 1
        self.octets += len(payload)
        head = self._head
        if self._is_audio and self.source is not None and self._level_head.level_at:
            level = extension(packet, self.source.extensions.audio_level, start)
            if level:
                head = self._level_head
                head.data[head.level_at] = level[0]
        pack_into("!BHI", head.data, 1, packet[1] & 0x80 | self._payload_type, sequence, stamp)
        self._outlet.send_rtp(head.data, payload, head.number_at)
        if self._clock.now_s >= self._report_at_s:
            self.report()

    def _begin(self, packet: bytes, number: int, codec: Codec, start: int, end: int) -> None:
        """Continue the outgoing counters with this packet as the next."""
        own = self._types[codec.name]
        self._codec, self._payload_type, self._rtx_payload_type = (
            codec,
            own.payload_type,
            own.rtx_payload_type,
        )
        elapsed = 0
        if self._last_at_s is not None:
            elapsed = max(1, int((self._clock.now_s - self._last_at_s) * self._rate_hz))
        self._sequence_offset = self._last_sequence + 1 - number
        self._timestamp_offset = self._last_timestamp + elapsed - timestamp(packet)
        self._picture_offset = self._tl0_offset = 0
        if codec.name == "vp8":
            before = vp8.describe(self._last_payload, 0, len(self._last_payload))
            now = vp8.describe(packet, start, end)
            if before is not None and now is not None:
                self._picture_offset = before.picture_id + 1 - now.picture_id
                self._tl0_offset = before.tl0 + 1 - now.tl0
        self._last_payload = b""
        self._base, self._newest = number, number - 1
        self._resent.clear()
        self._report_at_s = 0.0

    def _payload(self, packet: bytes, start: int, end: int) -> bytes:
        """The payload, with its picture counters moved when an earlier source of this slot had others."""
        payload = packet[start:end]
        if not self._picture_offset and not self._tl0_offset:
            return payload
        descriptor = vp8.describe(payload, 0, len(payload))
        return (
            payload
            if descriptor is None
            else vp8.patch(payload, descriptor, self._picture_offset, self._tl0_offset)
        )

    def report(self) -> None:
        """Tell the subscriber where this stream stands on our clock, so that it plays audio and video
        together.
        """
        if self.source is None or self._codec is None:
            return
        self._report_at_s = self._clock.now_s + REPORT_SPACING_S
        stamp = self.source.timestamp_now() + self._timestamp_offset
        report = rtcp.sender_report(self.ssrc, self._clock.wall_s, stamp, self.packets, self.octets)
        self._outlet.send_rtcp(report + rtcp.source_description(self.ssrc, self.downstream.cname))

    def resend(self, numbers: tuple[int, ...]) -> None:
        """Answer a NACK from the source's ring, each packet once per round trip, as RTX (RFC 4588)."""
        if (
            self.source is None
            or self._paused
            or self._is_held
            or self._codec is None
            or self._rtx_head is None
            or self._rtx_payload_type is None
        ):
            return
        now_s = self._clock.now_s
        if now_s - self._budget_at_s >= 1.0:
            self._budget, self._budget_at_s = RESENDS_PER_S_MAX, now_s
        spacing_s = max(RESEND_SPACING_S_MIN, self._outlet.rtt_s)
        for sequence in numbers:
            if self._budget <= 0:
                return
            if now_s - self._resent.get(sequence, float("-inf")) < spacing_s:
                continue
            number = self._newest - ((self._last_sequence - sequence) & 0xFFFF)
            packet = self.source.ring.get(number) if number >= self._base else None
            if packet is None:
                continue
            if len(self._resent) >= RESENT_MAX:
                del self._resent[next(iter(self._resent))]
            self._resent[sequence] = now_s
            self._budget -= 1
            self._resend_one(packet, sequence, number, self._rtx_head, self._rtx_payload_type)

    def _resend_one(self, packet: bytes, sequence: int, number: int, head: _Head, payload_type: int) -> None:
        start = payload_offset(packet)
        payload = pack("!H", sequence) + self._payload(packet, start, payload_end(packet, start))
        self._rtx_sequence = (self._rtx_sequence + 1) & 0xFFFF
        stamp = (timestamp(packet) + self._timestamp_offset) & 0xFFFFFFFF
        pack_into("!BHI", head.data, 1, packet[1] & 0x80 | payload_type, self._rtx_sequence, stamp)
        self.retransmitted += 1
        self._outlet.send_rtp(head.data, payload, head.number_at)


class Upcoming:
    """Waits for the first key frame of a slot's next layer, while the slot still shows the one before."""

    loss_fraction = 0.0

    def __init__(self, slot: Slot, clock: Clock) -> None:
        self._slot = slot
        self._clock = clock
        self._source: Source | None = None

    def attach(self, source: Source | None) -> None:
        """Wait for this layer, or for none."""
        if source is self._source:
            return
        if self._source is not None and self in self._source.slots:
            self._source.slots.remove(self)
        self._source = source
        if source is not None:
            source.slots.append(self)
            self.restart()

    def restart(self) -> None:
        """Ask for the key frame."""
        if self._source is not None:
            self._source.keyframes.want(self._clock.now_s)

    def forward(
        self, packet: bytes, number: int, codec: Codec, start: int, end: int, *, keyframe: bool
    ) -> None:
        """The key frame begins the layer; what comes before it is nobody's."""
        source = self._source
        if keyframe and source is not None:
            self._slot.change(source)
            self._slot.forward(packet, number, codec, start, end, keyframe=True)


class _Head:
    """A whole RTP header to be patched for each packet, and where in it the changing elements go (0:
    nowhere).
    """

    __slots__ = ("data", "level_at", "number_at")

    def __init__(self, downstream: Downstream, ssrc: int, *, with_level: bool) -> None:
        extensions = downstream.extensions
        elements = b""
        self.level_at = self.number_at = 0
        if extensions.mid:
            mid = downstream.mid.encode()
            elements += bytes((extensions.mid << 4 | len(mid) - 1,)) + mid
        if extensions.transport_cc:
            self.number_at = HEADER_BYTES + 4 + len(elements) + 1
            elements += bytes((extensions.transport_cc << 4 | 1, 0, 0))
        if extensions.audio_level and with_level:
            self.level_at = HEADER_BYTES + 4 + len(elements) + 1
            elements += bytes((extensions.audio_level << 4, 0))
        elements += bytes(-len(elements) & 3)
        head = pack("!BBHII", 0x90 if elements else 0x80, 0, 0, 0, ssrc)
        if elements:
            head += pack("!HH", ONE_BYTE_PROFILE, len(elements) // 4) + elements
        self.data = bytearray(head)
