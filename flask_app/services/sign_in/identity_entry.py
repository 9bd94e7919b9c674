"""The last step of a sign-in by an identity: the account that it opens, and the session."""

from sqlalchemy.orm import Session

from flask_app.database import in_transaction
from flask_app.errors import Conflict
from flask_app.models import Registration
from flask_app.services.sign_in import auth_service, identity_accounts, pending_sign_ins, second_step
from flask_app.services.sign_in.auth_service import Browser, SignedIn
from flask_app.services.sign_in.identity_accounts import Identity
from flask_app.services.sign_in.pending_sign_ins import Pending


def enter(identity: Identity, browser: Browser, *, replaces: str | None = None) -> SignedIn | Pending | Registration:
    """Come in, or what is waited for: the second step, or an administrator's word. The session `replaces` ends.

    Raises what `arrive` raises.
    """

    def work(session: Session) -> SignedIn | Pending | Registration:
        user = identity_accounts.arrive(session, identity, browser.address)
        if isinstance(user, Registration):
            return user
        if not identity.terms.second_factor and second_step.is_on(session, user.id):
            return pending_sign_ins.begin(session, user.id)
        return auth_service.open_session(session, user, browser, replaces=replaces)

    try:
        return in_transaction(work)
    except Conflict:  # the same identity, or one of the same name, came in at the same moment: it is found now
        return in_transaction(work)
