"""One's own two-step sign-in. Each change gives a new session and, in the header X-CSRF-Token, its token."""

from flask import Blueprint, Response, g

from flask_app.services.sign_in import second_step_service
from flask_app.utils import get_current_user, require_login
from flask_app.web import sessions
from flask_app.web.bodies import Body, Words, accepts, refuses, returns, to_json
from flask_app.web.client import browser
from flask_app.web.second_steps import (
    BegunReply,
    RecoveryCodesReply,
    SecondStepReply,
    begun_reply,
    recovery_codes_reply,
    second_step_reply,
)

blueprint = Blueprint("second_step", __name__, url_prefix="/api/me/second-step")
WRONG = "`wrong_password`, or `wrong_second_step_code`: wrong, or used before."


class OwnPassword(Body):
    password: Words


class FirstCode(Body):
    code: Words


class PasswordAndCode(Body):
    """`code`: six digits of the authenticator app, or a recovery code."""

    password: Words
    code: Words


@blueprint.get("")
@require_login
@returns(SecondStepReply)
def standing() -> SecondStepReply:
    """Whether one is asked for a code at sign-in, and how many recovery codes are left."""
    return second_step_reply(second_step_service.standing(get_current_user()))


@blueprint.post("")
@require_login
@accepts(OwnPassword)
@returns(BegunReply, 201)
@refuses(403, "`wrong_password`")
def begin(body: OwnPassword) -> Response:
    """Begin to turn it on: a secret for an authenticator app, shown this once.

    Nothing is asked for at sign-in until `POST /api/me/second-step/confirm` has got a first code.
    """
    begun = second_step_service.begin(get_current_user(), g.session_id, body.password, browser())
    return sessions.renew(to_json(begun_reply(begun), 201), begun.signed_in)


@blueprint.post("/confirm")
@require_login
@accepts(FirstCode)
@returns(RecoveryCodesReply)
@refuses(403, WRONG)
def confirm(body: FirstCode) -> Response:
    """Turn it on by a first code, within a quarter of an hour. All other sessions end. Recovery codes come once."""
    turned_on = second_step_service.confirm(get_current_user(), g.session_id, body.code, browser())
    return sessions.renew(to_json(recovery_codes_reply(turned_on)), turned_on.signed_in)


@blueprint.post("/recovery-codes")
@require_login
@accepts(PasswordAndCode)
@returns(RecoveryCodesReply)
@refuses(403, WRONG)
def renew_recovery_codes(body: PasswordAndCode) -> Response:
    """Get ten new recovery codes in the place of all earlier ones."""
    actor = get_current_user()
    renewed = second_step_service.renew_recovery_codes(actor, g.session_id, body.password, body.code, browser())
    return sessions.renew(to_json(recovery_codes_reply(renewed)), renewed.signed_in)


@blueprint.post("/turn-off")
@require_login
@accepts(PasswordAndCode)
@returns(None, 204)
@refuses(403, WRONG)
def turn_off(body: PasswordAndCode) -> Response:
    """Sign in by the password alone from now on."""
    actor = get_current_user()
    signed_in = second_step_service.turn_off(actor, g.session_id, body.password, body.code, browser())
    return sessions.renew(Response(status=204), signed_in)
