"""The audit log: rows are added, their bodies may be erased, no more. Adds only: older servers run on."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

ID = sa.String(64)
CODE = sa.String(40)
SEQ = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BYTES = sa.LargeBinary()

HEAD = ("seq", "at", "kind", "actor", "role", "consult", "object", "purpose", "outcome")
KEPT = (*HEAD, "body_mac", "prev", "hash")


def upgrade() -> None:
    _tables()
    if op.get_context().dialect.name == "postgresql":
        _guard_postgresql()
    else:
        _guard_sqlite()


def _tables() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", SEQ, autoincrement=False, nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("kind", CODE, nullable=False),
        sa.Column("actor", ID, nullable=False),
        sa.Column("role", CODE, nullable=False),
        sa.Column("consult", ID, nullable=False),
        sa.Column("object", sa.String(200), nullable=False),
        sa.Column("purpose", CODE, nullable=False),
        sa.Column("outcome", CODE, nullable=False),
        sa.Column("body", BYTES),
        sa.Column("salt", BYTES),
        sa.Column("body_mac", BYTES, nullable=False),
        sa.Column("prev", BYTES, nullable=False),
        sa.Column("hash", BYTES, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_audit"),
    )
    for column in ("consult", "kind", "object"):
        op.create_index(f"ix_audit_{column}", "audit", [column, "seq"])
    op.create_table(
        "audit_head",
        sa.Column("chain", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", SEQ, nullable=False),
        sa.Column("hash", BYTES, nullable=False),
        sa.PrimaryKeyConstraint("chain", name="pk_audit_head"),
    )
    op.create_table(
        "audit_checkpoint",
        sa.Column("size", SEQ, autoincrement=False, nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("peaks", BYTES, nullable=False),
        sa.PrimaryKeyConstraint("size", name="pk_audit_checkpoint"),
    )


def _guard_sqlite() -> None:
    changed = " or ".join(f"new.{column} is not old.{column}" for column in KEPT)
    only_erases = f"new.body is null and new.salt is null and not ({changed})"
    refuse = "begin select raise(abort, 'the audit log only grows'); end"
    last = "(select coalesce(max(seq), 0) from audit)"
    # An "insert or replace" deletes without asking the trigger of deletes; the one of inserts refuses it.
    for name, event in (
        ("audit_insert", f"insert on audit when new.seq is not {last} + 1"),
        ("audit_update", f"update on audit when not ({only_erases})"),
        ("audit_delete", "delete on audit"),
        (
            "audit_checkpoint_insert",
            "insert on audit_checkpoint when new.size in (select size from audit_checkpoint)",
        ),
        ("audit_checkpoint_update", "update on audit_checkpoint"),
        ("audit_checkpoint_delete", "delete on audit_checkpoint"),
    ):
        op.execute(f"create trigger {name} before {event} {refuse}")


def _guard_postgresql() -> None:
    op.execute(
        """create function audit_refuse() returns trigger language plpgsql as $$
        begin
            raise exception 'the audit log only grows' using errcode = 'restrict_violation';
        end $$"""
    )
    op.execute(
        """create function audit_only_erase() returns trigger language plpgsql as $$
        begin
            old.body := null;
            old.salt := null;
            if new is distinct from old then
                raise exception 'the audit log only grows' using errcode = 'restrict_violation';
            end if;
            return new;
        end $$"""
    )
    op.execute(
        "create trigger audit_update before update on audit for each row execute function audit_only_erase()"
    )
    # Here a trigger can be asked of emptying a table at once, which the ones of rows are not.
    for name, event in (
        ("audit_delete", "delete on audit"),
        ("audit_truncate", "truncate on audit"),
        ("audit_checkpoint_change", "update or delete or truncate on audit_checkpoint"),
    ):
        op.execute(f"create trigger {name} before {event} for each statement execute function audit_refuse()")
