"""What people show of their conversations to others, by a link."""

from datetime import datetime

from sqlalchemy import Boolean, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from flask_app.column_types import Ascii, LongText
from flask_app.database import Base, utc_now
from flask_app.models.columns import key, to


class Share(Base):
    """A branch of a conversation as it stood, for whoever has its link. Once it is ended the row is gone.

    `digest` is that of the link's token; `token` is the token itself, sealed (AES-GCM, the row's id as associated
    data), so that its person can copy the link again. `content` is JSON (`services/sharing/snapshot.py`), with the
    `thoughts` where they were wanted. `shown_name` is who shares, as they were called then; None where they are not
    named. `opened` is how often it was read by others. `expires_at` None: until it is ended.
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
    opened: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime | None] = mapped_column(index=True)
