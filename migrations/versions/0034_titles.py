"""Who gave a conversation its title, so that a model is asked for one at most once

The version before goes on: what it writes has nobody, and it asks nobody.

Revision: 0034, after 0033
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("conversations") as conversations:
        conversations.add_column(sa.Column("titled_by", Ascii, nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("conversations") as conversations:
        conversations.drop_column("titled_by")
