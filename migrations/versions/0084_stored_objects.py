"""Contents of files in an object store: under which key each lies, and which objects are to be removed

The version before goes on with what is in the database. What is in a store it cannot show: FILES_URL is set when every
instance has this version.

Revision: 0084, after 0083
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii, UtcDateTime

revision = "0084"
down_revision = "0083"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("files", sa.Column("object_key", Ascii, nullable=True))
    op.create_index(op.f("ix_files_object_key"), "files", ["object_key"], unique=True)
    op.create_table(
        "removed_objects",
        sa.Column("object_key", Ascii, nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("object_key", name=op.f("pk_removed_objects")),
    )
    op.create_index(op.f("ix_removed_objects_due_at"), "removed_objects", ["due_at"])


def downgrade() -> None:
    """Contents that are in a store are brought into the database before: `flask files move`."""
    op.drop_table("removed_objects")
    op.drop_index(op.f("ix_files_object_key"), table_name="files")
    op.drop_column("files", "object_key")
