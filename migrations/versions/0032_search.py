"""The index that conversations are searched by

It begins empty: what there is already is added by the servers, a little at a time.

Revision: 0032, after 0031
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

from flask_app.column_types import Ascii, Folded

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

PACKED = sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql", "mariadb")
NUMBERS = sa.Text().with_variant(mysql.TEXT(charset="ascii", collation="ascii_bin"), "mysql", "mariadb")


def upgrade() -> None:
    op.create_table(
        "search_documents",
        sa.Column("user_id", Ascii, nullable=False),
        sa.Column("shelf", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("conversation_id", Ascii, nullable=True),
        sa.Column("message_id", Ascii, nullable=True),
        sa.Column("version", Ascii, nullable=False),
        sa.Column("words", PACKED, nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_search_documents_conversation_id_conversations"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_search_documents_message_id_messages"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("user_id", "shelf", "number", name=op.f("pk_search_documents")),
    )
    for column in ("conversation_id", "message_id"):
        op.create_index(op.f(f"ix_search_documents_{column}"), "search_documents", [column])
    op.create_table(
        "search_postings",
        sa.Column("user_id", Ascii, nullable=False),
        sa.Column("shelf", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("block", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("word", Folded, nullable=False),
        sa.Column("numbers", NUMBERS, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "shelf", "block", "word", name=op.f("pk_search_postings")),
        sqlite_with_rowid=False,
    )
    progress = op.create_table(
        "search_progress",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("upto", Ascii, nullable=False),
        sa.Column("since", Ascii, nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_progress")),
    )
    op.bulk_insert(progress, [{"id": 1, "upto": "", "since": "", "turn": 0}])


def downgrade() -> None:
    for table in ("search_progress", "search_postings", "search_documents"):
        op.drop_table(table)
