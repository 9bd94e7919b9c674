"""Links of questions that were opened, and what DeepSeek asks for opening one

From the provider's price page: ¥5 or $0.75 for 1,000 that succeed, as of searches. The version before goes on: to it
they are pages that were found.

Revision: 0089, after 0086
"""

from datetime import datetime, timedelta, timezone

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii, UtcDateTime

revision = "0089"
down_revision = "0088"
branch_labels = None
depends_on = None

FETCH = "deepseek-fetch"
BEGAN = datetime(2026, 11, 1, tzinfo=timezone(timedelta(hours=8)))  # in Beijing
PRICES = {"CNY": 5_000, "USD": 750}  # micro-units for one

_tokens = [sa.column(name, sa.BigInteger) for name in ("input_hit", "input_miss", "output")]
tariffs = sa.table(
    "tariffs",
    sa.column("id", Ascii),
    sa.column("model", sa.String),
    sa.column("currency", sa.String),
    sa.column("starts_at", UtcDateTime),
    *_tokens,
    sa.column("request_price", sa.BigInteger),
)


def upgrade() -> None:
    op.add_column("web_sources", sa.Column("fetched", sa.String(length=16), server_default="", nullable=False))
    op.add_column("web_sources", sa.Column("fetch_error", sa.String(length=64), nullable=True))
    there = set(op.get_bind().scalars(sa.select(tariffs.c.currency).where(tariffs.c.model == FETCH)))
    for currency in PRICES.keys() - there:  # an administrator's own stay
        same = {"id": _id(currency), "model": FETCH, "currency": currency, "starts_at": BEGAN}
        costs = {price.name: 0 for price in _tokens} | {"request_price": PRICES[currency]}
        op.execute(tariffs.insert().values(**same, **costs))


def downgrade() -> None:
    op.execute(tariffs.delete().where(tariffs.c.id.in_([_id(currency) for currency in PRICES])))
    op.drop_column("web_sources", "fetch_error")
    op.drop_column("web_sources", "fetched")


def _id(currency: str) -> str:
    return f"{FETCH}.{currency}.2026-11-01"
