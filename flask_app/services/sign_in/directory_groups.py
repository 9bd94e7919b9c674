"""The groups of somebody in a directory: their own, and where that is wanted those which these lie in.

Active Directory follows the chain itself (LDAP_MATCHING_RULE_IN_CHAIN); any other is asked level by level.
"""

from collections.abc import Sequence

from flask_app.services.sign_in import directory_terms
from flask_app.services.sign_in.directory_terms import IN_CHAIN, WALKED, DirectoryTerms
from flask_app.upstream import directory_filters
from flask_app.upstream.directory import Conversation, Entry

MEMBERS = ("member", "uniqueMember")  # of groups: those who are in one
MOST_GROUPS = 1000
MOST_LEVELS = 10  # of groups within groups
AT_ONCE = 50  # members in one question


def of(conversation: Conversation, terms: DirectoryTerms, entry: Entry) -> tuple[str, ...]:
    """Their distinguished names as they are compared, the nearest first. Raises UpstreamError."""
    found = list(entry.texts(terms.groups_attribute)) if terms.groups_attribute else []
    if terms.groups_base:
        rule = directory_filters.IN_CHAIN if terms.nested_groups == IN_CHAIN else None
        found += _having(conversation, terms, [entry.dn], rule)
    known = {directory_terms.folded(each): each for each in found}
    if terms.nested_groups == WALKED:
        _climb(conversation, terms, known)
    return tuple(known)


def _climb(conversation: Conversation, terms: DirectoryTerms, known: dict[str, str]) -> None:
    """Add the groups that those known lie in, and so on; groups that lie in each other end it as well."""
    latest = list(known.values())
    for _ in range(MOST_LEVELS):
        above = {
            directory_terms.folded(each): each
            for start in range(0, len(latest), AT_ONCE)
            for each in _having(conversation, terms, latest[start : start + AT_ONCE])
        }
        new = {name: each for name, each in above.items() if name not in known}
        known |= new
        latest = list(new.values())
        if not latest or len(known) >= MOST_GROUPS:
            return


def _having(
    conversation: Conversation, terms: DirectoryTerms, members: Sequence[str], rule: str | None = None
) -> list[str]:
    """The groups that name one of them, by another rule of comparison where one is given."""
    wanted = [(attribute, member) for member in members for attribute in MEMBERS]
    entries = conversation.search(
        terms.groups_base, directory_filters.any_of(wanted, "", rule), ("1.1",), most=MOST_GROUPS
    )
    return [each.dn for each in entries]
