"""What people have answer in a way of its own: instructions under a name."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from flask_app.column_types import LongText
from flask_app.database import Base, utc_now
from flask_app.models.columns import key, to


class Assistant(Base):
    """A person's own: nobody else reads or asks it. Its instructions stand first in what conversations with it ask.

    `model` is the name of one, `thinking` "off", "on" or an effort: what its conversations begin with. None of either
    is the person's usual choice.
    """

    __tablename__ = "assistants"

    id: Mapped[str] = key()
    user_id: Mapped[str] = to("users.id", index=True)
    name: Mapped[str] = mapped_column(String(60))
    icon: Mapped[str] = mapped_column(String(16))
    instructions: Mapped[str] = mapped_column(LongText)
    model: Mapped[str | None] = mapped_column(String(128))
    thinking: Mapped[str | None] = mapped_column(String(8))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)
