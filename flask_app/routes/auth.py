"""Signing in and out, the first administrator, and one's own account."""

from typing import Annotated

import msgspec
from flask import Blueprint, Response, g, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from flask_app.services import account_service, auth_service, password_links, setup_service
from flask_app.services.auth_service import SignedIn
from flask_app.utils import get_current_user, public, require_login
from flask_app.web import cookies, csrf, sessions
from flask_app.web.bodies import Body, Reply, accepts, returns, to_json
from flask_app.web.client import browser, client_address
from flask_app.web.local_paths import local_path
from flask_app.web.people import PersonReply, UserReply, user_reply

blueprint = Blueprint("auth", __name__)


# Longer than anything that could be right, short enough to be folded and hashed in no time.
Words = Annotated[str, msgspec.Meta(max_length=1000)]


class Credentials(Body):
    """`timezone` is the browser's; it is kept for a person who has none yet."""

    username: Words
    password: Words
    timezone: Words | None = None


class SetUp(Body):
    code: Words
    username: Words
    password: Words
    timezone: Words | None = None


class Choices(Body):
    locale: Words | None = None
    theme: Words | None = None
    timezone: Words | None = None


class NewPassword(Body):
    current: Words
    new: Words


class PasswordByLink(Body):
    token: Words
    password: Words


class Session(Reply):
    user: UserReply
    csrf_token: str


@blueprint.get("/login")
@public
def login_page() -> str | BaseResponse:
    next_path = local_path(request.args.get("next", "/"))
    if g.get("user"):
        return redirect(next_path)
    if not setup_service.is_done():
        return redirect("/setup")
    return render_template("login.html", next_path=next_path)


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


@blueprint.post("/api/login")
@public
@csrf.needs_no_token
@accepts(Credentials)
@returns(Session)
def login(body: Credentials) -> Response:
    """Sign in. The session comes as a cookie, the CSRF token in the reply."""
    signed_in = auth_service.sign_in(body.username, body.password, browser(), replaces=g.get("session_id"))
    return _welcome(signed_in, body.timezone)


@blueprint.post("/api/setup")
@public
@csrf.needs_no_token
@accepts(SetUp)
@returns(Session, 201)
def set_up(body: SetUp) -> Response:
    """Make the first administrator with the code that the server printed, and sign in."""
    signed_in = setup_service.set_up(body.code, body.username, body.password, browser())
    return _welcome(signed_in, body.timezone, status=201)


@blueprint.post("/api/password-reset")
@public
@csrf.needs_no_token
@accepts(PasswordByLink)
@returns(None, 204)
def choose_password_by_link(body: PasswordByLink) -> None:
    """Choose a password by a single-use link; all sessions of the person end."""
    password_links.use(body.token, body.password, client_address())


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


@blueprint.get("/api/me")
@require_login
@returns(Session)
def me() -> Session:
    """The person who is signed in."""
    return Session(user=user_reply(get_current_user(), online=True), csrf_token=csrf.token())


@blueprint.patch("/api/me")
@require_login
@accepts(Choices)
@returns(PersonReply)
def choose(body: Choices) -> PersonReply:
    """Choose one's language, theme or time zone."""
    user = account_service.choose(get_current_user(), locale=body.locale, theme=body.theme, timezone=body.timezone)
    return PersonReply(user=user_reply(user, online=True))


@blueprint.post("/api/me/password")
@require_login
@accepts(NewPassword)
@returns(None, 204)
def change_password(body: NewPassword) -> Response:
    """Replace one's password; the other sessions end.

    The session's id and CSRF token change with it: the new token comes in the header X-CSRF-Token.
    """
    signed_in = account_service.change_password(get_current_user(), g.session_id, body.current, body.new, browser())
    response = sessions.begin(Response(status=204), signed_in)
    response.headers[csrf.HEADER] = csrf.token_for(signed_in.token)
    return response


def _welcome(signed_in: SignedIn, timezone: str | None, status: int = 200) -> Response:
    account_service.settle_in(signed_in.user, timezone)
    sessions.be(signed_in.user)
    reply = Session(user=user_reply(signed_in.user, online=True), csrf_token=csrf.token_for(signed_in.token))
    return sessions.begin(to_json(reply, status), signed_in)
