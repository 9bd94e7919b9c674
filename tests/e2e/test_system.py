"""The system page: what stands well and what does not, in words, on a phone and on a desk."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.accessible import expect_no_fault
from tests.e2e.visits import PHONE, WIDE, Scheme, Visits
from tests.e2e.words import words

# Each language, colour and size with each of the others.
LOOKS = [("zh", "light", PHONE), ("zh", "dark", WIDE), ("en", "light", WIDE), ("en", "dark", PHONE)]

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("locale", "scheme", "viewport"), LOOKS)
def test_an_administrator_sees_how_the_site_stands(visits: Visits, locale: str, scheme: Scheme, viewport: Any) -> None:
    say = words(locale)
    page = visits.open("/admin", locale=locale, scheme=scheme, viewport=viewport)
    page.get_by_role("link", name=say("admin.see_system")).click()
    expect(page.get_by_role("heading", name=say("admin.system_title"), level=1)).to_be_visible()
    checks = page.locator("[data-checks]").get_by_role("listitem")
    expect(checks.filter(has_text="SQLite")).to_contain_text(say("js.admin.system_is_ok"))
    expect(checks.filter(has_text=say("js.admin.system_redis_none"))).to_be_visible()
    served = page.locator("[data-processes]").get_by_role("listitem").first
    expect(served).to_contain_text(say("js.admin.system_serves"))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert "js.admin." not in page.locator("main").inner_text()
    expect_no_fault(page)
    page.get_by_role("button", name=say("system.look_again")).click()
    expect(page.locator("[data-announcer]")).to_have_text(say("js.admin.system_looked"))
