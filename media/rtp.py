"""Reads RTP packets in place (RFC 3550, RFC 8285) and does arithmetic on their wrapping counters."""

from __future__ import annotations

from struct import unpack_from

HEADER_BYTES = 12
PACKET_BYTES_MAX = 1_500
ONE_BYTE_PROFILE = 0xBEDE


class BadRtp(ValueError):  # noqa: N818 - a name of its own
    """The packet's lengths contradict each other."""


def is_rtcp(data: bytes) -> bool:
    """Tell RTCP from RTP on one port by the packet type (RFC 5761 section 4)."""
    return 192 <= data[1] <= 223


def payload_offset(packet: bytes) -> int:
    """Where the payload begins, after contributing sources and header extension."""
    if len(packet) < HEADER_BYTES or packet[0] >> 6 != 2:
        raise BadRtp("no RTP header")
    at = HEADER_BYTES + 4 * (packet[0] & 0x0F)
    if packet[0] & 0x10:
        if at + 4 > len(packet):
            raise BadRtp("header extension cut off")
        at += 4 + 4 * (packet[at + 2] << 8 | packet[at + 3])
    if at > len(packet):
        raise BadRtp("header longer than the packet")
    return at


def payload_end(packet: bytes, offset: int) -> int:
    """Where the payload ends: before the padding. Equal to `offset` when there is only padding."""
    if not packet[0] & 0x20:
        return len(packet)
    end = len(packet) - packet[-1]
    if packet[-1] == 0 or end < offset:
        raise BadRtp("padding longer than the payload")
    return end


def extension(packet: bytes, identifier: int, end: int) -> bytes | None:
    """The value of one header extension element; `end` is the payload offset. None when it is not there."""
    if not packet[0] & 0x10 or not identifier:
        return None
    at = HEADER_BYTES + 4 * (packet[0] & 0x0F)
    profile = packet[at] << 8 | packet[at + 1]
    at += 4
    if profile == ONE_BYTE_PROFILE:
        return _one_byte(packet, identifier, at, end)
    if profile & 0xFFF0 == 0x1000:
        return _two_byte(packet, identifier, at, end)
    return None


def _one_byte(packet: bytes, identifier: int, at: int, end: int) -> bytes | None:
    while at < end:
        head = packet[at]
        if head == 0:
            at += 1
            continue
        length = (head & 0x0F) + 1
        if head >> 4 == identifier:
            return packet[at + 1 : at + 1 + length] if at + 1 + length <= end else None
        if head >> 4 == 15:
            return None
        at += 1 + length
    return None


def _two_byte(packet: bytes, identifier: int, at: int, end: int) -> bytes | None:
    while at + 1 < end:
        if packet[at] == 0:
            at += 1
            continue
        length = packet[at + 1]
        if packet[at] == identifier:
            return packet[at + 2 : at + 2 + length] if at + 2 + length <= end else None
        at += 2 + length
    return None


def sequence(packet: bytes) -> int:
    """The 16 bit sequence number."""
    return packet[2] << 8 | packet[3]


def timestamp(packet: bytes) -> int:
    """The 32 bit media timestamp."""
    value: int = unpack_from("!I", packet, 4)[0]
    return value


def unwrap(number: int, near: int, bits: int = 16) -> int:
    """The unbounded number closest to `near` whose lowest `bits` are `number`."""
    half = 1 << bits - 1
    return near + ((number - near + half) & (2 * half - 1)) - half


def unwrap_rtx(packet: bytes, offset: int, end: int, *, ssrc: int, payload_type: int) -> bytes | None:
    """The original packet inside a retransmission (RFC 4588 section 4); None when it carries only padding."""
    if end - offset <= 2:
        return None
    head = bytearray(packet[:offset])
    head[0] &= 0xDF
    head[1] = head[1] & 0x80 | payload_type
    head[2:4] = packet[offset : offset + 2]
    head[8:12] = ssrc.to_bytes(4, "big")
    return bytes(head) + packet[offset + 2 : end]
