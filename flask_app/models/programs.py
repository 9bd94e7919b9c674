"""What programs asked at the gateway."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from flask_app.column_types import Ascii, Exact, Sealed
from flask_app.database import Base
from flask_app.models.columns import key

_SEARCHED = ("token_id", "user_id", "model", "status_class", "error_code")


def _newest_of(name: str, *columns: str) -> Index:
    """Finds the newest of a search, and answers every search within these alone."""
    rest = (column for column in _SEARCHED if column not in columns)
    return Index(f"ix_program_requests_of_{name}", *columns, "id", *rest)


class ProgramRequest(Base):
    """A request that came with a valid access token, written once it has ended. It holds nothing of its words.

    Ids here are plain columns: the log outlives the rows it names. `id` is of the moment it came. `call` is one of
    `request_log.CALLS`. `model` is the name that was asked for, `actual_model` what the provider says answered.
    `status` is that of the reply, LEFT where its program left before one; `status_class` its first digit.
    `error_code` is how it failed in the gateway's own words, also where that was in the middle of a stream of status
    200. `attempts` counts the requests to providers, of which `attempt_id` is the last. `first_token_ms` and
    `duration_ms` are counted from the moment it came, `bytes_sent` is the reply's body, as far as it went out.
    """

    __tablename__ = "program_requests"
    __table_args__ = (
        _newest_of("user", "user_id"),
        _newest_of("token", "token_id"),
        _newest_of("model", "model"),
        _newest_of("status", "status_class"),
        _newest_of("error", "error_code"),
    )

    id: Mapped[str] = key()
    request_id: Mapped[str] = mapped_column(Ascii, index=True)
    user_id: Mapped[str] = mapped_column(Ascii)
    token_id: Mapped[str] = mapped_column(Ascii)
    call: Mapped[str] = mapped_column(String(32))
    model: Mapped[str | None] = mapped_column(Exact)
    actual_model: Mapped[str | None] = mapped_column(String(128))
    status: Mapped[int] = mapped_column(SmallInteger)
    status_class: Mapped[int] = mapped_column(SmallInteger)
    error_code: Mapped[str | None] = mapped_column(Ascii)
    attempts: Mapped[int] = mapped_column(SmallInteger)
    attempt_id: Mapped[str | None] = mapped_column(Ascii)
    first_token_ms: Mapped[int | None]
    duration_ms: Mapped[int]
    bytes_sent: Mapped[int] = mapped_column(BigInteger)
    address: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]


class ProgramWords(Base):
    """What a program asked and was answered, for the eyes of its person, who wanted that of the token for a while.

    `id` is the request's in the log. `content` is sealed (AES-GCM, the id as associated data). From `until` on it is
    shown to nobody, and removed.
    """

    __tablename__ = "program_words"
    __table_args__ = (Index(None, "token_id", "id"),)

    id: Mapped[str] = key()
    user_id: Mapped[str] = mapped_column(Ascii)
    token_id: Mapped[str] = mapped_column(Ascii)
    content: Mapped[bytes] = mapped_column(Sealed)
    until: Mapped[datetime] = mapped_column(index=True)


class ProgramKey(Base):
    """The `Idempotency-Key` of a request, for a day: `id` is derived from it and the token's secret.

    `run_id` is the latest run that answered under it, and `request_id` the request that began that run. `reply` is the
    whole reply, sealed so that only who sends the key again can have it opened; until `reply_until` one is kept or
    expected.
    """

    __tablename__ = "program_keys"

    id: Mapped[str] = key()
    body_digest: Mapped[str] = mapped_column(Ascii)
    run_id: Mapped[str] = mapped_column(Ascii)
    request_id: Mapped[str] = mapped_column(Ascii)
    reply: Mapped[bytes | None] = mapped_column(Sealed)
    reply_until: Mapped[datetime | None] = mapped_column(index=True)
    created_at: Mapped[datetime] = mapped_column(index=True)
