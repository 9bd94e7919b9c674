"""What providers said was left on the accounts, and whether that agrees with the ledger."""

from datetime import date, datetime

from sqlalchemy import BigInteger, Boolean, Date, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from flask_app.column_types import Ascii, Folded, LongText
from flask_app.database import Base, utc_now
from flask_app.models.columns import key


class BalanceReading(Base):
    """What was left in one currency when the key `key_id` asked at `created_at`. Rows are only ever added.

    `account` names the account for good (see `services/reconciliation/readings.py`); `keys` are the ids of all that
    shared it then, in words. What was told in one reply has one moment. `granted` and `topped_up` are parts of
    `total`, in micro-units.
    """

    __tablename__ = "balance_readings"
    __table_args__ = (Index("ix_balance_readings_account_created_at", "account", "created_at"),)

    id: Mapped[str] = key()
    account: Mapped[str] = mapped_column(Folded)
    provider_id: Mapped[str] = mapped_column(Ascii)
    key_id: Mapped[str] = mapped_column(Ascii)
    keys: Mapped[str] = mapped_column(LongText)
    currency: Mapped[str] = mapped_column(String(3))
    total: Mapped[int] = mapped_column(BigInteger)
    granted: Mapped[int] = mapped_column(BigInteger)
    topped_up: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Reconciliation(Base):
    """A day of the site's time zone on an account in one currency, from a reading to a reading; in micro-units.

    `booked_by_key` and `aside` are JSON: see `domain.reconciliation`. `stands`: the drift is more than may be, and
    nobody has acknowledged it as it is. `known_drift` is what was acknowledged, by `known_by` (nobody: on the command
    line) at `known_at`.
    """

    __tablename__ = "reconciliations"
    __table_args__ = (
        UniqueConstraint("account", "day", "currency"),
        Index("ix_reconciliations_day", "day"),
        Index("ix_reconciliations_stands", "stands"),
    )

    id: Mapped[str] = key()
    account: Mapped[str] = mapped_column(Folded)
    day: Mapped[date] = mapped_column(Date)
    currency: Mapped[str] = mapped_column(String(3))
    since: Mapped[datetime]
    until: Mapped[datetime]
    readings: Mapped[int] = mapped_column(Integer)
    start_total: Mapped[int] = mapped_column(BigInteger)
    end_total: Mapped[int] = mapped_column(BigInteger)
    booked: Mapped[int] = mapped_column(BigInteger)
    booked_by_key: Mapped[str] = mapped_column(LongText)
    aside: Mapped[str] = mapped_column(String(1000))
    drift: Mapped[int] = mapped_column(BigInteger)
    slack: Mapped[int] = mapped_column(BigInteger)
    stands: Mapped[bool] = mapped_column(Boolean)
    known_drift: Mapped[int | None] = mapped_column(BigInteger)
    known_at: Mapped[datetime | None]
    known_by: Mapped[str | None] = mapped_column(Ascii)
    note: Mapped[str | None] = mapped_column(String(200))
