"""Calls of tools that models made for their answers."""

from datetime import datetime

from sqlalchemy import Boolean, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from flask_app.column_types import Ascii, LongText
from flask_app.database import Base, utc_now
from flask_app.models.columns import key, to


class ToolCall(Base):
    """A call for an answer. `status`: waiting (for the person), running, done, failed, refused or stopped.

    `call_id` is the provider's, `server_id` whose tool it was then, if any is; `server`, `tool` and `title` are what
    they were called. `allows_all`: with it further calls of the same server were allowed for this answer.
    """

    __tablename__ = "tool_calls"

    id: Mapped[str] = key()
    message_id: Mapped[str] = to("messages.id", index=True)
    run_id: Mapped[str] = mapped_column(Ascii, index=True)
    round: Mapped[int] = mapped_column(Integer)
    position: Mapped[int] = mapped_column(Integer)
    call_id: Mapped[str] = mapped_column(String(128))
    server_id: Mapped[str | None] = mapped_column(Ascii)
    server: Mapped[str] = mapped_column(String(128))
    tool: Mapped[str] = mapped_column(String(128))
    title: Mapped[str] = mapped_column(String(200))
    arguments: Mapped[str] = mapped_column(LongText)
    result: Mapped[str] = mapped_column(LongText)
    status: Mapped[str] = mapped_column(String(16))
    error_code: Mapped[str | None] = mapped_column(String(64))
    allows_all: Mapped[bool] = mapped_column(Boolean)
    duration_ms: Mapped[int | None] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
