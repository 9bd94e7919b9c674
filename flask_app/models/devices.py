"""Browsers that people have signed in from."""

from datetime import datetime

from sqlalchemy import Boolean, String
from sqlalchemy.orm import Mapped, mapped_column

from flask_app.column_types import Ascii
from flask_app.database import Base, utc_now
from flask_app.models.columns import to


class KnownDevice(Base):
    """A browser that somebody has signed in from. The id is a digest of the person and what the browser's cookie says.

    `is_new`: the person has not said yet that it was them. `user_agent` and `address` are those of the first sign-in,
    `created_at`; `email` is the address that was the person's then, where a mail tells of it.
    """

    __tablename__ = "known_devices"

    id: Mapped[str] = mapped_column(Ascii, primary_key=True)
    user_id: Mapped[str] = to("users.id", index=True)
    user_agent: Mapped[str] = mapped_column(String(255))
    address: Mapped[str] = mapped_column(String(64))
    is_new: Mapped[bool] = mapped_column(Boolean, default=False, server_default="0")
    email: Mapped[str | None] = mapped_column(String(254))
    created_at: Mapped[datetime] = mapped_column(default=utc_now, index=True)
    signed_in_at: Mapped[datetime] = mapped_column(default=utc_now)
