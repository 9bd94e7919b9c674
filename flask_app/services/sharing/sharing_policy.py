"""Who may share conversations by links, and who may open these: a setting of the site, and one of each group.

A link opens for as long as its person could make it now. Where sharing is switched off, for the site or for their
group, it opens no more, nor while they are disabled; where that is taken back it opens again, unless it has ended
meanwhile.
"""

from sqlalchemy import select
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from flask_app.database import fetching, in_transaction, table_of
from flask_app.errors import Forbidden, Invalid
from flask_app.models import Group, Setting, User
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import group_access

NAME = "sharing"
OFF, PEOPLE, ANYBODY = "off", "people", "anybody"  # nobody opens links, who is signed in does, whoever has one does
MODES = (OFF, PEOPLE, ANYBODY)

_settings = table_of(Setting)
_STORED = select(_settings.c.value).where(_settings.c.name == NAME)


def mode() -> str:
    """One of MODES."""
    with fetching() as connection:
        return mode_of(connection)


def mode_of(connection: Connection) -> str:
    """`mode`, on the caller's connection."""
    return connection.scalar(_STORED) or OFF


def mode_for(access: str) -> str:
    """`mode`, for the people of a group: OFF where these may not share. `access` is what is stored in its row."""
    return mode() if group_access.read(access).sharing else OFF


def require(session: Session, user_id: str) -> None:
    """Raises Forbidden("sharing_off") where nobody shares, and Forbidden("sharing_not_allowed") where their group does
    not.
    """
    if mode_of(session.connection()) == OFF:
        raise Forbidden("sharing_off")
    access = session.scalar(select(Group.access).join(User, User.group_id == Group.id).where(User.id == user_id))
    if access is None or not group_access.read(access).sharing:
        raise Forbidden("sharing_not_allowed")


def change(actor: Actor, wanted: str) -> str:
    """From the next request on. Raises Invalid("unknown_sharing")."""
    if wanted not in MODES:
        raise Invalid("unknown_sharing", known=", ".join(MODES))

    def work(session: Session) -> str:
        stored = session.get(Setting, NAME, with_for_update=True)
        before = {"mode": stored.value if stored else OFF}
        session.merge(Setting(name=NAME, value=wanted))
        if difference := audit_service.difference(before, {"mode": wanted}):
            audit_service.record(session, actor.user, "sharing.change", NAME, difference, actor.address)
        return wanted

    return in_transaction(work)
