"""People: their groups, sign-ins and settings, and what was done by whom."""

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, Index, Integer, LargeBinary, String, true
from sqlalchemy.orm import Mapped, mapped_column, relationship

from flask_app.column_types import Address, Ascii, Folded, LongText, Origin
from flask_app.database import Base, utc_now
from flask_app.models.columns import key, to

DEFAULT_GROUP_ID = "0" * 26


class Group(Base):
    """People whom the same settings hold for. The one with `DEFAULT_GROUP_ID` is always there.

    `on_disconnect` says what becomes of an answer whose reader left: "continue", "limit" (it goes on for
    `on_disconnect_tokens` more) or "stop". `name_key` is the folded name, which must be unique. `rates` says how often
    its people may ask, where that is not as for the whole site (`services/site/rates.py`), `access` what they may use
    and when, `sharing` whether they may show conversations to others, `models` which models they may ask
    (`services/people/group_access.py`), `web_search` whether questions of theirs may be looked up on the web
    (`services/web_search/search_settings.py`), `file_quota_mb` how many megabytes each may keep as files in messages:
    with 0 they attach none. Its managers can read while it is supervised
    (`services/people/supervision_service.py`). Each person begins with a balance of `opening_amount` in `opening_unit`
    (`services/budgets/opening_service.py`); both are null where nobody does.
    """

    __tablename__ = "groups"

    id: Mapped[str] = key()
    name: Mapped[str] = mapped_column(String(64))
    name_key: Mapped[str] = mapped_column(Folded, unique=True)
    on_disconnect: Mapped[str] = mapped_column(String(16), default="continue", server_default="continue")
    on_disconnect_tokens: Mapped[int | None]
    rates: Mapped[str] = mapped_column(String(255), default="{}", server_default="{}")
    access: Mapped[str] = mapped_column(String(255), default="{}", server_default="{}")
    sharing: Mapped[bool] = mapped_column(Boolean, default=True, server_default=true())
    models: Mapped[str | None] = mapped_column(LongText)
    web_search: Mapped[bool] = mapped_column(Boolean, default=True, server_default=true())
    file_quota_mb: Mapped[int] = mapped_column(Integer, default=200, server_default="200")
    supervised_since: Mapped[datetime | None]
    opening_unit: Mapped[str | None] = mapped_column(String(8))
    opening_amount: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class User(Base):
    """A person. `username_key` is the folded name that must be unique; `role` is "admin" or "member".

    An administrator may own the site: `services/people/standing.py` says what somebody is.
    `disabled_by_manager`: a manager of their group may let them in again, who does so for nobody else.
    `locale` is the language that they chose, if they did; `seen_locale` the one that they last saw pages in.
    `email` is where warnings go, if they have given one, unless they have switched `warn_by_email` off.
    `confirmed_email` is the folded address that was proven to be theirs, which `email` need not be any more
    (`services/people/addresses.py`).
    `deleted_at`: they, or an administrator, have deleted their account then, and what is left of it is being removed.
    """

    __tablename__ = "users"

    id: Mapped[str] = key()
    username: Mapped[str] = mapped_column(String(64))
    username_key: Mapped[str] = mapped_column(Folded, unique=True)
    password_hash: Mapped[str | None] = mapped_column(String(255))
    role: Mapped[str] = mapped_column(String(16), default="member")
    is_owner: Mapped[bool] = mapped_column(Boolean, default=False, server_default="0")
    group_id: Mapped[str] = to(
        "groups.id", ondelete="RESTRICT", index=True, default=DEFAULT_GROUP_ID, server_default=DEFAULT_GROUP_ID
    )
    disabled: Mapped[bool] = mapped_column(Boolean, default=False)
    disabled_by_manager: Mapped[bool] = mapped_column(Boolean, default=False, server_default="0")
    locale: Mapped[str | None] = mapped_column(String(8))
    seen_locale: Mapped[str | None] = mapped_column(String(8))
    theme: Mapped[str | None] = mapped_column(String(8))
    timezone: Mapped[str | None] = mapped_column(String(64))
    email: Mapped[str | None] = mapped_column(String(254))
    confirmed_email: Mapped[str | None] = mapped_column(Address, index=True)
    warn_by_email: Mapped[bool] = mapped_column(Boolean, default=True, server_default="1")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    last_sign_in_at: Mapped[datetime | None]
    last_seen_at: Mapped[datetime | None]
    supervision_seen_at: Mapped[datetime | None]
    deleted_at: Mapped[datetime | None] = mapped_column(index=True)

    @property
    def language(self) -> str | None:
        """What they are told in where nobody asks who names one: in a mail."""
        return self.locale or self.seen_locale


class GroupManager(Base):
    """Somebody who was named to look after the people of a group, which need not be their own."""

    __tablename__ = "group_managers"

    group_id: Mapped[str] = to("groups.id", primary_key=True)
    user_id: Mapped[str] = to("users.id", primary_key=True, index=True)


class LoginSession(Base):
    """A signed-in browser. The id is the digest of the cookie's random token, so a stolen table signs nobody in.

    `device_id` is the `KnownDevice` that it is; null where the session began before there were any.
    """

    __tablename__ = "login_sessions"

    id: Mapped[str] = mapped_column(Ascii, primary_key=True)
    user_id: Mapped[str] = to("users.id", index=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    last_seen_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    address: Mapped[str] = mapped_column(String(64))
    user_agent: Mapped[str] = mapped_column(String(255))
    device_id: Mapped[str | None] = mapped_column(Ascii)
    user: Mapped[User] = relationship(lazy="raise")


class PasswordLink(Base):
    """A single-use link by which a person chooses a password. The id is the digest of the link's token."""

    __tablename__ = "password_links"

    id: Mapped[str] = mapped_column(Ascii, primary_key=True)
    user_id: Mapped[str] = to("users.id", index=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Invitation(Base):
    """A link by which up to `most` people make accounts of their own, in one group; `used` of them did.

    `digest` is that of the link's token. `group_id` is null once the group is deleted: nobody comes in any more.
    `user_id` is who made it; null on the command line.
    """

    __tablename__ = "invitations"

    id: Mapped[str] = key()
    digest: Mapped[str] = mapped_column(Ascii, unique=True)
    name: Mapped[str] = mapped_column(String(64))
    group_id: Mapped[str | None] = to("groups.id", ondelete="SET NULL", index=True)
    most: Mapped[int]
    used: Mapped[int] = mapped_column(default=0)
    user_id: Mapped[str | None] = mapped_column(Ascii)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


class InvitationLetter(Base):
    """The letter that carries an invitation to its person, once: `code` is what the link has, sealed (AES-GCM, the
    invitation's id as associated data), and `site_url` where it leads.

    `state`: "waiting", "sent", "failed" (`error_code` says why), or "dropped" where the invitation ended before. What
    waits no more has neither address nor code. What does is due at `due_at`, by the database's clock; whoever sends it
    moves that on first, which is the lease. `tries` counts leases.
    """

    __tablename__ = "invitation_letters"
    __table_args__ = (Index(None, "state", "due_at"),)

    invitation_id: Mapped[str] = to("invitations.id", primary_key=True)
    email: Mapped[str | None] = mapped_column(String(254))
    code: Mapped[bytes | None] = mapped_column(LargeBinary(1024))
    site_url: Mapped[str] = mapped_column(String(300))
    locale: Mapped[str] = mapped_column(Ascii)
    state: Mapped[str] = mapped_column(Ascii)
    tries: Mapped[int]
    due_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(index=True)
    error_code: Mapped[str | None] = mapped_column(String(64))


class SecondStep(Base):
    """A person's authenticator app; from `turned_on_at` on its codes are asked for at sign-in.

    `secret` is sealed (AES-GCM, the person's id as associated data). The codes of the time step `last_step` and of
    those before it are used up.
    """

    __tablename__ = "second_steps"

    user_id: Mapped[str] = to("users.id", primary_key=True)
    secret: Mapped[bytes] = mapped_column(LargeBinary(1024))
    begun_at: Mapped[datetime] = mapped_column(default=utc_now)
    turned_on_at: Mapped[datetime | None]
    last_step: Mapped[int | None]


class RecoveryCode(Base):
    """What stands in for the authenticator app once; a used one is gone. The id is a digest of the person and code."""

    __tablename__ = "recovery_codes"

    id: Mapped[str] = mapped_column(Ascii, primary_key=True)
    user_id: Mapped[str] = to("users.id", index=True)


class PendingSignIn(Base):
    """A right password whose second step is awaited. The id is the digest of the browser's token; `tries` are codes."""

    __tablename__ = "pending_sign_ins"

    id: Mapped[str] = mapped_column(Ascii, primary_key=True)
    user_id: Mapped[str] = to("users.id", index=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)
    tries: Mapped[int] = mapped_column(default=0)


class AccessToken(Base):
    """What lets a program ask for answers in a person's name, and nothing else. `digest` is that of the whole token.

    `hint` is its last four characters. `models` is a JSON list of the only names it may ask for, or None for all.
    Until `words_until` what is asked with it, and answered, is kept for its person (`ProgramWords`). At most
    `requests_per_minute` answers are begun with it, and `parallel_requests` are in the making, None is no limit of its
    own; `networks` is a JSON list of the only ones it may be used from, or None for all. `on_disconnect` says what
    becomes of an answer whose program leaves: "stop", or "continue". The row outlives the token: the attempts name it.
    """

    __tablename__ = "access_tokens"
    __table_args__ = (Index(None, "user_id", "revoked_at"),)

    id: Mapped[str] = key()
    user_id: Mapped[str] = to("users.id")
    name: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(Ascii, unique=True)
    hint: Mapped[str] = mapped_column(String(4))
    models: Mapped[str | None] = mapped_column(LongText)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    words_until: Mapped[datetime | None]
    requests_per_minute: Mapped[int | None]
    parallel_requests: Mapped[int | None]
    networks: Mapped[str | None] = mapped_column(LongText)
    on_disconnect: Mapped[str] = mapped_column(String(16), default="stop", server_default="stop")


class TokenOrigin(Base):
    """A website whose pages may ask with a token: the origin as browsers send it (`https://app.example.org`)."""

    __tablename__ = "token_origins"

    token_id: Mapped[str] = to("access_tokens.id", primary_key=True)
    origin: Mapped[str] = mapped_column(Origin, primary_key=True, index=True)


class AuditEntry(Base):
    """What an administrator did, to whom, with which values; never a secret. Rows are only ever added."""

    __tablename__ = "audit_log"
    __table_args__ = (
        Index(None, "actor_id", "id"),
        Index(None, "actor_id", "action", "id"),
        Index(None, "action", "id"),
        Index(None, "target", "id"),
    )

    id: Mapped[str] = key()
    actor_id: Mapped[str | None] = mapped_column(Ascii)
    actor_name: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(64))
    target: Mapped[str] = mapped_column(String(128))
    details: Mapped[str] = mapped_column(LongText)
    address: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Setting(Base):
    """A named value of the whole site. The row `setup` exists once the first administrator does."""

    __tablename__ = "settings"

    name: Mapped[str] = mapped_column(Ascii, primary_key=True)
    value: Mapped[str] = mapped_column(LongText)
