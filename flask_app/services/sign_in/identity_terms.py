"""What an identity provider is asked, and what its word is worth here: read and checked."""

from collections.abc import Sequence
from typing import TypeVar

import msgspec

from flask_app import config
from flask_app.errors import Invalid
from flask_app.models import DEFAULT_GROUP_ID
from flask_app.services.people import registration_settings
from flask_app.services.people.registration_settings import CLOSED, MODES
from flask_app.upstream import addresses

SCOPES = ("openid", "profile", "email")
MAX_WORD, MOST_SCOPES, MOST_GROUPS = 255, 20, 100


class Worth(msgspec.Struct, frozen=True, kw_only=True):
    """What the word of a provider of any kind is worth. `groups` are pairs of what the provider says and a group's id,
    of which the first match counts. `group_id` is where people without a match are.

    `newcomers` is one of `registration_settings.MODES`: whether who has no account here gets one. `domains` are those
    of the only mail addresses, if any. `links_by_email`: who has no account is taken for the one with the same
    confirmed address. `second_factor`: the provider has asked for one, so none is asked for here.
    """

    groups: tuple[tuple[str, str], ...] = ()
    group_id: str = DEFAULT_GROUP_ID
    newcomers: str = CLOSED
    domains: tuple[str, ...] = ()
    links_by_email: bool = False
    second_factor: bool = False

    @property
    def maps_groups(self) -> bool:
        """Does it say who is in which group? Otherwise nobody's is touched."""
        return bool(self.groups)

    def takes(self, email: str) -> bool:
        return not self.domains or email.rpartition("@")[2].lower() in self.domains

    def told(self) -> dict[str, object]:
        """As the audit log has it."""
        return {name: getattr(self, name) for name in self.__struct_fields__}


class Terms(Worth, frozen=True, kw_only=True):
    """An OpenID Connect provider's. `issuer` as its discovery document says it. `groups_claim` names the claim with
    what `groups` looks for; nobody's group is touched where it is empty.
    """

    issuer: str
    client_id: str
    scopes: tuple[str, ...] = SCOPES
    groups_claim: str = ""

    @property
    def maps_groups(self) -> bool:
        return bool(self.groups_claim)


AnyTerms = TypeVar("AnyTerms", bound=Worth)


def read(stored: str) -> Terms:
    return msgspec.json.decode(stored, type=Terms)


def written(terms: Worth) -> str:
    return msgspec.json.encode(terms).decode()


def checked(wanted: Terms) -> Terms:
    """As they are kept. Raises Invalid for what makes no sense; whether its groups exist is for the caller to see."""
    wanted = checked_worth(wanted)
    scopes = tuple(dict.fromkeys(("openid", *_words(wanted.scopes, MOST_SCOPES, "bad_scopes"))))
    if any(not scope.isascii() or any(mark in scope for mark in ' "\\') for scope in scopes):
        raise Invalid("bad_scopes")
    (client_id,) = _words([wanted.client_id], 1, "bad_client_id")
    return msgspec.structs.replace(
        wanted,
        issuer=issuer(wanted.issuer),
        client_id=client_id,
        scopes=scopes,
        groups_claim=wanted.groups_claim.strip()[:MAX_WORD],
    )


def checked_worth(wanted: AnyTerms) -> AnyTerms:
    """What all kinds have, as it is kept; raises Invalid."""
    if wanted.newcomers not in MODES:
        raise Invalid("unknown_mode", known=", ".join(MODES))
    if len(wanted.groups) > MOST_GROUPS:
        raise Invalid("too_many_identity_groups", limit=MOST_GROUPS)
    values = _words([value for value, _ in wanted.groups], MOST_GROUPS, "bad_identity_group")
    return msgspec.structs.replace(
        wanted,
        groups=tuple((value, group_id) for value, (_, group_id) in zip(values, wanted.groups, strict=True)),
        domains=registration_settings.checked_domains(wanted.domains),
    )


def issuer(typed: str) -> str:
    """An issuer as it is compared: to the letter. Raises Invalid as `addresses.normalise` does."""
    found = typed.strip().removesuffix("/.well-known/openid-configuration")
    if "?" in found:
        raise Invalid("address_malformed")
    return addresses.normalise_webhook(found, allow_insecure=config.current().allow_insecure_upstreams)


def _words(typed: Sequence[str], most: int, code: str) -> list[str]:
    words = [each.strip() for each in typed]
    if len(words) > most or not all(0 < len(word) <= MAX_WORD and word.isprintable() for word in words):
        raise Invalid(code)
    return words
