"""An index that finds the newest entries of an access token, and answers every search within them

Revision: 0036, after 0035
"""

from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

INDEX = "ix_token_usage_newest_of_token"
OF_USER = ["user_id", "created_at", "id", "model", "key_id", "outcome", "source", "attempt_id"]


def upgrade() -> None:
    op.create_index(INDEX, "token_usage", ["token_id", "channel", *OF_USER])


def downgrade() -> None:
    op.drop_index(INDEX, "token_usage")
