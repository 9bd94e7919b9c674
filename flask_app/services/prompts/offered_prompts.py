"""What a person can ask with by a command: their own prompts, those of their group, and those for everybody."""

from typing import NamedTuple

from sqlalchemy import ColumnElement, select

from flask_app.database import fetching
from flask_app.errors import NotFound
from flask_app.models import EVERYBODY, Prompt, SharedPrompt, User

OWN, GROUP, SITE = "own", "group", "site"


class Offered(NamedTuple):
    """`source` is OWN, GROUP or SITE."""

    id: str
    command: str
    title: str
    source: str


def listed(actor: User) -> list[Offered]:
    """Without their texts: own ones first, each kind by its commands. A command that stands twice is the nearer one."""
    own = select(Prompt.id, Prompt.command, Prompt.title, Prompt.command_key).where(Prompt.user_id == actor.id)
    shared = select(
        SharedPrompt.id, SharedPrompt.command, SharedPrompt.title, SharedPrompt.command_key, SharedPrompt.group_id
    ).where(_theirs(actor))
    found: dict[str, Offered] = {}
    with fetching() as connection:
        for row in connection.execute(own.order_by(Prompt.command_key)):
            found[row.command_key] = Offered(row.id, row.command, row.title, OWN)
        nearest_first = shared.order_by(SharedPrompt.group_id.is_(None), SharedPrompt.command_key)
        for other in connection.execute(nearest_first):
            source = GROUP if other.group_id else SITE
            found.setdefault(other.command_key, Offered(other.id, other.command, other.title, source))
    return list(found.values())


def text(actor: User, prompt_id: str) -> str:
    """Raises NotFound for what the person cannot ask with."""
    own = select(Prompt.text).where(Prompt.id == prompt_id, Prompt.user_id == actor.id)
    shared = select(SharedPrompt.text).where(SharedPrompt.id == prompt_id, _theirs(actor))
    with fetching() as connection:
        for query in (own, shared):
            found: str | None = connection.scalar(query)
            if found is not None:
                return found
    raise NotFound


def _theirs(actor: User) -> ColumnElement[bool]:
    return SharedPrompt.scope_id.in_((EVERYBODY, actor.group_id))
