"""What is said to everybody."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from flask_app.column_types import Ascii
from flask_app.database import Base, utc_now
from flask_app.models.columns import key

ANNOUNCED = 1000  # characters


class Announcement(Base):
    """Read above their pages by everybody who is signed in, from `begins_at` to `ends_at`; None: until it is deleted.

    `tone` is "info" or "warning".
    """

    __tablename__ = "announcements"

    id: Mapped[str] = key()
    text: Mapped[str] = mapped_column(String(ANNOUNCED))
    tone: Mapped[str] = mapped_column(Ascii)
    begins_at: Mapped[datetime]
    ends_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
