"""The sealed container of recordings, byte by byte as `SEALED.md` says. Pure: bytes in, bytes out.

A *part* is a header and records. Whoever writes it holds its data key while it is open; afterwards only those
the header's stanzas are for can read it, and only while the recording's shred secret exists.
"""

import hashlib
import hmac
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

MAGIC: Final = b"\x89TCR1\r\n\x1a"
VERSION: Final = 1
SUITE: Final = 1  # AES-256-GCM with HKDF-SHA512
PLAIN_MAX: Final = 65_536  # bytes in one record
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
COMMITMENT_BYTES: Final = 32
RECORDS_MAX: Final = 2**32
STANZAS_MAX: Final = 16
HEADER_MAX: Final = 32_768  # 16 stanzas of the longest kind
X25519_STANZA: Final = 1
# HPKE base mode (RFC 9180): DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM.
HPKE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)

_FIXED: Final = struct.Struct(">8sHHI16sI32sIHH")
_STANZA: Final = struct.Struct(">H16sH")
_RECORD: Final = struct.Struct(">IBBHQQ")
_FINAL: Final = struct.Struct(">Q32s")
RECORD_HEAD_BYTES: Final = _RECORD.size


class RecordKind(IntEnum):
    """What a record holds."""

    MEDIA = 0
    META = 1
    FINAL = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class PartId:
    """Which part of which recording; `recording` is 16 bytes, parts count from 1."""

    recording: bytes
    part: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stanza:
    """The data key, sealed for one recipient. `key_id` is 16 bytes."""

    kind: int
    key_id: bytes
    sealed: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What the first 24 bytes of a record say; they are authenticated, not hidden."""

    sealed_bytes: int  # ciphertext and tag
    kind: RecordKind
    sync: bool  # a player may begin here
    track: int
    seq: int
    at_us: int  # since the recording began

    def encoded(self) -> bytes:
        """The 24 bytes."""
        return _RECORD.pack(self.sealed_bytes, self.kind, int(self.sync), self.track, self.seq, self.at_us)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """What a part is sealed with; `commitment` binds the data key and the shred secret to the header."""

    key: bytes
    base_nonce: bytes
    commitment: bytes

    def nonce(self, seq: int) -> bytes:
        """The nonce of record `seq`: never twice under one key."""
        return (int.from_bytes(self.base_nonce) ^ seq).to_bytes(NONCE_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """How far a part was written: for the audit log, which tells a crash from a cut."""

    records: int
    size_bytes: int
    chain: bytes


def wrap_info(part: PartId, salt: bytes) -> bytes:
    """What the wrapping of a data key is bound to."""
    return b"tcr1/dek" + part.recording + part.part.to_bytes(4) + salt


def wrap(dek: bytes, recipient: X25519PublicKey, key_id: bytes, part: PartId, salt: bytes) -> Stanza:
    """Seal a part's data key for one recipient."""
    sealed = HPKE.encrypt(dek, recipient, wrap_info(part, salt))
    return Stanza(kind=X25519_STANZA, key_id=key_id, sealed=sealed)


def bare_header(part: PartId, salt: bytes, stanzas: Sequence[Stanza]) -> bytes:
    """The header without its commitment, which is derived from exactly these bytes."""
    if len(part.recording) != 16 or len(salt) != KEY_BYTES or not 1 <= len(stanzas) <= STANZAS_MAX:
        raise ValueError("a recording id of 16 bytes, a salt of 32, 1 to 16 stanzas")
    body = b"".join(_STANZA.pack(one.kind, one.key_id, len(one.sealed)) + one.sealed for one in stanzas)
    length = _FIXED.size + len(body) + COMMITMENT_BYTES
    fixed = _FIXED.pack(
        MAGIC, VERSION, SUITE, length, part.recording, part.part, salt, PLAIN_MAX, len(stanzas), 0
    )
    return fixed + body


def derive(dek: bytes, shred: bytes, bare: bytes) -> Keys:
    """The keys of a part: Cobblestone's schedule, keyed by the shred secret as well."""
    prk = hmac.digest(shred, dek, "sha512")
    info = b"tcr1/v1\x00AEAD_AES_256_GCM\x00" + hashlib.sha512(bare).digest()
    length = KEY_BYTES + NONCE_BYTES + COMMITMENT_BYTES
    okm = HKDFExpand(SHA512(), length, info).derive(prk)
    return Keys(
        key=okm[:KEY_BYTES],
        base_nonce=okm[KEY_BYTES : KEY_BYTES + NONCE_BYTES],
        commitment=okm[KEY_BYTES + NONCE_BYTES :],
    )


def next_chain(chain: bytes, record: bytes) -> bytes:
    """The chain after a record; anybody can compute it, without a key."""
    return hashlib.sha256(chain + record).digest()


def final_body(records: int, chain: bytes, reason: str) -> bytes:
    """What a FINAL record holds: how many records came before, their chain, and why it ends."""
    return _FINAL.pack(records, chain) + reason.encode()


def read_final(body: bytes) -> tuple[int, bytes, str]:
    """The opposite of `final_body`.

    Raises:
        ValueError: this is no such body.
    """
    if len(body) < _FINAL.size:
        raise ValueError("too short for a final record")
    records, chain = _FINAL.unpack_from(body)
    return records, chain, body[_FINAL.size :].decode()


class Sealer:
    """Seals one part, record after record. It keeps no media, and seals nothing after the final record."""

    def __init__(
        self, part: PartId, *, dek: bytes, shred: bytes, salt: bytes, stanzas: Sequence[Stanza]
    ) -> None:
        """`dek`, `shred` and `salt` are 32 random bytes each; `dek` and `salt` are of this part alone."""
        bare = bare_header(part, salt, stanzas)
        self._keys = derive(dek, shred, bare)
        self._aead = AESGCM(self._keys.key)
        self.header = bare + self._keys.commitment
        self._chain = hashlib.sha256(self.header).digest()
        self._seq = 0
        self._size = len(self.header)
        self._over = False

    @property
    def checkpoint(self) -> Checkpoint:
        """How far it is sealed."""
        return Checkpoint(records=self._seq, size_bytes=self._size, chain=self._chain)

    def seal(self, kind: RecordKind, body: bytes, *, at_us: int, track: int = 0, sync: bool = False) -> bytes:
        """The next record, ready to be written in one piece.

        Raises:
            ValueError: the part is over, or the record too long.
        """
        if self._over or len(body) > PLAIN_MAX or self._seq >= RECORDS_MAX:
            raise ValueError("after the final record, or more than a record or a part holds")
        head = Head(
            sealed_bytes=len(body) + TAG_BYTES,
            kind=kind,
            sync=sync,
            track=track,
            seq=self._seq,
            at_us=at_us,
        ).encoded()
        record = head + self._aead.encrypt(self._keys.nonce(self._seq), body, head)
        self._seq += 1
        self._size += len(record)
        self._chain = next_chain(self._chain, record)
        return record

    def final(self, reason: str, *, at_us: int) -> bytes:
        """The last record: how many there were, their chain, and why it ends."""
        body = final_body(self._seq, self._chain, reason)
        record = self.seal(RecordKind.FINAL, body, at_us=at_us)
        self._over = True
        return record


def parse_head(data: bytes) -> Head:
    """The head of a record, from its first 24 bytes.

    Raises:
        ValueError: there is no such kind of record, or it says it is longer than one can be.
    """
    sealed_bytes, kind, flags, track, seq, at_us = _RECORD.unpack(data)
    if flags > 1 or not TAG_BYTES <= sealed_bytes <= PLAIN_MAX + TAG_BYTES:
        raise ValueError("no record")
    return Head(
        sealed_bytes=sealed_bytes,
        kind=RecordKind(kind),
        sync=bool(flags),
        track=track,
        seq=seq,
        at_us=at_us,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """A part's header, read."""

    part: PartId
    salt: bytes
    stanzas: tuple[Stanza, ...]
    bare: bytes
    commitment: bytes

    @property
    def size_bytes(self) -> int:
        """Where the first record begins."""
        return len(self.bare) + COMMITMENT_BYTES


class CutHeaderError(ValueError):
    """The header's end is missing; what there is of it is as it should be."""


def parse_header(data: bytes) -> Header:
    """The header at the beginning of `data`.

    Raises:
        CutHeaderError: it is cut.
        ValueError: this is no part of ours, or its header is damaged.
    """
    if len(data) < _FIXED.size and data[: len(MAGIC)] == MAGIC[: len(data)]:
        raise CutHeaderError("shorter than a header")
    if len(data) < _FIXED.size:
        raise ValueError("no part")
    magic, version, suite, length, recording, part, salt, plain_max, count, reserved = _FIXED.unpack_from(
        data
    )
    if (magic, version, suite, plain_max, reserved) != (MAGIC, VERSION, SUITE, PLAIN_MAX, 0):
        raise ValueError("not a part of this version")
    if not 1 <= count <= STANZAS_MAX or length > HEADER_MAX:
        raise ValueError("a header of another kind")
    if len(data) < length:
        raise CutHeaderError("a header that is cut")
    stanzas, at = [], _FIXED.size
    for _ in range(count):
        if at + _STANZA.size > length - COMMITMENT_BYTES:
            raise ValueError("a stanza that is cut")
        kind, key_id, size = _STANZA.unpack_from(data, at)
        at += _STANZA.size
        stanzas.append(Stanza(kind=kind, key_id=key_id, sealed=data[at : at + size]))
        at += size
    if at + COMMITMENT_BYTES != length:
        raise ValueError("a header whose length does not fit")
    return Header(
        part=PartId(recording=recording, part=part),
        salt=salt,
        stanzas=tuple(stanzas),
        bare=data[:at],
        commitment=data[at:length],
    )
