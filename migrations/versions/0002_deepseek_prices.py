"""DeepSeek's prices, with their history

Revision: 0002, after 0001

From the provider's price pages as read on 2026-11-15 (https://api-docs.deepseek.com/quick_start/pricing) and
its change log. Micro-units per million tokens: ¥1 is 1,000,000. What is not known is left out:

- `deepseek-v4-flash` before 2026-08-17 is known in dollars only, from 2026-08-17 to 2026-09-09 in yuan only. A tariff
  holds until the next one begins: what is booked in dollars of those 24 days has the flat price of before, although the
  provider had gone over to peak hours;
- `deepseek-v4-pro` is known from the day its price was read; before that it was announced to cost what Flash does.
"""

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import sqlalchemy as sa
from alembic import op

from flask_app.column_types import Ascii, UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BEIJING = timezone(timedelta(hours=8))
WEEKDAYS, ALL_DAYS = [0, 1, 2, 3, 4], [0, 1, 2, 3, 4, 5, 6]

FLASH_CNY = (20_000, 1_000_000, 4_000_000)
FLASH_USD = (3_000, 150_000, 600_000)

# model, currency, first day (Beijing), off-peak prices (cache hit, cache miss, output), days with peak hours.
# Peak prices are twice the others; a tariff without such days is flat.
TARIFFS: tuple[tuple[str, str, str, tuple[int, int, int], list[int]], ...] = (
    ("deepseek-v4-flash", "USD", "2026-01-01", (2_800, 140_000, 280_000), []),
    ("deepseek-v4-flash", "CNY", "2026-08-17", (50_000, 1_500_000, 4_500_000), ALL_DAYS),
    ("deepseek-v4-flash", "CNY", "2026-08-23", (50_000, 1_500_000, 4_500_000), WEEKDAYS),
    ("deepseek-v4-flash", "CNY", "2026-09-10", FLASH_CNY, WEEKDAYS),
    ("deepseek-v4-flash", "USD", "2026-09-10", FLASH_USD, WEEKDAYS),
    ("deepseek-v4-flash-vision-exp", "CNY", "2026-09-10", FLASH_CNY, WEEKDAYS),
    ("deepseek-v4-flash-vision-exp", "USD", "2026-09-10", FLASH_USD, WEEKDAYS),
    ("deepseek-flash", "CNY", "2026-09-10", FLASH_CNY, WEEKDAYS),
    ("deepseek-flash", "USD", "2026-09-10", FLASH_USD, WEEKDAYS),
    ("deepseek-v4-pro", "CNY", "2026-11-15", (150_000, 4_500_000, 13_500_000), WEEKDAYS),
    ("deepseek-v4-pro", "USD", "2026-11-15", (22_000, 660_000, 1_980_000), WEEKDAYS),
)

_prices = [sa.column(name, sa.BigInteger) for name in ("input_hit", "input_miss", "output")]
_peak_prices = [sa.column(f"peak_{price.name}", sa.BigInteger) for price in _prices]
tariffs = sa.table(
    "tariffs",
    sa.column("id", Ascii),
    sa.column("model", sa.String),
    sa.column("currency", sa.String),
    sa.column("starts_at", UtcDateTime),
    *_prices,
    *_peak_prices,
    sa.column("calendar", sa.String),
)


def upgrade() -> None:
    op.bulk_insert(tariffs, [_row(*tariff) for tariff in TARIFFS])


def downgrade() -> None:
    op.execute(tariffs.delete().where(tariffs.c.id.in_([_id(*tariff[:3]) for tariff in TARIFFS])))


def _row(model: str, currency: str, day: str, prices: tuple[int, int, int], peak_days: list[int]) -> dict[str, Any]:
    row: dict[str, Any] = {"id": _id(model, currency, day), "model": model, "currency": currency}
    row["starts_at"] = datetime.fromisoformat(day).replace(tzinfo=BEIJING)
    row["calendar"] = _calendar(peak_days) if peak_days else None
    for off_peak, peak, price in zip(_prices, _peak_prices, prices, strict=True):
        row[off_peak.name] = price
        row[peak.name] = 2 * price if peak_days else None
    return row


def _id(model: str, currency: str, day: str) -> str:
    return f"{model}.{currency}.{day}"


def _calendar(peak_days: list[int]) -> str:
    hours = [["09:00", "12:00"], ["14:00", "18:00"]]
    return json.dumps({"timezone": "Asia/Shanghai", "weekdays": peak_days, "hours": hours, "holidays": "CN"})
