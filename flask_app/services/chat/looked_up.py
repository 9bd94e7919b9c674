"""Questions that are looked up on the web before they are answered: two attempts are written, the search's first.

And those for whose answer the model may call tools.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.engine import Connection

from flask_app.domain import web_links, web_sources
from flask_app.domain.serving import ServedModel
from flask_app.errors import Invalid
from flask_app.models import User
from flask_app.services.chat.prompts import Request
from flask_app.services.completion import dispatching
from flask_app.services.completion.dispatching import Ticket
from flask_app.services.providers.key_service import Candidate
from flask_app.services.tools import offers
from flask_app.services.tools.toolbox import Toolbox
from flask_app.services.web_search import search_attempts, searchers
from flask_app.services.web_search.search_attempts import Wanted
from flask_app.services.web_search.searchers import Searcher
from flask_app.statements import Act, run_together


def searcher(actor: User, *, wanted: bool) -> Searcher | None:
    """Who searches where that is wanted; raises Forbidden("search_off"). Not for inside a transaction."""
    return searchers.find(actor) if wanted else None


def toolbox(actor: User, chosen: Sequence[str], model: ServedModel) -> Toolbox | None:
    """What the model may call. Raises as `offers.toolbox` does, and Invalid("model_calls_no_tools") for a local one.

    Not for inside a transaction.
    """
    if chosen and model.demo:
        raise Invalid("model_calls_no_tools", model=model.label)
    return offers.toolbox(actor, chosen)


class Inquiry(NamedTuple):
    """What is asked: its message and its words, who looks it up, and what may be called for its answer."""

    id: str
    words: str
    by: Searcher | None
    tools: Toolbox | None


def dispatch(
    connection: Connection,
    request: Request,
    keys: Sequence[Candidate],
    question: Inquiry,
    at: datetime | None = None,
    *,
    before: Sequence[Act] = (),
) -> Ticket:
    """As `dispatching.dispatch`, with the search of the question where somebody searches for it.

    Links in it are opened where whoever searches can: what is searched for is said beside them. What will be found has
    its room in what the answer's attempt holds. A question without words is not looked up.
    Its tools are offered to the model.
    """
    if tools := question.tools:
        request = replace(request, options={**request.options, "tools": tools.definitions()})
    return replace(_dispatch(connection, request, keys, question, at, before), tools=tools)


def _dispatch(
    connection: Connection,
    request: Request,
    keys: Sequence[Candidate],
    question: Inquiry,
    at: datetime | None,
    before: Sequence[Act],
) -> Ticket:
    words, by = question.words, question.by
    links = web_links.links_in(words) if by and by.opens else []
    query = web_sources.query_of(web_links.without(words) if links else words)
    if by is None or not (query or links):
        return dispatching.dispatch(connection, request, keys, at, before=before)
    run_together(connection, *before)
    wanted = Wanted(
        user_id=request.user_id,
        run_id=request.run_id or "",
        question_id=question.id,
        request_id=request.request_id,
        address=request.address,
        words=words,
        query=query,
    )
    search = search_attempts.begin(connection, wanted, by, links)
    found = web_sources.MOST_TOLD_BYTES if query else web_sources.FRAME_BYTES
    ticket = dispatching.dispatch(connection, replace(request, room=web_links.room_of(links) + found), keys)
    return replace(ticket, search=search)
