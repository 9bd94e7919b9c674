"""Who may share conversations by links, and who may open these: a setting of the site, and one of each group.

A link opens for as long as its person could make it now. Where sharing is switched off, for the site or for their
group, it opens no more, nor while they are disabled; where that is taken back it opens again, unless it has ended
meanwhile. What was made for people who are signed in is never anybody's: whoever made it was told so.
"""

from sqlalchemy import select
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from flask_app.database import fetching, table_of
from flask_app.errors import Forbidden, Invalid
from flask_app.models import Group, Setting, User
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.site import stored_settings

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


def narrower(audience: str, mode: str) -> str:
    """Whom a link opens for that was made for an audience: whom it was made for then and the site lets open it now."""
    return min(audience, mode, key=MODES.index)


def shown_audience(audience: str, mode: str) -> str:
    """`narrower`, for whoever lists links: while sharing is off, whom it was made for."""
    return audience if mode == OFF else narrower(audience, mode)


def require(session: Session, user_id: str) -> str:
    """Whom a link of this person opens for that is made now, PEOPLE or ANYBODY.

    Raises Forbidden("sharing_off") where nobody shares, Forbidden("sharing_not_allowed") where their group does not.
    """
    now = mode_of(session.connection())
    if now == OFF:
        raise Forbidden("sharing_off")
    if not session.scalar(select(Group.sharing).join(User, User.group_id == Group.id).where(User.id == user_id)):
        raise Forbidden("sharing_not_allowed")
    return now


def change(actor: Actor, wanted: str) -> str:
    """From the next request on. Raises Invalid("unknown_sharing")."""
    if wanted not in MODES:
        raise Invalid("unknown_sharing", known=", ".join(MODES))

    def work(session: Session) -> str:
        found = stored_settings.locked(session, NAME)
        before = {"mode": found.get(NAME, OFF)}
        stored_settings.keep(session, found, {NAME: wanted})
        if difference := audit_service.difference(before, {"mode": wanted}):
            audit_service.record(session, actor.user, "sharing.change", NAME, difference, actor.address)
        return wanted

    return stored_settings.in_turn(work)
