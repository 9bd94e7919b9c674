"""What is seen of a page before its scripts have come stays where it is when they do."""

import re
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.e2e.budgets import BUDGETS
from tests.e2e.held import Held
from tests.e2e.site import Site
from tests.e2e.visits import PHONE, Scheme, Visits

LEAST = 0.02  # where all that comes later has its room
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
    scripts = Held(page, re.compile(r"/js/(chat/chat|usage/dashboard)\.js"))
    page.goto(path, wait_until="commit")
    scripts.wait()
    page.locator(".welcome__greeting, .page__title").wait_for()
    scripts.let_go()
    page.wait_for_load_state("networkidle")
    assert page.evaluate(SHIFTED) < MOST


@pytest.fixture(
    params=[{"limit": 1}, {"limit": 100_000_000}, {"limit": 90_000_000, "unit": "CNY"}],
    ids=["spent", "tokens", "money"],
)
def budget(request: pytest.FixtureRequest, site: Site) -> Any:
    """A budget of everybody's, used up or not."""
    list(site.server.chat("Use some."))
    made = site.ask("POST", BUDGETS, {"scope": "site", "period": "day"} | request.param)
    yield request.param
    site.ask("DELETE", f"{BUDGETS}/{made['id']}")


@pytest.mark.parametrize(("locale", "scheme"), [("zh", "dark"), ("en", "light")])
def test_what_is_left_today_has_its_room(budget: Any, locale: str, scheme: Scheme, visits: Visits) -> None:
    page = visits.open("/nowhere", viewport=PHONE, locale=locale, scheme=scheme)
    scripts = Held(page, re.compile(r"/js/chat/chat\.js"))
    page.goto("/", wait_until="commit")
    scripts.wait()
    line = page.locator("[data-left]")
    expect(line).to_be_visible()
    before = line.inner_text()
    height = line.bounding_box()
    scripts.let_go()
    page.wait_for_load_state("networkidle")
    assert page.evaluate(SHIFTED) <= LEAST
    after = line.bounding_box()
    assert height
    assert after
    assert after["height"] == height["height"]
    if "unit" not in budget:
        assert line.inner_text() == before, "script says it as the server does"


def test_nothing_is_seen_of_what_has_come_in_part(visits: Visits) -> None:
    """A greeting above half a composer would stand elsewhere than it does above the whole."""

    def cut(route: Route) -> None:
        reply = route.fetch()
        whole = reply.text()
        route.fulfill(response=reply, body=whole[: whole.index('<p class="composer__left"')])

    page = visits.open("/nowhere", viewport=PHONE)
    scripts = Held(page, re.compile(r"/js/"))
    page.route(re.compile(r"/$"), cut)
    page.goto("/", wait_until="commit")
    scripts.wait()
    greeting, field = page.locator(".welcome__greeting"), page.locator(".composer textarea")
    expect(greeting).to_be_attached()
    expect(field).to_be_attached()
    expect(greeting).to_be_hidden()
    expect(field).to_be_hidden()
    page.unroute(re.compile(r"/$"))
    page.goto("/", wait_until="commit")
    expect(greeting).to_be_visible()
    expect(field).to_be_visible()
    scripts.let_go()
