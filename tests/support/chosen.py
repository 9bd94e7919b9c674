"""Which tests are asked of a server of databases. SQLite is asked all of them."""

from collections import defaultdict
from collections.abc import Iterable

import pytest

FEW = 3


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
