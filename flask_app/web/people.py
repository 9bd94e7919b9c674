"""A person as the API shows them: exactly these fields."""

from datetime import datetime

from flask_app.models import User
from flask_app.web.bodies import Reply


class UserReply(Reply):
    """Times are UTC; `online` means seen within five minutes in a session that is still open."""

    id: str
    username: str
    role: str
    locale: str | None
    theme: str
    timezone: str | None
    disabled: bool
    online: bool
    created_at: datetime
    last_sign_in_at: datetime | None
    last_seen_at: datetime | None


def user_reply(user: User, *, online: bool) -> UserReply:
    return UserReply(
        id=user.id,
        username=user.username,
        role=user.role,
        locale=user.locale,
        theme=user.theme,
        timezone=user.timezone,
        disabled=user.disabled,
        online=online,
        created_at=user.created_at,
        last_sign_in_at=user.last_sign_in_at,
        last_seen_at=user.last_seen_at,
    )
