"""Asking for an account without an invitation, where an administrator lets people."""

from flask import Blueprint, Response, g, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from flask_app.models import Registration
from flask_app.services.people import registration_service, registration_settings, setup_service
from flask_app.services.people.registration_service import Wanted
from flask_app.utils import public
from flask_app.web import csrf, sessions
from flask_app.web.arrivals import LinkToken, session_reply
from flask_app.web.bodies import accepts, refuses, returns, to_json
from flask_app.web.client import browser, client_address
from flask_app.web.registrations import Registered, Registering, registered

blueprint = Blueprint("registration", __name__)


@blueprint.get("/register")
@public
def register_page() -> str | BaseResponse:
    if not setup_service.is_done():
        return redirect("/setup")
    return render_template("register.html", terms=registration_settings.terms())


@blueprint.get("/confirm")
@public
def confirm_page() -> str:
    """The link's token stands after `#`: it never reaches the server with the address."""
    return render_template("confirm.html")


@blueprint.post("/api/register")
@public
@csrf.needs_no_token
@accepts(Registering)
@returns(Registered)
@refuses(403, "`registration_closed`: people come in by invitations.")
def register(body: Registering) -> Response:
    """Make an account of one's own without an invitation, and sign in; or wait for a mail or an administrator."""
    wanted = Wanted(
        username=body.username,
        password=body.password,
        email=body.email,
        locale=g.locale,
        site_url=request.url_root.rstrip("/"),
    )
    done = registration_service.register(wanted, browser(), replaces=g.get("session_id"))
    if isinstance(done, Registration):
        return to_json(registered(done))
    session = session_reply(done, body)
    come_in = Registered(state=registration_service.IN, username=session.user.username, session=session)
    return sessions.begin(to_json(come_in), done)


@blueprint.post("/api/register/confirm")
@public
@csrf.needs_no_token
@accepts(LinkToken)
@returns(Registered)
def confirm(body: LinkToken) -> Registered:
    """Say that a mail has arrived. The second time the reply is as after the first."""
    return registered(registration_service.confirm(body.token, client_address()))
