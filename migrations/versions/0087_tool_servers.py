"""Servers of tools (MCP), the tools that were looked at, and which groups may have them called

The version before goes on: it calls none of them.

Revision: 0087, after 0086
"""

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii, Exact, Folded, LongText, UtcDateTime

revision = "0087"
down_revision = "0086"
branch_labels = None
depends_on = None

SERVERS, TOOLS, GRANTS = "tool_servers", "server_tools", "group_tool_servers"


def upgrade() -> None:
    op.create_table(
        SERVERS,
        sa.Column("id", Ascii, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("name_key", Folded, nullable=False),
        sa.Column("url", sa.String(length=500), nullable=False),
        sa.Column("secret", sa.LargeBinary(length=1024), nullable=True),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("confirms", sa.Boolean(), nullable=False),
        sa.Column("protocol", sa.String(length=16), nullable=True),
        sa.Column("looked_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{SERVERS}")),
        sa.UniqueConstraint("name_key", name=op.f(f"uq_{SERVERS}_name_key")),
    )
    op.create_table(
        TOOLS,
        sa.Column("id", Ascii, nullable=False),
        sa.Column("server_id", Ascii, nullable=False),
        sa.Column("name", Exact, nullable=False),
        sa.Column("title", sa.String(length=128), nullable=False),
        sa.Column("description", LongText, nullable=False),
        sa.Column("parameters", LongText, nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["server_id"], [f"{SERVERS}.id"], name=op.f(f"fk_{TOOLS}_server_id_{SERVERS}"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{TOOLS}")),
        sa.UniqueConstraint("server_id", "name", name=op.f(f"uq_{TOOLS}_server_id_name")),
    )
    op.create_table(
        GRANTS,
        sa.Column("group_id", Ascii, nullable=False),
        sa.Column("server_id", Ascii, nullable=False),
        sa.ForeignKeyConstraint(
            ["group_id"], ["groups.id"], name=op.f(f"fk_{GRANTS}_group_id_groups"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["server_id"], [f"{SERVERS}.id"], name=op.f(f"fk_{GRANTS}_server_id_{SERVERS}"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("group_id", "server_id", name=op.f(f"pk_{GRANTS}")),
    )
    op.create_index(op.f(f"ix_{GRANTS}_server_id"), GRANTS, ["server_id"])


def downgrade() -> None:
    op.drop_table(GRANTS)
    op.drop_table(TOOLS)
    op.drop_table(SERVERS)
