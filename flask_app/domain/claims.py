"""What an identity provider says of a person: claims, by name or by path, and the group that they lead to."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

MAX_SUBJECT = 255  # OpenID Connect Core 1.0, 2
SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")  # the part of an address that names a provider


def found(claims: Mapping[str, Any], path: str) -> Any:
    """The claim of that name, or what a path with dots leads to (`realm_access.roles`); None where there is none."""
    if path in claims:
        return claims[path]
    value: Any = claims
    for name in path.split("."):
        if not isinstance(value, Mapping) or name not in value:
            return None
        value = value[name]
    return value


def words(value: object) -> tuple[str, ...]:
    """The words of a claim that is one or a list of them; anything else holds none."""
    if isinstance(value, str):
        return (value,)
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()


def text(claims: Mapping[str, Any], name: str) -> str:
    """A claim that is one text, trimmed; empty where it is not there or something else."""
    value = claims.get(name)
    return value.strip() if isinstance(value, str) else ""


def group_of(values: Iterable[str], table: Iterable[tuple[str, str]]) -> str | None:
    """The group beside the first row of `table` (a claim's value, a group's id) whose value the person has."""
    had = set(values)
    return next((group_id for value, group_id in table if value in had), None)
