"""Pages have no more than they need: no bar that scrolls nothing, and a hint where a row goes on."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserType, Page, ViewportSize, expect

from tests.e2e.conftest import CHROMIUM, FLAGS
from tests.e2e.site import Site
from tests.e2e.visits import PHONE, WIDE, Visits

pytestmark = pytest.mark.browser

TABS = ".tabs"
EDGE = 6  # pixels of the row's top right corner, where no letter reaches


@pytest.fixture(scope="module")
def with_scrollbars(browser_type: BrowserType) -> Iterator[Browser]:
    """A browser whose scrollbars take room, as they do on most desktops."""
    browser = browser_type.launch(executable_path=CHROMIUM, args=FLAGS, ignore_default_args=["--hide-scrollbars"])
    yield browser
    browser.close()


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_the_chat_has_no_scrollbar_of_the_page(viewport: ViewportSize, with_scrollbars: Browser, site: Site) -> None:
    visits = Visits(with_scrollbars, site)
    page = visits.open("/", viewport=viewport)
    scrolled, height = page.evaluate("(e => [e.scrollHeight, e.clientHeight])(document.documentElement)")
    assert scrolled == height
    assert page.evaluate("innerWidth - document.documentElement.clientWidth") == 0
    assert visits.close() == []


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_a_row_of_tabs_that_goes_on_is_shaded_at_that_end(locale: str, visits: Visits) -> None:
    page = visits.open("/admin", locale=locale, viewport=PHONE)
    assert page.locator(TABS).evaluate("row => row.scrollWidth > row.clientWidth"), "the row must be too long"
    more = _corner(page)
    page.locator(TABS).evaluate("row => { row.scrollLeft = row.scrollWidth }")
    assert _corner(page) != more


def test_the_current_tab_is_in_view_and_the_next_looks_out(visits: Visits) -> None:
    for name in ("budgets", "keys", "models", "records"):
        page = visits.open(f"/admin/{name}", viewport=PHONE)
        current = page.locator(f"{TABS} [aria-current]")
        expect(current).to_be_in_viewport(ratio=1)
        room = current.evaluate(
            "tab => tab.parentElement.getBoundingClientRect().right - tab.getBoundingClientRect().right"
        )
        assert room >= 40 or name == "records"


def _corner(page: Page) -> bytes:
    box = page.locator(TABS).bounding_box()
    assert box
    return page.screenshot(clip={"x": box["x"] + box["width"] - EDGE, "y": box["y"] + 1, "width": EDGE, "height": EDGE})
