"""What one's own programs asked."""

from flask import Blueprint, render_template

from flask_app.services.gateway import request_retention, request_search, word_log
from flask_app.services.gateway.request_search import Page
from flask_app.services.queries import paging
from flask_app.services.tokens import token_service
from flask_app.services.usage import records_service
from flask_app.utils import get_current_user, require_login
from flask_app.web import arguments, pages
from flask_app.web.bodies import queries, returns
from flask_app.web.requests import FILTER, RequestsReply, RequestsState, WordsReply, own_requests_reply, words_reply
from flask_app.web.usage import Choice

blueprint = Blueprint("requests", __name__)


@blueprint.get("/tokens/requests")
@require_login
def home() -> str:
    user = get_current_user()
    first = _reply(request_search.own(user, arguments.request_filter()))
    state = RequestsState(
        requests=first.requests,
        next=first.next,
        models=records_service.known_models(),
        tokens=[Choice(id=token.id, label=token.name) for token in token_service.own(user)],
        days=request_retention.kept().of(user.group_id),
    )
    return render_template("requests.html", requests_state=pages.state(state), days=state.days)


@blueprint.get("/api/requests")
@require_login
@returns(RequestsReply)
@queries(**FILTER, before="Where the last page ended (`next`).", limit="How many, at most 100.")
def listed() -> RequestsReply:
    """What one's own programs asked at `/v1`, and how it was answered; the newest first."""
    page = request_search.own(
        get_current_user(),
        arguments.request_filter(),
        before=arguments.word("before"),
        limit=arguments.number("limit", paging.PAGE),
    )
    return _reply(page)


@blueprint.get("/api/requests/<program_request_id>/words")
@require_login
@returns(WordsReply)
def words(program_request_id: str) -> WordsReply:
    """What one's own request said, by its `id` here, where that is kept. Nobody else can read it."""
    return words_reply(word_log.find(get_current_user(), program_request_id))


def _reply(page: Page) -> RequestsReply:
    ids = [found.request.id for found in page.requests]
    return own_requests_reply(page, word_log.kept(get_current_user(), ids))
