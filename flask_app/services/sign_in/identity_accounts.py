"""Whose account an identity opens: the one it is linked to, one with the same confirmed address, or a new one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import exists, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from flask_app.database import utc_now
from flask_app.domain import claims as found_in
from flask_app.errors import Conflict, Forbidden, Invalid
from flask_app.models import (
    DEFAULT_GROUP_ID,
    Group,
    GroupManager,
    IdentityProvider,
    LinkedIdentity,
    Registration,
    User,
)
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import group_service, joining, names, registered_addresses, registration_service
from flask_app.services.people.registration_settings import APPROVAL, CLOSED
from flask_app.services.secrets.signing import digest
from flask_app.services.sign_in import directories, directory_terms, identity_terms, left_identities
from flask_app.services.sign_in.directories import Found
from flask_app.services.sign_in.identity_terms import Worth
from flask_app.services.warnings import mail_service

MAX_SHOWN = 254
MOST_NAMESAKES = 1000

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody at a provider. `key` says who it is; names and addresses only what they are called.

    `email` is there where the provider has verified it; what stands in a directory its administrators have written.
    `shown` is what the link keeps. `same_name`: an account of that name is theirs.
    """

    provider: IdentityProvider
    terms: Worth
    key: str
    shown: str
    names: tuple[str, ...]
    email: str | None
    groups: tuple[str, ...]
    same_name: str | None = None


def identity_of(provider: IdentityProvider, claims: Mapping[str, Any]) -> Identity:
    """Read verified claims."""
    terms = identity_terms.read(provider.terms)
    email = found_in.text(claims, "email")
    called = (found_in.text(claims, "preferred_username"), email.partition("@")[0], found_in.text(claims, "name"))
    verified = _address(email) if claims.get("email_verified") is True else None
    known_as = tuple(name for name in called if name)
    return Identity(
        provider=provider,
        terms=terms,
        key=digest(f"{terms.issuer}\0{claims['sub']}"),
        shown=next(iter((verified or "", *known_as)), "")[:MAX_SHOWN] or "-",
        names=known_as,
        email=verified,
        groups=found_in.words(found_in.found(claims, terms.groups_claim)) if terms.maps_groups else (),
    )


def identity_in(provider: IdentityProvider, found: Found) -> Identity:
    """Somebody whose password a directory has taken."""
    terms = directory_terms.read(provider.terms)
    called = (found.login, found.email.partition("@")[0])
    return Identity(
        provider=provider,
        terms=terms,
        key=directories.key_of(provider, found),
        shown=found.login[:MAX_SHOWN] or "-",
        names=tuple(name for name in called if name),
        email=_address(found.email),
        groups=found.groups,
        same_name=found.login if terms.links_by_name else None,
    )


def arrive(session: Session, identity: Identity, address: str) -> User | Registration:
    """The person, in the group that the provider's word leads to; or the registration that waits for an administrator.

    Within the caller's transaction, before it locks anybody. Raises Forbidden("account_disabled", "identity_unknown",
    "identity_domain"), ComesTooSoon, TooMany where too many wait, Conflict where somebody else was quicker.
    """
    group = _group(session, identity)
    linked = session.scalar(select(LinkedIdentity).where(LinkedIdentity.identity == identity.key))
    user = _locked(session, linked.user_id) if linked else _known_otherwise(session, identity)
    if user is None:
        return _newcomer(session, identity, group, address)
    if user.disabled:
        raise Forbidden("account_disabled")
    if linked is None:
        link(session, identity, user, address)
    else:
        linked.shown, linked.last_used_at, linked.provider_id = identity.shown, utc_now(), identity.provider.id
    if identity.terms.maps_groups and user.group_id != group.id:
        _move(session, identity, user, group, address)
    return user


def link(session: Session, identity: Identity, user: User, address: str) -> None:
    """From now on the identity opens this account; raises Conflict("identity_taken") where it opens another."""
    found = session.scalar(select(LinkedIdentity).where(LinkedIdentity.identity == identity.key))
    if found is not None:
        if found.user_id != user.id:
            raise Conflict("identity_taken")
        return
    session.add(
        LinkedIdentity(provider_id=identity.provider.id, user_id=user.id, identity=identity.key, shown=identity.shown)
    )
    _flush(session, "identity_taken")
    details = {"username": user.username, "provider": identity.provider.name}
    audit_service.record(session, user, "identity.link", user.id, details, address)


def _group(session: Session, identity: Identity) -> Group:
    """Before anybody is locked (`turns`). Groups that are deleted since match nobody."""
    terms = identity.terms
    there = set(session.scalars(select(Group.id)))
    table = [(value, group_id) for value, group_id in terms.groups if group_id in there]
    wanted = found_in.group_of(identity.groups, table) or terms.group_id
    if wanted not in there:
        log.warning("identity_group_gone", provider=identity.provider.slug, group=wanted)
        wanted = DEFAULT_GROUP_ID
    return group_service.chosen(session, wanted)


def _locked(session: Session, user_id: str) -> User | None:
    return session.get(User, user_id, with_for_update=True)


def _known_otherwise(session: Session, identity: Identity) -> User | None:
    return _same_address(session, identity) or _same_name(session, identity)


def _same_address(session: Session, identity: Identity) -> User | None:
    """Only an address that its person has confirmed here by mail counts: others anybody may have typed.

    An administrator's account is linked by its owner alone.
    """
    if not identity.terms.links_by_email or identity.email is None:
        return None
    registration = registered_addresses.registration_of(session, identity.email)
    user = _locked(session, registration.user_id) if registration and registration.user_id else None
    return user if user and user.role != "admin" else None


def _same_name(session: Session, identity: Identity) -> User | None:
    """Names change hands: an account that anybody of the directory has opened is not the next one's of the name.

    An administrator's account is never taken so, nor a manager's.
    """
    if identity.same_name is None:
        return None
    of_provider = LinkedIdentity.user_id == User.id, LinkedIdentity.provider_id == identity.provider.id
    plain = User.role != "admin", ~exists().where(GroupManager.user_id == User.id), ~exists().where(*of_provider)
    user_id = session.scalar(select(User.id).where(User.username_key == names.key(identity.same_name), *plain))
    return _locked(session, user_id) if user_id else None


def _move(session: Session, identity: Identity, user: User, group: Group, address: str) -> None:
    before = session.get_one(Group, user.group_id)
    joining.put(session, Actor(user, address), user, group)
    moved = {"before": {"group": before.name}, "after": {"group": group.name}}
    details = {"username": user.username, "provider": identity.provider.name, **moved}
    audit_service.record(session, user, "identity.move", user.id, details, address)


def _newcomer(session: Session, identity: Identity, group: Group, address: str) -> User | Registration:
    terms = identity.terms
    waiting = session.scalar(select(Registration).where(Registration.identity == identity.key))
    if waiting is not None and waiting.user_id is None and terms.newcomers == APPROVAL:
        return waiting
    if terms.newcomers == CLOSED:
        raise Forbidden("identity_unknown", provider=identity.provider.name)
    if terms.domains and not (identity.email and terms.takes(identity.email)):
        raise Forbidden("identity_domain", domains=", ".join(terms.domains))
    left_identities.check(session, identity.key)
    if waiting is not None:
        session.delete(waiting)
        session.flush()
    username = _free_name(session, identity)
    if terms.newcomers == APPROVAL:
        return _wait(session, identity, username, address)
    user = User(username=username, username_key=names.key(username), role="member")
    user.email = identity.email
    joining.put(session, Actor(user, address), user, group)
    link(session, identity, user, address)
    details = {"group": group.name, "provider": identity.provider.name}
    audit_service.record(session, user, "registration.come_in", user.id, details, address)
    return user


def _wait(session: Session, identity: Identity, username: str, address: str) -> Registration:
    registration_service.require_room(session)
    now = utc_now()
    asked = Registration(
        username=username,
        email=identity.email,
        address=address[:64],
        confirmed_at=now,
        expires_at=now + registration_service.TO_APPROVE,
        identity_provider_id=identity.provider.id,
        identity=identity.key,
    )
    session.add(asked)
    _flush(session, "conflict")
    return asked


def _free_name(session: Session, identity: Identity) -> str:
    """The first name that can stand; a number is added where somebody is called so already."""
    shown = next(filter(None, map(_presentable, identity.names)), "user")
    taken = select(User.id)
    for number in range(1, MOST_NAMESAKES):
        candidate = shown if number == 1 else f"{shown}-{number}"
        if session.scalar(taken.where(User.username_key == names.key(candidate))) is None:
            return candidate
    raise Conflict("username_taken")


def _presentable(name: str) -> str | None:
    try:
        return names.checked(name[: names.MAX_LENGTH - 4])
    except Invalid:
        return None


def _address(email: str) -> str | None:
    try:
        return mail_service.checked(email)
    except Invalid:
        return None


def _flush(session: Session, taken: str) -> None:
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict(taken) from error
