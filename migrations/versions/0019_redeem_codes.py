"""Redeem codes: batches, the codes' digests, and which code a top-up came from

Revision: 0019, after 0018
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii, UtcDateTime

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "code_batches",
        sa.Column("id", Ascii, nullable=False),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("unit", sa.String(length=8), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("user_id", Ascii, nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_code_batches")),
    )
    op.create_table(
        "redeem_codes",
        sa.Column("id", Ascii, nullable=False),
        sa.Column("batch_id", Ascii, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("hint", sa.String(length=4), nullable=False),
        sa.Column("redeemed_by", Ascii, nullable=True),
        sa.Column("redeemed_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_redeem_codes")),
        sa.UniqueConstraint("digest", name=op.f("uq_redeem_codes_digest")),
    )
    op.create_index("ix_redeem_codes_batch_id_id", "redeem_codes", ["batch_id", "id"])
    with op.batch_alter_table("top_ups") as top_ups:
        top_ups.add_column(sa.Column("code_id", Ascii, nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("top_ups") as top_ups:
        top_ups.drop_column("code_id")
    op.drop_table("redeem_codes")
    op.drop_table("code_batches")
