"""One's own personal access tokens: what programs ask with in one's name."""

from flask import Blueprint, g, render_template, request

from flask_app.services import model_service, token_service
from flask_app.services.audit_service import Actor
from flask_app.utils import get_current_user, require_login
from flask_app.web import pages
from flask_app.web.bodies import accepts, returns
from flask_app.web.client import client_address
from flask_app.web.tokens import MadeTokenReply, NewToken, TokensReply, TokensState, made_token_reply, token_reply

blueprint = Blueprint("tokens", __name__)


@blueprint.get("/tokens")
@require_login
def home() -> str:
    names = list(dict.fromkeys(model.name for model in model_service.available()))
    state = TokensState(tokens=_own().tokens, models=names)
    address = f"{request.host_url}v1"
    return render_template("tokens.html", tokens_state=pages.state(state), address=address, models=names)


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
    actor = Actor(get_current_user(), client_address())
    return made_token_reply(token_service.make(actor, g.session_id, body.wanted()))


@blueprint.delete("/api/tokens/<token_id>")
@require_login
@returns(None, 204)
def revoke(token_id: str) -> None:
    """Revoke one of one's tokens at once; what is being answered to it stops."""
    token_service.revoke_own(Actor(get_current_user(), client_address()), token_id)


def _own() -> TokensReply:
    return TokensReply(tokens=[token_reply(token) for token in token_service.own(get_current_user())])
