"""What is noted of a long list, for when there is no network: all that the page knows, within bounds."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.e2e.site import Site
from tests.e2e.test_installed import GO_AWAY, installed, titles
from tests.e2e.test_long_list import IS_WHOLE, TO_END
from tests.e2e.visits import Visits
from tests.e2e.written import leave_only
from tests.support.brokers import wait_until

# As if the reader had scrolled to the list's end.
KNOW_ALL = """async () => {
  const { sidebar } = await import("app/chat/chat.js")
  const { learnMore } = await import("app/sidebar/list-renewal.js")
  const { next } = await (await fetch("/api/conversations/unfiled?limit=40")).json()
  for (let more = next; more; ) more = await learnMore(sidebar, "/api/conversations/unfiled", more)
}"""

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def none_left(site: Site) -> Iterator[None]:
    yield
    leave_only(site)


def test_what_is_kept_of_a_long_list_has_no_holes(visits: Visits, site: Site) -> None:
    """All that the page knows, be it drawn or not, and in a folder that is closed again."""
    seen = [f"Number {at:03}" for at in range(240)]
    ids = leave_only(site, *seen, "In a folder")
    folder = site.ask("POST", "/api/folders", {"name": "Work"})["id"]
    site.ask("PUT", f"/api/folders/{folder}/conversations/{ids[-1]}")
    site.ask("PUT", f"/api/conversations/{ids[200]}/pin")
    page = installed(visits)
    toggle = page.get_by_role("button", name="Work", exact=True)
    toggle.click()
    expect(page.locator("[data-recent]").get_by_title("In a folder")).to_be_visible()
    toggle.click()
    wait_until(lambda: page.evaluate(TO_END) or page.evaluate(IS_WHOLE))
    page.locator("[data-recent]").evaluate("(list) => list.scrollTo(0, 0)")
    expect(page.locator("[data-recent]").get_by_title(seen[-1])).to_have_count(0)  # it is not drawn
    page.evaluate(GO_AWAY)
    pinned, rest = seen[200], [*seen[:200], *seen[201:]]
    wait_until(lambda: titles(page) == [pinned, *rest, "In a folder"])
    site.ask("DELETE", f"/api/folders/{folder}")


def test_it_keeps_a_thousand_titles_and_no_more_bytes_than_it_may(visits: Visits, site: Site) -> None:
    leave_only(site, *(f"{at:04}{'字' * 150}" for at in range(1_200)))
    page = installed(visits)
    page.evaluate(KNOW_ALL)
    page.evaluate(GO_AWAY)
    wait_until(lambda: len(titles(page)) > 40)
    assert 300 < len(titles(page)) < 450  # of about 500 bytes each
    assert page.evaluate("async () => (await (await caches.match('/offline/kept')).blob()).size") < 205_000
    leave_only(site, *(f"{at:04}" for at in range(1_200)))
    page.reload()
    page.evaluate(KNOW_ALL)
    page.evaluate(GO_AWAY)
    wait_until(lambda: len(titles(page)) == 1_000)
    assert titles(page)[:2] == ["0000", "0001"]
