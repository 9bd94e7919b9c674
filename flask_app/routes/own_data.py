"""Everything of one's own, to take along and to bring in again, and the way out."""

from flask import Blueprint, Response, g

from flask_app.services.operations import disk
from flask_app.services.people import account_deletion
from flask_app.utils import get_current_user, require_login
from flask_app.web import belongings, cookies, long_bodies, zip_stream
from flask_app.web.belongings import BelongingsBody, BelongingsReply
from flask_app.web.bodies import Body, Words, accepts, downloads, refuses, returns
from flask_app.web.client import browser
from flask_app.web.own_data import own_data_file
from flask_app.web.readers import limits_readers

blueprint = Blueprint("own_data", __name__, url_prefix="/api/me")


class Departing(Body):
    """`password` where one has one, `code` where one has a second step: six digits, or a recovery code."""

    password: Words | None = None
    code: Words | None = None


@blueprint.get("/export")
@require_login
@limits_readers
@downloads(zip_stream.CONTENT_TYPE)
def export() -> Response:
    """Everything of one's own as a zip: account, conversations, drafts, use, programs' requests; no secrets."""
    return own_data_file(get_current_user())


@blueprint.post("/import/look")
@require_login
@accepts(BelongingsBody, most=long_bodies.WITH_TEXT)
@returns(BelongingsReply)
def look(body: BelongingsBody) -> BelongingsReply:
    """What would become of prompts and assistants, before they come in. Nothing is written."""
    return belongings.looked_at(get_current_user(), body)


@blueprint.post("/import")
@require_login
@accepts(BelongingsBody, most=long_bodies.WITH_TEXT)
@returns(BelongingsReply)
@refuses(403, "`account_disabled`: meanwhile.")
@refuses(429, "`import_too_much_today`: with conversations 200 MB of text, or 200,000 of either, of a day.")
@refuses(503, "`disk_full`: what is left is for messages and the ledger.")
def bring_in(body: BelongingsBody) -> BelongingsReply:
    """Bring in prompts and assistants of the file of everything of one's own (`GET /api/me/export`).

    Each comes once, under an id of its own, however often it is sent. Whose command, or name with all the rest, is here
    already stays out. Conversations come beside (`POST /api/conversations/import`), best after their assistants.
    """
    disk.require_reserve()
    return belongings.brought_in(get_current_user(), body)


@blueprint.post("/delete")
@require_login
@accepts(Departing)
@returns(None, 204)
@refuses(403, "`wrong_password`, `wrong_second_step_code`, or `sign_in_again`: without a password, a new session.")
@refuses(409, "`last_owner`: somebody else is to own the site first.")
def delete(body: Departing) -> Response:
    """Delete one's account. Sessions, tokens and answers end at once; the rest is removed within minutes.

    The ledger keeps counts, without words and without a name.
    """
    actor = get_current_user()
    account_deletion.begin(
        actor, g.session_id, g.session_began_at, password=body.password, code=body.code, browser=browser()
    )
    response = Response(status=204)
    cookies.remove(response)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response
