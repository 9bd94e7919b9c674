"""Signing in by an organisation's own identity, and what is linked to one's account."""

from flask import Blueprint, Response, g, render_template, request

from flask_app.models import Registration
from flask_app.services.people import registration_service
from flask_app.services.sign_in import directory_links, identity_links, identity_sign_in, proof_service
from flask_app.services.sign_in.auth_service import SignedIn
from flask_app.services.sign_in.identity_sign_in import Departure, Linked, Return
from flask_app.services.sign_in.pending_sign_ins import Pending
from flask_app.utils import get_current_user, public, require_login
from flask_app.web import cookies, csrf, sessions
from flask_app.web.arrivals import ask_for_code, session_reply
from flask_app.web.bodies import accepts, refuses, returns, to_json
from flask_app.web.client import browser, client_address
from flask_app.web.identities import (
    Arrived,
    Departing,
    IdentitiesReply,
    Linking,
    LinkingDirectory,
    Onward,
    Returned,
    identities_reply,
)

blueprint = Blueprint("identities", __name__)
COOKIE = "identity"  # of the browser that was sent to a provider
LINKED = "linked"


@blueprint.get("/login/callback/<slug>")
@public
def callback_page(slug: str) -> str:
    """Where providers send people back to: the page hands over what stands in its address by POST."""
    return render_template("identity.html", slug=slug)


@blueprint.post("/api/login/identity")
@public
@csrf.needs_no_token
@accepts(Departing)
@returns(Onward)
def depart(body: Departing) -> Response:
    """Begin to sign in by an identity provider, with the cookie of a way that is open for ten minutes."""
    token = cookies.read(COOKIE) or ""
    return _onward(identity_sign_in.begin(body.provider, _callback(body.provider), browser(), token))


@blueprint.post("/api/login/identity/finish")
@public
@csrf.needs_no_token
@accepts(Returned)
@returns(Arrived)
@refuses(401, "`sign_in_expired`: begin again; or `second_step_needed`: go on with `POST /api/login/second-step`.")
@refuses(403, "`identity_unknown`, `identity_domain`, `identity_left`, `identity_cancelled`, `account_disabled`.")
def finish(body: Returned) -> Response:
    """Come in with what a provider has sent. `state` is in, approval (an administrator is waited for) or linked."""
    came = Return(
        state=body.state,
        code=body.code,
        issuer=body.iss,
        error=body.error,
        token=cookies.read(COOKIE) or "",
        redirect_uri=_callback(body.provider),
    )
    actor, session_id = g.get("user"), g.get("session_id")
    done = identity_sign_in.finish(body.provider, came, browser(), actor=actor, session_id=session_id)
    response = _outcome(done, body)
    cookies.remove(response, COOKIE)
    return response


@blueprint.get("/api/me/identities")
@require_login
@returns(IdentitiesReply)
def own() -> IdentitiesReply:
    """The identities that one signs in by, and the providers there are."""
    return identities_reply(get_current_user())


@blueprint.post("/api/me/identities")
@require_login
@accepts(Linking)
@returns(Onward)
@refuses(403, "`wrong_password`, or `sign_in_again`: without a password, a new session.")
def link(body: Linking) -> Response:
    """Begin to link an identity to one's account: one signs in by it afterwards."""
    actor = get_current_user()
    proof_service.require_password(actor, g.session_id, g.session_began_at, body.password)
    token = cookies.read(COOKIE) or ""
    departure = identity_sign_in.begin(body.provider, _callback(body.provider), browser(), token, links=actor)
    return _onward(departure)


@blueprint.post("/api/me/identities/directory")
@require_login
@accepts(LinkingDirectory)
@returns(IdentitiesReply, 201)
@refuses(403, "`wrong_password`, `wrong_directory_password`, or `sign_in_again`: without a password, a new session.")
def link_directory(body: LinkingDirectory) -> IdentitiesReply:
    """Link one's name in a directory to one's account: its password signs in from then on, and one kept here no more.

    An administrator's own password stays. What the directory says of groups holds from the next sign-in.
    """
    actor, login = get_current_user(), (body.username, body.directory_password)
    began_at = g.session_began_at
    directory_links.link(actor, g.session_id, began_at, body.provider, login, own=body.password, browser=browser())
    return identities_reply(actor)


@blueprint.delete("/api/me/identities/<identity_id>")
@require_login
@returns(None, 204)
def unlink(identity_id: str) -> None:
    """Sign in by it no more. The only way of signing in that is left stays (409 `last_sign_in`)."""
    identity_links.unlink(get_current_user(), identity_id, client_address())


def _outcome(done: SignedIn | Pending | Registration | Linked, body: Returned) -> Response:
    match done:
        case SignedIn():
            session = session_reply(done, body)
            come_in = Arrived(state=registration_service.IN, username=session.user.username, session=session)
            return sessions.begin(to_json(come_in), done)
        case Registration():
            return to_json(Arrived(state=registration_service.APPROVAL, username=done.username))
        case Linked():
            return to_json(Arrived(state=LINKED, username=done.user.username))
        case Pending():
            return ask_for_code(done)


def _onward(departure: Departure) -> Response:
    response: Response = to_json(Onward(location=departure.location))
    cookies.write(response, departure.token, kind=COOKIE, max_age=int(identity_sign_in.LIFETIME.total_seconds()))
    return response


def _callback(slug: str) -> str:
    return f"{request.url_root.rstrip('/')}/login/callback/{slug}"
