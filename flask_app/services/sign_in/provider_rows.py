"""Identity providers of any kind as administrators keep them: list, add, change, delete."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic

from sqlalchemy import delete as delete_from
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from flask_app.database import in_transaction, new_id, reading
from flask_app.domain.claims import SLUG
from flask_app.errors import Conflict, Forbidden, Invalid, NotFound
from flask_app.models import Group, IdentityProvider, LinkedIdentity, Registration, User
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import names, standing
from flask_app.services.secrets import sealing
from flask_app.services.sign_in import directory_terms, identity_terms
from flask_app.services.sign_in.directory_terms import DirectoryTerms
from flask_app.services.sign_in.identity_terms import AnyTerms, Terms
from flask_app.services.sign_in.oidc_provider import IdentityProviderError

MAX_NAME, MAX_SECRET, MOST = 64, 500, 20


@dataclass(frozen=True, slots=True)
class Kind(Generic[AnyTerms]):
    """`name` stands in the column. `keeps_secret`: may the secret stay when the terms become others? `is_moved`: do the
    same identities come from elsewhere then?
    """

    name: str
    read: Callable[[str], AnyTerms]
    checked: Callable[[AnyTerms], AnyTerms]
    keeps_secret: Callable[[AnyTerms, AnyTerms], bool]
    is_moved: Callable[[AnyTerms, AnyTerms], bool]


# An OIDC identity is its issuer's: from another one come others.
OIDC: Kind[Terms] = Kind(
    "oidc",
    identity_terms.read,
    identity_terms.checked,
    keeps_secret=lambda _before, _after: True,
    is_moved=lambda _before, _after: False,
)
LDAP: Kind[DirectoryTerms] = Kind(
    "ldap",
    directory_terms.read,
    directory_terms.checked,
    keeps_secret=directory_terms.keeps_secret,
    is_moved=directory_terms.is_moved,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted(Generic[AnyTerms]):
    """`secret` None leaves it as it is (a new one has none then), an empty one is none."""

    name: str
    terms: AnyTerms
    secret: str | None = field(default=None, repr=False)
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class Listed(Generic[AnyTerms]):
    """`people`: how many identities of it are linked."""

    provider: IdentityProvider
    terms: AnyTerms
    people: int


def listed(kind: Kind[AnyTerms]) -> list[Listed[AnyTerms]]:
    """The oldest first."""
    people = select(LinkedIdentity.provider_id, func.count().label("people")).group_by(LinkedIdentity.provider_id)
    counted = people.subquery()
    query = select(IdentityProvider, func.coalesce(counted.c.people, 0)).where(IdentityProvider.kind == kind.name)
    query = query.outerjoin(counted, counted.c.provider_id == IdentityProvider.id).order_by(IdentityProvider.id)
    with reading() as session:
        return [Listed(each, kind.read(each.terms), number) for each, number in session.execute(query)]


def offered(kind: Kind[AnyTerms]) -> Sequence[IdentityProvider]:
    """Those that people can sign in by now, the oldest first."""
    open_ones = IdentityProvider.kind == kind.name, ~IdentityProvider.disabled
    with reading() as session:
        return session.scalars(select(IdentityProvider).where(*open_ones).order_by(IdentityProvider.id)).all()


def add(actor: Actor, kind: Kind[AnyTerms], slug: str, wanted: Wanted[AnyTerms]) -> Listed[AnyTerms]:
    """Raises Invalid, Conflict("identity_slug_taken", "too_many_identity_providers")."""
    if not SLUG.fullmatch(slug):
        raise Invalid("bad_identity_slug")
    name, terms, secret = _name(wanted.name), kind.checked(wanted.terms), checked_secret(wanted.secret)

    def work(session: Session) -> Listed[AnyTerms]:
        if (session.scalar(select(func.count()).select_from(IdentityProvider)) or 0) >= MOST:
            raise Conflict("too_many_identity_providers", limit=MOST)
        _require_groups(session, terms)
        provider = IdentityProvider(id=new_id(), kind=kind.name, slug=slug, name=name, disabled=wanted.disabled)
        provider.terms, provider.secret = identity_terms.written(terms), _sealed(secret, provider.id)
        session.add(provider)
        session.flush()
        details = _settings(provider, kind)
        audit_service.record(session, actor.user, "identity_provider.add", provider.id, details, actor.address)
        return Listed(provider, terms, 0)

    try:
        return in_transaction(work)
    except IntegrityError as error:
        raise Conflict("identity_slug_taken") from error


def change(actor: Actor, kind: Kind[AnyTerms], provider_id: str, wanted: Wanted[AnyTerms]) -> Listed[AnyTerms]:
    """From the next sign-in on; the short name stays. Raises as `_require_may_move` does, NotFound and Invalid."""
    name, terms, secret = _name(wanted.name), kind.checked(wanted.terms), checked_secret(wanted.secret)

    def work(session: Session) -> None:
        _require_groups(session, terms)
        provider = _locked(session, provider_id, kind)
        if wanted.secret is None and provider.secret and not kind.keeps_secret(kind.read(provider.terms), terms):
            raise Invalid("directory_password_anew")
        if kind.is_moved(kind.read(provider.terms), terms):
            _require_may_move(session, actor, provider)
        before = _settings(provider, kind)
        provider.name, provider.disabled = name, wanted.disabled
        provider.terms = identity_terms.written(terms)
        if wanted.secret is not None:
            provider.secret = _sealed(secret, provider.id)
        difference = audit_service.difference(before, _settings(provider, kind))
        if difference or wanted.secret is not None:
            details = {"name": name, "secret_replaced": wanted.secret is not None, **difference}
            audit_service.record(session, actor.user, "identity_provider.change", provider.id, details, actor.address)

    in_transaction(work)
    return next(each for each in listed(kind) if each.provider.id == provider_id)


def delete(actor: Actor, kind: Kind[AnyTerms], provider_id: str) -> None:
    """Nobody signs in by it any more: what it linked goes with it, accounts stay. Raises NotFound."""

    def work(session: Session) -> None:
        provider = _locked(session, provider_id, kind)
        linked = select(func.count()).where(LinkedIdentity.provider_id == provider.id)
        details = {**_settings(provider, kind), "people": session.scalar(linked)}
        waiting = Registration.identity_provider_id == provider.id, Registration.user_id.is_(None)
        session.execute(delete_from(Registration).where(*waiting))
        session.delete(provider)
        audit_service.record(session, actor.user, "identity_provider.delete", provider_id, details, actor.address)

    in_transaction(work)


def secret_of(provider: IdentityProvider) -> str | None:
    """Raises IdentityProviderError where the ENCRYPTION_KEY is not the one it was sealed with."""
    if provider.secret is None:
        return None
    try:
        return sealing.unseal(provider.secret, provider.id)
    except sealing.Unreadable as error:
        raise IdentityProviderError("identity_secret_unreadable") from error


def checked_secret(typed: str | None) -> str:
    secret = (typed or "").strip()
    if len(secret) > MAX_SECRET or not secret.isprintable():
        raise Invalid("bad_identity_secret", limit=MAX_SECRET)
    return secret


def _locked(session: Session, provider_id: str, kind: Kind[AnyTerms]) -> IdentityProvider:
    provider = session.get(IdentityProvider, provider_id, with_for_update=True)
    if provider is None or provider.kind != kind.name:
        raise NotFound
    return provider


def _require_may_move(session: Session, actor: Actor, provider: IdentityProvider) -> None:
    """Whose server it is could come in as any of its people: where other administrators are among them, owners move it.

    Raises Forbidden("directory_of_administrators").
    """
    others = select(User.id).join(LinkedIdentity, LinkedIdentity.user_id == User.id)
    others = others.where(LinkedIdentity.provider_id == provider.id, User.role == "admin")
    if actor.user is not None:
        others = others.where(User.id != actor.user.id)
    if standing.now(session, actor) != "owner" and session.scalar(others.limit(1)):
        raise Forbidden("directory_of_administrators")


def _require_groups(session: Session, terms: AnyTerms) -> None:
    wanted = {terms.group_id, *(group_id for _, group_id in terms.groups)}
    if wanted - set(session.scalars(select(Group.id).where(Group.id.in_(wanted)))):
        raise Invalid("unknown_group")


def _settings(provider: IdentityProvider, kind: Kind[AnyTerms]) -> dict[str, object]:
    """Everything but the secret."""
    return {"name": provider.name, "disabled": provider.disabled, **kind.read(provider.terms).told()}


def _name(typed: str) -> str:
    try:
        return names.checked(typed)
    except Invalid as error:
        raise Invalid("bad_label", limit=MAX_NAME) from error


def _sealed(secret: str, provider_id: str) -> bytes | None:
    return sealing.seal(secret, provider_id) if secret else None
