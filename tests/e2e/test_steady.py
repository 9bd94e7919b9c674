"""What is seen of a page before its scripts have come stays where it is when they do."""

import re

import pytest

from tests.e2e.held import Held
from tests.e2e.visits import PHONE, Visits

MOST = 0.05  # of the cumulative layout shift; up to 0.1 is "good" (web.dev/articles/cls)
SHIFTED = """() => new Promise((resolve) => {
    const observer = new PerformanceObserver((list) => {
        resolve(list.getEntries().reduce((sum, { value }) => sum + value, 0))
    })
    observer.observe({ type: "layout-shift", buffered: true })
    setTimeout(() => resolve(0), 500)
})"""

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("path", ["/", "/dashboard"])
@pytest.mark.parametrize("locale", ["zh", "en"])
def test_nothing_moves_once_it_is_seen(path: str, locale: str, visits: Visits) -> None:
    page = visits.open("/nowhere", viewport=PHONE, locale=locale)
    scripts = Held(page, re.compile(r"/js/(chat|dashboard)\.js"))
    page.goto(path, wait_until="commit")
    scripts.wait()
    page.locator(".welcome__greeting, .page__title").wait_for()
    scripts.let_go()
    page.wait_for_load_state("networkidle")
    assert page.evaluate(SHIFTED) < MOST
