"""A token of the person who acts, held while something of it is changed."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from flask_app.errors import NotFound
from flask_app.models import AccessToken, User
from flask_app.services.audit.audit_service import Actor


def hold(session: Session, actor: Actor, token_id: str) -> AccessToken:
    """The person's row is locked first and the token's then, as a request does. Raises NotFound for a foreign one too,
    and for one that is revoked.
    """
    if actor.user is None:
        raise NotFound
    owner_id = actor.user.id
    session.execute(select(User.id).where(User.id == owner_id).with_for_update())
    own = (AccessToken.id == token_id, AccessToken.user_id == owner_id, AccessToken.revoked_at.is_(None))
    token = session.scalar(select(AccessToken).where(*own).with_for_update(read=True))
    if token is None:
        raise NotFound
    return token
