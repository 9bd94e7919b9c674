"""One's own personal access tokens: what programs ask with in one's name."""

from flask import Blueprint, g, render_template, request

from flask_app import config
from flask_app.domain.budget import TOKENS
from flask_app.services.audit.audit_service import Actor
from flask_app.services.gateway import word_log
from flask_app.services.people import group_access
from flask_app.services.providers import model_service
from flask_app.services.tokens import token_access_service, token_budget_service, token_origin_service, token_service
from flask_app.utils import get_current_user, require_login
from flask_app.web import pages
from flask_app.web.bodies import accepts, returns
from flask_app.web.budgets import BudgetReply, budget_reply
from flask_app.web.client import client_address
from flask_app.web.tokens import (
    MadeTokenReply,
    NewToken,
    TokenAccess,
    TokenAccessReply,
    TokenBudget,
    TokenOrigins,
    TokenOriginsReply,
    TokensReply,
    TokenWords,
    TokenWordsReply,
    access_reply,
    made_token_reply,
    tokens_reply,
)

USUAL_WINDOW = 65_536  # tokens that an editor is told where the model's own number is not known

blueprint = Blueprint("tokens", __name__)


@blueprint.get("/tokens")
@require_login
def home() -> str:
    models = model_service.available(g.allowed_models, with_vectors=True)
    return render_template(
        "tokens.html",
        tokens_state=pages.state(_own()),
        address=f"{request.host_url}v1",
        site=request.host_url.rstrip("/"),
        models=list(dict.fromkeys(model.name for model in models)),
        window=(models[0].context_tokens if models else None) or USUAL_WINDOW,
        units=[TOKENS, *sorted({model.currency for model in models})],
        site_timezone=config.current().site_timezone,
        own_address=client_address(),
        api=group_access.read(g.group_access).api,
    )


@blueprint.get("/api/tokens")
@require_login
@returns(TokensReply)
def own() -> TokensReply:
    """One's personal access tokens that are not revoked, the newest first."""
    return _own()


@blueprint.post("/api/tokens")
@require_login
@accepts(NewToken)
@returns(MadeTokenReply, 201)
def make(body: NewToken) -> MadeTokenReply:
    """Make a personal access token for `/v1`. It is not shown again."""
    group_access.require_api(g.group_access)
    actor = Actor(get_current_user(), client_address())
    return made_token_reply(token_service.make(actor, g.session_id, body.wanted(), g.allowed_models))


@blueprint.delete("/api/tokens/<token_id>")
@require_login
@returns(None, 204)
def revoke(token_id: str) -> None:
    """Revoke one of one's tokens at once; what is being answered to it stops."""
    token_service.revoke_own(Actor(get_current_user(), client_address()), token_id)


@blueprint.put("/api/tokens/<token_id>/budget")
@require_login
@accepts(TokenBudget)
@returns(BudgetReply)
def limit(token_id: str, body: TokenBudget) -> BudgetReply:
    """Limit what one of one's tokens may use, from the next request on. What was used of the period counts."""
    actor = Actor(get_current_user(), client_address())
    return budget_reply(token_budget_service.put(actor, token_id, body.cap()))


@blueprint.put("/api/tokens/<token_id>/origins")
@require_login
@accepts(TokenOrigins)
@returns(TokenOriginsReply)
def show_to(token_id: str, body: TokenOrigins) -> TokenOriginsReply:
    """Name the websites whose pages may ask with one of one's tokens, in the place of those before."""
    actor = Actor(get_current_user(), client_address())
    return TokenOriginsReply(origins=token_origin_service.put(actor, token_id, body.origins))


@blueprint.put("/api/tokens/<token_id>/access")
@require_login
@accepts(TokenAccess)
@returns(TokenAccessReply)
def bound(token_id: str, body: TokenAccess) -> TokenAccessReply:
    """Say how often one of one's tokens may ask, from where, and what becomes of an answer whose program leaves."""
    actor = Actor(get_current_user(), client_address())
    return access_reply(token_access_service.put(actor, token_id, body.access(), unsaid=body.unsaid))


@blueprint.put("/api/tokens/<token_id>/words")
@require_login
@accepts(TokenWords)
@returns(TokenWordsReply)
def keep_words(token_id: str, body: TokenWords) -> TokenWordsReply:
    """Keep what one of one's tokens asks, and is answered, for so many hours; only oneself can read it."""
    actor = Actor(get_current_user(), client_address())
    return TokenWordsReply(words_until=word_log.put(actor, token_id, body.hours))


@blueprint.delete("/api/tokens/<token_id>/words")
@require_login
@returns(None, 204)
def forget_words(token_id: str) -> None:
    """Keep nothing more, and delete what was kept."""
    word_log.remove(Actor(get_current_user(), client_address()), token_id)


@blueprint.delete("/api/tokens/<token_id>/budget")
@require_login
@returns(None, 204)
def unlimit(token_id: str) -> None:
    """Take a token's limit away. Its person's budgets hold as before."""
    token_budget_service.remove(Actor(get_current_user(), client_address()), token_id)


def _own() -> TokensReply:
    return tokens_reply(token_service.own(get_current_user()))
