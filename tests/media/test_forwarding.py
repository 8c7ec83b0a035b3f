"""From a publisher's packets to a subscriber's stream: unbroken counters, key frames first, repairs,
reports.
"""

from dataclasses import dataclass, field, replace
from struct import pack_into, unpack_from

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media import rtcp, rtp
from media.clock import Clock
from media.description import Codec, Downstream, Extensions, Upstream
from media.forwarder import REPORT_AGE_S_MAX, RESENDS_PER_S_MAX, Slot
from media.nack import MISSING_MAX
from media.source import PublisherClock, Source
from tests.media.packets import packet, vp8

VP8 = Codec(name="vp8", payload_type=96, rtx_payload_type=97, nack=True, pli=True)
OPUS = Codec(name="opus", payload_type=111)
NO_LOSS = rtcp.Report(ssrc=9_000, fraction_lost=0, lost=0, highest=0, jitter=0, last_sr=0, delay_since_sr=0)


@dataclass
class Sent:
    """One packet as the subscriber gets it."""

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    raw: bytes


@dataclass
class Subscriber:
    """Stands in for the peer behind a slot and keeps what it is sent."""

    rtt_s: float = 0.1
    ready: bool = True
    packets: list[Sent] = field(default_factory=list)
    reports: list[rtcp.Message] = field(default_factory=list)

    def send_rtp(self, head: bytearray, payload: bytes, number_at: int) -> None:
        if number_at:
            pack_into("!H", head, number_at, len(self.packets))
        raw = bytes(head) + payload
        sequence, timestamp, ssrc = unpack_from("!HII", raw, 2)
        self.packets.append(Sent(raw[1] & 0x7F, bool(raw[1] & 0x80), sequence, timestamp, ssrc, payload, raw))

    def send_rtcp(self, packet: bytes) -> None:
        self.reports += rtcp.parse(packet)


@dataclass
class Scene:
    """One subscriber with a video and an audio slot, and as many sources as a test wants."""

    clock: Clock = field(default_factory=lambda: Clock(100.0, 1_000_000.0))
    subscriber: Subscriber = field(default_factory=Subscriber)
    publisher_clock: PublisherClock = field(default_factory=PublisherClock)

    def source(self, name: str = "video") -> Source:
        """A routed source of a publisher."""
        upstream = Upstream(
            mid="1",
            source="audio" if name == "audio" else "video",
            codecs=(OPUS,) if name == "audio" else (VP8,),
            extensions=Extensions(audio_level=1),
        )
        source = Source(upstream, self.clock, self.publisher_clock)
        source.begin(77)
        source.routed = True
        return source

    def slot(self, name: str = "video", *, sequence: int = 1_000, timestamp: int = 5_000) -> Slot:
        """A slot of the subscriber, its payload types other than the publisher's."""
        audio = name == "audio"
        down = Downstream(
            mid="7",
            source="audio" if audio else "video",
            slot=0,
            codecs=(Codec(name="opus", payload_type=50),)
            if audio
            else (Codec(name="vp8", payload_type=60, rtx_payload_type=61, nack=True, pli=True),),
            extensions=Extensions(mid=4, audio_level=2 if audio else 0, transport_cc=5),
            ssrc=9_000,
            rtx_ssrc=None if audio else 9_001,
            cname="slot0",
        )
        return Slot(down, self.subscriber, self.clock, sequence=sequence, timestamp=timestamp)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def feed(source: Source, data: bytes) -> bool:
    """Give a source one packet."""
    return source.receive(data, rtp.payload_offset(data))


def test_video_begins_with_a_key_frame_in_the_subscribers_own_numbers(scene: Scene) -> None:
    source, slot = scene.source(), scene.slot()
    slot.attach(source)
    feed(source, packet(10, payload=vp8()))
    assert scene.subscriber.packets == []
    feed(source, packet(11, timestamp=3_000, payload=vp8(key=True), marker=True))
    feed(source, packet(12, timestamp=6_000, payload=vp8()))
    first, second = scene.subscriber.packets
    assert (first.sequence, first.payload_type, first.marker, first.ssrc) == (1_001, 60, True, 9_000)
    assert (second.sequence, second.timestamp - first.timestamp, second.marker) == (1_002, 3_000, False)
    assert rtp.extension(first.raw, 4, rtp.payload_offset(first.raw)) == b"7"
    assert rtp.extension(second.raw, 5, rtp.payload_offset(second.raw)) == b"\x00\x01"


def test_a_slot_that_changes_its_source_continues_all_its_counters(scene: Scene) -> None:
    before, after, slot = scene.source(), scene.source(), scene.slot()
    slot.attach(before)
    feed(before, packet(10, timestamp=3_000, payload=vp8(key=True, picture=100, tl0=7)))
    slot.attach(after)
    scene.clock.now_s += 2.0
    feed(before, packet(11, payload=vp8(picture=101, tl0=8)))
    feed(after, packet(40_000, timestamp=9, payload=vp8(picture=5, tl0=1)))
    assert len(scene.subscriber.packets) == 1
    feed(after, packet(40_001, timestamp=99, payload=vp8(key=True, picture=6, tl0=2)))
    feed(after, packet(40_002, timestamp=199, payload=vp8(picture=7, tl0=3)))
    first, second, third = scene.subscriber.packets
    assert [second.sequence, third.sequence] == [first.sequence + 1, first.sequence + 2]
    assert second.timestamp == first.timestamp + 2 * 90_000
    assert third.timestamp == second.timestamp + 100
    assert second.payload[2:5] == (0x8000 | 101).to_bytes(2, "big") + b"\x08"
    assert third.payload[2:5] == (0x8000 | 102).to_bytes(2, "big") + b"\x09"


def test_audio_begins_at_once_and_keeps_the_speakers_level(scene: Scene) -> None:
    source, slot = scene.source("audio"), scene.slot("audio")
    slot.attach(source)
    feed(source, packet(10, payload_type=111, payload=b"voice", extensions=b"\x10\x23"))
    feed(source, packet(11, payload_type=111, payload=b"voice"))
    first, second = scene.subscriber.packets
    assert (first.payload_type, first.payload) == (50, b"voice")
    assert rtp.extension(first.raw, 2, rtp.payload_offset(first.raw)) == b"\x23"
    assert rtp.extension(second.raw, 2, rtp.payload_offset(second.raw)) is None


def test_nothing_is_begun_for_a_subscriber_who_is_not_connected_yet(scene: Scene) -> None:
    source, slot = scene.source(), scene.slot()
    scene.subscriber.ready = False
    slot.attach(source)
    feed(source, packet(10, payload=vp8(key=True)))
    scene.subscriber.ready = True
    feed(source, packet(11, payload=vp8()))
    assert scene.subscriber.packets == []
    feed(source, packet(12, payload=vp8(key=True)))
    assert len(scene.subscriber.packets) == 1


def test_a_codec_the_subscriber_does_not_have_is_not_forwarded(scene: Scene) -> None:
    source, slot = scene.source(), scene.slot()
    source.codecs[96] = Codec(name="h264", payload_type=96)
    slot.attach(source)
    feed(source, packet(10, payload=b"\x65key"))
    assert scene.subscriber.packets == []


def test_padding_is_stripped_and_an_empty_video_packet_leaves_no_hole(scene: Scene) -> None:
    source, slot = scene.source(), scene.slot()
    slot.attach(source)
    feed(source, packet(10, payload=vp8(key=True), padding=9))
    feed(source, packet(11, payload=b"", padding=200))
    feed(source, packet(12, payload=vp8()))
    assert [sent.payload for sent in scene.subscriber.packets] == [vp8(key=True), b"", vp8()]
    assert [sent.sequence for sent in scene.subscriber.packets] == [1_001, 1_002, 1_003]
    assert not any(sent.raw[0] & 0x20 for sent in scene.subscriber.packets)


def test_packets_out_of_order_keep_their_places_and_those_before_the_key_frame_are_left_out(
    scene: Scene,
) -> None:
    source, slot = scene.source(), scene.slot()
    slot.attach(source)
    feed(source, packet(10, payload=vp8()))
    feed(source, packet(12, payload=vp8(key=True)))
    feed(source, packet(11, payload=vp8()))
    feed(source, packet(14, payload=vp8()))
    feed(source, packet(13, payload=vp8()))
    assert [sent.sequence for sent in scene.subscriber.packets] == [1_001, 1_003, 1_002]


def test_a_nack_is_answered_once_per_round_trip_with_a_new_packet_of_the_repair_stream(scene: Scene) -> None:
    source, slot = scene.source(), scene.slot()
    slot.attach(source)
    for number in range(10, 14):
        feed(source, packet(number, timestamp=number, payload=vp8(key=number == 10), marker=True))
    original = scene.subscriber.packets[2]
    scene.subscriber.packets.clear()
    slot.resend((1_003, 1_003, 999, 1_050))
    (repeat,) = scene.subscriber.packets
    assert (repeat.payload_type, repeat.ssrc, repeat.timestamp) == (61, 9_001, original.timestamp)
    assert repeat.payload == (1_003).to_bytes(2, "big") + original.payload
    scene.clock.now_s += 0.05
    slot.resend((1_003,))
    assert len(scene.subscriber.packets) == 1
    scene.clock.now_s += 0.06
    slot.resend((1_003,))
    assert scene.subscriber.packets[1].sequence == repeat.sequence + 1


def test_a_nack_for_what_another_source_sent_before_is_not_answered_with_this_ones_packets(
    scene: Scene,
) -> None:
    before, after, slot = scene.source(), scene.source(), scene.slot()
    slot.attach(before)
    feed(before, packet(10, payload=vp8(key=True)))
    slot.attach(after)
    feed(after, packet(9, payload=vp8()))
    feed(after, packet(10, payload=vp8(key=True)))
    scene.subscriber.packets.clear()
    slot.resend((1_001,))
    assert scene.subscriber.packets == []


def test_retransmissions_are_taken_only_for_what_is_missing(scene: Scene) -> None:
    source, slot = scene.source(), scene.slot()
    slot.attach(source)
    feed(source, packet(10, payload=vp8(key=True)))
    feed(source, packet(12, payload=vp8()))

    def repeat(number: int, body: bytes) -> bool:
        data = packet(1, ssrc=78, payload_type=97, payload=number.to_bytes(2, "big") + body)
        return source.receive_rtx(data, rtp.payload_offset(data))

    assert not repeat(10, vp8(key=True))
    assert not repeat(500, vp8())
    assert not repeat(11, b"")
    assert repeat(11, vp8(body=b"repaired"))
    assert not repeat(11, vp8(body=b"repaired"))
    assert [sent.sequence for sent in scene.subscriber.packets] == [1_001, 1_003, 1_002]
    assert scene.subscriber.packets[-1].payload == vp8(body=b"repaired")


def test_the_first_report_goes_out_with_the_first_packet_in_our_clock(scene: Scene) -> None:
    source, slot = scene.source(), scene.slot()
    slot.attach(source)
    theirs = scene.clock.wall_s - 3_600
    source.sender_report(
        rtcp.SenderReport(ssrc=77, ntp_s=theirs + rtcp.NTP_EPOCH_S, ntp_middle=0, timestamp=0)
    )
    scene.clock.now_s += 1.0
    feed(source, packet(10, timestamp=90_000, payload=vp8(key=True)))
    (report,) = [message for message in scene.subscriber.reports if isinstance(message, rtcp.SenderReport)]
    assert report.ntp_s == pytest.approx(scene.clock.wall_s + rtcp.NTP_EPOCH_S, abs=0.001)
    assert report.timestamp == pytest.approx(scene.subscriber.packets[0].timestamp, abs=90)


def test_audio_and_video_of_a_publisher_are_moved_to_our_clock_by_the_same_offset(scene: Scene) -> None:
    audio, video = scene.source("audio"), scene.source()
    for source, delay_s in ((audio, 0.010), (video, 0.250)):
        ntp_s = scene.clock.wall_s + rtcp.NTP_EPOCH_S + 500.0 - delay_s
        source.sender_report(rtcp.SenderReport(ssrc=77, ntp_s=ntp_s, ntp_middle=0, timestamp=0))
    assert audio.timestamp_now() / 48_000 == pytest.approx(video.timestamp_now() / 90_000 - 0.240, abs=0.001)


def test_the_encoder_is_told_the_loss_of_the_worst_listener(scene: Scene) -> None:
    source, slot = scene.source("audio"), scene.slot("audio")
    slot.attach(source)
    for number in range(100, 200):
        feed(source, packet(number, payload_type=111))
    for highest, lost in ((1_000, 0), (1_100, 25)):
        slot.on_report(replace(NO_LOSS, highest=highest, lost=lost))
        scene.clock.now_s += 1.0
    report = source.report()
    assert report is not None
    assert report.fraction_lost == 64
    assert report.lost == 0
    scene.clock.now_s += REPORT_AGE_S_MAX
    silent = source.report()
    assert silent is not None
    assert silent.fraction_lost == 0


def test_our_report_counts_loss_and_echoes_the_publishers_clock(scene: Scene) -> None:
    source = scene.source()
    for number in [*range(65_500, 65_536), *range(4, 68)]:
        feed(source, packet(number, payload=vp8()))
    source.sender_report(rtcp.SenderReport(ssrc=77, ntp_s=1.0, ntp_middle=0xABCD, timestamp=0))
    scene.clock.now_s += 0.5
    report = source.report()
    assert report is not None
    assert report.lost == 4
    assert report.fraction_lost == 4 * 256 // 104
    assert report.highest & 0xFFFF == 67
    assert report.highest >> 16 == 1
    assert (report.last_sr, report.delay_since_sr) == (0xABCD, 32_768)


def test_an_unrouted_source_keeps_nothing_and_counts(scene: Scene) -> None:
    source, slot = scene.source(), scene.slot()
    source.routed = False
    feed(source, packet(10, payload=vp8(key=True)))
    assert source.dropped_before_route == 1
    assert source.ring.size_bytes == 0
    slot.attach(source)
    source.routed = True
    feed(source, packet(11, payload=vp8(key=True)))
    assert len(scene.subscriber.packets) == 1


def test_a_publisher_whose_stream_begins_anew_goes_on_in_the_same_slot(scene: Scene) -> None:
    source, slot = scene.source(), scene.slot()
    slot.attach(source)
    feed(source, packet(40_000, payload=vp8(key=True)))
    feed(source, packet(40_001, payload=vp8()))
    source.keyframes.arrived(scene.clock.now_s)
    source.begin(88)
    assert source.keyframes.wanted
    feed(source, packet(5, ssrc=88, payload=vp8()))
    feed(source, packet(6, ssrc=88, payload=vp8(key=True)))
    feed(source, packet(7, ssrc=88, payload=vp8()))
    assert [sent.sequence for sent in scene.subscriber.packets] == [1_001, 1_002, 1_003, 1_004]


def test_what_is_not_routed_any_more_is_forgotten_at_once(scene: Scene) -> None:
    source = scene.source()
    feed(source, packet(10, payload=vp8(key=True)))
    feed(source, packet(12, payload=vp8()))
    source.routed = False
    assert source.ring.size_bytes == 0
    assert not source.nacks.has_missing
    assert not source.nack_wanted


def test_an_outage_too_long_to_repair_asks_for_a_key_frame(scene: Scene) -> None:
    source, slot = scene.source(), scene.slot()
    slot.attach(source)
    feed(source, packet(10, payload=vp8(key=True)))
    assert not source.keyframes.wanted
    feed(source, packet(11 + MISSING_MAX + 1, payload=vp8()))
    assert source.keyframes.wanted


def test_a_packet_overtaken_by_the_key_frame_after_it_is_still_forwarded(scene: Scene) -> None:
    source, slot = scene.source(), scene.slot()
    slot.attach(source)
    feed(source, packet(10, payload=vp8(key=True)))
    feed(source, packet(12, payload=vp8(key=True)))
    feed(source, packet(11, payload=vp8()))
    assert [sent.sequence for sent in scene.subscriber.packets] == [1_001, 1_003, 1_002]


def test_a_flood_of_nacks_is_answered_within_the_slots_budget(scene: Scene) -> None:
    source, slot = scene.source(), scene.slot()
    slot.attach(source)
    for number in range(2_000):
        feed(source, packet(number, payload=vp8(key=number == 0)))
    scene.subscriber.packets.clear()
    for _ in range(20):
        slot.resend(tuple(range(1_001, 3_001)))
    assert len(scene.subscriber.packets) == RESENDS_PER_S_MAX


@pytest.mark.parametrize("first", [65_530, 0xFFFF, 0])
def test_all_counters_of_a_slot_wrap(scene: Scene, first: int) -> None:
    source, slot = scene.source(), scene.slot(sequence=32_767, timestamp=(1 << 30) - 1)
    slot.attach(source)
    count = 40_000
    for number in range(count):
        stamp = 0xFFFFFF00 + number * 300
        feed(source, packet(first + number, timestamp=stamp, payload=vp8(key=number == 0, picture=0x7FF0)))
    sent = list(scene.subscriber.packets)
    assert [s.sequence for s in sent] == [(32_768 + n) & 0xFFFF for n in range(count)]
    assert sent[-1].timestamp == (sent[0].timestamp + (count - 1) * 300) & 0xFFFFFFFF
    slot.resend((sent[-5].sequence,))
    assert scene.subscriber.packets[-1].payload[:2] == sent[-5].sequence.to_bytes(2, "big")
    report = source.report()
    assert report is not None
    assert (report.lost, report.fraction_lost) == (0, 0)


@given(st.lists(st.binary(max_size=60), max_size=20), st.booleans())
def test_no_authentic_packet_breaks_source_or_slot(payloads: list[bytes], raw: bool) -> None:  # noqa: FBT001
    scene = Scene()
    source, slot = scene.source(), scene.slot()
    slot.attach(source)
    feed(source, packet(0, payload=vp8(key=True)))
    for number, payload in enumerate(payloads, 1):
        data = b"\x90\x60" + payload if raw else packet(number, payload=payload, padding=number % 3)
        try:
            start = rtp.payload_offset(data)
            source.receive(data, start)
            source.receive_rtx(data[:1] + b"\x61" + data[2:], start)
        except rtp.BadRtp:
            continue
        slot.resend((number + 1_001,))
    sequences = [sent.sequence for sent in scene.subscriber.packets if sent.ssrc == 9_000]
    assert len(sequences) == len(set(sequences))
