"""The site as an application on a device: installed, without a network, after an upgrade, and after signing out."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e import accessible, entrance
from tests.e2e.chat import Chat
from tests.e2e.site import Site
from tests.e2e.test_weight import MOST_REQUESTS, Scales
from tests.e2e.versions import before_an_upgrade
from tests.e2e.visits import PHONE, WIDE, Visits
from tests.e2e.words import words
from tests.support.brokers import wait_until
from tests.support.ports import free_port
from tests.support.scripted_upstream import ScriptedUpstream
from tests.support.served import PASSWORD

say = words("en")
IN_CHARGE = "() => navigator.serviceWorker.controller !== null"
CACHES = """async () => {
  const found = {}
  for (const name of await caches.keys()) {
    found[name] = (await (await caches.open(name)).keys()).map(({ url }) => new URL(url).pathname + new URL(url).search)
  }
  return found
}"""
GO_AWAY = """() => {
  Object.defineProperty(document, "hidden", { value: true, configurable: true })
  document.dispatchEvent(new Event("visibilitychange"))
  delete document.hidden
}"""
KEPT = "async () => (await (await caches.match('/offline/kept'))?.json()) ?? null"

pytestmark = pytest.mark.browser


def installed(visits: Visits, path: str = "/", **options: Any) -> Page:
    """A page before which the worker stands."""
    page = visits.open(path, installs=True, **options)
    wait_until(partial(page.evaluate, IN_CHARGE))
    return page


def kept(page: Page) -> Any:
    return page.evaluate(KEPT)


def titles(page: Page) -> list[str]:
    return [each["title"] for each in (kept(page) or {"conversations": []})["conversations"]]


def wait_for(page: Page, title: str) -> None:
    """Until what is noted for later has it."""
    page.evaluate(GO_AWAY)
    wait_until(lambda: any(title in each for each in titles(page)))


@pytest.fixture
def cut(visits: Visits) -> Iterator[Callable[[Page], None]]:
    """Takes the network away from a page; what it cannot have then is no fault."""
    pages: list[Page] = []

    def take_away(page: Page) -> None:
        pages.append(page)
        page.context.set_offline(True)

    yield take_away
    for page in pages:
        problems = visits.watch(page).problems
        problems[:] = [problem for problem in problems if "ERR_INTERNET_DISCONNECTED" not in problem]


@pytest.fixture
def spoken(site: Site, script: ScriptedUpstream) -> str:
    """A title in the list."""
    list(site.server.chat("What is offline?"))
    return "What is offline?"


def test_it_can_be_installed(visits: Visits) -> None:
    page = installed(visits)
    protocol = page.context.new_cdp_session(page)
    manifest = protocol.send("Page.getAppManifest")
    assert manifest["errors"] == []
    told = json.loads(manifest["data"])
    assert told["name"] == say("base.brand")
    assert protocol.send("Page.getInstallabilityErrors")["installabilityErrors"] in (
        [],
        [{"errorId": "in-incognito", "errorArguments": []}],
    )
    for icon in told["icons"]:
        size = page.evaluate(
            """async (src) => {
              const image = new Image()
              image.src = src
              await image.decode()
              return image.naturalWidth
            }""",
            icon["src"],
        )
        assert icon["sizes"] == f"{size}x{size}"


@pytest.mark.parametrize("locale", ["en", "zh"])
def test_without_a_network_a_page_says_so_and_shows_the_list_as_last_seen(
    visits: Visits, cut: Callable[[Page], None], spoken: str, locale: str
) -> None:
    page = installed(visits, locale=locale)
    wait_for(page, spoken)
    entries = page.locator("[data-recent] [data-conversation] a")
    listed = entries.evaluate_all("(links) => links.map(({ title }) => title)")
    cut(page)
    expect(page.locator("[data-offline-note]")).to_have_text(words(locale)("base.offline.note"))
    accessible.expect_no_fault(page, locale)
    page.goto("/dashboard")
    expect(page.get_by_role("heading", level=1)).to_have_text(words(locale)("base.offline.title"))
    kept_entries = page.locator("[data-entries] a")
    expect(kept_entries).to_have_count(len(listed))
    assert kept_entries.all_text_contents() == listed
    assert spoken in listed
    assert page.evaluate("getComputedStyle(document.querySelector('.button--primary')).borderRadius") != "0px"
    page.context.set_offline(False)
    expect(page.locator("[data-entries]")).to_have_count(0)
    expect(page).to_have_url(re.compile("/dashboard$"))
    expect(page.locator("[data-offline-note]")).to_be_hidden()


@pytest.mark.parametrize("locale", ["en", "zh"])
def test_a_server_that_is_stopped_is_asked_again_until_it_answers(browser: Browser, site: Site, locale: str) -> None:
    port = free_port()  # none that somebody else has got meanwhile
    with before_an_upgrade(site.url, port) as running:
        visits = Visits(browser, replace(site, server=replace(site.server, base_url=running.url)))
        page = installed(visits, locale=locale)
    say_here = words(locale)
    page.goto("/dashboard")
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text(say_here("base.offline.unreached_title"))
    expect(page).to_have_title(re.compile(f"^{re.escape(heading.inner_text())} · "))
    expect(page.get_by_text(say_here("base.offline.unreached_text"))).to_be_visible()
    expect(page.get_by_text(say_here("base.offline.text"))).to_be_hidden()
    accessible.expect_no_fault(page, locale)
    page.context.set_offline(True)
    expect(heading).to_have_text(say_here("base.offline.title"))
    page.context.set_offline(False)
    expect(heading).to_have_text(say_here("base.offline.unreached_title"))
    with before_an_upgrade(site.url, port):
        expect(page.locator("[data-when]")).to_have_count(0)
        expect(page).to_have_url(re.compile("/dashboard$"))
        assert [problem for problem in visits.close() if "ERR_CONNECTION_REFUSED" not in problem] == []


def test_nothing_of_a_message_is_kept_and_nothing_of_the_api(
    visits: Visits, cut: Callable[[Page], None], spoken: str, script: ScriptedUpstream
) -> None:
    chat = Chat(installed(visits), say)
    chat.ask("A title and then words that only the server has")
    chat.page.reload()
    wait_until(partial(chat.page.evaluate, IN_CHARGE))
    wait_for(chat.page, "A title and")
    found = chat.page.evaluate(CACHES)
    assert "/offline/kept" in found.pop("mingchat-kept")
    (shell,) = found.values()
    assert [path for path in shell if not re.match(r"/static/|/offline\?lang=", path)] == []
    everything = chat.page.evaluate(
        """async () => {
          let text = ""
          for (const name of await caches.keys()) {
            const cache = await caches.open(name)
            for (const request of await cache.keys()) text += await (await cache.match(request)).text()
          }
          return text
        }"""
    )
    assert chat.prose.inner_text() not in everything
    cut(chat.page)
    reply = chat.page.evaluate("fetch('/api/conversations').then(({ status }) => status, () => 'no network')")
    assert reply == "no network"


def test_signing_out_erases_it(visits: Visits, site: Site, spoken: str) -> None:
    page = signed_in(visits, site, "Leaver of devices")
    mine = Chat(page, say)
    mine.ask("Only mine")
    wait_for(page, "Only mine")
    other = page.context.new_page()
    other.goto("/")
    expect(other.locator("[data-recent]").get_by_text("Only mine")).to_be_visible()
    page.locator("summary.menu__button").last.click()
    page.get_by_role("button", name=say("nav.sign_out")).click()
    page.wait_for_url("**/login*")
    page.wait_for_load_state("networkidle")
    wait_until(lambda: titles(page) == [])
    other.evaluate(GO_AWAY)
    other.wait_for_timeout(300)
    assert titles(page) == [], "a page that was left open does not bring it back"


def test_another_person_does_not_see_it(visits: Visits, site: Site) -> None:
    page = signed_in(visits, site, "First of two")
    Chat(page, say).ask("Of the first")
    wait_for(page, "Of the first")
    page.context.clear_cookies()
    page.goto("/login")
    wait_until_noted(page, person="")
    assert titles(page) == [], "who is not signed in any more has none"
    entrance.sign_in(page, say, username=made(site, "Second of two"), password=PASSWORD)
    page.wait_for_url("**/")
    wait_until(lambda: kept(page)["person"] != "")
    assert titles(page) == []


def signed_in(visits: Visits, site: Site, name: str) -> Page:
    page = visits.open("/login", signed_in=False, installs=True)
    entrance.sign_in(page, say, username=made(site, name), password=PASSWORD)
    page.wait_for_url("**/")
    wait_until(partial(page.evaluate, IN_CHARGE))
    return page


def made(site: Site, name: str) -> str:
    site.ask("POST", "/api/admin/users", {"username": name, "role": "member", "password": PASSWORD})
    return name


def wait_until_noted(page: Page, *, person: str) -> None:
    wait_until(lambda: (kept(page) or {}).get("person") == person)


def test_an_upgrade_takes_over_with_the_next_page(browser: Browser, site: Site) -> None:
    with before_an_upgrade(site.url) as upgraded:
        visits = Visits(browser, replace(site, server=replace(site.server, base_url=upgraded.url)))
        page = installed(visits)
        assert shells(page) == ["mingchat-0000000000000000"]
        page.evaluate(
            """async () => {
              const shell = await caches.open("mingchat-0000000000000000")
              await shell.put("/", new Response("a page of before"))
            }"""
        )
        upgraded.upgrade()
        wait_until(partial(has_taken_over, page), 60)
        (shell,) = shells(page)
        assert len(page.evaluate(CACHES)[shell]) > 1
        assert page.evaluate("navigator.serviceWorker.getRegistrations().then(({ length }) => length)") == 1
        page.reload()
        wait_until(partial(page.evaluate, IN_CHARGE))
        expect(page.locator("[data-composer]")).to_be_visible()
        assert shells(page) == [shell]
        assert visits.close() == []


def has_taken_over(page: Page) -> bool:
    """Has the next worker, some seconds after a visit? Where its shell does not come whole, a visit tries again."""
    page.reload()
    for _ in range(50):
        if "mingchat-0000000000000000" not in page.evaluate(CACHES):
            return True
        page.wait_for_timeout(100)
    return False


def shells(page: Page) -> list[str]:
    return sorted(name for name in page.evaluate(CACHES) if name != "mingchat-kept")


def test_the_first_page_asks_for_no_more_than_before(
    visits: Visits, site: Site, record_property: Callable[[str, object], None]
) -> None:
    page = signed_in(visits, site, "Newcomer with a worker")
    scales = Scales(page)
    page.reload(wait_until="networkidle")
    record_property("chat page, empty, with the worker", f"{len(scales.requests)} requests")
    assert 1 < len(scales.requests) <= MOST_REQUESTS, scales.requests


@pytest.mark.parametrize(("scheme", "locale"), [("light", "en"), ("dark", "zh")])
@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_the_page_without_a_network_is_accessible(
    visits: Visits, cut: Callable[[Page], None], spoken: str, viewport: Any, scheme: Any, locale: str
) -> None:
    page = installed(visits, locale=locale, viewport=viewport, scheme=scheme)
    wait_for(page, spoken)
    cut(page)
    page.goto("/")
    expect(page.locator("[data-entries] a").first).to_be_visible()
    accessible.expect_no_violation(page)
