"""Identity providers and linked identities as JSON."""

from datetime import datetime
from typing import Annotated, TypeVar

import msgspec

from flask_app.models import DEFAULT_GROUP_ID, User
from flask_app.services.people.registration_settings import CLOSED
from flask_app.services.sign_in import (
    auth_service,
    directories,
    identity_links,
    identity_providers,
    identity_terms,
    password_sign_in,
)
from flask_app.services.sign_in.identity_providers import Listed, Wanted
from flask_app.services.sign_in.identity_terms import AnyTerms, Terms
from flask_app.services.sign_in.oidc_provider import IdentityProviderError, Metadata
from flask_app.services.sign_in.provider_rows import Listed as AnyListed
from flask_app.web.arrivals import Arrival
from flask_app.web.bodies import Body, Reply, Words
from flask_app.web.failures import sentence
from flask_app.web.people import Session

Id = Annotated[str, msgspec.Meta(max_length=64)]
Code = Annotated[str, msgspec.Meta(max_length=4096)]


class Departing(Body):
    """`provider` is the part of its address, as the sign-in page has it."""

    provider: Words


class Linking(Departing):
    """`password` is one's own, where one has one."""

    password: Words | None = None


class LinkingDirectory(Linking, kw_only=True):
    """`username` and `directory_password` are those that one has in the directory `provider`."""

    username: Words
    directory_password: Words


class Onward(Reply):
    """Where the browser goes now: to the provider."""

    location: str


class Returned(Arrival, kw_only=True):
    """What the provider has put into the address that it sent the browser back to."""

    provider: Words
    state: Words
    code: Code | None = None
    iss: Words | None = None
    error: Words | None = None


class Arrived(Reply):
    """`state` is in, approval (an administrator is waited for) or linked; `session` is there for whoever is in."""

    state: str
    username: str
    session: Session | None = None


class GroupRow(Body):
    """Who has `value` in the claim is in the group. It is the same in replies."""

    value: Words
    group_id: Id


class WorthBody(Body, kw_only=True):
    """What the word of a provider of any kind is worth. Of `groups` the first match counts, without one it is
    `group_id`. `newcomers` is closed, approval or open; `domains` are those of the only mail addresses of newcomers.
    `links_by_email`: who is new is taken for the account whose mail address is the same and was confirmed here.
    `second_factor`: none is asked for here any more.
    """

    name: Words
    groups: tuple[GroupRow, ...] = ()
    group_id: Id = DEFAULT_GROUP_ID
    newcomers: Annotated[str, msgspec.Meta(max_length=16)] = CLOSED
    domains: tuple[Annotated[str, msgspec.Meta(max_length=254)], ...] = ()
    links_by_email: bool = False
    second_factor: bool = False
    disabled: bool = False

    def terms_of(self, kind: type[AnyTerms]) -> AnyTerms:
        own = {name: getattr(self, name) for name in kind.__struct_fields__ if name != "groups"}
        return kind(**own, groups=tuple((row.value, row.group_id) for row in self.groups))


class TermsBody(WorthBody, kw_only=True):
    """`groups_claim` names the claim with people's groups, by a path with dots where it lies deeper; empty: groups are
    left alone. `client_secret` null leaves it as it is, an empty one is that of a public client.
    """

    issuer: Words
    client_id: Words
    client_secret: Words | None = None
    scopes: tuple[Words, ...] = identity_terms.SCOPES
    groups_claim: Words = ""

    def wanted(self) -> Wanted:
        return Wanted(name=self.name, terms=self.terms_of(Terms), secret=self.client_secret, disabled=self.disabled)


class NewProvider(TermsBody, kw_only=True):
    """`slug`: the end of the address that the provider sends people back to, `/login/callback/SLUG`."""

    slug: Annotated[str, msgspec.Meta(max_length=32)]


class Trying(Body):
    issuer: Words


class TriedReply(Reply):
    """`works`; else `message` says what is wrong. `detail` is what was heard, where something was."""

    works: bool
    message: str | None
    detail: str | None
    algorithms: list[str]


class GroupRowReply(Reply):
    value: str
    group_id: str


class WorthReply(Reply):
    """As it was set; of the secret only whether there is one. `people`: how many identities are linked."""

    id: str
    slug: str
    name: str
    has_secret: bool
    groups: list[GroupRowReply]
    group_id: str
    newcomers: str
    domains: list[str]
    links_by_email: bool
    second_factor: bool
    disabled: bool
    people: int
    created_at: datetime


AnyReply = TypeVar("AnyReply", bound=WorthReply)


class IdentityProviderReply(WorthReply):
    """An OpenID Connect provider."""

    issuer: str
    client_id: str
    scopes: list[str]
    groups_claim: str


class PasswordSignIn(Body):
    """`everybody` false: administrators alone sign in by a password, while there is an identity provider."""

    everybody: bool


class PasswordSignInReply(Reply):
    everybody: bool


class IdentityProvidersReply(Reply):
    """The OpenID Connect providers, the oldest first, as their buttons stand."""

    identity_providers: list[IdentityProviderReply]
    password_sign_in: PasswordSignInReply


class LinkedReply(Reply):
    """`provider` is its name, `shown` what it called one at the last sign-in."""

    id: str
    provider: str
    shown: str
    created_at: datetime
    last_used_at: datetime


class OfferedReply(Reply):
    slug: str
    name: str


class IdentitiesReply(Reply):
    """`offered` and `directories`: the providers that one more can be linked of. `asks_password`: before that."""

    identities: list[LinkedReply]
    offered: list[OfferedReply]
    directories: list[OfferedReply]
    asks_password: bool


def provider_reply(listed: Listed) -> IdentityProviderReply:
    return reply_of(listed, IdentityProviderReply)


def reply_of(listed: AnyListed[AnyTerms], kind: type[AnyReply]) -> AnyReply:
    """What was set, as the reply of its kind."""
    provider, terms = listed.provider, listed.terms
    own = {name: getattr(terms, name) for name in terms.__struct_fields__}
    own = {name: list(value) if isinstance(value, tuple) else value for name, value in own.items()}
    own["groups"] = [GroupRowReply(value=value, group_id=group_id) for value, group_id in terms.groups]
    return kind(
        id=provider.id,
        slug=provider.slug,
        name=provider.name,
        has_secret=provider.secret is not None,
        disabled=provider.disabled,
        people=listed.people,
        created_at=provider.created_at,
        **own,
    )


def providers_reply() -> IdentityProvidersReply:
    return IdentityProvidersReply(
        identity_providers=[provider_reply(each) for each in identity_providers.listed()],
        password_sign_in=password_sign_in_reply(),
    )


def password_sign_in_reply() -> PasswordSignInReply:
    return PasswordSignInReply(everybody=password_sign_in.chosen())


def tried_reply(metadata: Metadata) -> TriedReply:
    return TriedReply(works=True, message=None, detail=None, algorithms=list(metadata.algorithms))


def failed_reply(error: IdentityProviderError) -> TriedReply:
    return TriedReply(works=False, message=sentence(error), detail=error.detail, algorithms=[])


def offered_reply() -> list[OfferedReply]:
    return [OfferedReply(slug=each.slug, name=each.name) for each in identity_providers.offered()]


def identities_reply(actor: User) -> IdentitiesReply:
    linked = [
        LinkedReply(
            id=each.linked.id,
            provider=each.provider.name,
            shown=each.linked.shown,
            created_at=each.linked.created_at,
            last_used_at=each.linked.last_used_at,
        )
        for each in identity_links.listed(actor)
    ]
    return IdentitiesReply(
        identities=linked,
        offered=offered_reply(),
        directories=[OfferedReply(slug=each.slug, name=each.name) for each in directories.offered()],
        asks_password=auth_service.has_password(actor),
    )
