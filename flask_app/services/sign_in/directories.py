"""Directories (LDAP: Active Directory, OpenLDAP, lldap) that know people here, and what they say of one.

An administrator sets them up as they do other identity providers; the password that somebody types is checked by
whichever knows their name. Nothing of the library is loaded before a directory is asked.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

import structlog

from flask_app.domain import redaction
from flask_app.errors import Invalid, NotFound, UpstreamError
from flask_app.models import IdentityProvider
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.secrets.signing import digest
from flask_app.services.sign_in import directory_groups, directory_terms, provider_rows
from flask_app.services.sign_in.directory_terms import DirectoryTerms
from flask_app.services.sign_in.oidc_provider import IdentityProviderError
from flask_app.services.sign_in.provider_rows import LDAP
from flask_app.services.sign_in.provider_rows import Listed as AnyListed
from flask_app.services.sign_in.provider_rows import Wanted as AnyWanted
from flask_app.upstream import directory, directory_filters
from flask_app.upstream.directory import Conversation, Entry

Wanted = AnyWanted[DirectoryTerms]
Listed = AnyListed[DirectoryTerms]

# What says who somebody is, whatever they are called: OpenLDAP and lldap, Active Directory, 389 and FreeIPA.
SUBJECTS = ("entryUUID", "objectGUID", "nsUniqueId", "ipaUniqueID")
RESTS_SECONDS = 10  # how long one that could not be reached is not asked: nobody waits for it in a row

_FAILURES = {
    "upstream_unreachable": "directory_unreachable",
    "upstream_timeout": "directory_timeout",
    "upstream_address_private": "directory_unreachable",
    "upstream_garbage": "directory_garbage",
}
_resting: dict[str, float] = {}  # a provider's id → until when, by monotonic time

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Found:
    """Somebody in a directory. `subject` says who it is, `login` is the name that finds them there; `dn` is where."""

    dn: str
    subject: str
    login: str
    email: str
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A directory, and the password of whom it is asked by."""

    terms: DirectoryTerms
    secret: str | None = field(default=None, repr=False)


def listed() -> list[Listed]:
    """The oldest first, as they are asked."""
    return provider_rows.listed(LDAP)


def offered() -> Sequence[IdentityProvider]:
    """Those that are asked now."""
    return provider_rows.offered(LDAP)


def add(actor: Actor, slug: str, wanted: Wanted) -> Listed:
    """Raises Invalid, Conflict("identity_slug_taken", "too_many_identity_providers")."""
    return provider_rows.add(actor, LDAP, slug, wanted)


def change(actor: Actor, provider_id: str, wanted: Wanted) -> Listed:
    """From the next sign-in on. Raises NotFound, Invalid: "directory_password_anew" where the password that is kept
    would go elsewhere."""
    _resting.pop(provider_id, None)
    return provider_rows.change(actor, LDAP, provider_id, wanted)


def delete(actor: Actor, provider_id: str) -> None:
    """Nobody signs in by it any more: what it linked goes with it, accounts stay. Raises NotFound."""
    provider_rows.delete(actor, LDAP, provider_id)


def place(wanted: DirectoryTerms, secret: str | None, provider_id: str | None) -> Place:
    """A directory to be tried: by the password given, or by that which is kept of a directory asked the same way.

    Raises Invalid, NotFound, IdentityProviderError.
    """
    terms = directory_terms.checked(wanted)
    if secret is not None or provider_id is None:
        return Place(terms, provider_rows.checked_secret(secret))
    kept = next((each for each in listed() if each.provider.id == provider_id), None)
    if kept is None:
        raise NotFound
    if not directory_terms.keeps_secret(kept.terms, terms):
        raise Invalid("directory_password_anew")
    return Place(terms, provider_rows.secret_of(kept.provider))


def key_of(provider: IdentityProvider, found: Found) -> str:
    """What a link keeps: a directory that moves to another address still knows its people."""
    return digest(f"ldap\0{provider.id}\0{found.subject}")


def check(provider: IdentityProvider, name: str, password: str) -> Found | None:
    """Who that is, where the directory takes the password; None for nobody, for several, and for a wrong password.

    An empty password is nobody's, and no directory hears of it: it would take that for a bind without one (RFC 4513,
    5.1.2). Raises IdentityProviderError where the directory cannot be asked; what is wrong stands in the log.
    """
    if not password:
        return None
    if _resting.get(provider.id, 0.0) > time.monotonic():
        raise IdentityProviderError("directory_unreachable")
    try:
        found = _checked(Place(directory_terms.read(provider.terms), provider_rows.secret_of(provider)), name, password)
    except IdentityProviderError as error:
        log.warning("directory_failed", provider=provider.slug, code=error.code, detail=error.detail)
        if error.code in {"directory_unreachable", "directory_timeout"}:
            _resting[provider.id] = time.monotonic() + RESTS_SECONDS
        raise
    return found


def look_up(actor: Actor, place: Place, name: str) -> Found | None:
    """Somebody of that name, signing nobody in; None where there is nobody.

    Raises IdentityProviderError, which says in words what is wrong: "directory_several" among it.
    """
    address = place.terms.address
    audit_service.note(actor, "identity_provider.try", address[:128], {"address": address, "name": name})
    with _asking(place) as conversation:
        entries = _entries(conversation, place, name)
        if len(entries) > 1:
            raise IdentityProviderError("directory_several")
        return _found(conversation, place.terms, entries[0]) if entries else None


def forget() -> None:
    """Ask every directory again."""
    _resting.clear()


def _checked(place: Place, name: str, password: str) -> Found | None:
    with _asking(place) as conversation:
        entries = _entries(conversation, place, name) if name else []
        if len(entries) != 1:
            # As long a way as that of somebody who is there: who asks must not see the difference.
            conversation.takes(directory.nobody(place.terms.base_dn), password)
            return None
        if not conversation.takes(entries[0].dn, password):
            log.info("directory_said_no", detail=redaction.presentable(conversation.said, ""))
            return None
        # Groups are many questions: nobody who only guesses has them asked. Without a reader the person asks.
        _bind(conversation, place)
        return _found(conversation, place.terms, entries[0])


@contextmanager
def _asking(place: Place) -> Iterator[Conversation]:
    """A conversation with the directory, by whom it is asked; its failures are told as an identity provider's."""
    terms = place.terms
    try:
        talk = directory.converse(terms.address, plain=terms.plain, certificates=terms.certificates or None)
        with closing(talk) as conversation:
            _bind(conversation, place)
            yield conversation
    except UpstreamError as error:
        detail = redaction.presentable(error.detail or "", "") or None
        raise IdentityProviderError(_FAILURES.get(error.code, error.code), detail=detail) from error


def _bind(conversation: Conversation, place: Place) -> None:
    if place.terms.bind_dn and not conversation.takes(place.terms.bind_dn, place.secret or ""):
        raise IdentityProviderError("directory_bind_refused", detail=conversation.said or None)


def _entries(conversation: Conversation, place: Place, name: str) -> list[Entry]:
    """Two at most: more than one is nobody."""
    terms = place.terms
    wanted = directory_filters.any_of([(attribute, name) for attribute in terms.name_attributes], terms.only)
    attributes = (*SUBJECTS, *terms.name_attributes, terms.mail_attribute, terms.groups_attribute)
    return conversation.search(terms.base_dn, wanted, tuple(filter(None, attributes)), most=2)


def _found(conversation: Conversation, terms: DirectoryTerms, entry: Entry) -> Found:
    subject = next((found for name in SUBJECTS if (found := entry.identifier(name))), None)
    if subject is None:
        raise IdentityProviderError("directory_no_id", known=", ".join(SUBJECTS))
    login = next((found for name in terms.name_attributes if (found := entry.text(name))), "")
    groups = directory_groups.of(conversation, terms, entry)
    return Found(entry.dn, subject, login, entry.text(terms.mail_attribute), groups)
