"""The browsers a person is signed in with, as they see and end them."""

from collections.abc import Sequence

from sqlalchemy import delete, select

from flask_app.database import reading, transaction, utc_now
from flask_app.errors import NotFound
from flask_app.models import LoginSession, User
from flask_app.services.sign_in import known_devices
from flask_app.services.sign_in.auth_service import MOST_SESSIONS


def listed(actor: User, here: str) -> Sequence[LoginSession]:
    """One's sessions that are still open: `here`, then the last seen first."""
    own = select(LoginSession).where(LoginSession.user_id == actor.id, LoginSession.expires_at > utc_now())
    order = LoginSession.id != here, LoginSession.last_seen_at.desc(), LoginSession.id
    with reading() as session:
        return session.scalars(own.order_by(*order).limit(MOST_SESSIONS)).all()


def end(actor: User, session_id: str, here: str) -> None:
    """End one of one's sessions; raises NotFound for a foreign one too.

    Where it began in a browser that was new to `here`, that is new again the next time.
    """
    with transaction() as session:
        known_devices.disown(session, actor, here, of_session=session_id)
        one = delete(LoginSession).where(LoginSession.id == session_id, LoginSession.user_id == actor.id)
        if not session.execute(one).rowcount:  # type: ignore[attr-defined]
            raise NotFound


def end_others(actor: User, here: str) -> None:
    """End all of one's sessions but `here`."""
    with transaction() as session:
        known_devices.disown(session, actor, here)
        session.execute(delete(LoginSession).where(LoginSession.user_id == actor.id, LoginSession.id != here))
