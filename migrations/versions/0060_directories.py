"""Directories beside OpenID Connect providers

The version before goes on: it knows no other kind than the one that its rows are of.

Revision: 0060, after 0059
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii

revision = "0060"
down_revision = "0059"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("identity_providers", sa.Column("kind", Ascii, server_default="oidc", nullable=False))


def downgrade() -> None:
    op.execute("DELETE FROM identity_providers WHERE kind <> 'oidc'")
    op.drop_column("identity_providers", "kind")
