"""Proof for others that an entry is in the log: the log's public key is all one needs to check it.

* `ProofError`: there is none, or it does not hold
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.audit import tree
from server.audit.chain import hash_of, leaf_of, mac_of
from server.audit.notes import NoteError, PublicKey, opened
from server.audit.walking import HEAD
from server.storage.audit_tables import AuditCheckpoint, AuditRow

FORMAT: Final = "meridian-audit-proof-1"


class ProofError(Exception):
    """An entry cannot be proved yet, or a proof does not hold. Says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """As JSON. Bytes are in hex; `body` is the very text that was hashed, none with `salt` once erased."""

    format: str
    seq: int
    head: dict[str, str]
    body: str | None
    salt: str | None
    body_mac: str
    prev: str
    path: list[str]
    checkpoint: str


@dataclass(frozen=True, slots=True)
class Proved:
    """What a proof shows: the entry, and the size of the log that it is in."""

    seq: int
    size: int
    head: Mapping[str, str]
    body: str | None


_PROOF: Final[TypeAdapter[Proof]] = TypeAdapter(Proof)


async def prove(connection: AsyncConnection, seq: int, keys: Collection[PublicKey]) -> Proof:
    """The proof that entry `seq` is in the log, by the first checkpoint that has it.

    Raises:
        ProofError: there is no such entry, or no checkpoint has it yet.
    """
    row = (await connection.execute(select(*AuditRow.__table__.c).where(AuditRow.seq == seq))).one_or_none()
    if row is None:
        raise ProofError("there is no such entry")
    note, size = await _note(connection, seq, keys)
    query = select(AuditRow.hash).where(AuditRow.seq <= size).order_by(AuditRow.seq)
    leaves = (await connection.execute(query)).scalars().all()
    if len(leaves) != size:
        raise ProofError("the log is not what it was")
    values = row._mapping  # noqa: SLF001 (SQLAlchemy's own form)
    found = Proof(
        format=FORMAT,
        seq=seq,
        head={name: values[name] for name in HEAD},
        body=None if row.body is None else row.body.decode(),
        salt=None if row.salt is None else row.salt.hex(),
        body_mac=row.body_mac.hex(),
        prev=row.prev.hex(),
        path=[one.hex() for one in tree.path(leaves, seq - 1)],
        checkpoint=note,
    )
    _ = check(found, keys)
    return found


async def _note(connection: AsyncConnection, seq: int, keys: Collection[PublicKey]) -> tuple[str, int]:
    query = select(AuditCheckpoint.note, AuditCheckpoint.size).where(AuditCheckpoint.size >= seq)
    for row in await connection.execute(query.order_by(AuditCheckpoint.size)):
        try:
            if opened(row.note, keys).size == row.size:
                return row.note, row.size
        except NoteError:
            continue
    raise ProofError("no checkpoint has this entry yet")


def load(text: str | bytes) -> Proof:
    """A proof from its JSON. Raises `ProofError`."""
    try:
        return _PROOF.validate_json(text, strict=True)
    except ValidationError as error:
        raise ProofError("this is no proof of an audit log") from error


def dump(proof: Proof) -> bytes:
    """A proof as JSON, for `load`."""
    return _PROOF.dump_json(proof, indent=2)


def check(proof: Proof, keys: Collection[PublicKey]) -> Proved:
    """See that a proof holds: the entry is in the log that one of the keys has signed.

    Raises:
        ProofError: it does not.
    """
    if proof.format != FORMAT or set(proof.head) != set(HEAD):
        raise ProofError("this is no proof of an audit log")
    try:
        checkpoint = opened(proof.checkpoint, keys)
        body_mac, prev = bytes.fromhex(proof.body_mac), bytes.fromhex(proof.prev)
        nodes = [bytes.fromhex(one) for one in proof.path]
        salt = None if proof.salt is None else bytes.fromhex(proof.salt)
        head = tuple(proof.head[name] for name in HEAD)
        leaf = leaf_of(proof.seq, prev, head, body_mac)
        root = tree.root_by_path(hash_of(leaf), index=proof.seq - 1, size=checkpoint.size, nodes=nodes)
    except NoteError as error:
        raise ProofError(f"its checkpoint: {error}") from error
    except (ValueError, OverflowError) as error:
        raise ProofError("this is no proof of an audit log") from error
    body = proof.body
    if {len(one) for one in (body_mac, prev, *nodes)} != {tree.HASH_BYTES} or root != checkpoint.root:
        raise ProofError("the entry is not in the log that was signed")
    if (body is None) != (salt is None) or (
        body is not None and salt is not None and mac_of(body.encode(), salt) != body_mac
    ):
        raise ProofError("its body is not the one that was written")
    return Proved(proof.seq, checkpoint.size, proof.head, body)
