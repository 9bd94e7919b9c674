"""What was found on the web for a question, once it is stored: in its conversation, on paper and by a link."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import looked_up
from tests.e2e.looks import Look
from tests.e2e.site import Site
from tests.e2e.visits import Visits
from tests.e2e.words import words

say = words("en")

pytestmark = pytest.mark.browser


def cited(page: Page) -> list[str | None]:
    return [link.get_attribute("href") for link in page.locator(".message--answer a.citation").all()]


def test_a_conversation_of_them_comes_with_its_cards(look: Look, visits: Visits, site: Site) -> None:
    page = look.open(visits, looked_up.talk(site, f"Looked up {look.locale}"))
    line = page.locator("summary").filter(has_text=look.say("js.web_found", count=3))
    line.click()
    expect(page.locator(".source")).to_have_count(3)
    expect(page.locator(".prose pre code")).to_contain_text("a[1]")
    assert len(cited(page)) == 7
    expect(page.locator(".prose li")).to_contain_text("not [9].")
    look.expect_no_fault(page)


def test_what_a_page_calls_itself_is_text_and_nothing_is_fetched_from_it(visits: Visits, site: Site) -> None:
    title = '"><img src=x onerror="window.pwned=1"><script>window.pwned=1</script>'
    hostile = looked_up.SOURCES[0] | {"title": title, "site": title, "published": title[:30]}
    page = visits.open(looked_up.talk(site, "Hostile pages", sources=[hostile]))
    page.locator(".searched summary").click()
    expect(page.locator(".source__title")).to_have_text(title)
    expect(
        page.get_by_role("link", name=say("js.web_source", number="[1]", title="weather.example.com"))
    ).to_have_count(3)
    assert page.evaluate("window.pwned === undefined")
    assert page.locator(".message img, .message script").count() == 0
    assert not [each.url for each in visits.watch(page).requests if not each.url.startswith(site.url)]


def test_on_paper_the_pages_are_listed_and_cited_by_number(visits: Visits, site: Site) -> None:
    page = visits.open(looked_up.talk(site, "On paper"))
    card = page.locator(".source").first
    expect(card).to_be_hidden()
    page.emulate_media(media="print")
    expect(card).to_be_visible()
    address = "element => getComputedStyle(element, '::after').content"
    assert "https://weather.example.com/hangzhou" in page.locator(".source__words").first.evaluate(address)
    assert page.locator("a.citation").first.evaluate(address) == "none"


def test_a_link_shows_them_too(look: Look, visits: Visits, site: Site) -> None:
    site.ask("PUT", "/api/admin/settings/sharing", {"mode": "anybody"})
    talk = looked_up.talk(site, f"Shared {look.locale}").removeprefix("/c/")
    path = site.ask("POST", f"/api/conversations/{talk}/shares", {})["path"]
    page = look.open(visits, path, signed_in=False)
    expect(page.locator(".prose a.citation")).to_have_count(7)
    expect(page.locator(".prose a.citation").first).to_have_attribute("href", "https://weather.example.com/hangzhou")
    page.locator("summary").click()
    expect(page.locator(".source")).to_have_count(3)
    look.expect_no_fault(page)
    site.ask("DELETE", "/api/shares")
    site.ask("PUT", "/api/admin/settings/sharing", {"mode": "off"})
