"""One's own account: what one chose, the password, and the browsers one is signed in with."""

import msgspec
from flask import Blueprint, Response, g, render_template

from flask_app import timezones
from flask_app.services.people import account_service, addresses
from flask_app.services.portability import conversation_export
from flask_app.services.sign_in import (
    known_devices,
    passkey_service,
    proof_service,
    second_step_service,
    session_service,
)
from flask_app.services.warnings import mail_service
from flask_app.utils import get_current_user, require_login
from flask_app.web import csrf, pages, relying_party, sessions, supervision
from flask_app.web.account_state import AccountState
from flask_app.web.bodies import Body, Words, accepts, refuses, returns
from flask_app.web.browsers import SessionsReply, sessions_reply
from flask_app.web.client import browser, client_address
from flask_app.web.identities import identities_reply
from flask_app.web.passkeys import passkeys_reply
from flask_app.web.people import OwnReply, Session, own_user_reply
from flask_app.web.second_steps import second_step_reply
from flask_app.web.shares import may_share, shares_reply

blueprint = Blueprint("account", __name__)


class Choices(Body):
    """What is not named stays. An empty `email` takes the address away: no warnings are sent then."""

    locale: Words | None = None
    theme: Words | None = None
    timezone: Words | None = None
    email: Words | None = None
    warn_by_email: bool | None = None


class AddressCode(Body):
    """What the mail says; how it is grouped, and its case, do not matter."""

    code: Words


class AddressProof(Body):
    """`password` where the person has one."""

    password: Words | None = None


class NewPassword(Body):
    current: Words
    new: Words


class Proof(Body):
    password: Words


@blueprint.get("/account")
@require_login
def home() -> str:
    actor = get_current_user()
    identity, listed, shares = identities_reply(actor), _sessions(), shares_reply(actor).shares
    state = AccountState(
        sessions=listed.sessions,
        gone=listed.gone,
        may_confirm=listed.may_confirm,
        second_step=second_step_reply(second_step_service.standing(actor)),
        passkeys=passkeys_reply(passkey_service.listed(actor)).passkeys,
        identity=identity,
        shares=shares,
    )
    return render_template(
        "account.html",
        timezones=timezones.offered(),
        account_state=pages.state(state),
        extents=conversation_export.extents(actor),
        has_mail=mail_service.is_set_up(),
        address_confirmed=addresses.is_confirmed(actor),
        no_passkeys=relying_party.why_not(),
        has_password=identity.asks_password,
        has_identities=bool(identity.identities or identity.offered or identity.directories),
        looks=supervision.shown_looks(),
        has_shares=bool(shares),
        may_share=may_share(),
    )


@blueprint.get("/api/me")
@require_login
@returns(Session)
def me() -> Session:
    """The person who is signed in."""
    return Session(user=own_user_reply(get_current_user()), csrf_token=csrf.token())


@blueprint.patch("/api/me")
@require_login
@accepts(Choices)
@returns(OwnReply)
def choose(body: Choices) -> OwnReply:
    """Choose one's language, theme or time zone, and where warnings about one's budgets go."""
    user = account_service.choose(get_current_user(), client_address(), **msgspec.structs.asdict(body))
    return OwnReply(user=own_user_reply(user))


@blueprint.post("/api/me/email/code")
@require_login
@accepts(AddressProof)
@returns(None, 204)
@refuses(403, "`wrong_password`; or `sign_in_again`: who has no password must have signed in within two hours.")
@refuses(409, "`no_address`: none is given.")
@refuses(502, "The mail could not be sent.")
def send_address_code(body: AddressProof) -> None:
    """Have a code sent to one's own address, which confirms it within half an hour."""
    actor = get_current_user()
    addresses.send_code(actor, g.session_id, g.session_began_at, password=body.password, locale=g.locale)


@blueprint.post("/api/me/email/confirm")
@require_login
@accepts(AddressCode)
@returns(OwnReply)
@refuses(403, "`wrong_address_code`: wrong, too old, or of another address.")
def confirm_address(body: AddressCode) -> OwnReply:
    """Say that the code has come: who forgets their password can have a link sent there from now on."""
    return OwnReply(user=own_user_reply(addresses.confirm(get_current_user(), body.code, client_address())))


@blueprint.post("/api/me/password")
@require_login
@accepts(NewPassword)
@returns(None, 204)
def change_password(body: NewPassword) -> Response:
    """Replace one's password; the other sessions end.

    The session's id and CSRF token change with it: the new token comes in the header X-CSRF-Token.
    """
    signed_in = account_service.change_password(get_current_user(), g.session_id, body.current, body.new, browser())
    return sessions.renew(Response(status=204), signed_in)


@blueprint.post("/api/me/proof")
@require_login
@accepts(Proof)
@returns(None, 204)
@refuses(403, "`wrong_password`")
def prove(body: Proof) -> Response:
    """Give one's password once more, as `password_needed` asks for.

    The session's id and CSRF token change: the new token comes in the header X-CSRF-Token.
    """
    signed_in = proof_service.prove(get_current_user(), g.session_id, body.password, browser())
    return sessions.renew(Response(status=204), signed_in)


@blueprint.get("/api/me/sessions")
@require_login
@returns(SessionsReply)
def signed_in_browsers() -> SessionsReply:
    """The browsers one is signed in with: this one, then the last seen first; at most fifty."""
    return _sessions()


@blueprint.delete("/api/me/sessions")
@require_login
@returns(None, 204)
def sign_out_others() -> None:
    """Sign out everywhere but here."""
    session_service.end_others(get_current_user(), g.session_id)


@blueprint.delete("/api/me/sessions/<session_id>")
@require_login
@returns(None, 204)
def sign_out_one(session_id: str) -> None:
    """Sign out one browser of one's own. One that was new is new again the next time."""
    session_service.end(get_current_user(), session_id, g.session_id)


@blueprint.post("/api/me/devices/<device_id>/confirm")
@require_login
@returns(None, 204)
def confirm_device(device_id: str) -> None:
    """Say that it was oneself who signed in from a new browser, and from those that were new before it."""
    known_devices.confirm(get_current_user(), g.session_id, device_id)


def _sessions() -> SessionsReply:
    actor, here = get_current_user(), g.session_id
    return sessions_reply(session_service.listed(actor, here), known_devices.new_to(actor, here), here=here)
