"""The tables of the audit log. Triggers of the migration let rows be added and bodies be erased, no more."""

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from server.storage.tables import Base, Id

TIME_CHARS = 27
KIND_CHARS_MAX = 40
OBJECT_CHARS_MAX = 200
# On SQLite this type alone makes the key the row's own place, which reading in order is quick by.
Seq = BigInteger().with_variant(Integer(), "sqlite")


class AuditRow(Base):
    """One thing that somebody did or tried. Ids and codes alone are in the columns: they are never erased.

    What a person said or is called is in `body`, which can be erased with its `salt`; see
    `server.audit.chain` for what is hashed.
    """

    __tablename__ = "audit"

    seq: Mapped[int] = mapped_column(Seq, primary_key=True, autoincrement=False)
    # RFC 3339 in UTC with microseconds, as text: it is hashed, and a database may give a time back otherwise.
    at: Mapped[str] = mapped_column(String(TIME_CHARS))
    kind: Mapped[str] = mapped_column(String(KIND_CHARS_MAX))
    actor: Mapped[str] = mapped_column(Id)
    role: Mapped[str] = mapped_column(String(KIND_CHARS_MAX))
    consult: Mapped[str] = mapped_column(Id)
    object: Mapped[str] = mapped_column(String(OBJECT_CHARS_MAX))
    purpose: Mapped[str] = mapped_column(String(KIND_CHARS_MAX))
    outcome: Mapped[str] = mapped_column(String(KIND_CHARS_MAX))
    # Canonical JSON; none once erased, as the salt.
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    salt: Mapped[bytes | None] = mapped_column(LargeBinary)
    body_mac: Mapped[bytes] = mapped_column(LargeBinary)
    prev: Mapped[bytes] = mapped_column(LargeBinary)
    hash: Mapped[bytes] = mapped_column(LargeBinary)

    __table_args__ = (
        Index("ix_audit_consult", "consult", "seq"),
        Index("ix_audit_kind", "kind", "seq"),
        Index("ix_audit_object", "object", "seq"),
    )


class AuditHead(Base):
    """One row: the last entry. On PostgreSQL whoever appends locks it, so that the chain has one writer."""

    __tablename__ = "audit_head"

    chain: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(Seq)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class AuditCheckpoint(Base):
    """What the log was when it had `size` entries: a signed note in C2SP's checkpoint form."""

    __tablename__ = "audit_checkpoint"

    size: Mapped[int] = mapped_column(Seq, primary_key=True, autoincrement=False)
    at: Mapped[str] = mapped_column(String(TIME_CHARS))
    note: Mapped[str] = mapped_column(Text)
    # The roots of the tree's full subtrees, the largest first: going on needs no reading of all that was.
    peaks: Mapped[bytes] = mapped_column(LargeBinary)
