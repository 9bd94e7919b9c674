"""Other names for models, and who follows a model that is gone

Revision: 0007, after 0006
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii, Folded, UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("models") as models:
        models.add_column(sa.Column("successor_id", Ascii, nullable=True))
        models.create_foreign_key(
            op.f("fk_models_successor_id_models"), "models", ["successor_id"], ["id"], ondelete="SET NULL"
        )
    op.create_table(
        "model_aliases",
        sa.Column("id", Ascii, nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("name_key", Folded, nullable=False),
        sa.Column("model_id", Ascii, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["model_id"], ["models.id"], name=op.f("fk_model_aliases_model_id_models"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_aliases")),
        sa.UniqueConstraint("name_key", name=op.f("uq_model_aliases_name_key")),
    )
    op.create_index(op.f("ix_model_aliases_model_id"), "model_aliases", ["model_id"])


def downgrade() -> None:
    op.drop_table("model_aliases")
    with op.batch_alter_table("models") as models:
        models.drop_constraint(op.f("fk_models_successor_id_models"), type_="foreignkey")
        models.drop_column("successor_id")
