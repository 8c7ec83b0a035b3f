"""What servers of one database share: socket tickets and media homes. Adds tables: older servers run on."""

import sqlalchemy as sa
from alembic import op

from server.storage.types import UtcDateTime

revision = "0003"
down_revision = "0002"

ID = sa.String(64)


def upgrade() -> None:
    op.create_table(
        "socket_ticket",
        sa.Column("ticket_hash", sa.String(64), nullable=False),
        sa.Column("opens", sa.Text(), nullable=False),
        sa.Column("next_of", ID),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("ticket_hash", name="pk_socket_ticket"),
    )
    op.create_index("ix_socket_ticket_next_of", "socket_ticket", ["next_of"])
    op.create_index("ix_socket_ticket_expires_at", "socket_ticket", ["expires_at"])
    op.create_table(
        "media_home",
        sa.Column("consult_id", ID, nullable=False),
        sa.Column("server", sa.String(120), nullable=False),
        sa.PrimaryKeyConstraint("consult_id", name="pk_media_home"),
    )
    op.create_table(
        "schema_use",
        sa.Column("oldest", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("oldest", name="pk_schema_use"),
    )
    op.bulk_insert(sa.table("schema_use", sa.column("oldest")), [{"oldest": "0003"}])
