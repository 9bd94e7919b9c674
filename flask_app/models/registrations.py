"""People who asked for an account without an invitation."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from flask_app.column_types import Ascii, Folded
from flask_app.database import Base, utc_now
from flask_app.models.columns import key, to


class Registration(Base):
    """What somebody wants to be called, until they are let in (`user_id`) or it is over (`expires_at`).

    `digest` is that of the token that the mail to `email` carries; `confirmed_at` is when it came back. Nobody is let
    in by an address twice: `came_in_by` is the folded address of one who was. The hash of the password goes to the
    account. Who was sent by an identity provider has no password: `identity` is the digest of their issuer and subject.
    """

    __tablename__ = "registrations"

    id: Mapped[str] = key()
    username: Mapped[str] = mapped_column(String(64))
    password_hash: Mapped[str | None] = mapped_column(String(255))
    email: Mapped[str | None] = mapped_column(String(254))
    digest: Mapped[str | None] = mapped_column(Ascii, unique=True)
    address: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    confirmed_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None] = mapped_column(index=True)
    user_id: Mapped[str | None] = to("users.id", index=True, nullable=True)
    came_in_by: Mapped[str | None] = mapped_column(Folded, unique=True)
    identity_provider_id: Mapped[str | None] = mapped_column(Ascii, index=True)
    identity: Mapped[str | None] = mapped_column(Ascii, unique=True, index=True)
