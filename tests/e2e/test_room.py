"""Pages have no more than they need: no bar that scrolls nothing, and a hint where a row goes on."""

import pytest
from playwright.sync_api import Browser, ViewportSize, expect

from tests.e2e.site import Site
from tests.e2e.visits import PHONE, WIDE, Visits

pytestmark = pytest.mark.browser

TABS = ".tabs"
LOW: ViewportSize = {"width": 1280, "height": 640}


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


@pytest.mark.parametrize("name", ["overview", "system"])
def test_a_low_page_stays_at_its_top_and_its_tabs_fade_out_towards_more(
    name: str, visits: Visits, announcement: str
) -> None:
    page = visits.open("/admin" if name == "overview" else f"/admin/{name}", viewport=LOW)
    tabs = page.locator(TABS)
    expect(page.get_by_text(announcement)).to_be_visible()
    assert tabs.evaluate("list => list.scrollHeight > list.clientHeight"), "the list must be too long"
    assert page.evaluate("scrollY") == 0
    is_last = name == "system"
    expect(tabs).to_have_css("--fade-start", "40px" if is_last else "0px")
    expect(tabs).to_have_css("--fade-end", "0px" if is_last else "40px")


def test_the_current_tab_is_in_view_and_the_next_looks_out(visits: Visits) -> None:
    for name in ("budgets", "keys", "models", "records"):
        page = visits.open(f"/admin/{name}", viewport=PHONE)
        current = page.locator(f"{TABS} [aria-current]")
        expect(current).to_be_in_viewport(ratio=1)
        room = current.evaluate(
            "tab => tab.closest('nav').getBoundingClientRect().right - tab.getBoundingClientRect().right"
        )
        assert room >= 40
