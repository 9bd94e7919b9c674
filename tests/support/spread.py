"""In which order several processes of tests take them, so that none is left alone with the slow ones at the end."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import cycle, islice

import pytest

# What starts servers or commands of its own, or races: seconds a test, where others take a hundredth.
SLOW = (
    "tests/serving/",
    "tests/transfer/",
    "tests/backups/",
    "tests/bench/",
    "tests/scripts/",
    "tests/services/test_reconciled_day.py",
    "tests/services/test_budget_race.py",
    "tests/test_access_matrix.py",
    "tests/test_route_effects.py",
    "tests/test_database.py",
    "tests/test_cli_move.py",
)


def slow_first(items: list[pytest.Item], processes: int) -> list[pytest.Item]:
    """The same tests: each process's part begins with its share of the slow files.

    xdist's `worksteal` gives each of them an equal part of the list, in its order, and whoever is done takes from the
    end of another's.
    """
    slow, quick = _slow_files(items), iter([item for item in items if not _is_slow(item)])
    shares: list[list[pytest.Item]] = [[] for _ in range(processes)]
    for share, found in zip(cycle(shares), slow, strict=False):
        share.extend(found)
    ordered: list[pytest.Item] = []
    for size, share in zip(_sizes(len(items), processes), shares, strict=True):
        ordered += [*share, *islice(quick, max(size - len(share), 0))]
    return [*ordered, *quick]


def _is_slow(item: pytest.Item) -> bool:
    return item.nodeid.startswith(SLOW)


def _slow_files(items: Iterable[pytest.Item]) -> Iterable[list[pytest.Item]]:
    files = defaultdict[str, list[pytest.Item]](list)
    for item in items:
        if _is_slow(item):
            files[item.nodeid.partition("::")[0]].append(item)
    return files.values()


def _sizes(whole: int, processes: int) -> Iterator[int]:
    for left in range(processes, 0, -1):
        yield whole // left
        whole -= whole // left
