"""Files in messages: what they are, their contents in pieces, and the messages that they go with

The version before goes on: it does not know them, and sends none. Models of DeepSeek that are known to see do so.

Revision: 0076, after 0075
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii, LongText, Piece, UtcDateTime

revision = "0076"
down_revision = "0075"
branch_labels = None
depends_on = None

_SEE = """
    UPDATE models SET sees = 1
    WHERE LOWER(name) IN ('deepseek-flash', 'deepseek-v4-flash', 'deepseek-v4-flash-vision-exp')
"""


def upgrade() -> None:
    op.add_column("groups", sa.Column("file_quota_mb", sa.Integer(), server_default="200", nullable=False))
    op.add_column("models", sa.Column("sees", sa.Boolean(), server_default="0", nullable=False))
    op.execute(_SEE)
    _add_files()
    op.create_table(
        "file_pieces",
        sa.Column("file_id", Ascii, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", Piece, nullable=False),
        sa.ForeignKeyConstraint(
            ["file_id"], ["files.id"], name=op.f("fk_file_pieces_file_id_files"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("file_id", "number", name=op.f("pk_file_pieces")),
    )
    op.create_table(
        "message_files",
        sa.Column("message_id", Ascii, nullable=False),
        sa.Column("file_id", Ascii, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_message_files_message_id_messages"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["file_id"], ["files.id"], name=op.f("fk_message_files_file_id_files"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("message_id", "file_id", name=op.f("pk_message_files")),
    )
    op.create_index(op.f("ix_message_files_file_id"), "message_files", ["file_id"])


def _add_files() -> None:
    op.create_table(
        "files",
        sa.Column("id", Ascii, nullable=False),
        sa.Column("user_id", Ascii, nullable=False),
        sa.Column("digest", Ascii, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("content_type", sa.String(length=128), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("stored_bytes", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("pages", sa.Integer(), nullable=True),
        sa.Column("tokens", sa.Integer(), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("text", LongText, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_files_user_id_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_files")),
        sa.UniqueConstraint("user_id", "digest", name=op.f("uq_files_user_id_digest")),
    )
    op.create_index(op.f("ix_files_sent_at_created_at_id"), "files", ["sent_at", "created_at", "id"])


def downgrade() -> None:
    op.drop_table("message_files")
    op.drop_table("file_pieces")
    op.drop_table("files")
    op.drop_column("models", "sees")
    op.drop_column("groups", "file_quota_mb")
