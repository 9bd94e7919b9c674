"""The ledger rolled up; indexes by which any search finds the newest entries

Revision: 0011, after 0010
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii, Exact

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

UNUSED = {"user_id": "", "model": "", "key_id": "", "channel": "", "currency": "", "peak": -1}
FIGURES = (
    "requests",
    "prompt_tokens",
    "cached_tokens",
    "completion_tokens",
    "reasoning_tokens",
    "estimated_requests",
    "unpriced_requests",
    "cost_micros",
    "duration_ms",
    "begun_requests",
    "first_token_ms",
)
# The slice, its dimensions, the slice to add up from, and how many of that one's blocks are one here.
SLICES = (
    ("detail_day", tuple(UNUSED), "detail", 96),
    ("site_day", ("model", "key_id", "channel", "currency", "peak"), "detail_day", 1),
    ("person_day", ("user_id", "currency"), "detail_day", 1),
    ("person_month", ("user_id", "currency"), "person_day", 32),
    ("site_quarter", ("currency",), "detail", 1),
    ("site_hour", ("currency",), "site_quarter", 4),
)
OLD_INDEXES = {
    "ix_token_usage_quarter": ["quarter"],
    "ix_token_usage_user_id_quarter": ["user_id", "quarter"],
    "ix_token_usage_user_id_id": ["user_id", "id"],
    "ix_token_usage_model_id": ["model", "id"],
    "ix_token_usage_key_id_id": ["key_id", "id"],
}
NEW_INDEXES = {
    "ix_token_usage_newest": ["created_at", "id"],
    "ix_token_usage_newest_of_user": ["user_id", "created_at", "id", "model", "key_id", "outcome"],
    "ix_token_usage_newest_of_model": ["model", "created_at", "id"],
    "ix_token_usage_newest_of_key": ["key_id", "created_at", "id"],
    "ix_token_usage_newest_of_outcome": ["outcome", "created_at", "id"],
    "ix_token_usage_newest_of_model_key": ["model", "key_id", "created_at", "id"],
    "ix_token_usage_newest_of_model_outcome": ["model", "outcome", "created_at", "id"],
    "ix_token_usage_newest_of_key_outcome": ["key_id", "outcome", "created_at", "id"],
}


def upgrade() -> None:
    with op.batch_alter_table("token_usage") as ledger:
        ledger.alter_column("model", existing_type=sa.String(length=128), type_=Exact, existing_nullable=False)
    _swap_indexes(OLD_INDEXES, NEW_INDEXES)
    op.create_table(
        "usage_hourly",
        sa.Column("slice", Ascii, nullable=False),
        sa.Column("block", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("user_id", Ascii, nullable=False),
        sa.Column("model", Exact, nullable=False),
        sa.Column("key_id", Ascii, nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("peak", sa.SmallInteger(), autoincrement=False, nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in FIGURES),
        sa.PrimaryKeyConstraint("slice", "block", *UNUSED, name=op.f("pk_usage_hourly")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("usage_hourly") as rollup:
        rollup.create_index("ix_usage_hourly_of_user", ["user_id", "slice", "block"])
    _fill()


def downgrade() -> None:
    op.drop_table("usage_hourly")
    _swap_indexes(NEW_INDEXES, OLD_INDEXES)
    with op.batch_alter_table("token_usage") as ledger:
        ledger.alter_column("model", existing_type=Exact, type_=sa.String(length=128), existing_nullable=False)


def _swap_indexes(old: dict[str, list[str]], new: dict[str, list[str]]) -> None:
    with op.batch_alter_table("token_usage") as ledger:
        for name in old:
            ledger.drop_index(name)
        for name, columns in new.items():
            ledger.create_index(name, columns)


def _fill() -> None:
    """From the ledger as it is. What an older version settles meanwhile is added by `flask usage rebuild`."""
    _insert(_detail())
    for name, dimensions, source, blocks in SLICES:
        block = (rollup.c.block // blocks).label("block")
        kept = [rollup.c[column] for column in dimensions]
        unused = {column: sa.literal(value) for column, value in UNUSED.items()}
        key = [rollup.c[column] if column in dimensions else unused[column].label(column) for column in UNUSED]
        sums = (sa.func.sum(rollup.c[figure]).label(figure) for figure in FIGURES)
        added = sa.select(sa.literal(name).label("slice"), block, *key, *sums).where(rollup.c.slice == source)
        _insert(added.group_by(rollup.c.block // blocks, *kept))


def _detail() -> sa.Select[Any]:
    entry = ledger.c
    key = {
        "block": entry.quarter,
        "user_id": entry.user_id,
        "model": entry.model,
        "key_id": sa.func.coalesce(entry.key_id, ""),
        "channel": entry.channel,
        "currency": sa.func.coalesce(entry.currency, ""),
        "peak": sa.func.coalesce(entry.peak, -1),
    }
    unpriced = sa.and_(entry.cost_micros.is_(None), entry.key_id.is_not(None))
    figures = {
        "requests": sa.func.count(),
        "estimated_requests": sa.func.sum(sa.case((entry.source == "estimated", 1), else_=0)),
        "unpriced_requests": sa.func.sum(sa.case((unpriced, 1), else_=0)),
        "cost_micros": sa.func.coalesce(sa.func.sum(entry.cost_micros), 0),
        "begun_requests": sa.func.count(entry.first_token_ms),
        "first_token_ms": sa.func.coalesce(sa.func.sum(entry.first_token_ms), 0),
    }
    sums = (figures[name] if name in figures else sa.func.sum(entry[name]) for name in FIGURES)
    columns = (column.label(name) for name, column in key.items())
    return sa.select(sa.literal("detail").label("slice"), *columns, *sums).group_by(*key.values())


def _insert(rows: sa.Select[Any]) -> None:
    op.execute(sa.insert(rollup).from_select(["slice", "block", *UNUSED, *FIGURES], rows))


rollup = sa.table("usage_hourly", *(sa.column(name, sa.Integer) for name in ("slice", "block", *UNUSED, *FIGURES)))
ledger = sa.table(
    "token_usage",
    *(sa.column(name, sa.Integer) for name in (*UNUSED, *FIGURES[1:5], *FIGURES[7:9], "first_token_ms", "quarter")),
    sa.column("source"),
)
