"""Signing in by an identity provider, as tests do it."""

import secrets
from typing import Any

from sqlalchemy import select

from flask_app.database import reading, transaction
from flask_app.models import AuditEntry, LinkedIdentity, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people.registration_settings import OPEN
from flask_app.services.secrets.signing import digest
from flask_app.services.sign_in import identity_providers
from flask_app.services.sign_in.identity_providers import Listed, Wanted
from flask_app.services.sign_in.identity_terms import Terms
from tests.support.clients import PageClient

HOUSE, SLUG, ELSEWHERE = Actor(None), "school", "elsewhere"
CALLBACK = f"https://localhost/login/callback/{SLUG}"
DEPART, FINISH = "/api/login/identity", "/api/login/identity/finish"


def provide(
    issuer: str, *, client_id: str = "site", secret: str | None = "hush", slug: str = SLUG, **terms: Any
) -> Listed:
    """A provider that lets newcomers in, unless told otherwise."""
    wanted = Terms(**({"issuer": issuer, "client_id": client_id, "newcomers": OPEN} | terms))
    return identity_providers.add(HOUSE, slug, Wanted(name="The School", terms=wanted, secret=secret))


def change(listed: Listed, *, disabled: bool = False, **terms: Any) -> None:
    own = {name: getattr(listed.terms, name) for name in Terms.__struct_fields__}
    wanted = Wanted(name=listed.provider.name, terms=Terms(**(own | terms)), disabled=disabled)
    identity_providers.change(HOUSE, listed.provider.id, wanted)


def depart(client: PageClient, slug: str = SLUG) -> str:
    """Where the browser is sent."""
    reply = client.post(DEPART, json={"provider": slug})
    assert reply.status_code == 200, reply.text
    return str(reply.get_json()["location"])


def finish(client: PageClient, came: dict[str, str], slug: str = SLUG, **told: str) -> Any:
    known = {name: came[name] for name in ("state", "code", "iss", "error") if name in came}
    return client.post(FINISH, json={"provider": slug, **known, **told})


def sign_in(client: PageClient, provider: Any, login: str | None = None) -> Any:
    """There and back; of the real provider `login` is who signs in."""
    location = depart(client)
    return finish(client, provider.visit(location, login) if login is not None else provider.visit(location))


def link_somebody(user_id: str) -> LinkedIdentity:
    """The person has linked an identity, of a provider that is asked nothing."""
    known = [each.provider.id for each in identity_providers.listed() if each.provider.slug == ELSEWHERE]
    provider_id = known[0] if known else provide("https://id.example.org", slug=ELSEWHERE).provider.id
    with transaction() as session:
        identity = digest(secrets.token_hex(8))
        row = LinkedIdentity(provider_id=provider_id, user_id=user_id, identity=identity, shown="somebody")
        session.add(row)
        session.flush()
        return row


def named(username: str) -> User:
    with reading() as session:
        return session.scalars(select(User).where(User.username == username)).one()


def linked() -> list[LinkedIdentity]:
    with reading() as session:
        return list(session.scalars(select(LinkedIdentity).order_by(LinkedIdentity.id)))


def audited(action: str) -> list[AuditEntry]:
    with reading() as session:
        return list(session.scalars(select(AuditEntry).where(AuditEntry.action == action).order_by(AuditEntry.id)))
