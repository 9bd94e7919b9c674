"""What was used and what it cost, what may be, and the sums of both."""

from datetime import date, datetime

from sqlalchemy import BigInteger, Boolean, Date, Index, Integer, SmallInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from flask_app.column_types import Ascii, Exact
from flask_app.database import Base, utc_now
from flask_app.models.columns import key


class Attempt(Base):
    """One request to a provider, committed before its socket opens: dispatched → settled or released.

    Ids here are plain columns: the log outlives the rows it names. While an attempt is dispatched it reserves the most
    that it may use, for its person, the group they were in, and the site, on a day of the site's time zone.
    `token_id` is the access token of the program that asked. `max_tokens` is what the provider was told, and `effort`
    what to think with. `unread`: a person asked, and nobody followed the answer any more when it ended. Where the model
    has no price there are no micros and no currency.
    """

    __tablename__ = "proxy_logs"
    __table_args__ = (
        Index(None, "state", "created_at", "key_id", "error_code"),
        Index(None, "state", "group_id", "day"),
        Index(None, "state", "user_id", "day"),
    )

    id: Mapped[str] = key()
    request_id: Mapped[str] = mapped_column(Ascii)
    user_id: Mapped[str] = mapped_column(Ascii)
    run_id: Mapped[str | None] = mapped_column(Ascii, index=True)
    token_id: Mapped[str | None] = mapped_column(Ascii)
    message_id: Mapped[str | None] = mapped_column(Ascii)
    provider_id: Mapped[str] = mapped_column(Ascii)
    key_id: Mapped[str | None] = mapped_column(Ascii)
    channel: Mapped[str] = mapped_column(String(16))
    model: Mapped[str] = mapped_column(String(128))
    effort: Mapped[str | None] = mapped_column(String(16))
    prompt_estimate: Mapped[int] = mapped_column(Integer)
    address: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16), default="dispatched")
    status_code: Mapped[int | None]
    error_code: Mapped[str | None] = mapped_column(String(64))
    bytes_received: Mapped[int] = mapped_column(BigInteger, default=0)
    unread: Mapped[bool] = mapped_column(Boolean, default=False, server_default="0")
    group_id: Mapped[str | None] = mapped_column(Ascii)
    day: Mapped[date | None] = mapped_column(Date)
    max_tokens: Mapped[int | None]
    reserved_tokens: Mapped[int | None] = mapped_column(BigInteger)
    reserved_micros: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str | None] = mapped_column(String(3))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    ended_at: Mapped[datetime | None]


_SEARCHED = ("model", "key_id", "outcome", "source", "attempt_id")
_NEWEST_OF_USER = ("user_id", "created_at", "id", *_SEARCHED, "channel")
_NEWEST_OF_TOKEN = ("token_id", "channel", "user_id", "created_at", "id", *_SEARCHED)
_NEWEST_OF_KIND = ("kind", "created_at", "id", "attempt_id", "user_id", "model", "key_id", "outcome", "channel")
_NEWEST_OF_OUTCOME = ("outcome", "created_at", "id", "user_id")
_NEWEST_OF_SOURCE = ("source", "created_at", "id", "outcome", "model", "key_id", "user_id", "attempt_id", "channel")


class TokenUsage(Base):
    """The ledger: append-only, at most one entry of a kind for an attempt, and exactly one "usage" for a settled one.

    `kind` is "usage" or "refund": the opposite of the attempt's usage, of the moment it was given back, for a `reason`.
    `token_id` is the access token of the program that asked; entries of before its limits leave it to their attempt.
    `cached_tokens` is the part of `prompt_tokens` that hit the provider's cache, `reasoning_tokens` the part of
    `completion_tokens` spent thinking. `source` is "reported" or "estimated". `quarter` counts the quarter-hours of
    UTC since 1970 at the reservation, so that every time zone's days can be added up from groups. `day` is the site's
    own, which budgets go by, for a refund that of its usage; it is absent in entries of before the budgets, as is the
    group. `cache_saved_micros` is what the cached tokens would have cost beside that, `peak_extra_micros` what peak
    hours added to the cost.

    The indexes find the newest entries of any search; those of a person, an access token, a source and a kind answer
    every search within theirs alone.
    """

    __tablename__ = "token_usage"
    __table_args__ = (
        UniqueConstraint("attempt_id", "kind"),
        Index("ix_token_usage_newest", "created_at", "id"),
        Index("ix_token_usage_newest_of_user", *_NEWEST_OF_USER),
        Index("ix_token_usage_newest_of_token", *_NEWEST_OF_TOKEN),
        Index("ix_token_usage_newest_of_outcome", "outcome", "created_at", "id"),
        Index("ix_token_usage_newest_of_source", *_NEWEST_OF_SOURCE),
        Index("ix_token_usage_newest_of_kind", *_NEWEST_OF_KIND),
        Index("ix_token_usage_newest_of_model_key", "model", "key_id", "created_at", "id"),
        Index("ix_token_usage_newest_of_outcome_of_model", "model", *_NEWEST_OF_OUTCOME),
        Index("ix_token_usage_newest_of_outcome_of_key", "key_id", *_NEWEST_OF_OUTCOME),
    )

    id: Mapped[str] = key()
    attempt_id: Mapped[str] = mapped_column(Ascii)
    kind: Mapped[str] = mapped_column(Ascii, default="usage", server_default="usage")
    user_id: Mapped[str] = mapped_column(Ascii)
    token_id: Mapped[str | None] = mapped_column(Ascii)
    message_id: Mapped[str | None] = mapped_column(Ascii, index=True)
    provider_id: Mapped[str] = mapped_column(Ascii)
    key_id: Mapped[str | None] = mapped_column(Ascii)
    channel: Mapped[str] = mapped_column(String(16))
    model: Mapped[str] = mapped_column(Exact)
    actual_model: Mapped[str | None] = mapped_column(String(128))
    source: Mapped[str] = mapped_column(String(16))
    outcome: Mapped[str] = mapped_column(String(16))
    prompt_tokens: Mapped[int]
    cached_tokens: Mapped[int]
    completion_tokens: Mapped[int]
    reasoning_tokens: Mapped[int]
    cost_micros: Mapped[int | None] = mapped_column(BigInteger)
    cache_saved_micros: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    peak_extra_micros: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    currency: Mapped[str | None] = mapped_column(String(3))
    peak: Mapped[bool | None]
    tariff_id: Mapped[str | None] = mapped_column(Ascii)
    first_token_ms: Mapped[int | None]
    duration_ms: Mapped[int]
    quarter: Mapped[int] = mapped_column(Integer)
    group_id: Mapped[str | None] = mapped_column(Ascii)
    day: Mapped[date | None] = mapped_column(Date)
    created_at: Mapped[datetime]
    reason: Mapped[str | None] = mapped_column(String(200))


class Budget(Base):
    """How much may be used in a period ("day", "week" or "month" of the site's time zone), or a "prepaid" balance,
    or may be used in "total".

    `scope` is "site", "group" (all together), "member" (each person of the group), "user" or "token"; `scope_id` is the
    group's, the person's or the access token's id, empty for the site. `unit` is "tokens" or a currency, whose
    micro-units `amount` is. A budget that is not `hard` only warns. A balance never renews: its `amount` is all its
    top-ups together, it counts what was spent after `spent_before`, and `topped_to` is what its last top-up made of it.
    """

    __tablename__ = "budgets"
    __table_args__ = (UniqueConstraint("scope_id", "scope", "unit", "period"),)

    id: Mapped[str] = key()
    scope: Mapped[str] = mapped_column(String(16))
    scope_id: Mapped[str] = mapped_column(Ascii)
    unit: Mapped[str] = mapped_column(String(8))
    period: Mapped[str] = mapped_column(String(16))
    amount: Mapped[int] = mapped_column(BigInteger)
    spent_before: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    topped_to: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    hard: Mapped[bool] = mapped_column(Boolean)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    changed_at: Mapped[datetime] = mapped_column(default=utc_now)


class TopUp(Base):
    """What was added to a balance, or taken back where it is negative. Rows are only ever added; they stay.

    `user_id` is who did it, the command line where it is empty. `code_id` is the code that somebody redeemed.
    A request that comes twice with its `idempotency_key` adds one.
    """

    __tablename__ = "top_ups"
    __table_args__ = (
        Index("ix_top_ups_budget_id_id", "budget_id", "id"),
        UniqueConstraint("budget_id", "idempotency_key"),
    )

    id: Mapped[str] = key()
    budget_id: Mapped[str] = mapped_column(Ascii)
    amount: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(String(200))
    user_id: Mapped[str | None] = mapped_column(Ascii)
    code_id: Mapped[str | None] = mapped_column(Ascii)
    idempotency_key: Mapped[str | None] = mapped_column(Ascii)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class CodeBatch(Base):
    """Codes that were made together, each worth `amount` of `unit`. `user_id` is who made them."""

    __tablename__ = "code_batches"

    id: Mapped[str] = key()
    label: Mapped[str] = mapped_column(String(200))
    unit: Mapped[str] = mapped_column(String(8))
    amount: Mapped[int] = mapped_column(BigInteger)
    count: Mapped[int]
    user_id: Mapped[str | None] = mapped_column(Ascii)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime | None]


class RedeemCode(Base):
    """A code as its digest; `hint` is its first four characters. It is redeemed once, or revoked."""

    __tablename__ = "redeem_codes"
    __table_args__ = (Index("ix_redeem_codes_batch_id_id", "batch_id", "id"),)

    id: Mapped[str] = key()
    batch_id: Mapped[str] = mapped_column(Ascii)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    hint: Mapped[str] = mapped_column(String(4))
    redeemed_by: Mapped[str | None] = mapped_column(Ascii)
    redeemed_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class SpentDaily(Base):
    """The ledger added up by the site's days, for budgets: for the "site", each "group", "user" and "token"."""

    __tablename__ = "spent_daily"
    __table_args__ = ({"sqlite_with_rowid": False},)

    scope: Mapped[str] = mapped_column(String(16), primary_key=True)
    scope_id: Mapped[str] = mapped_column(Ascii, primary_key=True)
    unit: Mapped[str] = mapped_column(String(8), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    amount: Mapped[int] = mapped_column(BigInteger)


class SpentMonthly(Base):
    """A token's days of `spent_daily` added up by the month, whose first day `month` is: for its use over years."""

    __tablename__ = "spent_monthly"
    __table_args__ = ({"sqlite_with_rowid": False},)

    token_id: Mapped[str] = mapped_column(Ascii, primary_key=True)
    unit: Mapped[str] = mapped_column(String(8), primary_key=True)
    month: Mapped[date] = mapped_column(Date, primary_key=True)
    amount: Mapped[int] = mapped_column(BigInteger)


class UsageHourly(Base):
    """The ledger added up, in the transactions that write it. See `services/ledger/rollup.py` for the slices.

    A row is the sum of the entries of one block of time with the same dimensions. A block is as many quarter-hours
    of UTC as its slice says. What the slice does not tell apart is empty, as is what an entry has none of; `peak` is
    then -1. Money is of the row's currency.
    """

    __tablename__ = "usage_hourly"
    __table_args__ = (
        Index("ix_usage_hourly_of_user", "user_id", "slice", "block"),
        {"sqlite_with_rowid": False},  # kept in the order of its key, as InnoDB keeps it
    )

    slice: Mapped[str] = mapped_column(Ascii, primary_key=True)
    block: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    user_id: Mapped[str] = mapped_column(Ascii, primary_key=True)
    model: Mapped[str] = mapped_column(Exact, primary_key=True)
    key_id: Mapped[str] = mapped_column(Ascii, primary_key=True)
    channel: Mapped[str] = mapped_column(String(16), primary_key=True)
    currency: Mapped[str] = mapped_column(String(3), primary_key=True)
    peak: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    requests: Mapped[int] = mapped_column(BigInteger)
    refunds: Mapped[int] = mapped_column(BigInteger, server_default="0")
    prompt_tokens: Mapped[int] = mapped_column(BigInteger)
    cached_tokens: Mapped[int] = mapped_column(BigInteger)
    completion_tokens: Mapped[int] = mapped_column(BigInteger)
    reasoning_tokens: Mapped[int] = mapped_column(BigInteger)
    estimated_requests: Mapped[int] = mapped_column(BigInteger)
    unpriced_requests: Mapped[int] = mapped_column(BigInteger)
    cost_micros: Mapped[int] = mapped_column(BigInteger)
    cache_saved_micros: Mapped[int] = mapped_column(BigInteger, server_default="0")
    peak_extra_micros: Mapped[int] = mapped_column(BigInteger, server_default="0")
    duration_ms: Mapped[int] = mapped_column(BigInteger)
    begun_requests: Mapped[int] = mapped_column(BigInteger)
    first_token_ms: Mapped[int] = mapped_column(BigInteger)
