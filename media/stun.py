"""STUN binding requests and responses (RFC 8489), as much of it as an ICE-lite answerer needs (RFC 8445
section 2.5).
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import struct
import zlib
from dataclasses import dataclass
from struct import pack, unpack_from

COOKIE = 0x2112A442
BINDING_REQUEST = 0x0001
BINDING_SUCCESS = 0x0101
REQUEST_BYTES_MAX = 1_200
"""Browsers send about 120 bytes; anything much longer is not a connectivity check."""

_USERNAME = 0x0006
_MESSAGE_INTEGRITY = 0x0008
_XOR_MAPPED_ADDRESS = 0x0020
_USE_CANDIDATE = 0x0025
_FINGERPRINT = 0x8028
_FINGERPRINT_XOR = 0x5354554E
_HEADER_BYTES = 20
_INTEGRITY_BYTES = 24
_DIGEST_BYTES = 20
_FINGERPRINT_BYTES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class BindingRequest:
    """A well-formed connectivity check whose sender is not proven yet: `verify` does that."""

    transaction: bytes
    local_ufrag: str
    nominated: bool
    signed: bytes
    """What MESSAGE-INTEGRITY covers: everything before it, with the length as if it were the last
    attribute.
    """
    integrity: bytes


def parse_request(data: bytes) -> BindingRequest | None:
    """Read a datagram; None for anything that is not a complete, signed binding request."""
    if not _HEADER_BYTES <= len(data) <= REQUEST_BYTES_MAX:
        return None
    kind, length, cookie = unpack_from("!HHI", data)
    if kind != BINDING_REQUEST or cookie != COOKIE or length + _HEADER_BYTES != len(data) or length & 3:
        return None
    try:
        attributes = _attributes(data)
    except struct.error:
        return None
    if attributes is None or _USERNAME not in attributes or _MESSAGE_INTEGRITY not in attributes:
        return None
    integrity_at, integrity = attributes[_MESSAGE_INTEGRITY]
    if len(integrity) != _DIGEST_BYTES or not _fingerprint_holds(data, attributes):
        return None
    covered = integrity_at + _INTEGRITY_BYTES - _HEADER_BYTES
    return BindingRequest(
        transaction=data[8:20],
        local_ufrag=attributes[_USERNAME][1].partition(b":")[0].decode("ascii", "replace"),
        nominated=_USE_CANDIDATE in attributes,
        signed=data[:2] + pack("!H", covered) + data[4:integrity_at],
        integrity=integrity,
    )


def verify(request: BindingRequest, password: str) -> bool:
    """Whether the sender knows the password of our answer (RFC 8489 section 14.5)."""
    expected = hmac.new(password.encode(), request.signed, hashlib.sha1).digest()
    return hmac.compare_digest(expected, request.integrity)


def success(transaction: bytes, address: tuple[str, int], password: str) -> bytes:
    """The answer to a verified request: XOR-MAPPED-ADDRESS, MESSAGE-INTEGRITY, FINGERPRINT."""
    mapped = _xor_address(transaction, address)
    body = pack("!HH", _XOR_MAPPED_ADDRESS, len(mapped)) + mapped
    head = pack("!HHI", BINDING_SUCCESS, len(body) + _INTEGRITY_BYTES, COOKIE) + transaction
    body += (
        pack("!HH", _MESSAGE_INTEGRITY, 20) + hmac.new(password.encode(), head + body, hashlib.sha1).digest()
    )
    head = pack("!HHI", BINDING_SUCCESS, len(body) + _FINGERPRINT_BYTES, COOKIE) + transaction
    return head + body + pack("!HHI", _FINGERPRINT, 4, _crc(head + body))


def _attributes(data: bytes) -> dict[int, tuple[int, bytes]] | None:
    """Attribute -> (offset, value), the first of each kind; nothing after MESSAGE-INTEGRITY but
    FINGERPRINT.
    """
    found: dict[int, tuple[int, bytes]] = {}
    at = _HEADER_BYTES
    while at < len(data):
        kind, length = unpack_from("!HH", data, at)
        if at + 4 + length > len(data):
            return None
        if kind not in found and (_MESSAGE_INTEGRITY not in found or kind == _FINGERPRINT):
            found[kind] = (at, data[at + 4 : at + 4 + length])
        at += 4 + length + (-length & 3)
    return found


def _fingerprint_holds(data: bytes, attributes: dict[int, tuple[int, bytes]]) -> bool:
    if _FINGERPRINT not in attributes:
        return True
    at, value = attributes[_FINGERPRINT]
    return value == pack("!I", _crc(data[:at]))


def _crc(data: bytes) -> int:
    return zlib.crc32(data) ^ _FINGERPRINT_XOR


def _xor_address(transaction: bytes, address: tuple[str, int]) -> bytes:
    host = address[0].partition("%")[0]
    packed = ipaddress.ip_address(host).packed
    mask = pack("!I", COOKIE) + transaction
    port = address[1] ^ (COOKIE >> 16)
    return pack("!BBH", 0, 1 if len(packed) == 4 else 2, port) + bytes(
        a ^ b for a, b in zip(packed, mask, strict=False)
    )
