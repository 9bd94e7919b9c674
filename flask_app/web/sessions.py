"""The session of a request: from the cookie to the person, once, before anything else runs."""

import structlog
from flask import Flask, Response, g, request
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from flask_app import i18n
from flask_app.models import User
from flask_app.services.people import group_models
from flask_app.services.people.account_service import DEFAULT_THEME
from flask_app.services.sign_in import visits
from flask_app.services.sign_in.auth_service import SignedIn
from flask_app.services.sign_in.visits import ABSOLUTE, Visit
from flask_app.web import client, cookies, csrf, programs

DEVICE_MAX_AGE = 400 * 86400  # as long as browsers keep a cookie

# What answers without knowing who asks, and must answer while the database does not.
ANONYMOUS = frozenset(
    {
        *("assets.static_file", "health.alive", "health.ready", "monitoring.metrics"),
        *("installed.manifest", "installed.page", "installed.worker", "frames.picture", "frames.diagram"),
    }
)

log = structlog.get_logger()


def init_app(app: Flask) -> None:
    app.before_request(load)
    app.teardown_request(lambda _: programs.give_up())


def load() -> None:
    """Where the cookie opens a session, set g.user, g.session_id (the stored digest) and what else is known of it.

    Of a program it is the token that says who it is, and no session.
    """
    if programs.is_program():
        _load_program()
        return
    token = cookies.read()
    if not token or request.endpoint in ANONYMOUS:
        return
    visited = visits.visit(token)
    if visited is None:
        return
    g.session_token = token
    g.session_id, g.session_began_at = visited.session_id, visited.created_at
    g.rates = visited.rates
    g.manages = visited.manages
    g.group_access = visited.access
    g.group_may_share = visited.may_share
    g.allowed_models = group_models.read(visited.models)
    g.file_quota_mb = visited.file_quota_mb
    g.supervised_since = visited.supervised_since
    be(visited.user)
    _note(visited)


def _load_program() -> None:
    if visited := programs.load():
        g.rates = visited.rates
        g.group_access = visited.access
        be(visited.user)
        g.locale = i18n.negotiate(visited.user.locale, [*g.asked_languages, visited.user.seen_locale or "", g.locale])


def be(user: User) -> None:
    """From here on the request is `user`'s, in their language."""
    g.user = user
    g.locale = i18n.negotiate(user.locale, [g.locale])


def begin(response: Response, signed_in: SignedIn) -> Response:
    """Give the browser its new session, the mark it is known by next time, and the person's language and theme."""
    cookies.write(response, signed_in.token, max_age=int(ABSOLUTE.total_seconds()))
    cookies.write(response, signed_in.device, kind=client.KNOWN_BY, max_age=DEVICE_MAX_AGE)
    cookies.keep_choice(response, "theme", signed_in.user.theme or DEFAULT_THEME)
    if signed_in.user.locale:
        cookies.keep_choice(response, "lang", signed_in.user.locale)
    return response


def renew(response: Response, signed_in: SignedIn) -> Response:
    """Replace the session of a signed-in browser; its pages get the new CSRF token in a header."""
    response.headers[csrf.HEADER] = csrf.token_for(signed_in.token)
    return begin(response, signed_in)


def _note(visited: Visit) -> None:
    try:
        visits.see(visited, client.shown_language())
    except (DBAPIError, PoolTimeoutError) as error:  # a page must not fail because "last seen" cannot be written
        log.warning("last_seen_not_written", reason=str(getattr(error, "orig", error)))
