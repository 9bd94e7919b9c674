"""Texts that people keep to ask with again, by a command."""

from datetime import datetime

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from flask_app.column_types import Ascii, Folded, LongText
from flask_app.database import Base, utc_now
from flask_app.models.columns import key, to

EVERYBODY = "site"  # in the place of a group's id


class _Words:
    """`command_key` and `title_key` are these without case and width, to be unique and to be searched."""

    id: Mapped[str] = key()
    command: Mapped[str] = mapped_column(String(32))
    command_key: Mapped[str] = mapped_column(Folded)
    title: Mapped[str] = mapped_column(String(100))
    title_key: Mapped[str] = mapped_column(Folded)
    text: Mapped[str] = mapped_column(LongText)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)


class Prompt(_Words, Base):
    """A person's own: nobody else reads it."""

    __tablename__ = "prompts"
    __table_args__ = (UniqueConstraint("user_id", "command_key"),)

    user_id: Mapped[str] = to("users.id")


class SharedPrompt(_Words, Base):
    """One that administrators keep for everybody (`group_id` None), or for the people of a group.

    `scope_id` is the group's id or EVERYBODY: in each of them a command stands once.
    """

    __tablename__ = "shared_prompts"
    __table_args__ = (UniqueConstraint("scope_id", "command_key"),)

    group_id: Mapped[str | None] = to("groups.id", index=True, nullable=True)
    scope_id: Mapped[str] = mapped_column(Ascii)
