"""What is hashed of an entry, and how the entries hang together.

    head      = canonical JSON of [at, kind, actor, role, consult, object, purpose, outcome]
    body_mac  = HMAC-SHA256(salt, body)                  body: canonical JSON; salt: 16 random bytes
    leaf      = seq (8 bytes, big-endian) + prev + SHA-256(head) + body_mac
    hash      = SHA-256(0x00 + leaf)                     so it is the RFC 6962 leaf hash too
    prev      = the hash of the entry before; 32 zero bytes at the first

Whoever has `body_mac` alone can guess nothing about a body whose salt is gone, and the chain still holds.
"""

import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final

SALT_BYTES: Final = 16
FIRST_PREV: Final = bytes(32)

_canonical: Final = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
).encode


def canonical(value: object) -> bytes:
    """JSON that is the same bytes for the same value: UTF-8, sorted, without spaces.

    Raises:
        TypeError, ValueError: JSON cannot say it.
    """
    return _canonical(value).encode()


def time_text(at: datetime) -> str:
    """RFC 3339 in UTC with microseconds; 27 characters, sorted as the times are."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def mac_of(body: bytes, salt: bytes) -> bytes:
    """What stands for a body in the chain; 32 bytes."""
    return hmac.digest(salt, body, "sha256")


def leaf_of(seq: int, prev: bytes, head: tuple[str, ...], body_mac: bytes) -> bytes:
    """What the hash is made of; 104 bytes. `head` as at the top of this file."""
    return seq.to_bytes(8, "big") + prev + sha256(canonical(head)).digest() + body_mac


def hash_of(leaf: bytes) -> bytes:
    """The hash of an entry; 32 bytes."""
    return sha256(b"\x00" + leaf).digest()


def body_bytes(body: Mapping[str, object], reason: str) -> bytes:
    """The erasable part as it is stored; a person's reason is in it as `reason`."""
    if reason and "reason" in body:
        raise ValueError("a body with a reason has no other one")
    return canonical({**body, "reason": reason} if reason else dict(body))
