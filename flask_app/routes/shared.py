"""What whoever has a link reads: a conversation as it stood when it was shared."""

from flask import Blueprint, g, render_template, request

from flask_app.services.sharing import shared_reading
from flask_app.utils import public
from flask_app.web import shares, shown_calls, shown_sources
from flask_app.web.arrivals import LinkToken
from flask_app.web.bodies import accepts, refuses, returns

blueprint = Blueprint("shared", __name__)


@blueprint.get("/s/<share_token>")
@public
def page(share_token: str) -> str:
    """Ended, expired and unknown links look alike: there is no such page."""
    shared = shared_reading.find(share_token, g.get("user"))
    return render_template(
        "shared.html",
        shared=shared,
        messages=shares.shown_messages(shared),
        sources=shown_sources,
        calls=shown_calls,
        taken_at=shares.moment(shared.taken_at),
        expires_at=shares.moment(shared.expires_at),
        zone=shares.named_zone(),
        host=request.host,
    )


@blueprint.post("/api/shared/opened")
@public
@accepts(LinkToken)
@returns(None, 204)
@refuses(404, "The link is ended, expired or unknown.")
def opened(body: LinkToken) -> None:
    """Count that a shared conversation is read; its page says so itself. Who reads is not kept."""
    shared_reading.note_opened(body.token, g.get("user"))
