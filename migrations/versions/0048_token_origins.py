"""The websites whose pages may ask with a token

The version before goes on: it does not know the table, and no page may ask.

Revision: 0048, after 0047
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii, Origin

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None

TABLE = "token_origins"


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("token_id", Ascii, nullable=False),
        sa.Column("origin", Origin, nullable=False),
        sa.ForeignKeyConstraint(
            ["token_id"],
            ["access_tokens.id"],
            name=op.f("fk_token_origins_token_id_access_tokens"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("token_id", "origin", name=op.f("pk_token_origins")),
    )
    op.create_index(op.f("ix_token_origins_origin"), TABLE, ["origin"])


def downgrade() -> None:
    op.drop_table(TABLE)
