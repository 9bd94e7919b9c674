"""Which tests are asked, and in which order: none is lost by being shared out, and of looks alone are some left out."""

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from tests.support.chosen import other_looks
from tests.support.spread import slow_first


@dataclass(frozen=True)
class Callspec:
    params: dict[str, object]


@dataclass(eq=False)
class Named:
    """What a selection asks of a test."""

    nodeid: str
    callspec: Callspec = field(default_factory=lambda: Callspec({}))
    marked: str | None = None

    def get_closest_marker(self, name: str) -> bool:
        return name == self.marked


def seen(name: str, marked: str | None = None, **params: object) -> Named:
    shown = "-".join(map(str, params.values()))
    return Named(f"tests/e2e/test_a.py::test_{name}[{shown}]", Callspec(params), marked)


def asked(*items: Named) -> list[str]:
    left_out: set[object] = set(other_looks(cast("Any", items)))
    return [item.nodeid.partition("_a.py::test_")[2] for item in items if item not in left_out]


def test_of_two_looks_one_is_asked_in_turns() -> None:
    looks = [seen(name, look=look) for name in ("one", "two", "three") for look in ("wide", "phone")]
    assert asked(*looks) == ["one[wide]", "two[phone]", "three[wide]"]


def test_whatever_else_is_varied_is_asked_whole() -> None:
    pages = [seen("page", path=path, locale=locale) for path in ("/", "/a", "/b") for locale in ("zh", "en")]
    texts = [seen("text", kind=kind) for kind in ("svg", "html")]
    assert asked(*pages, *texts) == ["page[/-zh]", "page[/a-en]", "page[/b-zh]", "text[svg]", "text[html]"]


def test_one_look_and_each_that_matters_are_asked() -> None:
    assert asked(seen("alone", look="wide")) == ["alone[wide]"]
    assert len(asked(seen("both", "each_case", look="wide"), seen("both", "each_case", look="phone"))) == 2


@pytest.mark.parametrize("processes", [1, 3, 4])
@pytest.mark.parametrize(("slow", "quick"), [(12, 108), (7, 0), (0, 9), (90, 3)])
def test_each_process_begins_with_its_share_of_what_is_slow(slow: int, quick: int, processes: int) -> None:
    items = [Named(f"tests/routes/test_{number}.py::test_quick") for number in range(quick)]
    items += [Named(f"tests/serving/test_{number}.py::test_slow") for number in range(slow)]
    ordered = slow_first(cast("Any", items), processes)
    assert len(ordered) == len(items)
    assert set(map(id, ordered)) == set(map(id, items))
    if 0 < slow < quick:
        part, share = len(items) // processes, slow // processes
        begins = [item for place in range(processes) for item in ordered[place * part :][:share]]
        assert {item.nodeid.partition("::")[2] for item in begins} == {"test_slow"}


def test_a_slow_files_tests_stay_together() -> None:
    items = [Named(f"tests/serving/test_{number % 3}.py::test_{number}") for number in range(9)]
    ordered = [item.nodeid.partition("::")[0] for item in slow_first(cast("Any", items), 2)]
    assert [ordered[place] for place in (0, 3, 6)] == [ordered[place] for place in (2, 5, 8)]
