"""Which tests are asked, and in which order: none is lost by being shared out, and of looks alone are some left out."""

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from tests.support.chosen import more_cases, other_looks
from tests.support.spread import slow_first


@dataclass(frozen=True)
class Callspec:
    params: dict[str, object]


@dataclass(eq=False)
class Named:
    """What a selection asks of a test."""

    nodeid: str
    callspec: Callspec = field(default_factory=lambda: Callspec({}))
    marks: set[str | None] = field(default_factory=set)

    def get_closest_marker(self, name: str) -> bool:
        return name in self.marks


def seen(name: str, marked: str | None = None, **params: object) -> Named:
    shown = "-".join(map(str, params.values()))
    return Named(f"tests/e2e/test_a.py::test_{name}[{shown}]", Callspec(params), {"browser", marked})


def asked(*items: Named) -> list[str]:
    left_out: set[object] = set(other_looks(cast("Any", items)))
    return [item.nodeid.partition("_a.py::test_")[2] for item in items if item not in left_out]


def test_of_two_looks_one_is_asked_in_turns() -> None:
    pages = [seen("page", path=path, locale=locale) for path in ("/", "/a", "/b") for locale in ("zh", "en")]
    chosen = asked(*pages)
    assert chosen in (["page[/-zh]", "page[/a-en]", "page[/b-zh]"], ["page[/-en]", "page[/a-zh]", "page[/b-en]"])
    others = [seen(f"other{number}", look=look) for number in range(9) for look in ("wide", "phone")]
    assert asked(*others, *pages)[9:] == chosen, "what else there is changes nothing"
    assert {name.partition("[")[2] for name in asked(*others)} == {"wide]", "phone]"}


def test_of_four_looks_two_with_both_languages_and_both_widths_are_asked() -> None:
    for name in ("one", "two", "three"):
        crossed = [seen(name, locale=locale, viewport=width) for locale in ("zh", "en") for width in (390, 1280)]
        assert asked(*crossed) in ([f"{name}[zh-390]", f"{name}[en-1280]"], [f"{name}[zh-1280]", f"{name}[en-390]"])
        looks = [("zh", "light", 390), ("zh", "dark", 1280), ("en", "light", 1280), ("en", "dark", 390)]
        each = [seen(name, locale=locale, scheme=scheme, viewport=width) for locale, scheme, width in looks]
        assert asked(*each) in (
            [f"{name}[zh-light-390]", f"{name}[en-light-1280]"],
            [f"{name}[zh-dark-1280]", f"{name}[en-dark-390]"],
        )


def test_of_three_looks_two_are_asked() -> None:
    assert len(asked(*(seen("page", locale=locale) for locale in ("zh", "zh-Hant", "ja")))) == 2


def test_whatever_else_is_varied_one_look_and_each_that_matters_are_asked() -> None:
    texts = [seen("text", kind=kind) for kind in ("svg", "html", "css")]
    marked = [seen("both", "each_case", look=look) for look in ("wide", "phone")]
    elsewhere = [Named(f"tests/test_b.py::test_b[{locale}]", Callspec({"locale": locale})) for locale in ("zh", "en")]
    items = [*texts, *marked, seen("alone", look="wide"), *elsewhere]
    assert len(asked(*items)) == len(items)


@pytest.mark.parametrize(("count", "kept"), [(1, [0]), (3, [0, 1, 2]), (4, [0, 2, 3]), (9, [0, 4, 8])])
def test_of_many_cases_a_server_is_asked_the_first_one_in_the_middle_and_the_last(count: int, kept: list[int]) -> None:
    items = [Named(f"tests/test_b.py::test_b[{number}]") for number in range(count)]
    left_out: set[object] = set(more_cases(cast("Any", items)))
    assert [items.index(item) for item in items if item not in left_out] == kept
    assert more_cases(cast("Any", [Named("tests/test_b.py::test_b[x]", marks={"each_case"})] * 9)) == set()


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
