"""Owners: the oldest administrator who is not disabled owns the site

The version before goes on: it does not know the column, and an owner is an administrator to it.

Revision: 0053, after 0052
"""

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("users", sa.Column("is_owner", sa.Boolean(), server_default="0", nullable=False))
    users = sa.table("users", *(sa.column(name) for name in ("id", "role", "disabled", "created_at", "is_owner")))
    oldest = sa.select(users.c.id).where(users.c.role == "admin", users.c.disabled == sa.false())
    found = op.get_bind().scalar(oldest.order_by(users.c.created_at, users.c.id).limit(1))
    if found:
        op.execute(sa.update(users).where(users.c.id == found).values(is_owner=sa.true()))


def downgrade() -> None:
    op.drop_column("users", "is_owner")
