"""Who is still there: what would let an intruder stay or pay is done in a session that began lately."""

from datetime import datetime, timedelta

from sqlalchemy import select

from flask_app.database import transaction, utc_now
from flask_app.errors import Forbidden
from flask_app.models import User
from flask_app.services.sign_in import auth_service, visits
from flask_app.services.sign_in.auth_service import Browser, SignedIn

FRESH = timedelta(hours=2)


class PasswordNeeded(Forbidden):
    """The session is older than `FRESH`: its person proves once more that it is them."""

    code = "password_needed"


def require(began_at: datetime) -> None:
    """Raise PasswordNeeded where the session of the request began too long ago."""
    if utc_now() - began_at > FRESH:
        raise PasswordNeeded


def require_password(actor: User, session_id: str, began_at: datetime, password: str | None) -> None:
    """Before what lets an intruder stay, or takes all away: their password; who has none must have signed in lately.

    Raises Forbidden("wrong_password", "sign_in_again"), TooMany, IdentityProviderError.
    """
    if auth_service.has_password(actor):
        auth_service.check_password(actor, session_id, password or "")
        return
    try:
        require(began_at)
    except PasswordNeeded as error:  # there is none that could be given
        raise Forbidden("sign_in_again") from error


def prove(actor: User, session_id: str, password: str, browser: Browser) -> SignedIn:
    """A new session in the place of the one that asked, which ends.

    Raises Forbidden("wrong_password"), TooMany, SignInRequired where the session ended meanwhile.
    """
    auth_service.check_password(actor, session_id, password)
    with transaction() as session:
        unchanged = (User.id == actor.id, User.password_hash == actor.password_hash)
        if session.scalar(select(User.id).where(*unchanged).with_for_update()) is None:
            raise Forbidden("wrong_password")
        visits.require_open(session, session_id)
        return auth_service.open_session(session, actor, browser, replaces=session_id)
