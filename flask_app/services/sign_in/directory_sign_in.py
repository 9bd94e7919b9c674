"""Signing in by name and password where directories know some of the people: the page asks for the same two."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from flask_app.errors import AppError, Forbidden
from flask_app.models import IdentityProvider, Registration, User
from flask_app.services.people import names, passwords
from flask_app.services.sign_in import (
    auth_service,
    directories,
    directory_people,
    identity_accounts,
    identity_entry,
    login_limits,
)
from flask_app.services.sign_in.auth_service import Browser, SignedIn, WrongCredentials
from flask_app.services.sign_in.identity_accounts import Identity
from flask_app.services.sign_in.oidc_provider import IdentityProviderError
from flask_app.services.sign_in.pending_sign_ins import Pending

REFUSED_AFTER = 0.5  # seconds: who is unknown and whose password is wrong are told so after the same time


def sign_in(username: str, password: str, browser: Browser, *, replaces: str | None = None) -> SignedIn | Pending:
    """As `auth_service.sign_in`, which it is without a directory; a directory is asked unless a password that is kept
    here is the right one.

    Raises what that raises; for whom a directory knows what `identity_accounts.arrive` raises, and
    Forbidden("sign_in_waits") where an administrator has to let them in; IdentityProviderError where a directory cannot
    be asked and no other knows them.
    """
    known = directories.offered()
    if not known:
        return auth_service.sign_in(username, password, browser, replaces=replaces)
    account = names.key(username)
    user = auth_service.find(account)
    user_id = user.id if user else None
    counted = login_limits.directory_attempt(account, user_id, browser.address, browser.device)
    with counted as attempt, refused_in_time(WrongCredentials):
        kept_here = _kept_here(user, password)
        try:
            identity = None if kept_here else _asked(known, username.strip(), password)
        except IdentityProviderError:
            attempt.failed()  # it was none of the passwords that are kept here
            raise
        if kept_here is None and identity is None:
            attempt.failed()
            raise WrongCredentials
    if kept_here:
        return auth_service.let_in(kept_here, password, browser, replaces=replaces)
    outcome = identity_entry.enter(identity, browser, replaces=replaces) if identity else None
    if outcome is None or isinstance(outcome, Registration):
        raise Forbidden("sign_in_waits")
    return outcome


@contextmanager
def refused_in_time(refusal: type[AppError]) -> Iterator[None]:
    """Who is unknown and whose password is wrong is told so, by this error, after the same time."""
    began = time.monotonic()
    try:
        yield
    except refusal:
        time.sleep(max(0.0, began + REFUSED_AFTER - time.monotonic()))
        raise


def _kept_here(user: User | None, password: str) -> User | None:
    """The person, where it is the password that signs them in here. The work is the same for whoever has none."""
    has_own = user is not None and not directory_people.is_theirs(user)
    matches = passwords.verify(user.password_hash if user and has_own else None, password)
    return user if matches else None


def _asked(known: Sequence[IdentityProvider], name: str, password: str) -> Identity | None:
    """Whom the first of the directories knows that takes the password."""
    failure: IdentityProviderError | None = None
    for provider in known:
        try:
            found = directories.check(provider, name, password)
        except IdentityProviderError as error:
            failure = IdentityProviderError("directory_away", provider=provider.name)
            failure.__cause__ = error
            continue
        if found:
            return identity_accounts.identity_in(provider, found)
    if failure:
        raise failure
    return None
