"""Which mail addresses their people have confirmed

The version before knows none: who gives another address there has one that is not confirmed. Whoever came in by an
address that a mail's link has confirmed keeps it so: not where it was folded to another, as straße is to strasse.

Revision: 0071, after 0070
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Address

revision = "0071"
down_revision = "0070"
branch_labels = None
depends_on = None

_CAME_IN = """
    UPDATE users SET confirmed_email =
        (SELECT MAX(came_in_by) FROM registrations WHERE registrations.user_id = users.id
            AND came_in_by = LOWER(users.email))
    WHERE id IN (SELECT user_id FROM registrations WHERE came_in_by IS NOT NULL)
"""


def upgrade() -> None:
    op.add_column("users", sa.Column("confirmed_email", Address, nullable=True))
    op.create_index("ix_users_confirmed_email", "users", ["confirmed_email"])
    op.execute(_CAME_IN)


def downgrade() -> None:
    op.drop_index("ix_users_confirmed_email", "users")
    op.drop_column("users", "confirmed_email")
