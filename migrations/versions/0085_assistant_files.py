"""What assistants know: files of a person's own, and the words of documents for shared ones

The version before goes on: it tells no model of them. A file that an assistant has it cannot remove.

Revision: 0085, after 0084
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii, LongText, UtcDateTime

revision = "0085"
down_revision = "0084"
branch_labels = None
depends_on = None

FILES, SHARED = "assistant_files", "shared_assistant_files"


def upgrade() -> None:
    op.create_table(
        FILES,
        sa.Column("assistant_id", Ascii, nullable=False),
        sa.Column("file_id", Ascii, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.ForeignKeyConstraint(
            ["assistant_id"], ["assistants.id"], name=op.f(f"fk_{FILES}_assistant_id_assistants"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["file_id"], ["files.id"], name=op.f(f"fk_{FILES}_file_id_files"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("assistant_id", "file_id", name=op.f(f"pk_{FILES}")),
    )
    op.create_index(op.f(f"ix_{FILES}_file_id"), FILES, ["file_id"])
    op.create_table(
        SHARED,
        sa.Column("id", Ascii, nullable=False),
        sa.Column("shared_assistant_id", Ascii, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("content_type", sa.String(length=128), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("text_bytes", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=True),
        sa.Column("tokens", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("text", LongText, nullable=False),
        sa.ForeignKeyConstraint(
            ["shared_assistant_id"],
            ["shared_assistants.id"],
            name=op.f(f"fk_{SHARED}_shared_assistant_id_shared_assistants"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{SHARED}")),
    )
    op.create_index(op.f(f"ix_{SHARED}_shared_assistant_id"), SHARED, ["shared_assistant_id"])


def downgrade() -> None:
    op.drop_table(SHARED)
    op.drop_table(FILES)
