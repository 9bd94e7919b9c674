"""The browsers that people have signed in from

The version before goes on: it keeps no such rows, and begins sessions that name none.

Revision: 0062, after 0061
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii, UtcDateTime

revision = "0062"
down_revision = "0061"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "known_devices",
        sa.Column("id", Ascii, nullable=False),
        sa.Column("user_id", Ascii, nullable=False),
        sa.Column("user_agent", sa.String(255), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("is_new", sa.Boolean(), server_default="0", nullable=False),
        sa.Column("email", sa.String(254), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("signed_in_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_known_devices_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_known_devices")),
    )
    op.create_index(op.f("ix_known_devices_user_id"), "known_devices", ["user_id"])
    op.create_index(op.f("ix_known_devices_created_at"), "known_devices", ["created_at"])
    op.add_column("login_sessions", sa.Column("device_id", Ascii, nullable=True))


def downgrade() -> None:
    op.drop_column("login_sessions", "device_id")
    op.drop_table("known_devices")
