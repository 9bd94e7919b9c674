"""With whom a person can begin: their own assistants, those of their group, and those for everybody."""

from typing import NamedTuple

from sqlalchemy import ColumnElement, or_, select

from flask_app.database import fetching, reading
from flask_app.errors import NotFound
from flask_app.models import Assistant, SharedAssistant, User

OWN, GROUP, SITE = "own", "group", "site"


class Offered(NamedTuple):
    """One to begin with. `source` is OWN, GROUP or SITE."""

    id: str
    name: str
    icon: str
    model: str | None
    thinking: str | None
    source: str


def listed(actor: User) -> list[Offered]:
    """Without their instructions: one's own, those of the group, those for everybody; what was changed last first."""
    of = Assistant
    own = select(of.id, of.name, of.icon, of.model, of.thinking).where(of.user_id == actor.id)
    with fetching() as connection:
        rows = connection.execute(own.order_by(of.updated_at.desc(), of.id.desc()))
        return [*(Offered(*row, source=OWN) for row in rows), *shared(actor)]


def shared(actor: User) -> list[Offered]:
    """Those that somebody else keeps."""
    of = SharedAssistant
    theirs = select(of.id, of.name, of.icon, of.model, of.thinking, of.group_id).where(_theirs(actor))
    nearest_first = theirs.order_by(of.group_id.is_(None), of.updated_at.desc(), of.id.desc())
    with fetching() as connection:
        return [Offered(*row[:-1], source=GROUP if row.group_id else SITE) for row in connection.execute(nearest_first)]


def few(actor: User, most: int) -> list[Offered]:
    """So many at most, half of them shared ones where there are that many of both."""
    found = listed(actor)
    own = [each for each in found if each.source == OWN]
    others = [each for each in found if each.source != OWN][: max(most - len(own), most // 2)]
    return [*own[: most - len(others)], *others]


def one(actor: User, assistant_id: str) -> Assistant | SharedAssistant:
    """Raises NotFound for what the person cannot begin with."""
    own = select(Assistant).where(Assistant.id == assistant_id, Assistant.user_id == actor.id)
    shared = select(SharedAssistant).where(SharedAssistant.id == assistant_id, _theirs(actor))
    with reading() as session:
        found = session.scalar(own) or session.scalar(shared)
    if found is None:
        raise NotFound
    return found


def _theirs(actor: User) -> ColumnElement[bool]:
    return or_(SharedAssistant.group_id.is_(None), SharedAssistant.group_id == actor.group_id)
