"""What a token's requests say, kept for its person for a while

The version before goes on: it does not know the column and the table, and keeps nothing.

Revision: 0049, after 0048
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii, Sealed, UtcDateTime

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None

TABLE = "program_words"


def upgrade() -> None:
    op.add_column("access_tokens", sa.Column("words_until", UtcDateTime(), nullable=True))
    op.create_table(
        TABLE,
        sa.Column("id", Ascii, nullable=False),
        sa.Column("user_id", Ascii, nullable=False),
        sa.Column("token_id", Ascii, nullable=False),
        sa.Column("content", Sealed, nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_program_words")),
    )
    op.create_index(op.f("ix_program_words_token_id_id"), TABLE, ["token_id", "id"])
    op.create_index(op.f("ix_program_words_until"), TABLE, ["until"])


def downgrade() -> None:
    op.drop_table(TABLE)
    op.drop_column("access_tokens", "words_until")
