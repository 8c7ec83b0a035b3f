"""RTP packets for tests, built byte by byte."""

from struct import pack


def packet(
    sequence: int = 1,
    *,
    timestamp: int = 0,
    ssrc: int = 77,
    payload_type: int = 96,
    payload: bytes = b"payload",
    extensions: bytes = b"",
    padding: int = 0,
    marker: bool = False,
) -> bytes:
    """One packet; `extensions` are one-byte elements without their header."""
    first = 0x80 | (0x10 if extensions else 0) | (0x20 if padding else 0)
    head = pack(
        "!BBHII",
        first,
        payload_type | (0x80 if marker else 0),
        sequence & 0xFFFF,
        timestamp & 0xFFFFFFFF,
        ssrc,
    )
    if extensions:
        extensions += bytes(-len(extensions) & 3)
        head += pack("!HH", 0xBEDE, len(extensions) // 4) + extensions
    tail = bytes(padding - 1) + bytes((padding,)) if padding else b""
    return head + payload + tail


def vp8(
    *, key: bool = False, picture: int | None = None, tl0: int | None = None, body: bytes = b"frame"
) -> bytes:
    """A VP8 payload that begins a frame; with picture id (15 bits) and TL0PICIDX when given."""
    first = 0x10 | (0x80 if picture is not None else 0)
    descriptor = bytes((first,))
    if picture is not None:
        descriptor += bytes((0x80 | (0x40 if tl0 is not None else 0),)) + pack("!H", 0x8000 | picture)
        if tl0 is not None:
            descriptor += bytes((tl0,))
    return descriptor + bytes((0x00 if key else 0x01,)) + body
