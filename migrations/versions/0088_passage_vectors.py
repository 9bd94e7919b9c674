"""Vectors of the passages of documents, and by what the passages of a question's document were found

The version before goes on: it writes neither, and finds passages by words. Where it empties a file that is too old the
vectors stay for as long as its row; nobody reads them.

Revision: 0088, after 0085
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii, Piece

revision = "0088"
down_revision = "0087"
branch_labels = None
depends_on = None

VECTORS = "passage_vectors"


def upgrade() -> None:
    op.create_table(
        VECTORS,
        sa.Column("id", Ascii, nullable=False),
        sa.Column("file_id", Ascii, nullable=True),
        sa.Column("shared_file_id", Ascii, nullable=True),
        sa.Column("made_by", Ascii, nullable=False),
        sa.Column("first", sa.Integer(), nullable=False),
        sa.Column("passages", sa.Integer(), nullable=False),
        sa.Column("vectors", Piece, nullable=False),
        sa.ForeignKeyConstraint(
            ["file_id"], ["files.id"], name=op.f(f"fk_{VECTORS}_file_id_files"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["shared_file_id"],
            ["shared_assistant_files.id"],
            name=op.f(f"fk_{VECTORS}_shared_file_id_shared_assistant_files"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{VECTORS}")),
    )
    op.create_index(op.f(f"ix_{VECTORS}_file_id"), VECTORS, ["file_id"])
    op.create_index(op.f(f"ix_{VECTORS}_shared_file_id"), VECTORS, ["shared_file_id"])
    op.add_column("message_files", sa.Column("found_by", sa.String(length=16), nullable=True))


def downgrade() -> None:
    op.drop_column("message_files", "found_by")
    op.drop_table(VECTORS)
