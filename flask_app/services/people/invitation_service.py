"""Coming in by an invitation: whoever has its link or its code makes an account of their own, while uses are left.

Both are one secret: the code stands after the `#` of the link, so that it reaches no server's log, and is typed where
there is no link. Only its digest is stored.
"""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from flask_app.database import in_transaction, reading, utc_now
from flask_app.domain import typed_code
from flask_app.errors import AppError, Conflict, Forbidden, Invalid
from flask_app.models import Group, Invitation, User
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import group_service, joining, names, passwords
from flask_app.services.people.inviters import UPHELD
from flask_app.services.secrets.signing import digest
from flask_app.services.sign_in import auth_service, login_limits
from flask_app.services.sign_in.auth_service import Browser, SignedIn


def state_of(invitation: Invitation, now: datetime, *, is_upheld: bool) -> str:
    """One of "open", "used_up", "revoked", "expired" and "lapsed", which is one whose maker may not invite there any
    more (`inviters`); one whose group is deleted counts as revoked.
    """
    if invitation.used >= invitation.most:
        return "used_up"
    if invitation.revoked_at or invitation.group_id is None:
        return "revoked"
    if invitation.expires_at <= now:
        return "expired"
    return "open" if is_upheld else "lapsed"


def digest_of(token: str) -> str:
    """What is stored of a code, however it is typed: the digest of the link's token, by which older versions open it.

    A link that is older than codes has a token of another kind.
    """
    code = typed_code.read(token)
    return digest(typed_code.shown(code) if code else token)


def opened(token: str, address: str) -> Invitation:
    """The invitation that a link or a code opens, as it stands.

    Raises Forbidden("invitation_unknown"), ("invitation_used_up"), ("invitation_revoked") or ("invitation_expired"),
    and TooMany for somebody who guesses: what was good once is no guess.
    """
    with login_limits.invitation_attempt(address) as attempt:
        with reading() as session:
            found = session.execute(_WITH_UPHELD.where(Invitation.digest == digest_of(token))).one_or_none()
        if found is None:
            attempt.failed()
            raise Forbidden("invitation_unknown")
    invitation, is_upheld = found
    if refusal := _refusal(invitation, is_upheld=is_upheld):
        raise refusal
    return invitation


def join(token: str, username: str, password: str, browser: Browser, *, replaces: str | None = None) -> SignedIn:
    """Make an account in the invitation's group and sign in; the session `replaces`, which the browser had, ends.

    Raises what `opened` raises; and, without a use being lost, Invalid for a bad name or a weak password and
    Conflict("username_taken").
    """
    invitation = opened(token, browser.address)
    shown = names.checked(username)
    passwords.check_strength(password, shown)
    stored = passwords.make_hash(password)

    def work(session: Session) -> SignedIn:
        user = User(username=shown, username_key=names.key(shown), password_hash=stored, role="member")
        _come_in(session, invitation, user, browser.address)
        return auth_service.open_session(session, user, browser, replaces=replaces)

    try:
        return in_transaction(work)
    except IntegrityError as error:
        raise Conflict("username_taken") from error


def _come_in(session: Session, invitation: Invitation, user: User, address: str) -> None:
    group = _group(session, invitation)
    if not _claim(session, invitation):
        now, is_upheld = session.execute(_WITH_UPHELD.where(Invitation.id == invitation.id)).one()
        raise _refusal(now, is_upheld=is_upheld) or Forbidden("invitation_expired")
    joining.put(session, Actor(user, address), user, group)
    details = {"name": invitation.name, "group": group.name}
    audit_service.record(session, user, "invitation.use", invitation.id, details, address)


def _group(session: Session, invitation: Invitation) -> Group:
    """Before anything else is locked (`turns`); it may have been deleted since the invitation was looked at."""
    try:
        return group_service.chosen(session, invitation.group_id or "")
    except Invalid as error:
        raise Forbidden("invitation_revoked") from error


def _claim(session: Session, invitation: Invitation) -> bool:
    """One use. Of several at once the database lets as many through as there are left."""
    left = (Invitation.used < Invitation.most, Invitation.revoked_at.is_(None), Invitation.expires_at > utc_now())
    claim = update(Invitation).where(Invitation.id == invitation.id, *left, UPHELD).values(used=Invitation.used + 1)
    claimed = session.execute(claim.execution_options(synchronize_session=False))
    return bool(claimed.rowcount)  # type: ignore[attr-defined]


def _refusal(invitation: Invitation, *, is_upheld: bool) -> AppError | None:
    """Why nobody comes in by it; None while somebody can."""
    code = _REFUSALS.get(state_of(invitation, utc_now(), is_upheld=is_upheld))
    return Forbidden(code) if code else None


_WITH_UPHELD = select(Invitation, UPHELD.label("is_upheld"))
_REFUSALS = {
    "used_up": "invitation_used_up",
    "revoked": "invitation_revoked",
    "expired": "invitation_expired",
    "lapsed": "invitation_revoked",  # what became of its maker is no stranger's business
}
