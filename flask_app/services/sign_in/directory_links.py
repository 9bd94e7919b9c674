"""Linking somebody of a directory to the account of whoever is signed in: they know the password there."""

from datetime import datetime

from sqlalchemy.orm import Session

from flask_app.database import in_transaction
from flask_app.errors import Forbidden, NotFound
from flask_app.models import User
from flask_app.services.people import names
from flask_app.services.sign_in import (
    directories,
    identity_accounts,
    login_limits,
    proof_service,
    second_step,
    visits,
)
from flask_app.services.sign_in.auth_service import Browser
from flask_app.services.sign_in.directory_sign_in import refused_in_time


def link(
    actor: User,
    session_id: str,
    began_at: datetime,
    slug: str,
    login: tuple[str, str],
    *,
    own: str | None,
    browser: Browser,
) -> None:
    """From now on `login`, a name and its password in that directory, signs in to this account; `own` is the password
    of the account, where it has one.

    Raises NotFound, Forbidden("wrong_password", "sign_in_again", "wrong_directory_password"), TooMany,
    Conflict("identity_taken"), IdentityProviderError. A guess counts as one at signing in.
    """
    provider = next((each for each in directories.offered() if each.slug == slug), None)
    if provider is None:
        raise NotFound
    proof_service.require_password(actor, session_id, began_at, own)
    name, password = login[0].strip(), login[1]
    with (
        login_limits.directory_attempt(names.key(name), None, browser.address, browser.device) as attempt,
        refused_in_time(Forbidden),
    ):
        found = directories.check(provider, name, password)
        if found is None:
            attempt.failed()
            raise Forbidden("wrong_directory_password")

    def work(session: Session) -> None:
        second_step.lock(session, actor.id)
        visits.require_open(session, session_id)
        identity_accounts.link(session, identity_accounts.identity_in(provider, found), actor, browser.address)

    in_transaction(work)
