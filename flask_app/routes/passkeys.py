"""Passkeys: signing in by one, and one's own.

Adding and removing give a new session and, in the header X-CSRF-Token, its token.
"""

import secrets

from flask import Blueprint, Response, g, request

from flask_app.domain import user_agent
from flask_app.i18n import translate
from flask_app.services.sign_in import passkey_challenges, passkey_service, passkey_sign_in
from flask_app.services.sign_in.passkey_challenges import LIFETIME
from flask_app.services.site import site_service
from flask_app.utils import get_current_user, public, require_login
from flask_app.web import cookies, csrf, relying_party, sessions
from flask_app.web.arrivals import welcome
from flask_app.web.bodies import Body, Words, accepts, refuses, returns, to_json
from flask_app.web.client import browser
from flask_app.web.passkeys import (
    CreationOptions,
    NewPasskey,
    OnePasskeyReply,
    PasskeySignIn,
    PasskeysReply,
    RequestOptions,
    assertion,
    attestation,
    creation_options,
    passkey_reply,
    passkeys_reply,
    request_options,
)
from flask_app.web.people import Session

blueprint = Blueprint("passkeys", __name__)
HOLDER = "passkey"  # the cookie that a challenge is bound to
NOT_HERE = "`passkeys_need_https` or `passkeys_need_name`: browsers make none at this address"


class PasswordForPasskey(Body):
    """`code` where the person has a second step: six digits of the authenticator app, or a recovery code."""

    password: Words
    code: Words | None = None


class OwnPassword(Body):
    password: Words


class PasskeyName(Body):
    name: Words


@blueprint.post("/api/login/passkey/options")
@public
@csrf.needs_no_token
@returns(RequestOptions)
@refuses(409, f"{NOT_HERE}.")
def sign_in_options() -> Response:
    """What to ask a passkey for: a challenge that holds once, five minutes, in the browser that gets the cookie."""
    party, holder = relying_party.current(), cookies.read(HOLDER) or secrets.token_urlsafe(16)
    response = to_json(request_options(passkey_challenges.new("sign in", holder), party))
    cookies.write(response, holder, kind=HOLDER, max_age=int(LIFETIME.total_seconds()))
    return response


@blueprint.post("/api/login/passkey")
@public
@csrf.needs_no_token
@accepts(PasskeySignIn)
@returns(Session)
@refuses(401, "`passkey_refused`; or `sign_in_expired`: begin again with `POST /api/login/passkey/options`.")
@refuses(403, "`account_disabled`; or `passkey_copied`: it counted less than before, so it may have been copied.")
def sign_in(body: PasskeySignIn) -> Response:
    """Sign in by a passkey: it says whose it is, and no code of the second step is asked for."""
    party, holder = relying_party.current(), cookies.read(HOLDER) or ""
    reply, before = assertion(body.credential), g.get("session_id")
    response = welcome(passkey_sign_in.sign_in(reply, holder, browser(), party, replaces=before), body)
    cookies.remove(response, HOLDER)
    return response


@blueprint.get("/api/me/passkeys")
@require_login
@returns(PasskeysReply)
def listed() -> PasskeysReply:
    """One's own passkeys, the oldest first; at most 20."""
    return passkeys_reply(passkey_service.listed(get_current_user()))


@blueprint.post("/api/me/passkeys/options")
@require_login
@accepts(PasswordForPasskey)
@returns(CreationOptions)
@refuses(403, "`wrong_password`, or `wrong_second_step_code`: wrong, or used before.")
@refuses(409, f"`too_many_passkeys`, {NOT_HERE}.")
def begin(body: PasswordForPasskey) -> Response:
    """Begin to add a passkey: what the browser is to make, within five minutes.

    Where the person has a second step, it is 401 `second_step_needed` without `code`.
    """
    actor, party = get_current_user(), relying_party.current()
    begun = passkey_service.begin(actor, g.session_id, body.password, body.code, browser(), party)
    options = creation_options(begun, actor, party, site_service.brand(g.locale))
    return sessions.renew(to_json(options), begun.signed_in)


@blueprint.post("/api/me/passkeys")
@require_login
@accepts(NewPasskey)
@returns(OnePasskeyReply, 201)
@refuses(409, "`passkey_not_begun`: too late, used, or begun elsewhere; `passkey_known`; `too_many_passkeys`.")
@refuses(422, "`passkey_not_made`: not what was asked for.")
def add(body: NewPasskey) -> Response:
    """Add the passkey that the browser has made. It is called by its keeper or its browser; `PATCH` renames it."""
    usual_name = user_agent.shown(request.user_agent.string) or translate(g.locale, "passkeys.unnamed")
    added = passkey_service.add(
        get_current_user(),
        g.session_id,
        attestation(body.credential),
        browser(),
        relying_party.current(),
        usual_name=usual_name,
    )
    return sessions.renew(to_json(OnePasskeyReply(passkey=passkey_reply(added.passkey)), 201), added.signed_in)


@blueprint.patch("/api/me/passkeys/<passkey_id>")
@require_login
@accepts(PasskeyName)
@returns(OnePasskeyReply)
def rename(passkey_id: str, body: PasskeyName) -> OnePasskeyReply:
    """Call one of one's passkeys something else."""
    renamed = passkey_service.rename(get_current_user(), passkey_id, body.name, browser())
    return OnePasskeyReply(passkey=passkey_reply(renamed))


@blueprint.post("/api/me/passkeys/<passkey_id>/remove")
@require_login
@accepts(OwnPassword)
@returns(None, 204)
@refuses(403, "`wrong_password`")
def remove(passkey_id: str, body: OwnPassword) -> Response:
    """Remove one of one's passkeys: nobody signs in by it any more."""
    signed_in = passkey_service.remove(get_current_user(), g.session_id, passkey_id, body.password, browser())
    return sessions.renew(Response(status=204), signed_in)
