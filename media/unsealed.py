"""Reads a sealed part: what is whole, what is torn and what was tampered with. Pure: bytes in, bytes out.

Damage is told apart by what a crash can do. A crash cuts a file; it changes nothing before the cut. So whole
records and then a piece of one is *torn*; a record that does not open, or is out of order, or follows the
final one, is *tampered*.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from media.sealed import (
    HPKE,
    RECORD_HEAD_BYTES,
    X25519_STANZA,
    Checkpoint,
    CutHeaderError,
    Head,
    Header,
    Keys,
    RecordKind,
    derive,
    next_chain,
    parse_head,
    parse_header,
    read_final,
    wrap_info,
)

Status = Literal["complete", "torn", "tampered"]


class PartData(Protocol):
    """A part's bytes: `bytes`, or whatever gives pieces of a file that is too long for memory."""

    def __len__(self) -> int:
        """How long the part is."""

    def __getitem__(self, piece: slice, /) -> bytes:
        """Some of it: as of `bytes`, less than asked for where the part ends."""


class WrongKeyError(Exception):
    """The data key or the shred secret is not this part's, or the shred secret is destroyed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One whole record, opened."""

    head: Head
    body: bytes
    ends_at: int  # byte in the part
    chain: bytes  # after it


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What a part is."""

    status: Status
    why: str  # of a tampered one, for the log; never of its contents
    records: int  # whole ones, the final one included
    torn_bytes: int = 0
    ended: str = ""  # what the final record says
    checkpoints: Sequence[Checkpoint] = field(default_factory=tuple)  # after each whole record


def unwrap(header: Header, private_key: X25519PrivateKey, key_id: bytes) -> bytes:
    """A part's data key, from the stanza of this key.

    Raises:
        WrongKeyError: there is none for it, or it was made for another part.
    """
    for stanza in header.stanzas:
        if stanza.kind == X25519_STANZA and stanza.key_id == key_id:
            try:
                return HPKE.decrypt(stanza.sealed, private_key, wrap_info(header.part, header.salt))
            except InvalidTag:
                break
    raise WrongKeyError


def keys_of(header: Header, dek: bytes, shred: bytes) -> Keys:
    """The keys of a part, once its commitment says that they are.

    Raises:
        WrongKeyError: they are not.
    """
    keys = derive(dek, shred, header.bare)
    if keys.commitment != header.commitment:
        raise WrongKeyError
    return keys


class Damaged(Exception):  # noqa: N818 (what it is, not what went wrong here)
    """No crash leaves this behind."""


class Torn(Exception):  # noqa: N818
    """The rest of the part is missing."""


def records(data: PartData, header: Header, keys: Keys) -> Iterator[Record]:
    """The whole records of a part, in order.

    Raises:
        Torn: after the last whole one, when a piece of another follows.
        Damaged: at the first that does not open, or is not the next one.
    """
    aead = AESGCM(keys.key)
    at, seq = header.size_bytes, 0
    chain = hashlib.sha256(header.bare + header.commitment).digest()
    while at < len(data):
        raw = data[at : at + RECORD_HEAD_BYTES]
        if len(raw) < RECORD_HEAD_BYTES:
            raise Torn
        try:
            head = parse_head(raw)
        except ValueError as error:
            raise Damaged("no record where one should be") from error
        end = at + RECORD_HEAD_BYTES + head.sealed_bytes
        if end > len(data):
            raise Torn
        if head.seq != seq:
            raise Damaged("not the next record")
        try:
            body = aead.decrypt(keys.nonce(seq), data[at + RECORD_HEAD_BYTES : end], raw)
        except InvalidTag as error:
            raise Damaged("a record that does not open") from error
        before, chain = chain, next_chain(chain, data[at:end])
        if head.kind is RecordKind.FINAL:
            _check_final(body, seq, before)
        yield Record(head=head, body=body, ends_at=end, chain=chain)
        if head.kind is RecordKind.FINAL and end < len(data):
            raise Damaged("something after the final record")
        at, seq = end, seq + 1


def _check_final(body: bytes, seq: int, chain: bytes) -> None:
    try:
        count, said, _ = read_final(body)
    except ValueError as error:
        raise Damaged("a final record that says nothing") from error
    if (count, said) != (seq, chain):
        raise Damaged("a final record of other records")


def examine(data: bytes, dek: bytes, shred: bytes) -> Examined:
    """What a part is, with its keys.

    Raises:
        WrongKeyError: these are not its keys; nothing can be said.
    """
    try:
        header = parse_header(data)
    except CutHeaderError:
        return Examined(status="torn", why="", records=0, torn_bytes=len(data))
    except ValueError as error:
        return Examined(status="tampered", why=str(error), records=0)
    keys = keys_of(header, dek, shred)
    seen: list[Checkpoint] = []
    last: Record | None = None
    try:
        for record in records(data, header, keys):
            last = record
            seen.append(Checkpoint(records=len(seen) + 1, size_bytes=record.ends_at, chain=record.chain))
    except Damaged as damage:
        return Examined(status="tampered", why=str(damage), records=len(seen), checkpoints=seen)
    except Torn:
        whole = seen[-1].size_bytes if seen else header.size_bytes
        torn = len(data) - whole
        return Examined(status="torn", why="", records=len(seen), torn_bytes=torn, checkpoints=seen)
    if last is None or last.head.kind is not RecordKind.FINAL:
        return Examined(status="torn", why="", records=len(seen), checkpoints=seen)
    _, _, ended = read_final(last.body)
    return Examined(status="complete", why="", records=len(seen), ended=ended, checkpoints=seen)


def was_cut(found: Examined, written: Checkpoint) -> bool:
    """Whether a part lacks, or has otherwise, what was written of it by a checkpoint in the audit log.

    A crash loses nothing that a checkpoint has named, so this is somebody's doing.
    """
    if written.records == 0:
        return False
    known = found.checkpoints
    return len(known) < written.records or known[written.records - 1] != written
