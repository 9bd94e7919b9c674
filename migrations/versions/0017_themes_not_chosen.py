"""Who has not chosen a theme has none

Revision: 0017, after 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("users") as users:
        users.alter_column("theme", existing_type=sa.String(8), existing_nullable=False, nullable=True)
    # Whoever has been here saw the theme of the account, and left it.
    op.execute("UPDATE users SET theme = NULL WHERE last_sign_in_at IS NULL AND theme = 'system'")


def downgrade() -> None:
    op.execute("UPDATE users SET theme = 'system' WHERE theme IS NULL")
    with op.batch_alter_table("users") as users:
        users.alter_column("theme", existing_type=sa.String(8), existing_nullable=True, nullable=False)
