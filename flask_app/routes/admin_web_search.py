"""Who searches the web: the administrators' API."""

from flask import Blueprint, g

from flask_app.services.audit.audit_service import Actor
from flask_app.services.web_search import trial
from flask_app.utils import get_current_user, require_permission, require_proof
from flask_app.web.bodies import accepts, returns
from flask_app.web.client import client_address
from flask_app.web.search_trials import TriedReply, TrySearch, tried_reply
from flask_app.web.web_search import WebSearchBody, WebSearchReply, web_search_reply

blueprint = Blueprint("admin_web_search", __name__, url_prefix="/api/admin/settings/web-search")


@blueprint.put("")
@require_permission("settings")
@require_proof
@accepts(WebSearchBody)
@returns(WebSearchReply)
def change(body: WebSearchBody) -> WebSearchReply:
    """Say who looks questions up on the web: nobody, DeepSeek through one of the providers, or a SearXNG.

    It holds from the next question on. Whoever searches is sent the questions, and bills each search.
    """
    body.choose(_actor())
    return web_search_reply()


@blueprint.post("/try")
@require_permission("settings")
@accepts(TrySearch)
@returns(TriedReply)
def try_out(body: TrySearch) -> TriedReply:
    """Make one real search by whoever was chosen: it is booked to whoever asks, in the channel `search`."""
    return tried_reply(trial.make(_actor(), get_current_user(), body.query, request_id=g.request_id))


def _actor() -> Actor:
    return Actor(get_current_user(), client_address())
