"""Managers of groups, and whom they disabled

The version before goes on: it does not know the table, and a group or a person that it deletes takes its rows along.
Whomever it disables an administrator disabled.

Revision: 0057, after 0056
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None

TABLE = "group_managers"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("group_id", Ascii, nullable=False),
        sa.Column("user_id", Ascii, nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["groups.id"], name=op.f("fk_group_managers_group_id_groups"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_group_managers_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("group_id", "user_id", name=op.f("pk_group_managers")),
    )
    op.create_index(op.f("ix_group_managers_user_id"), TABLE, ["user_id"])
    op.add_column("users", sa.Column("disabled_by_manager", sa.Boolean(), server_default="0", nullable=False))


def downgrade() -> None:
    op.drop_column("users", "disabled_by_manager")
    op.drop_table(TABLE)
