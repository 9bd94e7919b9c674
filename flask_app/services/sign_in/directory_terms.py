"""How a directory is asked for people (LDAP), and what its word is worth here: read and checked."""

import hashlib
import re
import ssl

import msgspec

from flask_app import config
from flask_app.errors import Invalid
from flask_app.services.sign_in import identity_terms
from flask_app.services.sign_in.identity_terms import Worth
from flask_app.upstream import directory, directory_filters

MAX_NAME, MAX_FILTER, MAX_CERTIFICATES = 500, 1000, 20_000
MOST_NAME_ATTRIBUTES = 5

ALONE, WALKED, IN_CHAIN = "alone", "walked", "in_chain"
NESTED = (ALONE, WALKED, IN_CHAIN)  # groups within groups: left alone, asked for level by level, or by a rule of theirs

_ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")


class DirectoryTerms(Worth, frozen=True, kw_only=True):
    """`address` is ldaps://… or ldap://…; the latter begins TLS before anything else is said (StartTLS), unless it is
    `plain`, which the site must allow. `certificates` are those of the only authorities that count, as PEM; empty: the
    system's.

    `bind_dn` looks people up, with the provider's secret as its password; empty: nobody does, anonymously. People are
    below `base_dn`, and `only` is a filter that they match besides. What somebody types is compared with
    `name_attributes`, whose first is what they are called here; `mail_attribute` is their address.

    Groups are the values of `groups_attribute`, and those entries below `groups_base` that name the person as a member;
    nobody's group is touched where both are empty. `nested_groups` is one of NESTED: groups that these lie in
    count too. `links_by_name`: who has no account is taken for the one of that name, which no identity of this
    directory opens yet.
    """

    address: str
    base_dn: str
    plain: bool = False
    certificates: str = ""
    bind_dn: str = ""
    only: str = ""
    name_attributes: tuple[str, ...] = ("uid",)
    mail_attribute: str = "mail"
    groups_attribute: str = ""
    groups_base: str = ""
    nested_groups: str = ALONE
    links_by_name: bool = False

    @property
    def maps_groups(self) -> bool:
        return bool(self.groups_attribute or self.groups_base)

    def told(self) -> dict[str, object]:
        """Of the certificates the beginning of their digest: enough to see that they are others."""
        told = super().told()
        found = self.certificates
        return told | {"certificates": hashlib.sha256(found.encode()).hexdigest()[:16] if found else ""}


def read(stored: str) -> DirectoryTerms:
    return msgspec.json.decode(stored, type=DirectoryTerms)


def checked(wanted: DirectoryTerms) -> DirectoryTerms:
    """As they are kept. Raises Invalid for what makes no sense; whether its groups exist is for the caller to see."""
    wanted = identity_terms.checked_worth(wanted)
    allow_insecure = config.current().allow_insecure_upstreams
    if wanted.plain and not allow_insecure:
        raise Invalid("directory_plain")
    _check_nested(wanted)
    names = tuple(dict.fromkeys(_attribute(each) for each in wanted.name_attributes))
    if not 1 <= len(names) <= MOST_NAME_ATTRIBUTES:
        raise Invalid("bad_directory_attribute")
    return msgspec.structs.replace(
        wanted,
        address=directory.normalise(wanted.address, plain=wanted.plain),
        certificates=_certificates(wanted.certificates),
        base_dn=_dn(wanted.base_dn, required=True),
        bind_dn=_dn(wanted.bind_dn),
        groups_base=_dn(wanted.groups_base),
        only=_filter(wanted.only),
        name_attributes=names,
        mail_attribute=_attribute(wanted.mail_attribute) if wanted.mail_attribute.strip() else "",
        groups_attribute=_attribute(wanted.groups_attribute) if wanted.groups_attribute.strip() else "",
        groups=tuple((folded(value), group_id) for value, group_id in wanted.groups),
    )


def keeps_secret(before: DirectoryTerms, after: DirectoryTerms) -> bool:
    """May the password that is kept go where these terms lead? Not to another server, nor less well guarded."""

    def place(terms: DirectoryTerms) -> tuple[object, ...]:
        return terms.address, terms.plain, terms.certificates, terms.bind_dn

    return place(before) == place(after)


def is_moved(before: DirectoryTerms, after: DirectoryTerms) -> bool:
    """Does another server, or whoever stands between, say who its people are?"""

    def server(terms: DirectoryTerms) -> tuple[object, ...]:
        return terms.address, terms.plain, terms.certificates

    return server(before) != server(after)


def folded(name: str) -> str:
    """A distinguished name as it is compared: directories write one with other spaces and capitals at times."""
    return re.sub(r"\s*(?<!\\)([,=+])\s*", r"\1", name.strip()).casefold()


def _check_nested(wanted: DirectoryTerms) -> None:
    if wanted.nested_groups not in NESTED:
        raise Invalid("bad_directory_nested", known=", ".join(NESTED))
    if wanted.nested_groups != ALONE and not wanted.groups_base.strip():
        raise Invalid("directory_nested_base")


def _attribute(typed: str) -> str:
    if not _ATTRIBUTE.fullmatch(typed.strip()):
        raise Invalid("bad_directory_attribute")
    return typed.strip()


def _dn(typed: str, *, required: bool = False) -> str:
    """What a distinguished name looks like; whether there is such an entry the directory says."""
    name = typed.strip()
    is_whole = not name or ("=" in name and name.isprintable() and len(name) <= MAX_NAME)
    if not is_whole or (required and not name):
        raise Invalid("bad_directory_name", limit=MAX_NAME)
    return name


def _filter(typed: str) -> str:
    found = typed.strip()
    if len(found) > MAX_FILTER or not found.isprintable() or not directory_filters.is_filter(found):
        raise Invalid("bad_directory_filter")
    return found


def _certificates(typed: str) -> str:
    found = typed.strip()
    if len(found) > MAX_CERTIFICATES:
        raise Invalid("bad_directory_certificates")
    try:
        directory.trusting(found)
    except (ValueError, ssl.SSLError) as error:
        raise Invalid("bad_directory_certificates") from error
    return found
