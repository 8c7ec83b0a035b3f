"""Recordings: what there is, its parts, its deletion, who opened it without a part in it. Adds only: older
servers run on.
"""

import sqlalchemy as sa
from alembic import op

from server.storage.types import UtcDateTime

revision = "0006"
down_revision = "0005"

ID = sa.String(64)


def upgrade() -> None:
    op.create_table(
        "recording",
        sa.Column("recording_id", ID, nullable=False),
        sa.Column("consult_id", ID, nullable=False),
        sa.Column("clinic_id", sa.String(32), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("what", sa.String(10), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("started_at", UtcDateTime()),
        sa.Column("ended_at", UtcDateTime()),
        sa.Column("ended_why", sa.String(20)),
        sa.Column("epoch_ms", sa.BigInteger()),
        sa.Column("status", sa.String(10), nullable=False, server_default=""),
        sa.Column("keep_until", UtcDateTime()),
        sa.Column("held", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("destroying_at", UtcDateTime()),
        sa.Column("destroying_why", sa.String(20)),
        sa.Column("destroying_place", ID),
        sa.Column("shredded_at", UtcDateTime()),
        sa.ForeignKeyConstraint(
            ["consult_id"], ["consult.consult_id"], name="fk_recording_consult_id_consult"
        ),
        sa.PrimaryKeyConstraint("recording_id", name="pk_recording"),
        sa.UniqueConstraint("consult_id", "no", name="uq_recording_consult_id_no"),
    )
    op.create_index("ix_recording_clinic_id_asked_at", "recording", ["clinic_id", "asked_at"])
    op.create_index("ix_recording_keep_until", "recording", ["keep_until"])
    _of_a_recording(
        "recording_part",
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("began_at", UtcDateTime(), nullable=False),
        sa.Column("records", sa.BigInteger(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("chain", sa.String(64), nullable=False),
        sa.Column("ended", sa.String(20), nullable=False, server_default=""),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("stored", sa.String(500), nullable=False, server_default=""),
        key=("recording_id", "part"),
    )
    _of_a_recording(
        "recording_wrap",
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("key_id", sa.String(32), nullable=False),
        sa.Column("stanza", sa.LargeBinary(), nullable=False),
        key=("recording_id", "part", "key_id"),
    )
    _of_a_recording(
        "recording_deletion",
        sa.Column("asked_by", ID, nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        key=("recording_id",),
    )
    _of_a_recording(
        "recording_alert",
        sa.Column("alert_id", ID, nullable=False),
        sa.Column("clinic_id", sa.String(32), nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("acknowledged_by", ID),
        sa.Column("acknowledged_at", UtcDateTime()),
        key=("alert_id",),
    )
    op.create_index("ix_recording_alert_clinic_id", "recording_alert", ["clinic_id", "acknowledged_at"])


def _of_a_recording(table: str, *columns: sa.Column[object], key: tuple[str, ...]) -> None:
    op.create_table(
        table,
        sa.Column("recording_id", ID, nullable=False),
        *columns,
        sa.ForeignKeyConstraint(
            ["recording_id"], ["recording.recording_id"], name=f"fk_{table}_recording_id_recording"
        ),
        sa.PrimaryKeyConstraint(*key, name=f"pk_{table}"),
    )
