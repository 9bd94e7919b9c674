"""The assistants of conversations that are taken along: by their names alone, by which they are found again."""

from typing import Any

from sqlalchemy import Select, and_, bindparam, func, or_, select
from sqlalchemy.engine import Connection

from flask_app.database import table_of
from flask_app.models import Assistant, Conversation, SharedAssistant, User
from flask_app.services.portability.conversation_format import Companion

_conversations, _own, _shared = table_of(Conversation), table_of(Assistant), table_of(SharedAssistant)
_OFFERED = or_(_shared.c.group_id.is_(None), _shared.c.group_id == bindparam("group"))
_OWN = (
    select(_own.c.id, _own.c.name)
    .where(_own.c.user_id == bindparam("person"), _own.c.name == bindparam("name"))
    .order_by(_own.c.updated_at.desc(), _own.c.id.desc())
)
_SHARED = (
    select(_shared.c.id, _shared.c.name)
    .where(_OFFERED, _shared.c.name == bindparam("name"))
    .order_by(_shared.c.group_id.is_(None), _shared.c.updated_at.desc(), _shared.c.id.desc())
)


def beside(query: Select[Any]) -> Select[Any]:
    """The query of conversations with the name and the icon of each one's assistant, as far as its person has that.

    It is asked with the person's `group`.
    """
    name, icon = (func.coalesce(_own.c[each], _shared.c[each]).label(f"assistant_{each}") for each in ("name", "icon"))
    return (
        query.add_columns(name, icon)
        .select_from(_conversations)
        .outerjoin(_own, _own.c.id == _conversations.c.assistant_id)
        .outerjoin(_shared, and_(_shared.c.id == _conversations.c.shared_assistant_id, _OFFERED))
    )


def found(connection: Connection, actor: User, companion: Companion | None) -> dict[str, str | None]:
    """The columns of a conversation: the person's own of that name, else one that is kept for them, else none."""
    ids: dict[str, str | None] = {"assistant_id": None, "shared_assistant_id": None}
    if companion is not None:
        asked = {"person": actor.id, "group": actor.group_id, "name": companion.name}
        for column, query in (("assistant_id", _OWN), ("shared_assistant_id", _SHARED)):
            # Databases differ about which names are the same.
            same = [row.id for row in connection.execute(query, asked) if row.name == companion.name]
            if same:
                return ids | {column: same[0]}
    return ids
