"""What answers in a way of its own: instructions under a name."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from flask_app.column_types import LongText
from flask_app.database import Base, utc_now
from flask_app.models.columns import key, to


class _Told:
    """Its instructions stand first in what conversations with it ask.

    `model` is the name of one, `thinking` "off", "on" or an effort: what its conversations begin with. None of either
    is the person's usual choice.
    """

    id: Mapped[str] = key()
    name: Mapped[str] = mapped_column(String(60))
    icon: Mapped[str] = mapped_column(String(16))
    instructions: Mapped[str] = mapped_column(LongText)
    model: Mapped[str | None] = mapped_column(String(128))
    thinking: Mapped[str | None] = mapped_column(String(8))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)


class Assistant(_Told, Base):
    """A person's own: nobody else reads or asks it."""

    __tablename__ = "assistants"

    user_id: Mapped[str] = to("users.id", index=True)


class SharedAssistant(_Told, Base):
    """One that administrators keep for everybody (`group_id` None), or for the people of a group."""

    __tablename__ = "shared_assistants"

    group_id: Mapped[str | None] = to("groups.id", index=True, nullable=True)
