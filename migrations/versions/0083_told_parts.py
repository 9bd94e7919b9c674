"""How the words of a message's document are told: whole, chosen pages, or the passages that fit the question

The version before goes on: it writes neither column, and tells each document whole.

Revision: 0083, after 0082
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import LongText

revision = "0083"
down_revision = "0082"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("message_files", sa.Column("told_as", sa.String(length=16), nullable=True))
    op.add_column("message_files", sa.Column("told_parts", LongText, nullable=True))


def downgrade() -> None:
    op.drop_column("message_files", "told_parts")
    op.drop_column("message_files", "told_as")
