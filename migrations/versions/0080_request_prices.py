"""What a request costs, whatever its tokens, and what DeepSeek's web search does

From the provider's price page and its change log of 2026-11-01: ¥5 or $0.75 for 1,000 searches that succeed. The
version before goes on: it asks for none, and books by the prices of tokens.

Revision: 0080, after 0079
"""

from datetime import datetime, timedelta, timezone

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii, UtcDateTime

revision = "0080"
down_revision = "0079"
branch_labels = None
depends_on = None

SEARCH = "deepseek-search"
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
    op.add_column("tariffs", sa.Column("request_price", sa.BigInteger(), server_default="0", nullable=False))
    there = set(op.get_bind().scalars(sa.select(tariffs.c.currency).where(tariffs.c.model == SEARCH)))
    for currency in PRICES.keys() - there:  # an administrator's own stay
        same = {"id": _id(currency), "model": SEARCH, "currency": currency, "starts_at": BEGAN}
        costs = {price.name: 0 for price in _tokens} | {"request_price": PRICES[currency]}
        op.execute(tariffs.insert().values(**same, **costs))


def downgrade() -> None:
    op.execute(tariffs.delete().where(tariffs.c.id.in_([_id(currency) for currency in PRICES])))
    op.drop_column("tariffs", "request_price")


def _id(currency: str) -> str:
    return f"{SEARCH}.{currency}.2026-11-01"
