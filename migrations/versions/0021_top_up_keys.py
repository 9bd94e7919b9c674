"""A top-up that is sent twice is added once: its idempotency key

Revision: 0021, after 0020
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("top_ups") as top_ups:
        top_ups.add_column(sa.Column("idempotency_key", Ascii, nullable=True))
        top_ups.create_unique_constraint(op.f("uq_top_ups_budget_id_idempotency_key"), ["budget_id", "idempotency_key"])


def downgrade() -> None:
    with op.batch_alter_table("top_ups") as top_ups:
        top_ups.drop_constraint(op.f("uq_top_ups_budget_id_idempotency_key"), type_="unique")
        top_ups.drop_column("idempotency_key")
