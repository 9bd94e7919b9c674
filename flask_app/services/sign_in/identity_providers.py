"""Identity providers as administrators keep them: list, add, change, delete, try."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import delete as delete_from
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from flask_app.database import in_transaction, new_id, reading, transaction
from flask_app.domain.claims import SLUG
from flask_app.errors import Conflict, Invalid, NotFound
from flask_app.models import Group, IdentityProvider, LinkedIdentity, Registration
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import names
from flask_app.services.secrets import sealing
from flask_app.services.sign_in import identity_terms, oidc_provider
from flask_app.services.sign_in.identity_terms import Terms
from flask_app.services.sign_in.oidc_provider import IdentityProviderError, Metadata

MAX_NAME, MAX_SECRET, MOST = 64, 500, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """`secret` None leaves it as it is (a new one has none then), an empty one is that of a public client."""

    name: str
    terms: Terms
    secret: str | None = field(default=None, repr=False)
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """`people`: how many identities of it are linked."""

    provider: IdentityProvider
    terms: Terms
    people: int


def listed() -> list[Listed]:
    """In the order of their buttons: the oldest first."""
    people = select(LinkedIdentity.provider_id, func.count().label("people")).group_by(LinkedIdentity.provider_id)
    counted = people.subquery()
    query = select(IdentityProvider, func.coalesce(counted.c.people, 0))
    query = query.outerjoin(counted, counted.c.provider_id == IdentityProvider.id).order_by(IdentityProvider.id)
    with reading() as session:
        return [Listed(each, identity_terms.read(each.terms), number) for each, number in session.execute(query)]


def offered() -> Sequence[IdentityProvider]:
    """Those that people can sign in by now."""
    open_ones = select(IdentityProvider).where(~IdentityProvider.disabled).order_by(IdentityProvider.id)
    with reading() as session:
        return session.scalars(open_ones).all()


def by_slug(slug: str) -> IdentityProvider:
    """One that people can sign in by; raises NotFound("unknown_identity_provider")."""
    with reading() as session:
        found = session.scalar(select(IdentityProvider).where(IdentityProvider.slug == slug))
    if found is None or found.disabled:
        raise NotFound("unknown_identity_provider")
    return found


def add(actor: Actor, slug: str, wanted: Wanted) -> Listed:
    """Raises Invalid, Conflict("identity_slug_taken", "too_many_identity_providers")."""
    if not SLUG.fullmatch(slug):
        raise Invalid("bad_identity_slug")
    name, terms, secret = _name(wanted.name), identity_terms.checked(wanted.terms), _secret(wanted.secret)

    def work(session: Session) -> Listed:
        if (session.scalar(select(func.count()).select_from(IdentityProvider)) or 0) >= MOST:
            raise Conflict("too_many_identity_providers", limit=MOST)
        _require_groups(session, terms)
        provider = IdentityProvider(id=new_id(), slug=slug, name=name, disabled=wanted.disabled)
        provider.terms, provider.secret = identity_terms.written(terms), _sealed(secret, provider.id)
        session.add(provider)
        session.flush()
        details = _settings(provider)
        audit_service.record(session, actor.user, "identity_provider.add", provider.id, details, actor.address)
        return Listed(provider, terms, 0)

    try:
        return in_transaction(work)
    except IntegrityError as error:
        raise Conflict("identity_slug_taken") from error


def change(actor: Actor, provider_id: str, wanted: Wanted) -> Listed:
    """From the next sign-in on; the address that it sends people back to stays.

    With another issuer nobody whom the one before knew is known any more. Raises NotFound, Invalid.
    """
    name, terms, secret = _name(wanted.name), identity_terms.checked(wanted.terms), _secret(wanted.secret)

    def work(session: Session) -> None:
        _require_groups(session, terms)
        provider = _locked(session, provider_id)
        before = _settings(provider)
        provider.name, provider.disabled = name, wanted.disabled
        provider.terms = identity_terms.written(terms)
        if wanted.secret is not None:
            provider.secret = _sealed(secret, provider.id)
        difference = audit_service.difference(before, _settings(provider))
        if difference or wanted.secret is not None:
            details = {"name": name, "secret_replaced": wanted.secret is not None, **difference}
            audit_service.record(session, actor.user, "identity_provider.change", provider.id, details, actor.address)

    in_transaction(work)
    return next(each for each in listed() if each.provider.id == provider_id)


def delete(actor: Actor, provider_id: str) -> None:
    """Nobody signs in by it any more: what it linked goes with it, accounts stay. Raises NotFound."""

    def work(session: Session) -> None:
        provider = _locked(session, provider_id)
        linked = select(func.count()).where(LinkedIdentity.provider_id == provider.id)
        details = {**_settings(provider), "people": session.scalar(linked)}
        waiting = Registration.identity_provider_id == provider.id, Registration.user_id.is_(None)
        session.execute(delete_from(Registration).where(*waiting))
        session.delete(provider)
        audit_service.record(session, actor.user, "identity_provider.delete", provider_id, details, actor.address)

    in_transaction(work)


def try_out(actor: Actor, issuer: str) -> Metadata:
    """What a provider says of itself. Raises Invalid for an address that cannot be one, IdentityProviderError."""
    checked = identity_terms.issuer(issuer)
    with transaction() as session:
        details = {"issuer": checked}
        audit_service.record(session, actor.user, "identity_provider.try", checked[:128], details, actor.address)
    return oidc_provider.discover(checked)


def secret_of(provider: IdentityProvider) -> str | None:
    """Raises IdentityProviderError where the ENCRYPTION_KEY is not the one it was sealed with."""
    if provider.secret is None:
        return None
    try:
        return sealing.unseal(provider.secret, provider.id)
    except sealing.Unreadable as error:
        raise IdentityProviderError("identity_secret_unreadable") from error


def _locked(session: Session, provider_id: str) -> IdentityProvider:
    provider = session.get(IdentityProvider, provider_id, with_for_update=True)
    if provider is None:
        raise NotFound
    return provider


def _require_groups(session: Session, terms: Terms) -> None:
    wanted = {terms.group_id, *(group_id for _, group_id in terms.groups)}
    if wanted - set(session.scalars(select(Group.id).where(Group.id.in_(wanted)))):
        raise Invalid("unknown_group")


def _settings(provider: IdentityProvider) -> dict[str, object]:
    """Everything but the secret."""
    terms = identity_terms.read(provider.terms)
    told: dict[str, object] = {name: getattr(terms, name) for name in terms.__struct_fields__}
    return {"name": provider.name, "disabled": provider.disabled, **told}


def _name(typed: str) -> str:
    try:
        return names.checked(typed)
    except Invalid as error:
        raise Invalid("bad_label", limit=MAX_NAME) from error


def _secret(typed: str | None) -> str:
    secret = (typed or "").strip()
    if len(secret) > MAX_SECRET or not secret.isprintable():
        raise Invalid("bad_identity_secret", limit=MAX_SECRET)
    return secret


def _sealed(secret: str, provider_id: str) -> bytes | None:
    return sealing.seal(secret, provider_id) if secret else None
