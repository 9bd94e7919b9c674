"""Coming in: what a browser tells of its visitor, and the session that it gets."""

from flask import Response

from flask_app.services.people import account_service
from flask_app.services.sign_in.auth_service import SignedIn
from flask_app.services.sign_in.pending_sign_ins import LIFETIME, Pending
from flask_app.services.sign_in.second_step import SecondStepNeeded
from flask_app.web import cookies, csrf, failures, sessions
from flask_app.web.bodies import Body, Words, to_json
from flask_app.web.people import Session, own_user_reply

PENDING = "second-step"  # the cookie of a sign-in that waits for a code


class Arrival(Body, kw_only=True):
    """What the browser tells is kept for a person who has not chosen it yet.

    That is its time zone, and the language and the theme that were chosen in it before signing in.
    """

    locale: Words | None = None
    theme: Words | None = None
    timezone: Words | None = None


class LinkToken(Body):
    token: Words


def welcome(signed_in: SignedIn, arrival: Arrival, status: int = 200) -> Response:
    """The reply to whoever has come in, with the session's cookie."""
    return sessions.begin(to_json(session_reply(signed_in, arrival), status), signed_in)


def ask_for_code(pending: Pending) -> Response:
    """The reply to whoever has a second step: 401, with the cookie of the sign-in that waits for it."""
    response: Response = failures.present(SecondStepNeeded())
    cookies.write(response, pending.token, kind=PENDING, max_age=int(LIFETIME.total_seconds()))
    return response


def session_reply(signed_in: SignedIn, arrival: Arrival) -> Session:
    """The person as they are once what the browser tells is kept."""
    account_service.settle_in(signed_in.user, locale=arrival.locale, theme=arrival.theme, timezone=arrival.timezone)
    sessions.be(signed_in.user)
    return Session(user=own_user_reply(signed_in.user), csrf_token=csrf.token_for(signed_in.token))
