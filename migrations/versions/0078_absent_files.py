"""Files whose content is not here, and the digests of contents

The version before goes on: it writes neither column, and sends no file whose digest is its own id. Until the last of
it has gone it shows one that has expired as if it were there, gives nothing back for it, and tells a model an empty
document, or a picture's name alone.

Revision: 0078, after 0077
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii

revision = "0078"
down_revision = "0077"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("files", sa.Column("content_digest", Ascii, nullable=True))
    op.add_column("files", sa.Column("absent", sa.String(length=16), nullable=True))
    op.create_index(op.f("ix_files_absent_created_at"), "files", ["absent", "created_at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_files_absent_created_at"), "files")
    op.drop_column("files", "absent")
    op.drop_column("files", "content_digest")
