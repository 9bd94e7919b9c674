"""Whose password a directory knows: accounts that it opens sign in by nothing that is kept here."""

from collections.abc import Sequence

from sqlalchemy import Row, select

from flask_app.database import reading
from flask_app.models import IdentityProvider, LinkedIdentity, User
from flask_app.services.sign_in import directories
from flask_app.services.sign_in.provider_rows import LDAP


def is_theirs(user: User) -> bool:
    """Does a directory that is on answer for this account? Not for an administrator who has a password here: whatever
    becomes of the directory, they come in."""
    if user.role == "admin" and user.password_hash is not None:
        return False
    return bool(_links(user))


def knows(user: User, password: str) -> bool:
    """Is it the password of whoever the directory has linked to this account? Raises IdentityProviderError."""
    for provider, linked in _links(user):
        found = directories.check(provider, linked.shown, password)
        if found and directories.key_of(provider, found) == linked.identity:
            return True
    return False


def _links(user: User) -> Sequence[Row[IdentityProvider, LinkedIdentity]]:
    theirs = LinkedIdentity.user_id == user.id, IdentityProvider.kind == LDAP.name, ~IdentityProvider.disabled
    links = select(IdentityProvider, LinkedIdentity).join(LinkedIdentity).where(*theirs)
    with reading() as session:
        return session.execute(links.order_by(LinkedIdentity.id)).all()
