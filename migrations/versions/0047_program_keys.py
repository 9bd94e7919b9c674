"""Programs' idempotency keys

The version before goes on: it does not know the table, and heeds no key.

Revision: 0047, after 0046
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii, Sealed, UtcDateTime

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None

TABLE = "program_keys"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", Ascii, nullable=False),
        sa.Column("body_digest", Ascii, nullable=False),
        sa.Column("run_id", Ascii, nullable=False),
        sa.Column("request_id", Ascii, nullable=False),
        sa.Column("reply", Sealed, nullable=True),
        sa.Column("reply_until", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_program_keys")),
    )
    op.create_index(op.f("ix_program_keys_created_at"), TABLE, ["created_at"])
    op.create_index(op.f("ix_program_keys_reply_until"), TABLE, ["reply_until"])


def downgrade() -> None:
    op.drop_table(TABLE)
