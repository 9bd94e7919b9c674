"""Which tests are asked where not all of them are: of a server of databases, and of the browser."""

from collections import defaultdict
from collections.abc import Iterable

import pytest

FEW = 3
LOOKS = {"look", "locale", "scheme", "viewport", "chat", "reader"}  # what names languages, sizes and colours alone


def needless(items: Iterable[pytest.Item]) -> set[pytest.Item]:
    """What keeps no rows in the database that was chosen says the same on each."""
    return {item for item in items if "chosen_database" not in getattr(item, "fixturenames", ())}


def more_cases(items: Iterable[pytest.Item]) -> set[pytest.Item]:
    """Of a test with many cases all but the first, one in the middle and the last.

    What they vary is mostly read before a statement is made; where it is the statements that differ, the test is marked
    `each_case`.
    """
    cases = defaultdict[str, list[pytest.Item]](list)
    for item in items:
        if not item.get_closest_marker("each_case"):
            cases[item.nodeid.partition("[")[0]].append(item)
    return {item for found in cases.values() if len(found) > FEW for item in set(found) - set(_few(found))}


def _few(found: list[pytest.Item]) -> list[pytest.Item]:
    return [found[0], found[len(found) // 2], found[-1]]


def other_looks(items: Iterable[pytest.Item]) -> set[pytest.Item]:
    """Of a test that is asked in several looks every second look, in turns.

    So each page is still opened in one of them, and each look with half of the pages; whatever else a test varies is
    asked whole.
    """
    alike = defaultdict[tuple[str, ...], list[pytest.Item]](list)
    for item in items:
        if not item.get_closest_marker("each_case"):
            alike[_apart_from_look(item)].append(item)
    groups = [found for found in alike.values() if len(found) > 1]
    return {item for turn, found in enumerate(groups) for item in found[(turn + 1) % 2 :: 2]}


def _apart_from_look(item: pytest.Item) -> tuple[str, ...]:
    varied = getattr(getattr(item, "callspec", None), "params", {})
    rest = (f"{name} {value!r}" for name, value in sorted(varied.items()) if name not in LOOKS)
    return item.nodeid.partition("[")[0], *rest
