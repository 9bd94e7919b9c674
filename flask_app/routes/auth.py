"""Signing in and out, the first administrator, and passwords by link."""

from flask import Blueprint, Response, g, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from flask_app.errors import Forbidden
from flask_app.services.people import (
    invitation_service,
    password_links,
    registration_settings,
    reset_letters,
    setup_service,
)
from flask_app.services.people.reset_letters import Asked
from flask_app.services.sign_in import auth_service, directories, directory_sign_in, password_sign_in
from flask_app.services.sign_in.auth_service import SignedIn
from flask_app.services.warnings import mail_service
from flask_app.utils import public
from flask_app.web import cookies, csrf, own_address, relying_party
from flask_app.web.arrivals import PENDING, Arrival, LinkToken, ask_for_code, welcome
from flask_app.web.bodies import Body, Reply, Words, accepts, refuses, returns
from flask_app.web.client import browser, client_address
from flask_app.web.identities import offered_reply
from flask_app.web.invitations import OpenInvitation, open_invitation
from flask_app.web.local_paths import local_path
from flask_app.web.people import Session

blueprint = Blueprint("auth", __name__)


class Credentials(Arrival, kw_only=True):
    username: Words
    password: Words


class SecondStepCode(Arrival, kw_only=True):
    """Six digits of the authenticator app, or a recovery code."""

    code: Words


class SetUp(Arrival, kw_only=True):
    code: Words
    username: Words
    password: Words


class PasswordByLink(Arrival, kw_only=True):
    """`code` is asked for (401 `second_step_needed`) where the person has a second step."""

    token: Words
    password: Words
    code: Words | None = None


class Forgotten(Body):
    """A name, or an address that its person has confirmed."""

    account: Words


class Joining(Arrival, kw_only=True):
    """The token of an invitation, or its code as it was typed, and what one wants to be called."""

    token: Words
    username: Words
    password: Words


class LinkOwner(Reply):
    username: str


@blueprint.get("/login")
@public
def login_page() -> str | BaseResponse:
    next_path = local_path(request.args.get("next", "/"))
    if g.get("user"):
        return redirect(next_path)
    if not setup_service.is_done():
        return redirect("/setup")
    providers, known_in = offered_reply(), [each.name for each in directories.offered()]
    return render_template(
        "login.html",
        next_path=next_path,
        registers=registration_settings.terms().is_open,
        by_passkey=relying_party.why_not() is None,
        providers=providers,
        directories=known_in,
        mails_links=_letters_lead_to() is not None,
        passwords=bool(known_in) or not providers or password_sign_in.is_for_everybody(),
    )


@blueprint.get("/setup")
@public
def setup_page() -> str | BaseResponse:
    if setup_service.is_done():
        return redirect("/login")
    return render_template("setup.html")


@blueprint.get("/reset")
@public
def reset_page() -> str:
    """The link's token stands after `#`: it never reaches the server with the address."""
    return render_template("reset.html")


@blueprint.get("/forgot")
@public
def forgot_page() -> str | BaseResponse:
    if not setup_service.is_done():
        return redirect("/setup")
    return render_template("forgot.html", mails_links=_letters_lead_to() is not None)


@blueprint.get("/join")
@public
def join_page() -> str:
    """The link's token stands after `#`: it never reaches the server with the address. Without one it is typed."""
    return render_template("join.html")


@blueprint.post("/api/login")
@public
@csrf.needs_no_token
@accepts(Credentials)
@returns(Session)
@refuses(401, "`wrong_credentials`; or `second_step_needed`: go on with `POST /api/login/second-step`.")
@refuses(403, "Among others `sign_in_waits`: an administrator has to let in whom a directory knows; `identity_left`.")
@refuses(502, "`directory_away`: a directory cannot be asked, and no password that is kept here was right.")
def login(body: Credentials) -> Response:
    """Sign in. The session comes as a cookie, the CSRF token in the reply.

    Where the person has a second step the reply is 401 `second_step_needed`, with the cookie of a sign-in that waits
    five minutes for `POST /api/login/second-step`.
    """
    outcome = directory_sign_in.sign_in(body.username, body.password, browser(), replaces=g.get("session_id"))
    return welcome(outcome, body) if isinstance(outcome, SignedIn) else ask_for_code(outcome)


@blueprint.post("/api/login/second-step")
@public
@csrf.needs_no_token
@accepts(SecondStepCode)
@returns(Session)
@refuses(401, "`sign_in_expired`: begin again with `POST /api/login`. So it is after five wrong codes.")
@refuses(403, "`wrong_second_step_code`: not a code of this person, or one that was used before.")
def finish_login(body: SecondStepCode) -> Response:
    """Finish a sign-in by a code of the authenticator app or a recovery code, each of which holds once."""
    token = cookies.read(PENDING) or ""
    signed_in = auth_service.finish_sign_in(token, body.code, browser(), replaces=g.get("session_id"))
    response = welcome(signed_in, body)
    cookies.remove(response, PENDING)
    return response


@blueprint.post("/api/setup")
@public
@csrf.needs_no_token
@accepts(SetUp)
@returns(Session, 201)
def set_up(body: SetUp) -> Response:
    """Make the first administrator with the code that the server printed, and sign in."""
    signed_in = setup_service.set_up(body.code, body.username, body.password, browser())
    return welcome(signed_in, body, status=201)


@blueprint.post("/api/password-reset")
@public
@csrf.needs_no_token
@accepts(PasswordByLink)
@returns(Session)
@refuses(401, "`second_step_needed`: nothing has changed; send the same again with `code`.")
def choose_password_by_link(body: PasswordByLink) -> Response:
    """Choose a password by a single-use link and sign in; all other sessions of the person end."""
    before = g.get("session_id")
    signed_in = password_links.use(body.token, body.password, browser(), code=body.code, replaces=before)
    return welcome(signed_in, body)


@blueprint.post("/api/password-reset/letter")
@public
@csrf.needs_no_token
@accepts(Forgotten)
@returns(None, 204)
@refuses(403, "`reset_letters_off`: no mail is set up, or this address of the site is not in `ALLOWED_HOSTS`.")
def send_link(body: Forgotten) -> None:
    """Have a letter with a link for a new password sent to whoever is meant, at an address that they have confirmed.

    The reply is the same whether there is such a person or not.
    """
    site_url = _letters_lead_to()
    if site_url is None:
        raise Forbidden("reset_letters_off")
    reset_letters.ask(Asked(body.account, site_url, client_address()))


@blueprint.post("/api/password-reset/check")
@public
@csrf.needs_no_token
@accepts(LinkToken)
@returns(LinkOwner)
def check_link(body: LinkToken) -> LinkOwner:
    """Whose password a link sets; the link stays as it is."""
    return LinkOwner(username=password_links.owner(body.token, client_address()).username)


@blueprint.post("/api/join")
@public
@csrf.needs_no_token
@accepts(Joining)
@returns(Session, 201)
def join(body: Joining) -> Response:
    """Make an account of one's own by an invitation, and sign in. What is refused leaves the invitation as it is."""
    before = g.get("session_id")
    signed_in = invitation_service.join(body.token, body.username, body.password, browser(), replaces=before)
    return welcome(signed_in, body, status=201)


@blueprint.post("/api/join/check")
@public
@csrf.needs_no_token
@accepts(LinkToken)
@returns(OpenInvitation)
def check_invitation(body: LinkToken) -> OpenInvitation:
    """What an invitation is called; it stays as it is."""
    return open_invitation(invitation_service.opened(body.token, client_address()))


@blueprint.post("/logout")
@public
@returns(None, 204)
def logout() -> Response:
    """End the session on the server and clear what the browser kept. Signed out already: the same."""
    if "session_id" in g:
        auth_service.sign_out(g.session_id)
    response = Response(status=204)
    cookies.remove(response)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def _letters_lead_to() -> str | None:
    """None where nobody can ask for a letter."""
    return own_address.for_letters() if mail_service.is_set_up() else None
