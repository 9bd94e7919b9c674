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


class AssistantFile(Base):
    """A document that a person's own assistant knows, in which place, and as what it was called then: one of theirs."""

    __tablename__ = "assistant_files"

    assistant_id: Mapped[str] = to("assistants.id", primary_key=True)
    file_id: Mapped[str] = to("files.id", ondelete="RESTRICT", primary_key=True, index=True)
    position: Mapped[int]
    name: Mapped[str] = mapped_column(String(128))


class SharedAssistantFile(Base):
    """What a shared assistant knows of a document: its words, which are nobody's but the site's.

    `bytes` is how long the document was, `text_bytes` its words are in UTF-8, `tokens` about what they add to a prompt.
    """

    __tablename__ = "shared_assistant_files"

    id: Mapped[str] = key()
    shared_assistant_id: Mapped[str] = to("shared_assistants.id", index=True)
    position: Mapped[int]
    name: Mapped[str] = mapped_column(String(128))
    kind: Mapped[str] = mapped_column(String(16))
    content_type: Mapped[str] = mapped_column(String(128))
    bytes: Mapped[int]
    text_bytes: Mapped[int]
    pages: Mapped[int | None]
    tokens: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    text: Mapped[str] = mapped_column(LongText)
