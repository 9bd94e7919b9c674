"""The schema on a page. Money is integer micro-units of a currency, tokens are integers, times are UTC."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from flask_app.database import Ascii, Base, Exact, Folded, LongText, new_id, utc_now


def _id() -> Mapped[str]:
    return mapped_column(Ascii, primary_key=True, default=new_id)


def _to(column: str, *, ondelete: str = "CASCADE", index: bool = False, **options: Any) -> Any:
    return mapped_column(Ascii, ForeignKey(column, ondelete=ondelete), index=index, **options)


DEFAULT_GROUP_ID = "0" * 26


class Group(Base):
    """People whom the same settings hold for. The one with `DEFAULT_GROUP_ID` is always there.

    `on_disconnect` says what becomes of an answer whose reader left: "continue", "limit" (it goes on for
    `on_disconnect_tokens` more) or "stop". `name_key` is the folded name, which must be unique.
    """

    __tablename__ = "groups"

    id: Mapped[str] = _id()
    name: Mapped[str] = mapped_column(String(64))
    name_key: Mapped[str] = mapped_column(Folded, unique=True)
    on_disconnect: Mapped[str] = mapped_column(String(16), default="continue", server_default="continue")
    on_disconnect_tokens: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class User(Base):
    """A person. `username_key` is the folded name that must be unique; `role` is "admin" or "member"."""

    __tablename__ = "users"

    id: Mapped[str] = _id()
    username: Mapped[str] = mapped_column(String(64))
    username_key: Mapped[str] = mapped_column(Folded, unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(255))
    role: Mapped[str] = mapped_column(String(16), default="member")
    group_id: Mapped[str] = _to(
        "groups.id", ondelete="RESTRICT", index=True, default=DEFAULT_GROUP_ID, server_default=DEFAULT_GROUP_ID
    )
    disabled: Mapped[bool] = mapped_column(Boolean, default=False)
    locale: Mapped[str | None] = mapped_column(String(8))
    theme: Mapped[str | None] = mapped_column(String(8))
    timezone: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    last_sign_in_at: Mapped[datetime | None]
    last_seen_at: Mapped[datetime | None]


class LoginSession(Base):
    """A signed-in browser. The id is the digest of the cookie's random token, so a stolen table signs nobody in."""

    __tablename__ = "login_sessions"

    id: Mapped[str] = mapped_column(Ascii, primary_key=True)
    user_id: Mapped[str] = _to("users.id", index=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    last_seen_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    address: Mapped[str] = mapped_column(String(64))
    user_agent: Mapped[str] = mapped_column(String(255))
    user: Mapped[User] = relationship(lazy="raise")


class PasswordLink(Base):
    """A single-use link by which a person chooses a password. The id is the digest of the link's token."""

    __tablename__ = "password_links"

    id: Mapped[str] = mapped_column(Ascii, primary_key=True)
    user_id: Mapped[str] = _to("users.id", index=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Provider(Base):
    """A place that answers. `kind` is "openai" (any compatible API) or "local" (the demonstration model).

    Of two that can answer the one with the lower `priority` is asked first. `balance_offered`: does it tell what is
    left on an account? None is unknown. At `models_due_at` some process reads its list of models anew.
    """

    __tablename__ = "providers"

    id: Mapped[str] = _id()
    name: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(16), default="openai")
    base_url: Mapped[str] = mapped_column(String(500))
    currency: Mapped[str] = mapped_column(String(3), default="CNY")
    priority: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    balance_offered: Mapped[bool | None]
    models_due_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class ApiKey(Base):
    """A provider's key. `secret` is sealed (AES-GCM, the row's id as associated data) and gone once deleted.

    The row outlives the secret: the ledger names it. Keys of one provider with the same `account` share a bench.
    Until `benched_until` others are asked; nobody at all asks before `probe_until`, then one request may probe it.
    `strikes` counts failures in a row. `balance` (JSON, see `domain.balance`) is what was left at `balance_at`.
    """

    __tablename__ = "api_keys"

    id: Mapped[str] = _id()
    provider_id: Mapped[str] = _to("providers.id", ondelete="RESTRICT", index=True)
    label: Mapped[str] = mapped_column(String(64))
    secret: Mapped[bytes | None] = mapped_column(LargeBinary(1024))
    hint: Mapped[str] = mapped_column(String(8))
    disabled: Mapped[bool] = mapped_column(Boolean, default=False)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    deleted_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    last_error_code: Mapped[str | None] = mapped_column(String(64))
    last_error_at: Mapped[datetime | None]
    last_error_detail: Mapped[str | None] = mapped_column(String(200))
    priority: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    weight: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    max_concurrent: Mapped[int | None]
    account: Mapped[str | None] = mapped_column(Folded)
    benched_until: Mapped[datetime | None]
    benched_since: Mapped[datetime | None]
    bench_code: Mapped[str | None] = mapped_column(String(64))
    probe_until: Mapped[datetime | None]
    strikes: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    balance: Mapped[str | None] = mapped_column(String(1000))
    balance_at: Mapped[datetime | None]
    balance_due_at: Mapped[datetime | None]
    provider: Mapped[Provider] = relationship(lazy="raise")


class ChatModel(Base):
    """A model that a provider lists. `listed` turns false when the provider stops listing it.

    Its conversations then go on with `successor_id`, or with the default model.
    """

    __tablename__ = "models"
    __table_args__ = (UniqueConstraint("provider_id", "name"),)

    id: Mapped[str] = _id()
    provider_id: Mapped[str] = _to("providers.id")
    name: Mapped[str] = mapped_column(String(128))
    label: Mapped[str] = mapped_column(String(128))
    thinking: Mapped[bool] = mapped_column(Boolean, default=False)
    listed: Mapped[bool] = mapped_column(Boolean, default=True)
    successor_id: Mapped[str | None] = _to("models.id", ondelete="SET NULL", nullable=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    provider: Mapped[Provider] = relationship(lazy="raise")


class ModelAlias(Base):
    """Another name for a model, wherever a model is named. `name_key` is the name without differences of case."""

    __tablename__ = "model_aliases"

    id: Mapped[str] = _id()
    name: Mapped[str] = mapped_column(String(128))
    name_key: Mapped[str] = mapped_column(Folded, unique=True)
    model_id: Mapped[str] = _to("models.id", index=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Tariff(Base):
    """What a model costs from `starts_at` on: micro-units per million tokens.

    The `peak_*` prices hold in the hours that `calendar` (JSON, see `domain.peak_calendar`) calls peak. A tariff that
    is in force is never changed: another one follows it.
    """

    __tablename__ = "tariffs"
    __table_args__ = (UniqueConstraint("model", "currency", "starts_at"),)

    id: Mapped[str] = _id()
    model: Mapped[str] = mapped_column(Exact)
    currency: Mapped[str] = mapped_column(String(3))
    starts_at: Mapped[datetime]
    input_hit: Mapped[int] = mapped_column(BigInteger)
    input_miss: Mapped[int] = mapped_column(BigInteger)
    output: Mapped[int] = mapped_column(BigInteger)
    peak_input_hit: Mapped[int | None] = mapped_column(BigInteger)
    peak_input_miss: Mapped[int | None] = mapped_column(BigInteger)
    peak_output: Mapped[int | None] = mapped_column(BigInteger)
    calendar: Mapped[str | None] = mapped_column(String(4000))


class Conversation(Base):
    __tablename__ = "conversations"
    __table_args__ = (Index(None, "user_id", "updated_at", "id"),)

    id: Mapped[str] = _id()
    user_id: Mapped[str] = _to("users.id")
    title: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)


class Message(Base):
    """A node of a conversation's tree. `status`: running, complete, stopped, left, interrupted or failed."""

    __tablename__ = "messages"

    id: Mapped[str] = _id()
    conversation_id: Mapped[str] = _to("conversations.id", index=True)
    parent_id: Mapped[str | None] = _to("messages.id", index=True, nullable=True)
    role: Mapped[str] = mapped_column(String(16))
    status: Mapped[str] = mapped_column(String(16), default="complete")
    text: Mapped[str] = mapped_column(LongText, default="")
    reasoning: Mapped[str] = mapped_column(LongText, default="")
    model: Mapped[str | None] = mapped_column(String(128))
    finish_reason: Mapped[str | None] = mapped_column(String(64))
    error_code: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Run(Base):
    """The making of one answer, apart from any request. Its worker renews the lease; a reaper ends what lapsed.

    `draft_digest` tells whether a repeated idempotency key comes with what it came with first. `stop_requested` and
    `followed_at` are written by other processes than the run's worker: somebody stops it (`discarded`: because its
    conversation is being deleted), or reads it there. A run that
    goes on with an answer finds `text_before` characters of its text there, and `reasoning_before` of its thoughts.
    """

    __tablename__ = "runs"
    __table_args__ = (
        UniqueConstraint("user_id", "idempotency_key"),
        Index(None, "user_id", "status"),
        Index(None, "status", "lease_expires_at"),
    )

    id: Mapped[str] = _id()
    user_id: Mapped[str] = _to("users.id")
    conversation_id: Mapped[str] = _to("conversations.id", index=True)
    user_message_id: Mapped[str] = _to("messages.id", index=True)
    message_id: Mapped[str] = _to("messages.id", index=True)
    status: Mapped[str] = mapped_column(String(16), default="running")
    idempotency_key: Mapped[str | None] = mapped_column(Ascii)
    draft_digest: Mapped[str | None] = mapped_column(Ascii)
    worker: Mapped[str] = mapped_column(Ascii)
    lease_expires_at: Mapped[datetime]
    stop_requested: Mapped[datetime | None]
    discarded: Mapped[bool] = mapped_column(Boolean, default=False, server_default="0")
    followed_at: Mapped[datetime | None]
    text_before: Mapped[int | None]
    reasoning_before: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Attempt(Base):
    """One request to a provider, committed before its socket opens: dispatched → settled or released.

    Ids here are plain columns: the log outlives the rows it names. While an attempt is dispatched it reserves the most
    that it may use, for its person, the group they were in, and the site, on a day of the site's time zone.
    `max_tokens` is what the provider was told. Where the model has no price there are no micros and no currency.
    """

    __tablename__ = "proxy_logs"
    __table_args__ = (
        Index(None, "state", "created_at"),
        Index(None, "state", "group_id", "day"),
        Index(None, "state", "user_id", "day"),
    )

    id: Mapped[str] = _id()
    request_id: Mapped[str] = mapped_column(Ascii)
    user_id: Mapped[str] = mapped_column(Ascii)
    run_id: Mapped[str | None] = mapped_column(Ascii, index=True)
    message_id: Mapped[str | None] = mapped_column(Ascii)
    provider_id: Mapped[str] = mapped_column(Ascii)
    key_id: Mapped[str | None] = mapped_column(Ascii)
    channel: Mapped[str] = mapped_column(String(16))
    model: Mapped[str] = mapped_column(String(128))
    prompt_estimate: Mapped[int] = mapped_column(Integer)
    address: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16), default="dispatched")
    status_code: Mapped[int | None]
    error_code: Mapped[str | None] = mapped_column(String(64))
    bytes_received: Mapped[int] = mapped_column(BigInteger, default=0)
    group_id: Mapped[str | None] = mapped_column(Ascii)
    day: Mapped[date | None] = mapped_column(Date)
    max_tokens: Mapped[int | None]
    reserved_tokens: Mapped[int | None] = mapped_column(BigInteger)
    reserved_micros: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str | None] = mapped_column(String(3))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    ended_at: Mapped[datetime | None]


class TokenUsage(Base):
    """The ledger: append-only, at most one entry of a kind for an attempt, and exactly one "usage" for a settled one.

    `kind` is "usage" or "refund": the opposite of the attempt's usage, of the moment it was given back, for a `reason`.
    `cached_tokens` is the part of `prompt_tokens` that hit the provider's cache, `reasoning_tokens` the part of
    `completion_tokens` spent thinking. `source` is "reported" or "estimated". `quarter` counts the quarter-hours of
    UTC since 1970 at the reservation, so that every time zone's days can be added up from groups. `day` is the site's
    own, which budgets go by; it is absent in entries of before the budgets, as is the group. `cache_saved_micros` is
    what the cached tokens would have cost beside that, `peak_extra_micros` what peak hours added to the cost.

    The indexes find the newest entries of any search; that of a person answers every search within theirs alone.
    """

    __tablename__ = "token_usage"
    __table_args__ = (
        UniqueConstraint("attempt_id", "kind"),
        Index("ix_token_usage_newest", "created_at", "id"),
        Index("ix_token_usage_newest_of_user", "user_id", "created_at", "id", "model", "key_id", "outcome"),
        Index("ix_token_usage_newest_of_model", "model", "created_at", "id"),
        Index("ix_token_usage_newest_of_key", "key_id", "created_at", "id"),
        Index("ix_token_usage_newest_of_outcome", "outcome", "created_at", "id"),
        Index("ix_token_usage_newest_of_source", "source", "created_at", "id"),
        Index("ix_token_usage_newest_of_kind", "kind", "created_at", "id"),
        Index("ix_token_usage_newest_of_model_key", "model", "key_id", "created_at", "id"),
        Index("ix_token_usage_newest_of_model_outcome", "model", "outcome", "created_at", "id"),
        Index("ix_token_usage_newest_of_key_outcome", "key_id", "outcome", "created_at", "id"),
    )

    id: Mapped[str] = _id()
    attempt_id: Mapped[str] = mapped_column(Ascii)
    kind: Mapped[str] = mapped_column(Ascii, default="usage", server_default="usage")
    user_id: Mapped[str] = mapped_column(Ascii)
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
    """How much may be used in a period ("day", "week" or "month" of the site's time zone), or a "prepaid" balance.

    `scope` is "site", "group" (all together), "member" (each person of the group) or "user"; `scope_id` is the group's
    or the person's id, empty for the site. `unit` is "tokens" or a currency, whose micro-units `amount` is. A budget
    that is not `hard` only warns. A balance never renews: its `amount` is all its top-ups together, it counts what was
    spent after `spent_before`, and `topped_to` is what its last top-up made of it.
    """

    __tablename__ = "budgets"
    __table_args__ = (UniqueConstraint("scope_id", "scope", "unit", "period"),)

    id: Mapped[str] = _id()
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
    """

    __tablename__ = "top_ups"
    __table_args__ = (Index("ix_top_ups_budget_id_id", "budget_id", "id"),)

    id: Mapped[str] = _id()
    budget_id: Mapped[str] = mapped_column(Ascii)
    amount: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(String(200))
    user_id: Mapped[str | None] = mapped_column(Ascii)
    code_id: Mapped[str | None] = mapped_column(Ascii)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class CodeBatch(Base):
    """Codes that were made together, each worth `amount` of `unit`. `user_id` is who made them."""

    __tablename__ = "code_batches"

    id: Mapped[str] = _id()
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

    id: Mapped[str] = _id()
    batch_id: Mapped[str] = mapped_column(Ascii)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    hint: Mapped[str] = mapped_column(String(4))
    redeemed_by: Mapped[str | None] = mapped_column(Ascii)
    redeemed_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class SpentDaily(Base):
    """The ledger added up by the site's days, for budgets: for the "site", each "group" and each "user"."""

    __tablename__ = "spent_daily"
    __table_args__ = ({"sqlite_with_rowid": False},)

    scope: Mapped[str] = mapped_column(String(16), primary_key=True)
    scope_id: Mapped[str] = mapped_column(Ascii, primary_key=True)
    unit: Mapped[str] = mapped_column(String(8), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    amount: Mapped[int] = mapped_column(BigInteger)


class UsageHourly(Base):
    """The ledger added up, in the transactions that write it. See `services/rollup.py` for the slices.

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


class AuditEntry(Base):
    """What an administrator did, to whom, with which values; never a secret. Rows are only ever added."""

    __tablename__ = "audit_log"

    id: Mapped[str] = _id()
    actor_id: Mapped[str | None] = mapped_column(Ascii, index=True)
    actor_name: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(64))
    target: Mapped[str] = mapped_column(String(128))
    details: Mapped[str] = mapped_column(LongText)
    address: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Setting(Base):
    """A named value of the whole site. The row `setup` exists once the first administrator does."""

    __tablename__ = "settings"

    name: Mapped[str] = mapped_column(Ascii, primary_key=True)
    value: Mapped[str] = mapped_column(LongText)
