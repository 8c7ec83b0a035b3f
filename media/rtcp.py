"""RTCP packets (RFC 3550, RFC 4585, RFC 5104): the ones we send, and a reader for the ones we get."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from struct import pack, unpack_from

NACK_ENTRIES_MAX = 250
"""Entries of one NACK: its packet has to fit a datagram."""
REPORTS_MAX = 31
PACKETS_MAX = 32
"""Packets in one compound; a browser sends up to five."""
NTP_EPOCH_S = 2_208_988_800
OUR_SSRC = 1
"""Sender of our feedback; browsers do not look at it."""

_SR, _RR, _SDES, _BYE, _RTPFB, _PSFB = 200, 201, 202, 203, 205, 206


class BadRtcp(ValueError):  # noqa: N818 - a name of its own
    """The compound's lengths contradict each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderReport:
    """A sender's wall clock at one point of its media clock."""

    ssrc: int
    ntp_s: float
    ntp_middle: int
    """The middle 32 bits, to be echoed in our receiver reports."""
    timestamp: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a receiver says about one stream of ours, or we about one of a sender's."""

    ssrc: int
    fraction_lost: int
    """Of 256, since the last report."""
    lost: int
    """Since the beginning; may be negative when packets came twice."""
    highest: int
    jitter: int
    """In ticks of the media clock."""
    last_sr: int
    delay_since_sr: int
    """In 1/65536 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nack:
    """The receiver of a stream of ours asks for packets again."""

    ssrc: int
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyframeRequest:
    """PLI or FIR for a stream of ours."""

    ssrc: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportFeedback:
    """The part of a transport-wide feedback after the SSRCs, for `twcc.parse`."""

    body: bytes


Message = SenderReport | Report | Nack | KeyframeRequest | TransportFeedback


def parse(data: bytes) -> Iterator[Message]:
    """Read a compound packet; kinds we do not use are skipped.

    Raises `BadRtcp` at the first contradiction.
    """
    at = 0
    for _ in range(PACKETS_MAX):
        if at == len(data):
            return
        if at + 4 > len(data) or data[at] >> 6 != 2:
            raise BadRtcp("no RTCP header")
        end = at + 4 + 4 * (data[at + 2] << 8 | data[at + 3])
        if end > len(data):
            raise BadRtcp("packet longer than the datagram")
        yield from _one(data[at : _without_padding(data, at, end)], data[at + 1], data[at] & 0x1F)
        at = end


def _without_padding(data: bytes, at: int, end: int) -> int:
    if not data[at] & 0x20:
        return end
    if end - at <= 4 or not 0 < data[end - 1] <= end - at - 4:
        raise BadRtcp("padding longer than the packet")
    return end - data[end - 1]


def _one(packet: bytes, kind: int, count: int) -> Iterator[Message]:
    if kind == _SR:
        if len(packet) < 28:
            raise BadRtcp("sender report cut off")
        ssrc, ntp, timestamp = unpack_from("!IQI", packet, 4)
        yield SenderReport(
            ssrc=ssrc, ntp_s=ntp / 4_294_967_296, ntp_middle=ntp >> 16 & 0xFFFFFFFF, timestamp=timestamp
        )
        yield from _reports(packet, 28, count)
    elif kind == _RR:
        yield from _reports(packet, 8, count)
    elif kind == _RTPFB and count in (1, 15):
        yield from _transport(packet, count)
    elif kind == _PSFB and count in (1, 4):
        yield from _payload(packet, count)


def _reports(packet: bytes, at: int, count: int) -> Iterator[Report]:
    if len(packet) < at + 24 * count:
        raise BadRtcp("report blocks cut off")
    for _ in range(count):
        ssrc, loss, highest, jitter, last_sr, delay = unpack_from("!IIIIII", packet, at)
        yield Report(
            ssrc=ssrc,
            fraction_lost=loss >> 24,
            lost=(loss & 0xFFFFFF ^ 0x800000) - 0x800000,
            highest=highest,
            jitter=jitter,
            last_sr=last_sr,
            delay_since_sr=delay,
        )
        at += 24


def _transport(packet: bytes, kind: int) -> Iterator[Message]:
    if len(packet) < 12:
        raise BadRtcp("feedback cut off")
    if kind == 15:
        yield TransportFeedback(body=packet[12:])
        return
    numbers = []
    for at in range(12, len(packet) - 3, 4):
        first, mask = unpack_from("!HH", packet, at)
        numbers.append(first)
        numbers += [(first + bit + 1) & 0xFFFF for bit in range(16) if mask >> bit & 1]
    yield Nack(ssrc=unpack_from("!I", packet, 8)[0], numbers=tuple(numbers))


def _payload(packet: bytes, kind: int) -> Iterator[Message]:
    if len(packet) < 12:
        raise BadRtcp("feedback cut off")
    if kind == 1:
        yield KeyframeRequest(ssrc=unpack_from("!I", packet, 8)[0])
        return
    for at in range(12, len(packet) - 7, 8):
        yield KeyframeRequest(ssrc=unpack_from("!I", packet, at)[0])


def ntp(wall_s: float) -> int:
    """Seconds since 1970 as a 64 bit NTP timestamp."""
    return int((wall_s + NTP_EPOCH_S) * 4_294_967_296) & 0xFFFFFFFFFFFFFFFF


def sender_report(ssrc: int, wall_s: float, timestamp: int, packets: int, octets: int) -> bytes:
    """Our clock at one point of a stream of ours (RFC 3550 section 6.4.1), without report blocks."""
    counts = (timestamp & 0xFFFFFFFF, packets & 0xFFFFFFFF, octets & 0xFFFFFFFF)
    return pack("!BBHIQIII", 0x80, _SR, 6, ssrc, ntp(wall_s), *counts)


def source_description(ssrc: int, cname: str) -> bytes:
    """The CNAME that ties audio and video of one slot together."""
    chunk = pack("!IBB", ssrc, 1, len(cname)) + cname.encode() + b"\0"
    chunk += bytes(-len(chunk) & 3)
    return pack("!BBH", 0x81, _SDES, len(chunk) // 4) + chunk


def receiver_report(reports: list[Report]) -> bytes:
    """What we received (RFC 3550 section 6.4.2), at most 31 blocks."""
    blocks = b"".join(
        pack(
            "!IIIIII",
            r.ssrc,
            r.fraction_lost << 24 | max(0, min(r.lost, 0x7FFFFF)),
            r.highest & 0xFFFFFFFF,
            r.jitter & 0xFFFFFFFF,
            r.last_sr,
            r.delay_since_sr & 0xFFFFFFFF,
        )
        for r in reports[:REPORTS_MAX]
    )
    count = min(len(reports), REPORTS_MAX)
    return pack("!BBHI", 0x80 | count, _RR, 1 + 6 * count, OUR_SSRC) + blocks


def nack(ssrc: int, numbers: list[int]) -> bytes:
    """Ask a publisher for packets again (RFC 4585 section 6.2.1); `numbers` ascending, unwrapped."""
    entries: list[tuple[int, int]] = []
    for number in numbers:
        if entries and 0 < number - entries[-1][0] <= 16:
            first, mask = entries[-1]
            entries[-1] = (first, mask | 1 << number - first - 1)
        elif len(entries) < NACK_ENTRIES_MAX:
            entries.append((number, 0))
    body = b"".join(pack("!HH", first & 0xFFFF, mask) for first, mask in entries)
    return pack("!BBHII", 0x81, _RTPFB, 2 + len(entries), OUR_SSRC, ssrc) + body


def keyframe_request(ssrc: int) -> bytes:
    """PLI (RFC 4585 section 6.3.1)."""
    return pack("!BBHII", 0x81, _PSFB, 2, OUR_SSRC, ssrc)
