"""What people show of their conversations to others, by a link."""

from datetime import date, datetime

from sqlalchemy import Boolean, ColumnElement, Date, LargeBinary, String, or_
from sqlalchemy.orm import Mapped, mapped_column

from flask_app.column_types import Ascii, LongText
from flask_app.database import Base, utc_now
from flask_app.models.columns import key, to


class Share(Base):
    """A branch of a conversation as it stood, for whoever has its link. Once it is ended the row is gone.

    `digest` is that of the link's token; `token` is the token itself, sealed (AES-GCM, the row's id as associated
    data), so that its person can copy the link again. `content` is JSON (`services/sharing/snapshot.py`), with the
    `thoughts` where they were wanted. `shown_name` is who shares, as they were called then; None where they are not
    named. `opened` is how often it was read by others. `expires_at` None: until it is ended. `audience` is
    whom its person was told that it opens for, "people" or "anybody" (`services/sharing/sharing_policy.py`): it never
    opens for more. `content_bytes` is how long `content` is.
    """

    __tablename__ = "shares"

    id: Mapped[str] = key()
    user_id: Mapped[str] = to("users.id", index=True)
    conversation_id: Mapped[str] = to("conversations.id", index=True)
    digest: Mapped[str] = mapped_column(Ascii, unique=True)
    token: Mapped[bytes] = mapped_column(LargeBinary(1024))
    title: Mapped[str] = mapped_column(String(200))
    shown_name: Mapped[str | None] = mapped_column(String(64))
    thoughts: Mapped[bool] = mapped_column(Boolean, default=False)
    content: Mapped[str] = mapped_column(LongText)
    content_bytes: Mapped[int] = mapped_column(default=0, server_default="0")
    audience: Mapped[str] = mapped_column(String(16), default="people", server_default="people")
    opened: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime | None] = mapped_column(index=True)

    @classmethod
    def is_open(cls, now: datetime) -> ColumnElement[bool]:
        """Has its time not come yet?"""
        return or_(cls.expires_at.is_(None), cls.expires_at > now)


class SharedDaily(Base):
    """How many links a person has made on the last day of the site on which they did, ended ones among them."""

    __tablename__ = "shared_daily"

    user_id: Mapped[str] = to("users.id", primary_key=True)
    day: Mapped[date] = mapped_column(Date)
    made: Mapped[int]
