"""Answers to programs: runs without a conversation, and the token that asked

Revision: 0029, after 0028
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

PLACE = ("conversation_id", "user_message_id", "message_id")


def upgrade() -> None:
    with op.batch_alter_table("runs") as runs:
        for column in PLACE:
            runs.alter_column(column, existing_type=Ascii, nullable=True)
        runs.add_column(sa.Column("token_id", Ascii, nullable=True))
        runs.add_column(sa.Column("kept_tokens", sa.Integer(), nullable=True))
    with op.batch_alter_table("proxy_logs") as attempts:
        attempts.add_column(sa.Column("token_id", Ascii, nullable=True))


def downgrade() -> None:
    op.execute("DELETE FROM runs WHERE conversation_id IS NULL")
    with op.batch_alter_table("proxy_logs") as attempts:
        attempts.drop_column("token_id")
    with op.batch_alter_table("runs") as runs:
        runs.drop_column("kept_tokens")
        runs.drop_column("token_id")
        for column in PLACE:
            runs.alter_column(column, existing_type=Ascii, nullable=False)
