"""Commands that were done, so that one sent again happens once. Adds a table: older servers run on."""

import sqlalchemy as sa
from alembic import op

from server.storage.types import UtcDateTime

revision = "0002"
down_revision = "0001"

ID = sa.String(64)


def upgrade() -> None:
    op.create_table(
        "command_done",
        sa.Column("actor_id", ID, nullable=False),
        sa.Column("command_id", ID, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("consult_id", ID, nullable=False),
        sa.Column("participant_id", ID),
        sa.PrimaryKeyConstraint("actor_id", "command_id", name="pk_command_done"),
    )
    op.create_index("ix_command_done_at", "command_done", ["at"])
