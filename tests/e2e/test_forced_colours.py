"""Where the system's colours replace the site's own: what is on, chosen, or figures drawn as colours, can be told."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.budgets import BUDGETS
from tests.e2e.site import Site
from tests.e2e.visits import AT_REST, Visits

# Of the first that fits, or of what is drawn before or after it. A ground that was clear stays so, but not its colour.
GROUND = """([selector, part]) => {
    const style = getComputedStyle(document.querySelector(selector), part)
    return style.backgroundColor.replace(/^rgba(\\(.*), 0\\)$/, "rgb$1)")
}"""
# Pages have theirs where mail or a provider of identities is set up.
A_SWITCH = """() => document.querySelector("h1").insertAdjacentHTML(
    "afterend", '<label class="switch"><input class="switch__box" type="checkbox" role="switch">On</label>')"""

pytestmark = pytest.mark.browser


@pytest.fixture
def budget(site: Site) -> Iterator[Any]:
    list(site.server.chat("Hello"))
    made = site.ask("POST", BUDGETS, {"scope": "member", "scope_id": "0" * 26, "period": "day", "limit": 1_000})
    yield made
    site.ask("DELETE", f"{BUDGETS}/{made['id']}")


def ground(page: Page, selector: str, part: str | None = None) -> str:
    expect(page.locator(selector).first).to_be_attached()
    colour: str = page.evaluate(GROUND, [selector, part])
    return colour


def forced(visits: Visits, path: str) -> Page:
    page = visits.open(path)
    page.emulate_media(forced_colors="active")
    assert page.evaluate("matchMedia('(forced-colors: active)').matches")
    page.evaluate(AT_REST)
    return page


def test_a_switch_that_is_on_does_not_look_as_one_that_is_off(visits: Visits) -> None:
    page = forced(visits, "/account")
    page.evaluate(A_SWITCH)
    switch = page.locator(".switch__box").first
    seen = []
    for is_on in (True, False):
        switch.set_checked(is_on)
        page.evaluate(AT_REST)
        thumb, box = ground(page, ".switch__box", "::after"), ground(page, ".switch__box")
        assert thumb != box, "the thumb is seen"
        seen.append(box)
    assert seen[0] != seen[1]


@pytest.mark.parametrize(
    ("path", "chosen", "other"),
    [
        ("/admin/settings", ".tabs__tab[aria-current]", ".tabs__tab:not([aria-current])"),
        ("/dashboard", ".topbar__link[aria-current]", ".topbar__link:not([aria-current])"),
        ("/account", ".segmented__option[aria-pressed=true]", ".segmented__option[aria-pressed=false]"),
    ],
)
def test_what_is_chosen_is_told_from_the_rest(visits: Visits, path: str, chosen: str, other: str) -> None:
    page = forced(visits, path)
    assert ground(page, chosen) != ground(page, other)
    adjusted = page.locator(chosen).first.evaluate("each => getComputedStyle(each).forcedColorAdjust")
    assert adjusted == "none", "a plate behind its letters would have their colour"


def test_figures_that_are_drawn_as_colours_are_seen(visits: Visits, budget: Any) -> None:
    page = forced(visits, "/dashboard")
    expect(page.locator(".heat__day[data-level='4']").first).to_be_attached()
    assert ground(page, "[data-preset][aria-current]") != ground(page, "[data-preset]:not([aria-current])")
    paper = ground(page, "body")
    for shape, part in ((".heat__day[data-level='4']", "::before"), (".budget__used", None)):
        assert ground(page, shape, part) != paper, shape
    assert ground(page, ".budget__used") != ground(page, ".budget__bar")
    keys = [ground(page, f".chart-key--{name}", "::before") for name in ("input", "output")]
    assert len({*keys, paper}) == 3


def test_a_choice_has_its_arrow(visits: Visits) -> None:
    page = forced(visits, "/account")
    assert page.locator(".select").first.evaluate("each => getComputedStyle(each).appearance") == "auto"
