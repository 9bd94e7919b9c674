"""Conversations, and the making of their answers."""

from datetime import date, datetime

from sqlalchemy import BigInteger, Boolean, ColumnElement, Date, Index, String, UniqueConstraint, or_
from sqlalchemy.orm import Mapped, mapped_column

from flask_app.column_types import Ascii, LongText
from flask_app.database import Base, utc_now
from flask_app.models.columns import key, to


class Folder(Base):
    """Where a person keeps conversations together."""

    __tablename__ = "folders"

    id: Mapped[str] = key()
    user_id: Mapped[str] = to("users.id", index=True)
    name: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Conversation(Base):
    """One that is archived keeps its pin, and its folder, for when it is taken back.

    `titled_by` is who gave it its title, or is to: the person, or the run that asks a model for one. Until then the
    title is the first words of its first question.
    """

    __tablename__ = "conversations"
    __table_args__ = (
        Index(None, "user_id", "archived", "updated_at", "id"),
        Index(None, "user_id", "archived", "pinned_at", "id"),
        Index(None, "user_id", "archived", "folder_id", "updated_at", "id"),
    )

    id: Mapped[str] = key()
    user_id: Mapped[str] = to("users.id")
    folder_id: Mapped[str | None] = to("folders.id", ondelete="SET NULL", index=True, nullable=True)
    assistant_id: Mapped[str | None] = to("assistants.id", ondelete="SET NULL", index=True, nullable=True)
    shared_assistant_id: Mapped[str | None] = to("shared_assistants.id", ondelete="SET NULL", index=True, nullable=True)
    title: Mapped[str] = mapped_column(String(200))
    titled_by: Mapped[str | None] = mapped_column(Ascii)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)
    pinned_at: Mapped[datetime | None]
    archived: Mapped[bool] = mapped_column(Boolean, server_default="0")


class Message(Base):
    """A node of a conversation's tree. `status`: running, complete, stopped, left, interrupted or failed.

    `thinking_ms` is how long its thoughts took, to the first piece of its text; None also where nobody noted it.
    """

    __tablename__ = "messages"

    id: Mapped[str] = key()
    conversation_id: Mapped[str] = to("conversations.id", index=True)
    parent_id: Mapped[str | None] = to("messages.id", index=True, nullable=True)
    role: Mapped[str] = mapped_column(String(16))
    status: Mapped[str] = mapped_column(String(16), default="complete")
    text: Mapped[str] = mapped_column(LongText, default="")
    reasoning: Mapped[str] = mapped_column(LongText, default="")
    thinking_ms: Mapped[int | None]
    model: Mapped[str | None] = mapped_column(String(128))
    finish_reason: Mapped[str | None] = mapped_column(String(64))
    error_code: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class KeptDraft(Base):
    """What is written and not yet sent: one for each conversation of a person, and one for a new conversation.

    `id` is the conversation's, or the person's own for a new one. `message_key` is the idempotency key under which its
    message will be sent: where a run has it, the draft has been sent.
    """

    __tablename__ = "drafts"

    id: Mapped[str] = key()
    user_id: Mapped[str] = to("users.id", index=True)
    conversation_id: Mapped[str | None] = to("conversations.id", index=True, nullable=True)
    message_key: Mapped[str] = mapped_column(Ascii)
    text: Mapped[str] = mapped_column(LongText)
    saved_at: Mapped[datetime]


class ImportedDaily(Base):
    """How much a person has brought in from files on the last day of the site on which they did."""

    __tablename__ = "imported_daily"

    user_id: Mapped[str] = to("users.id", primary_key=True)
    day: Mapped[date] = mapped_column(Date)
    text_bytes: Mapped[int] = mapped_column(BigInteger)
    messages: Mapped[int]


class Run(Base):
    """The making of one answer, apart from any request. Its worker renews the lease; a reaper ends what lapsed.

    `draft_digest` tells whether a repeated idempotency key comes with what it came with first. `stop_requested` and
    `followed_at` are written by other processes than the run's worker: somebody stops it (`discarded`: because its
    conversation is being deleted), or reads it there. A run that
    goes on with an answer finds `text_before` characters of its text there, and `reasoning_before` of its thoughts: its
    own are kept after them while it runs, though in the end thoughts without a text give way to them.
    An answer to a program has no conversation and no message: nothing of it is kept but `token_id`, which asked, and
    `kept_tokens`, about how many had come. Its run goes when it ends; so does one whose conversation was deleted while
    it was written. That of a temporary chat has neither too, and
    always a key; it stays, without a word. Its digest is one that nobody can guess words by.
    """

    __tablename__ = "runs"
    __table_args__ = (
        UniqueConstraint("user_id", "idempotency_key"),
        Index(None, "user_id", "status"),
        Index(None, "status", "lease_expires_at"),
    )

    id: Mapped[str] = key()
    user_id: Mapped[str] = to("users.id")
    conversation_id: Mapped[str | None] = to("conversations.id", index=True, nullable=True)
    user_message_id: Mapped[str | None] = to("messages.id", index=True, nullable=True)
    message_id: Mapped[str | None] = to("messages.id", index=True, nullable=True)
    token_id: Mapped[str | None] = mapped_column(Ascii)
    kept_tokens: Mapped[int | None]
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

    @classmethod
    def is_of_chat(cls) -> ColumnElement[bool]:
        """Was it asked for on the chat's page, a temporary one too? Not so for programs and titles."""
        return or_(cls.conversation_id.is_not(None), cls.idempotency_key.is_not(None))
