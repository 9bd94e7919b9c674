"""What was looked up on the web for questions, and what was found

The version before goes on: it knows nothing of them, and answers without.

Revision: 0081, after 0080
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii, LongText, UtcDateTime

revision = "0081"
down_revision = "0080"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "web_searches",
        sa.Column("id", Ascii, nullable=False),
        sa.Column("message_id", Ascii, nullable=False),
        sa.Column("engine", sa.String(length=16), nullable=False),
        sa.Column("query", sa.String(length=128), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("error_code", sa.String(length=64), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_web_searches_message_id_messages"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_web_searches")),
        sa.UniqueConstraint("message_id", name=op.f("uq_web_searches_message_id")),
    )
    op.create_table(
        "web_sources",
        sa.Column("search_id", Ascii, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("url", sa.String(length=1000), nullable=False),
        sa.Column("site", sa.String(length=100), nullable=False),
        sa.Column("published", sa.String(length=32), nullable=False),
        sa.Column("text", LongText, nullable=False),
        sa.ForeignKeyConstraint(
            ["search_id"], ["web_searches.id"], name=op.f("fk_web_sources_search_id_web_searches"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("search_id", "number", name=op.f("pk_web_sources")),
    )


def downgrade() -> None:
    op.drop_table("web_sources")
    op.drop_table("web_searches")
