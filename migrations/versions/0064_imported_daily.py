"""How much each person brings in from files on a day

The version before goes on: it counts nothing.

Revision: 0064, after 0063
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii

revision = "0064"
down_revision = "0063"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "imported_daily",
        sa.Column("user_id", Ascii, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("text_bytes", sa.BigInteger(), nullable=False),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_imported_daily_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_imported_daily")),
    )


def downgrade() -> None:
    op.drop_table("imported_daily")
