"""Signing in by a passkey: possession of it, and its keeper's own check of who holds it, are two factors at once.

No name is typed and no code asked for: the passkey says whose it is.
"""

from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from flask_app.database import reading, transaction, utc_now
from flask_app.errors import Forbidden
from flask_app.models import Passkey, User
from flask_app.services.audit import audit_service
from flask_app.services.secrets.signing import digest
from flask_app.services.sign_in import auth_service, login_limits, passkey_ceremony, passkey_challenges, second_step
from flask_app.services.sign_in.auth_service import Browser, SignedIn
from flask_app.services.sign_in.passkey_ceremony import Assertion, PasskeyRefused, RelyingParty, Used
from flask_app.services.sign_in.passkey_challenges import Challenge, Spent
from flask_app.services.sign_in.pending_sign_ins import SignInExpired


@dataclass(frozen=True, slots=True)
class _Proved:
    """Whose passkey has signed which challenge, and what it told."""

    user: User
    passkey: Passkey
    challenge: Challenge
    used: Used


def sign_in(
    reply: Assertion, holder: str, browser: Browser, party: RelyingParty, *, replaces: str | None = None
) -> SignedIn:
    """Open a session of whose passkey it is; the session `replaces`, which the browser had before, ends.

    `holder` is what the browser was given with its challenge. Raises PasskeyRefused, SignInExpired where the challenge
    is used, too old or another browser's, Forbidden("account_disabled") for the right passkey of a disabled person,
    Forbidden("passkey_copied") where it has counted less than before, TooMany.
    """
    with login_limits.passkey_attempt(browser.address) as attempt:
        try:
            proved = _proved(reply, holder, party)
        except (PasskeyRefused, ValueError) as error:
            attempt.failed()
            raise PasskeyRefused from error
        except Spent as error:
            raise SignInExpired from error
    if proved.user.disabled:
        raise Forbidden("account_disabled")
    try:
        signed_in = _enter(proved, browser, replaces)
    except Spent as error:
        raise SignInExpired from error
    if signed_in is None:
        raise Forbidden("passkey_copied")
    return signed_in


def _proved(reply: Assertion, holder: str, party: RelyingParty) -> _Proved:
    challenge = passkey_challenges.check(passkey_ceremony.challenge_in(reply.client_data), "sign in", holder)
    credential_id = passkey_ceremony.decoded(reply.id)
    with reading() as session:
        named = select(Passkey, User).join(User, User.id == Passkey.user_id)
        found = session.execute(
            named.where(Passkey.digest == digest(passkey_ceremony.encoded(credential_id)), Passkey.rp_id == party.id)
        ).one_or_none()
    if found is None:
        raise PasskeyRefused
    passkey, user = found
    if passkey_ceremony.decoded(reply.user_handle) != user.id.encode():
        raise PasskeyRefused
    used = passkey_ceremony.verified_assertion(reply, challenge.value, party, passkey.public_key)
    return _Proved(user, passkey, challenge, used)


def _enter(proved: _Proved, browser: Browser, replaces: str | None) -> SignedIn | None:
    """None where the passkey may have been copied: that is logged, and the challenge is used up all the same."""
    with transaction() as session:
        second_step.lock(session, proved.user.id)
        passkey_challenges.use_up(session, proved.challenge)
        user = session.get_one(User, proved.user.id)
        if user.disabled:
            raise Forbidden("account_disabled")
        if _counted(session, proved):
            return auth_service.open_session(session, user, browser, replaces=replaces)
        before = session.scalar(select(Passkey.sign_count).where(Passkey.id == proved.passkey.id))
        if before is None:
            raise PasskeyRefused  # it was removed meanwhile
        details: dict[str, object] = {"username": user.username, "passkey": proved.passkey.name}
        details |= {"counted": proved.used.sign_count, "known": before}
        audit_service.record(session, user, "passkey.copied", user.id, details, browser.address)
        return None


def _counted(session: Session, proved: _Proved) -> bool:
    """Note the use. False where the count did not go on (WebAuthn, section 6.1.1), or the passkey is gone."""
    count = proved.used.sign_count
    goes_on = Passkey.sign_count < count if count else Passkey.sign_count == 0
    noted = (
        update(Passkey)
        .where(Passkey.id == proved.passkey.id, goes_on)
        .values(sign_count=count, backed_up=proved.used.backed_up, last_used_at=utc_now())
    )
    return bool(session.execute(noted.execution_options(synchronize_session=False)).rowcount)  # type: ignore[attr-defined]
