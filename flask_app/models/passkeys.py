"""Passkeys: the public half of what a person's device or password manager signs in with."""

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from flask_app.column_types import Ascii
from flask_app.database import Base, utc_now
from flask_app.models.columns import key, to


class Passkey(Base):
    """What proves that somebody has a person's passkey; nothing here signs anybody in.

    `digest` is that of `credential_id`, by which it is found. `public_key` is a COSE key (RFC 9052). It is good at
    `rp_id` alone, the name of the site at which it was made. `sign_count` is what its authenticator counted at the
    last use; always 0 where it does not count. `transports` are the ways a browser reaches it, with spaces between.
    `backed_up`: its keeper has copied it, so that it outlives the device.
    """

    __tablename__ = "passkeys"

    id: Mapped[str] = key()
    user_id: Mapped[str] = to("users.id", index=True)
    digest: Mapped[str] = mapped_column(Ascii, unique=True)
    credential_id: Mapped[bytes] = mapped_column(LargeBinary(1023))
    public_key: Mapped[bytes] = mapped_column(LargeBinary(1024))
    rp_id: Mapped[str] = mapped_column(String(255))
    sign_count: Mapped[int] = mapped_column(BigInteger, default=0)
    transports: Mapped[str] = mapped_column(String(255))
    aaguid: Mapped[str] = mapped_column(Ascii)
    backed_up: Mapped[bool] = mapped_column(Boolean)
    name: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    last_used_at: Mapped[datetime | None]


class UsedChallenge(Base):
    """A challenge that a passkey has signed: nobody signs in by it again. The id is its digest."""

    __tablename__ = "used_challenges"

    id: Mapped[str] = mapped_column(Ascii, primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)
