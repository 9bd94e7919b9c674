"""Identity providers: whom they know, sign-ins under way, and who waits to be let in by one

The version before goes on: it does not know the tables, and the new columns may be empty.

Revision: 0056, after 0055
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii, LongText, UtcDateTime

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None

PROVIDERS, LINKED, UNDER_WAY, REGISTRATIONS = (
    *("identity_providers", "linked_identities", "identity_sign_ins"),
    "registrations",
)


def upgrade() -> None:
    op.create_table(
        PROVIDERS,
        sa.Column("id", Ascii, nullable=False),
        sa.Column("slug", Ascii, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("terms", LongText, nullable=False),
        sa.Column("secret", sa.LargeBinary(length=1024), nullable=True),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_providers")),
        sa.UniqueConstraint("slug", name=op.f("uq_identity_providers_slug")),
    )
    op.create_table(
        LINKED,
        sa.Column("id", Ascii, nullable=False),
        sa.Column("provider_id", Ascii, nullable=False),
        sa.Column("user_id", Ascii, nullable=False),
        sa.Column("identity", Ascii, nullable=False),
        sa.Column("shown", sa.String(length=254), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("last_used_at", UtcDateTime(), nullable=False),
        *_references(LINKED),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_linked_identities")),
        sa.UniqueConstraint("identity", name=op.f("uq_linked_identities_identity")),
    )
    op.create_table(
        UNDER_WAY,
        sa.Column("id", Ascii, nullable=False),
        sa.Column("provider_id", Ascii, nullable=False),
        sa.Column("browser", Ascii, nullable=False),
        sa.Column("user_id", Ascii, nullable=True),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        *_references(UNDER_WAY),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identity_sign_ins")),
    )
    for table in (LINKED, UNDER_WAY):
        for column in ("provider_id", "user_id"):
            op.create_index(op.f(f"ix_{table}_{column}"), table, [column])
    op.create_index(op.f("ix_identity_sign_ins_expires_at"), UNDER_WAY, ["expires_at"])
    op.add_column(REGISTRATIONS, sa.Column("identity_provider_id", Ascii, nullable=True))
    op.add_column(REGISTRATIONS, sa.Column("identity", Ascii, nullable=True))
    op.create_index(op.f("ix_registrations_identity_provider_id"), REGISTRATIONS, ["identity_provider_id"])
    op.create_index(op.f("ix_registrations_identity"), REGISTRATIONS, ["identity"], unique=True)


def _references(table: str) -> tuple[sa.ForeignKeyConstraint, ...]:
    return tuple(
        sa.ForeignKeyConstraint(
            [column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}_{target}"), ondelete="CASCADE"
        )
        for column, target in (("provider_id", PROVIDERS), ("user_id", "users"))
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_registrations_identity"), REGISTRATIONS)
    op.drop_index(op.f("ix_registrations_identity_provider_id"), REGISTRATIONS)
    op.drop_column(REGISTRATIONS, "identity")
    op.drop_column(REGISTRATIONS, "identity_provider_id")
    for table in (UNDER_WAY, LINKED, PROVIDERS):
        op.drop_table(table)
