"""Who may sign in by name and password: everybody, or administrators alone where an identity provider is there.

An administrator always may: a provider that fails locks nobody out of the settings.
"""

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from flask_app.database import fetching, table_of
from flask_app.models import IdentityProvider, Setting, User
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.site import stored_settings

NAME = "password_sign_in"  # the row of `settings`
EVERYBODY, ADMINISTRATORS = "everybody", "administrators"

_settings, _providers = table_of(Setting), table_of(IdentityProvider)
_STORED = select(_settings.c.value).where(_settings.c.name == NAME)
_IS_CLOSED = select(
    exists().where(_settings.c.name == NAME, _settings.c.value == ADMINISTRATORS),
    exists().where(_providers.c.disabled.is_(False)),
)


def is_for_everybody() -> bool:
    """Without an identity provider that people can sign in by it is, whatever was chosen."""
    with fetching() as connection:
        closed, has_provider = connection.execute(_IS_CLOSED).one()
    return not (closed and has_provider)


def may(user: User) -> bool:
    return user.role == "admin" or is_for_everybody()


def chosen() -> bool:
    """Was everybody chosen?"""
    with fetching() as connection:
        return connection.scalar(_STORED) != ADMINISTRATORS


def choose(actor: Actor, *, everybody: bool) -> None:
    """From the next sign-in on. Who is signed in stays so."""

    def work(session: Session) -> None:
        found = stored_settings.locked(session, NAME)
        before, after = found.get(NAME, EVERYBODY), (EVERYBODY if everybody else ADMINISTRATORS)
        stored_settings.keep(session, found, {NAME: after})
        if before != after:
            details = {"before": {NAME: before}, "after": {NAME: after}}
            audit_service.record(session, actor.user, "password_sign_in.change", NAME, details, actor.address)

    stored_settings.in_turn(work)
