"""What is searched for in a directory: filters (RFC 4515) as administrators type them, and those of our own."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sansldap import LDAPFilter

MOST_PARTS = 50  # of a filter, which may lie within one another
IN_CHAIN = "1.2.840.113556.1.4.1941"  # of Active Directory: members of members, too


def is_filter(typed: str) -> bool:
    """Is it a search filter (RFC 4515), or empty?"""
    if not typed:
        return True
    try:
        return typed.startswith("(") and typed.count("(") <= MOST_PARTS and _parsed(typed) is not None
    except ValueError:
        return False


def any_of(wanted: Sequence[tuple[str, str]], only: str, rule: str | None = None) -> "LDAPFilter":
    """Whoever has one of these values in its attribute, and matches the filter `only`, if any.

    `rule` is the OID by which the directory compares, where it is not by equality (RFC 4511, 4.5.1.7.7).
    Values travel as what they are, with their length: there is nothing in them to escape.
    """
    from sansldap import FilterAnd, FilterEquality, FilterExtensibleMatch, FilterOr

    either = FilterOr(
        [
            FilterExtensibleMatch(rule, attribute, value.encode(), dn_attributes=False)
            if rule
            else FilterEquality(attribute, value.encode())
            for attribute, value in wanted
        ]
    )
    return FilterAnd([_parsed(only), either]) if only else either


def _parsed(typed: str) -> "LDAPFilter":
    from sansldap import LDAPFilter

    return LDAPFilter.from_string(typed)
