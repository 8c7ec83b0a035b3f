"""Interpreters: register, duty plan, who is taken up; case cards. Adds only: older servers run on."""

import sqlalchemy as sa
from alembic import op

from server.storage.types import UtcDateTime

revision = "0004"
down_revision = "0003"

ID = sa.String(64)


def upgrade() -> None:
    op.add_column("consult", sa.Column("ringing", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_index("ix_consult_ringing", "consult", ["clinic_id", "ringing"])
    op.create_table(
        "interpreter",
        sa.Column("user_id", ID, nullable=False),
        sa.Column("number", sa.String(32), nullable=False),
        sa.Column("agency", sa.String(120)),
        sa.Column("pairs", sa.JSON(), nullable=False),
        sa.Column("vetted", sa.Boolean(), nullable=False),
        sa.Column("qualification", sa.String(200), nullable=False),
        sa.Column("gender", sa.String(10)),
        sa.Column("camera", sa.Boolean(), nullable=False),
        sa.Column("availability", sa.String(12), nullable=False),
        sa.Column("seen_at", UtcDateTime()),
        sa.ForeignKeyConstraint(
            ["user_id"], ["staff_account.user_id"], name="fk_interpreter_user_id_staff_account"
        ),
        sa.PrimaryKeyConstraint("user_id", name="pk_interpreter"),
        sa.UniqueConstraint("number", name="uq_interpreter_number"),
    )
    op.create_table(
        "interpreter_exclusion",
        sa.Column("user_id", ID, nullable=False),
        sa.Column("physician_id", ID, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "physician_id", name="pk_interpreter_exclusion"),
    )
    op.create_table(
        "interpreter_engagement",
        sa.Column("user_id", ID, nullable=False),
        sa.Column("consult_id", ID, nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_interpreter_engagement"),
    )
    op.create_index("ix_interpreter_engagement_consult_id", "interpreter_engagement", ["consult_id"])
    op.create_table(
        "interpreted",
        sa.Column("consult_id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.PrimaryKeyConstraint("consult_id", "user_id", name="pk_interpreted"),
    )
    op.create_table(
        "interpreter_shift",
        sa.Column("shift_id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("shift_id", name="pk_interpreter_shift"),
    )
    op.create_index("ix_interpreter_shift_starts_at", "interpreter_shift", ["starts_at"])
    op.create_table(
        "interpreter_rating",
        sa.Column("consult_id", ID, nullable=False),
        sa.Column("participant_id", ID, nullable=False),
        sa.Column("stars", sa.Integer(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("consult_id", "participant_id", name="pk_interpreter_rating"),
    )
    op.create_table(
        "case_card",
        sa.Column("consult_id", ID, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["consult_id"], ["consult.consult_id"], name="fk_case_card_consult_id_consult"
        ),
        sa.PrimaryKeyConstraint("consult_id", name="pk_case_card"),
    )
