"""What is seen of a shared conversation: a branch of it as it stood, without counts, costs, times or ids."""

from collections.abc import Iterable

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from flask_app.domain import tree
from flask_app.domain.tools import OWN_TITLES, Call
from flask_app.domain.web_sources import Search
from flask_app.errors import Conflict, Invalid, NotFound
from flask_app.models import Message
from flask_app.services.files import message_files
from flask_app.services.tools import tool_calls
from flask_app.services.web_search import searches

MAX_BYTES = 4 * 1024 * 1024  # of JSON: about four novels


class Said(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A message. `status` is as in `Message`; `reasoning` is empty where thoughts are not shown.

    `files` are the names of those that went with a question: what is in them is its person's alone. `search` is what
    was looked up on the web for one. `tools` are the names of those that were called for an answer: neither with what
    nor what came of it.
    """

    role: str
    text: str
    reasoning: str = ""
    model: str | None = None
    status: str = "complete"
    files: list[str] = []
    search: Search | None = None
    tools: list[str] = []


_decoder = msgspec.json.Decoder(list[Said])


def taken(session: Session, conversation_id: str, leaf_id: str | None, *, thoughts: bool) -> str:
    """The branch that ends with a message, the newest one where none is named, as JSON.

    Raises NotFound for a message of another conversation, Conflict("answer_not_finished") while an answer of the branch
    is written, Invalid("nothing_to_share") and Invalid("share_too_long").
    """
    columns = (Message.id, Message.parent_id, Message.status)
    own = Message.conversation_id == conversation_id
    nodes = session.execute(select(*columns).where(own).order_by(Message.created_at, Message.id)).all()
    if not nodes:
        raise Invalid("nothing_to_share")
    try:
        path = tree.path_to(nodes[-1].id if leaf_id is None else leaf_id, nodes)
    except KeyError as error:
        raise NotFound from error
    if any(node.status == "running" for node in path):
        raise Conflict("answer_not_finished")
    encoded = msgspec.json.encode(_said(session, conversation_id, [node.id for node in path], thoughts=thoughts))
    if len(encoded) > MAX_BYTES:
        raise Invalid("share_too_long", limit=MAX_BYTES // 1024**2)
    return encoded.decode()


def read(content: str) -> list[Said]:
    return _decoder.decode(content)


def _said(session: Session, conversation_id: str, ids: list[str], *, thoughts: bool) -> list[Said]:
    found = session.execute(
        select(Message.id, Message.role, Message.text, Message.reasoning, Message.model, Message.status).where(
            Message.conversation_id == conversation_id
        )
    )
    attached = message_files.of_conversation(session.connection(), conversation_id)
    found_on_web = searches.of_conversation(session.connection(), conversation_id)
    made = tool_calls.of_conversation(session.connection(), conversation_id)
    by_id = {
        row.id: Said(
            role=row.role,
            text=row.text,
            reasoning=row.reasoning if thoughts else "",
            model=row.model if row.role == "assistant" else None,
            status=row.status,
            files=[each.name for each in attached.get(row.id, ())],
            search=found_on_web.get(row.id),
            tools=_names(made.get(row.id, ())),
        )
        for row in found
    }
    return [by_id[each] for each in ids]


def _names(calls: Iterable[Call]) -> list[str]:
    """Each once, in the order in which they were called first."""
    return list(dict.fromkeys(_name(call) for call in calls))


def _name(call: Call) -> str:
    return f"{call.title} ({call.server})" if call.server else OWN_TITLES.get(call.tool, call.title)
