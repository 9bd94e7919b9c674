"""Who answers: providers, keys, models and their prices."""

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, Integer, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from flask_app.column_types import Exact, Folded
from flask_app.database import Base, utc_now
from flask_app.models.columns import key, to


class Provider(Base):
    """A place that answers. `kind` is "openai" (any compatible API), "local" (the demonstration model) or "searxng".

    What is "searxng" looks questions up on the web, and has neither keys nor models.

    Of two that can answer the one with the lower `priority` is asked first. `balance_offered`: does it tell what is
    left on an account? None is unknown. At `models_due_at` some process reads its list of models anew.
    """

    __tablename__ = "providers"

    id: Mapped[str] = key()
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
    `strikes` counts failures in a row. `balance` (JSON, see `domain.balance`) is what was left at `balance_at`;
    less than `low_balance_micros` is low (None: what the site says, 0: never).
    """

    __tablename__ = "api_keys"

    id: Mapped[str] = key()
    provider_id: Mapped[str] = to("providers.id", ondelete="RESTRICT", index=True)
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
    low_balance_micros: Mapped[int | None] = mapped_column(BigInteger)
    provider: Mapped[Provider] = relationship(lazy="raise")


class ChatModel(Base):
    """A model that a provider lists. `listed` turns false when the provider stops listing it.

    Its conversations then go on with `successor_id`, or with the default model. `context_tokens`: how many tokens it
    reads and writes at most in one conversation; None is not known. It `sees` where pictures may be sent to it.
    """

    __tablename__ = "models"
    __table_args__ = (UniqueConstraint("provider_id", "name"),)

    id: Mapped[str] = key()
    provider_id: Mapped[str] = to("providers.id")
    name: Mapped[str] = mapped_column(String(128))
    label: Mapped[str] = mapped_column(String(128))
    thinking: Mapped[bool] = mapped_column(Boolean, default=False)
    sees: Mapped[bool] = mapped_column(Boolean, default=False, server_default="0")
    listed: Mapped[bool] = mapped_column(Boolean, default=True)
    context_tokens: Mapped[int | None]
    successor_id: Mapped[str | None] = to("models.id", ondelete="SET NULL", nullable=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    provider: Mapped[Provider] = relationship(lazy="raise")


class ModelAlias(Base):
    """Another name for a model, wherever a model is named. `name_key` is the name without differences of case."""

    __tablename__ = "model_aliases"

    id: Mapped[str] = key()
    name: Mapped[str] = mapped_column(String(128))
    name_key: Mapped[str] = mapped_column(Folded, unique=True)
    model_id: Mapped[str] = to("models.id", index=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Tariff(Base):
    """What a model costs from `starts_at` on: micro-units per million tokens, and `request_price` for each request.

    The `peak_*` prices hold in the hours that `calendar` (JSON, see `domain.peak_calendar`) calls peak. A tariff that
    is in force is never changed: another one follows it.
    """

    __tablename__ = "tariffs"
    __table_args__ = (UniqueConstraint("model", "currency", "starts_at"),)

    id: Mapped[str] = key()
    model: Mapped[str] = mapped_column(Exact)
    currency: Mapped[str] = mapped_column(String(3))
    starts_at: Mapped[datetime]
    input_hit: Mapped[int] = mapped_column(BigInteger)
    input_miss: Mapped[int] = mapped_column(BigInteger)
    output: Mapped[int] = mapped_column(BigInteger)
    peak_input_hit: Mapped[int | None] = mapped_column(BigInteger)
    peak_input_miss: Mapped[int | None] = mapped_column(BigInteger)
    peak_output: Mapped[int | None] = mapped_column(BigInteger)
    request_price: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    calendar: Mapped[str | None] = mapped_column(String(4000))
