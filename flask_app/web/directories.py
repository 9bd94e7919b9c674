"""Directories as JSON."""

from typing import Annotated

import msgspec

from flask_app.services.sign_in import directories, directory_terms
from flask_app.services.sign_in.directories import Found, Listed, Wanted
from flask_app.services.sign_in.directory_terms import MAX_CERTIFICATES, DirectoryTerms
from flask_app.services.sign_in.oidc_provider import IdentityProviderError
from flask_app.web.bodies import Body, Reply, Words
from flask_app.web.failures import sentence
from flask_app.web.identities import Id, WorthBody, WorthReply, reply_of


class DirectoryBody(WorthBody, kw_only=True):
    """`address` is ldaps://… or ldap://…, the latter with StartTLS unless it is `plain`, which only a site allows that
    is started with ALLOW_INSECURE_UPSTREAMS=1. `certificates` are those of the only authorities that count, as PEM;
    empty: the system's.

    `bind_dn` looks people up, `bind_password` null leaves its password as it is; both empty: nobody does, anonymously.
    People are below `base_dn` and match the filter `only`; what they type is compared with `name_attributes`, whose
    first is what they are called here. Their groups are the values of `groups_attribute` and whatever below
    `groups_base` has them as a member; both empty: groups are left alone. `nested_groups` is
    alone, walked (groups that these lie in count too) or in_chain (the same by Active Directory's own rule), the latter
    two with a `groups_base`. `links_by_name`: who is new is taken for the
    account of that name, which is no administrator's, and which nobody of this directory has opened yet.
    """

    address: Words
    base_dn: Words
    plain: bool = False
    certificates: Annotated[str, msgspec.Meta(max_length=MAX_CERTIFICATES)] = ""
    bind_dn: Words = ""
    bind_password: Words | None = None
    only: Words = ""
    name_attributes: tuple[Words, ...] = ("uid",)
    mail_attribute: Words = "mail"
    groups_attribute: Words = ""
    groups_base: Words = ""
    nested_groups: Annotated[str, msgspec.Meta(max_length=16)] = directory_terms.ALONE
    links_by_name: bool = False

    def terms(self) -> DirectoryTerms:
        return self.terms_of(DirectoryTerms)

    def wanted(self) -> Wanted:
        return Wanted(name=self.name, terms=self.terms(), secret=self.bind_password, disabled=self.disabled)


class NewDirectory(DirectoryBody, kw_only=True):
    """`slug`: its short name, for the command line."""

    slug: Annotated[str, msgspec.Meta(max_length=32)]


class LookingUp(Body):
    """`username`: whom to look for. Without a `bind_password` it is asked by the one that is kept of
    `directory_id`, where that is asked the same way."""

    directory: DirectoryBody
    username: Words
    directory_id: Id | None = None


class DirectoryReply(WorthReply):
    """A directory, as it was set."""

    address: str
    base_dn: str
    plain: bool
    certificates: str
    bind_dn: str
    only: str
    name_attributes: list[str]
    mail_attribute: str
    groups_attribute: str
    groups_base: str
    nested_groups: str
    links_by_name: bool


class DirectoriesReply(Reply):
    """The oldest first, as they are asked."""

    directories: list[DirectoryReply]


class FoundReply(Reply):
    """`login` is what the person would be called here."""

    dn: str
    login: str
    email: str
    groups: list[str]


class LookedUpReply(Reply):
    """`works`; else `message` says what is wrong, and `detail` what was heard. `found` is null where nobody was."""

    works: bool
    message: str | None
    detail: str | None
    found: FoundReply | None


def directory_reply(listed: Listed) -> DirectoryReply:
    return reply_of(listed, DirectoryReply)


def directories_reply() -> DirectoriesReply:
    return DirectoriesReply(directories=[directory_reply(each) for each in directories.listed()])


def found_reply(found: Found | None) -> LookedUpReply:
    if found is None:
        return LookedUpReply(works=True, message=None, detail=None, found=None)
    shown = FoundReply(dn=found.dn, login=found.login, email=found.email, groups=list(found.groups))
    return LookedUpReply(works=True, message=None, detail=None, found=shown)


def failed_reply(error: IdentityProviderError) -> LookedUpReply:
    return LookedUpReply(works=False, message=sentence(error), detail=error.detail, found=None)
