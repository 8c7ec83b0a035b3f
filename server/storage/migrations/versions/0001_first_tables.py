"""First tables."""

import sqlalchemy as sa
from alembic import op

from server.storage.types import UtcDateTime

revision = "0001"
down_revision = None

ID = sa.String(64)
HASH = sa.String(64)
TIME = UtcDateTime()


def upgrade() -> None:
    _consults()
    _people()
    _seats()
    _staff()


def _consults() -> None:
    op.create_table(
        "consult_event",
        sa.Column("consult_id", ID),
        sa.Column("version", sa.Integer, autoincrement=False),
        sa.Column("type", sa.String(40), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("by", ID, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("consult_id", "version", name="pk_consult_event"),
    )
    op.create_table(
        "consult",
        sa.Column("consult_id", ID),
        sa.Column("clinic_id", sa.String(32), nullable=False),
        sa.Column("phase", sa.String(20), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("starts_at", TIME, nullable=False),
        sa.Column("ends_at", TIME, nullable=False),
        sa.Column("due_at", TIME),
        sa.Column("opened", sa.Boolean, nullable=False),
        sa.Column("continues", ID),
        sa.PrimaryKeyConstraint("consult_id", name="pk_consult"),
        sa.UniqueConstraint("continues", name="uq_consult_continues"),
    )
    op.create_index("ix_consult_due_at", "consult", ["due_at"])
    op.create_index("ix_consult_clinic_id_starts_at", "consult", ["clinic_id", "starts_at"])


def _people() -> None:
    op.create_table(
        "person",
        sa.Column("consult_id", ID),
        sa.Column("participant_id", ID),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("birth_year", sa.Integer),
        sa.Column("time_zone", sa.String(64)),
        sa.Column("country", sa.String(2)),
        sa.Column("city", sa.String(200)),
        sa.Column("location_country", sa.String(2)),
        sa.Column("location_text", sa.Text),
        sa.PrimaryKeyConstraint("consult_id", "participant_id", name="pk_person"),
        _of_a_consult("person"),
    )
    op.create_table(
        "chat_message",
        sa.Column("consult_id", ID),
        sa.Column("seq", sa.Integer, autoincrement=False),
        sa.Column("message_id", ID, nullable=False),
        sa.Column("participant_id", ID, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("consult_id", "seq", name="pk_chat_message"),
        sa.UniqueConstraint("consult_id", "message_id", name="uq_chat_message_message_id"),
        _of_a_consult("chat_message"),
    )


def _seats() -> None:
    op.create_table(
        "invitation",
        sa.Column("secret_hash", HASH),
        sa.Column("consult_id", ID, nullable=False),
        sa.Column("participant_id", ID, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("first_exchanged_at", TIME),
        sa.Column("revoked_at", TIME),
        sa.PrimaryKeyConstraint("secret_hash", name="pk_invitation"),
        _of_a_consult("invitation"),
    )
    op.create_index("ix_invitation_consult_id", "invitation", ["consult_id", "participant_id"])
    op.create_table(
        "seat_device",
        sa.Column("cookie_hash", HASH),
        sa.Column("device_id", ID, nullable=False),
        sa.Column("consult_id", ID, nullable=False),
        sa.Column("participant_id", ID, nullable=False),
        sa.Column("user_id", ID),
        sa.Column("language", sa.String(35), nullable=False),
        sa.Column("browser", sa.String(40), nullable=False),
        sa.Column("further", sa.Boolean, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("cookie_hash", name="pk_seat_device"),
        sa.UniqueConstraint("device_id", name="uq_seat_device_device_id"),
        _of_a_consult("seat_device"),
    )
    op.create_index("ix_seat_device_consult_id", "seat_device", ["consult_id", "participant_id"])
    op.create_index("ix_seat_device_user_id", "seat_device", ["user_id"])


def _staff() -> None:
    op.create_table(
        "staff_account",
        sa.Column("user_id", ID),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("clinic_id", sa.String(32), nullable=False),
        sa.Column("language", sa.String(35), nullable=False),
        sa.Column("languages", sa.JSON, nullable=False),
        sa.Column("password_hash", sa.String(200), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("disabled_at", TIME),
        sa.PrimaryKeyConstraint("user_id", name="pk_staff_account"),
        sa.UniqueConstraint("email", name="uq_staff_account_email"),
    )
    op.create_table(
        "staff_sign_in",
        sa.Column("cookie_hash", HASH),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("last_used_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("cookie_hash", name="pk_staff_sign_in"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["staff_account.user_id"], name="fk_staff_sign_in_user_id_staff_account"
        ),
    )
    op.create_index("ix_staff_sign_in_user_id", "staff_sign_in", ["user_id"])


def _of_a_consult(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["consult_id"], ["consult.consult_id"], name=f"fk_{table}_consult_id_consult"
    )
