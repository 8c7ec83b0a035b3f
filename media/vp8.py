"""VP8 payload descriptors (RFC 7741): find key frames, keep picture ids continuous when a slot changes its
source.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import pack_into


@dataclass(frozen=True, slots=True)
class Descriptor:
    """Where the counters of a payload are. Offsets are from the start of the payload, 0 when absent."""

    keyframe: bool
    """The payload begins a key frame."""
    picture_at: int
    picture_id: int
    long_picture_id: bool
    tl0_at: int
    tl0: int


def is_keyframe(payload: bytes, at: int, end: int) -> bool:
    """Whether the payload `payload[at:end]` begins a key frame: first partition, first packet, inverse key
    bit 0.
    """
    if at >= end or payload[at] & 0x17 != 0x10:
        return False
    start = at + 1
    if payload[at] & 0x80:
        start = _after_extension(payload, start, end)
    return start < end and not payload[start] & 1


def _after_extension(payload: bytes, at: int, end: int) -> int:
    if at >= end:
        return end
    flags = payload[at]
    at += 1
    if flags & 0x80:
        at += 2 if at < end and payload[at] & 0x80 else 1
    if flags & 0x40:
        at += 1
    if flags & 0x30:
        at += 1
    return at


def describe(payload: bytes, at: int, end: int) -> Descriptor | None:
    """Read the payload descriptor at `payload[at:end]`; None when it is cut off."""
    if at >= end:
        return None
    start, keyframe = at, is_keyframe(payload, at, end)
    picture_at = picture_id = tl0_at = tl0 = 0
    long = False
    first = payload[at]
    at += 1
    if first & 0x80:
        if at >= end:
            return None
        flags = payload[at]
        at += 1
        if flags & 0x80:
            if at + 1 >= end:
                return None
            long = bool(payload[at] & 0x80)
            picture_at = at - start
            picture_id = (payload[at] & 0x7F) << 8 | payload[at + 1] if long else payload[at] & 0x7F
            at += 2 if long else 1
        if flags & 0x40:
            if at >= end:
                return None
            tl0_at, tl0 = at - start, payload[at]
    return Descriptor(keyframe, picture_at, picture_id, long, tl0_at, tl0)


def patch(payload: bytes, descriptor: Descriptor, picture_offset: int, tl0_offset: int) -> bytes:
    """The payload with both counters moved by these offsets."""
    patched = bytearray(payload)
    if descriptor.picture_at:
        picture = descriptor.picture_id + picture_offset
        if descriptor.long_picture_id:
            pack_into("!H", patched, descriptor.picture_at, 0x8000 | picture & 0x7FFF)
        else:
            patched[descriptor.picture_at] = picture & 0x7F
    if descriptor.tl0_at:
        patched[descriptor.tl0_at] = (descriptor.tl0 + tl0_offset) & 0xFF
    return bytes(patched)
