"""Which tests are asked where not all of them are: of a server of databases, and of the browser."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import combinations
from zlib import crc32

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
    """Half of the looks of each browser test that is asked in several; whatever else it varies is asked whole.

    Which half is said by the test's name, so that nothing else changes it: one that shows both languages and both
    widths, where there is one.
    """
    tests = defaultdict[str, dict[tuple[str, ...], list[pytest.Item]]](dict)
    for item in items:
        if item.get_closest_marker("browser") and not item.get_closest_marker("each_case"):
            tests[item.nodeid.partition("[")[0]].setdefault(_apart_from_look(item), []).append(item)
    groups = [
        (crc32(name.encode()) + place, found)
        for name, alike in tests.items()
        for place, found in enumerate(alike.values())
    ]
    return {item for turn, found in groups for item in set(found) - set(_half(found, turn))}


def _half(found: list[pytest.Item], turn: int) -> Sequence[pytest.Item]:
    """Of those halves that show most, each in turn."""
    halves = list(combinations(found, (len(found) + 1) // 2))
    most = max(map(_shown, halves))
    best = [half for half in halves if _shown(half) == most]
    return best[turn % len(best)]


def _shown(items: Iterable[pytest.Item]) -> tuple[int, int]:
    """How many languages and sizes, and how many colours besides."""
    seen = {(name, repr(value)) for item in items for name, value in _params(item).items() if name in LOOKS}
    return sum(name != "scheme" for name, _ in seen), len(seen)


def _apart_from_look(item: pytest.Item) -> tuple[str, ...]:
    return tuple(f"{name} {value!r}" for name, value in sorted(_params(item).items()) if name not in LOOKS)


def _params(item: pytest.Item) -> dict[str, object]:
    return getattr(getattr(item, "callspec", None), "params", {})
