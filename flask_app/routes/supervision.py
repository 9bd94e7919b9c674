"""Supervision as the people of a supervised group meet it: the notice, their word that they read it, and the looks."""

from flask import Blueprint, redirect, render_template
from werkzeug import Response

from flask_app.services.people import supervision_service
from flask_app.utils import get_current_user, require_login
from flask_app.web import supervision
from flask_app.web.bodies import returns
from flask_app.web.supervision import OwnLooks

blueprint = Blueprint("supervision", __name__)


@blueprint.get("/supervision")
@require_login
def notice() -> str | Response:
    """What can be read, by whom, and since when; nothing of it where one's group is not supervised."""
    if not supervision.is_supervised():
        return redirect("/")
    return render_template("supervision.html", managers=supervision.managers(), unseen=supervision.is_unseen())


@blueprint.post("/api/me/supervision")
@require_login
@returns(None, 204)
def see() -> None:
    """Confirm that one has read the notice of one's supervised group. Until then nothing is asked."""
    supervision_service.see(get_current_user())


@blueprint.get("/api/me/looks")
@require_login
@returns(OwnLooks)
def looks() -> OwnLooks:
    """Who looked at one's conversations or made a link for one's password, and when."""
    return supervision.own_looks()
