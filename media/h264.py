"""H.264 payloads (RFC 6184): find key frames."""

from __future__ import annotations

_IDR = 5
_SPS = 7
_STAP_A = 24
_FU_A = 28


def is_keyframe(payload: bytes, at: int, end: int) -> bool:
    """Whether the payload `payload[at:end]` begins a key frame: a parameter set or the start of an IDR
    picture.
    """
    if at >= end:
        return False
    kind = payload[at] & 0x1F
    if kind in (_IDR, _SPS):
        return True
    if kind == _STAP_A:
        return at + 3 < end and payload[at + 3] & 0x1F in (_IDR, _SPS)
    if kind == _FU_A:
        return at + 1 < end and bool(payload[at + 1] & 0x80) and payload[at + 1] & 0x1F in (_IDR, _SPS)
    return False
