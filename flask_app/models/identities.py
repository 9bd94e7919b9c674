"""Signing in by an organisation's own identity: the providers, whom they know, and sign-ins under way."""

from datetime import datetime

from sqlalchemy import Boolean, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from flask_app.column_types import Ascii, LongText
from flask_app.database import Base, utc_now
from flask_app.models.columns import key, to


class IdentityProvider(Base):
    """Who knows people elsewhere: `kind` is "oidc", an OpenID Connect provider, or "ldap", a directory.

    `slug` names the one in the address that it sends people back to, and both on the command line; `name` is what
    people read. `secret` is sealed (AES-GCM, the row's id as associated data); a public client has none, nor has a
    directory that is asked anonymously. `terms` is JSON (`services/sign_in/identity_terms.py`, `directory_terms.py`).
    """

    __tablename__ = "identity_providers"

    id: Mapped[str] = key()
    kind: Mapped[str] = mapped_column(Ascii, default="oidc", server_default="oidc")
    slug: Mapped[str] = mapped_column(Ascii, unique=True)
    name: Mapped[str] = mapped_column(String(64))
    terms: Mapped[str] = mapped_column(LongText)
    secret: Mapped[bytes | None] = mapped_column(LargeBinary(1024))
    disabled: Mapped[bool] = mapped_column(Boolean, default=False)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class LinkedIdentity(Base):
    """An identity at a provider that signs a person in. `identity` is the digest of issuer and subject.

    `shown` is what the provider called the person at the last sign-in; of a directory it is the name that it finds
    them by.
    """

    __tablename__ = "linked_identities"

    id: Mapped[str] = key()
    provider_id: Mapped[str] = to("identity_providers.id", index=True)
    user_id: Mapped[str] = to("users.id", index=True)
    identity: Mapped[str] = mapped_column(Ascii, unique=True)
    shown: Mapped[str] = mapped_column(String(254))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    last_used_at: Mapped[datetime] = mapped_column(default=utc_now)


class LeftIdentity(Base):
    """An identity whose account was deleted: `until` then it makes no new one. It says nothing of whose it was."""

    __tablename__ = "left_identities"

    identity: Mapped[str] = mapped_column(Ascii, primary_key=True)
    until: Mapped[datetime] = mapped_column(index=True)


class IdentitySignIn(Base):
    """Somebody was sent to a provider. The id is the digest of `state`, `browser` that of the browser's cookie.

    With `user_id` it is no sign-in: who is signed in wants to link the identity.
    """

    __tablename__ = "identity_sign_ins"

    id: Mapped[str] = mapped_column(Ascii, primary_key=True)
    provider_id: Mapped[str] = to("identity_providers.id", index=True)
    browser: Mapped[str] = mapped_column(Ascii)
    user_id: Mapped[str | None] = to("users.id", index=True, nullable=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)
