"""Everybody is in a group

Revision: 0009, after 0008
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii, Folded, UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

EVERYONE = "0" * 26


def upgrade() -> None:
    groups = op.create_table(
        "groups",
        sa.Column("id", Ascii, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("name_key", Folded, nullable=False),
        sa.Column("on_disconnect", sa.String(length=16), server_default="continue", nullable=False),
        sa.Column("on_disconnect_tokens", sa.Integer(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_groups")),
        sa.UniqueConstraint("name_key", name=op.f("uq_groups_name_key")),
    )
    everyone = {"id": EVERYONE, "name": "Everyone", "name_key": "everyone", "created_at": datetime.now(UTC)}
    op.bulk_insert(groups, [everyone])
    with op.batch_alter_table("users") as users:
        # The default puts in the group whoever is there, and whom an older version adds meanwhile.
        users.add_column(sa.Column("group_id", Ascii, server_default=EVERYONE, nullable=False))
        users.create_foreign_key(op.f("fk_users_group_id_groups"), "groups", ["group_id"], ["id"], ondelete="RESTRICT")
        users.create_index(op.f("ix_users_group_id"), ["group_id"])


def downgrade() -> None:
    with op.batch_alter_table("users") as users:
        users.drop_constraint(op.f("fk_users_group_id_groups"), type_="foreignkey")
        users.drop_index(op.f("ix_users_group_id"))
        users.drop_column("group_id")
    op.drop_table("groups")
