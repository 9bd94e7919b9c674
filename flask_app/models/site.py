"""What is said to everybody, and which processes serve."""

from datetime import datetime

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from flask_app.column_types import Ascii, LongText
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


class ServerProcess(Base):
    """A process that serves, as it told last, or did until it ended. `host` is what its machine or container is
    called, `free_bytes` the room where its instance folder is, `waiting` the settlements in the journal there.

    `jobs` is JSON: the name of a job of its upkeep → when it ended here last, and whether it failed.
    """

    __tablename__ = "server_processes"

    id: Mapped[str] = key()
    host: Mapped[str] = mapped_column(String(255))
    process: Mapped[int]
    version: Mapped[str] = mapped_column(String(32))
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]
    free_bytes: Mapped[int] = mapped_column(BigInteger)
    waiting: Mapped[int]
    jobs: Mapped[str] = mapped_column(LongText)
