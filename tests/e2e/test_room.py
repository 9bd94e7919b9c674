"""Pages have no more than they need: no bar that scrolls nothing, and a hint where a row goes on."""

import pytest
from playwright.sync_api import Browser, ViewportSize, expect

from tests.e2e.site import Site
from tests.e2e.visits import PHONE, WIDE, Visits

pytestmark = pytest.mark.browser

TABS = ".tabs"


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_the_chat_has_no_scrollbar_of_the_page(viewport: ViewportSize, desktop: Browser, site: Site) -> None:
    visits = Visits(desktop, site)
    page = visits.open("/", viewport=viewport)
    scrolled, height = page.evaluate("(e => [e.scrollHeight, e.clientHeight])(document.documentElement)")
    assert scrolled == height
    assert page.evaluate("innerWidth - document.documentElement.clientWidth") == 0
    assert visits.close() == []


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_a_row_of_tabs_fades_out_towards_an_end_that_hides_more(locale: str, visits: Visits) -> None:
    tabs = visits.open("/admin", locale=locale, viewport=PHONE).locator(TABS)
    assert tabs.evaluate("row => row.scrollWidth > row.clientWidth"), "the row must be too long"
    expect(tabs).to_have_css("--fade-start", "0px")
    expect(tabs).to_have_css("--fade-end", "40px")
    tabs.evaluate("row => { row.scrollLeft = row.scrollWidth }")
    expect(tabs).to_have_css("--fade-start", "40px")
    expect(tabs).to_have_css("--fade-end", "0px")


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_a_wide_page_shows_all_tabs(locale: str, visits: Visits) -> None:
    tabs = visits.open("/admin", locale=locale).locator(TABS)
    assert tabs.evaluate("row => row.scrollWidth <= row.clientWidth")
    expect(tabs.get_by_role("link").last).to_be_in_viewport(ratio=1)


def test_the_current_tab_is_in_view_and_the_next_looks_out(visits: Visits) -> None:
    for name in ("budgets", "keys", "models", "records"):
        page = visits.open(f"/admin/{name}", viewport=PHONE)
        current = page.locator(f"{TABS} [aria-current]")
        expect(current).to_be_in_viewport(ratio=1)
        room = current.evaluate(
            "tab => tab.closest('nav').getBoundingClientRect().right - tab.getBoundingClientRect().right"
        )
        assert room >= 40
