"""Identities of deleted accounts, until they may have a new one

The version before goes on: it remembers none.

Revision: 0063, after 0062
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii, UtcDateTime

revision = "0063"
down_revision = "0062"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "left_identities",
        sa.Column("identity", Ascii, nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("identity", name=op.f("pk_left_identities")),
    )
    op.create_index(op.f("ix_left_identities_until"), "left_identities", ["until"])


def downgrade() -> None:
    op.drop_table("left_identities")
