"""What a visit costs: requests, bytes over the wire, and at the very end the memory of the server."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import entrance, written
from tests.e2e.held import Held
from tests.e2e.looks import Look
from tests.e2e.site import Site
from tests.e2e.test_zoom import PAGES as EVERY_PAGE
from tests.e2e.visits import Visits
from tests.support.brokers import wait_until
from tests.support.scripted_upstream import Answer, ScriptedUpstream
from tests.support.served import PASSWORD

MOST_REQUESTS, MOST_BYTES = 10, 150_000
MOST_OF_A_COLLECTOR = 12  # requests of somebody with folders, pins and more conversations than a page of the list
MOST_MEGABYTES = 140  # why not 130, and not 120: decisions 88 and 73
PAGES = ("/", "/dashboard", "/admin", "/admin/users", "/admin/keys", "/admin/records", "/nowhere")

pytestmark = pytest.mark.browser


class Scales:
    """Weighs what a page loads, as it comes over the wire: bodies encoded, headers included."""

    def __init__(self, page: Page) -> None:
        self.requests: list[str] = []
        self.bytes = 0
        self._protocol = page.context.new_cdp_session(page)
        self._protocol.send("Network.enable")
        self._protocol.send("Network.setCacheDisabled", {"cacheDisabled": True})
        self._protocol.on("Network.requestWillBeSent", self._asked)
        self._protocol.on("Network.loadingFinished", self._loaded)

    def _asked(self, event: dict[str, Any]) -> None:
        if not event["request"]["url"].startswith("data:"):
            self.requests.append(event["request"]["url"])

    def _loaded(self, event: dict[str, Any]) -> None:
        self.bytes += int(event["encodedDataLength"])


def test_the_chat_page_is_light(
    look: Look, visits: Visits, site: Site, record_property: Callable[[str, object], None]
) -> None:
    name = f"newcomer {look.locale}"
    site.ask("POST", "/api/admin/users", {"username": name, "role": "member", "password": PASSWORD})
    page = look.open(visits, "/login", signed_in=False)
    entrance.sign_in(page, look.say, username=name, password=PASSWORD)
    expect(page.get_by_text(look.say("chat.no_conversations"))).to_have_count(1)
    look.expect_no_fault(page)
    page.wait_for_load_state("networkidle")
    scales = Scales(page)
    page.reload(wait_until="networkidle")
    record_property(
        f"chat page, empty ({look.locale})", f"{len(scales.requests)} requests, {scales.bytes / 1000:.1f} KB"
    )
    assert 1 < len(scales.requests) <= MOST_REQUESTS, scales.requests
    assert 10_000 < scales.bytes <= MOST_BYTES


def test_the_page_of_somebody_with_folders_and_a_full_list_is_light(
    look: Look, visits: Visits, site: Site, record_property: Callable[[str, object], None]
) -> None:
    name = f"collector {look.locale}"
    body = {"username": name, "role": "member", "password": PASSWORD}
    person = site.ask("POST", "/api/admin/users", body)["user"]["id"]
    written.fill_list(site, person, pins=1, others=60, folders=("Home", "Work"))
    page = look.open(visits, "/login", signed_in=False)
    entrance.sign_in(page, look.say, username=name, password=PASSWORD)
    folders = page.locator("[data-folder] [data-toggle]")
    expect(folders).to_have_count(2)
    page.wait_for_load_state("networkidle")
    for open_ones in (0, 1):
        scales = Scales(page)
        page.reload(wait_until="networkidle")
        expect(folders.first).to_have_attribute("aria-expanded", "true" if open_ones else "false")
        expect(page.locator("[data-folder] [data-conversation]")).to_have_count(3 * open_ones)
        record_property(
            f"chat page, full, {open_ones} folders open ({look.locale})",
            f"{len(scales.requests)} requests, {scales.bytes / 1000:.1f} KB",
        )
        contents = [each for each in scales.requests if "/api/folders/" in each]
        assert len(contents) == open_ones
        assert MOST_REQUESTS < len(scales.requests) - len(contents) <= MOST_OF_A_COLLECTOR, scales.requests
        if not open_ones:
            folders.first.evaluate("toggle => toggle.click()")
            expect(page.locator("[data-folder] [data-conversation]")).to_have_count(3)


def test_a_stored_conversation_comes_with_its_page_and_is_read_before_large_libraries_load(
    visits: Visits, site: Site, script: ScriptedUpstream
) -> None:
    script.script(Answer(text="A sentence that is long enough to be seen: $e^{i\\pi} = -1$.\n\n```python\nx = 1\n```"))
    started = list(site.server.chat("What is Euler's identity?"))
    page = visits.open("/")
    libraries = Held(page, re.compile(r"/(katex|highlight)\.js"))
    requests = visits.watch(page).requests
    before = len(requests)
    page.goto(f"/c/{started[0][1]['conversation_id']}", wait_until="commit")
    libraries.wait()
    expect(page.get_by_text("A sentence that is long enough to be seen")).to_be_visible()
    expect(page.get_by_text("x = 1")).to_be_visible()
    libraries.let_go()
    page.locator(".katex").first.wait_for()
    page.locator(".hljs-number").wait_for()
    assert [request.url for request in requests[before:] if "/api/" in request.url] == []


@pytest.mark.parametrize("path", PAGES)
def test_a_page_says_nothing_to_the_console(path: str, look: Look, visits: Visits) -> None:
    page = look.open(visits, path)
    page.wait_for_load_state("networkidle")
    assert visits.watch(page).problems == []


def test_the_server_has_stayed_small(
    visits: Visits, site: Site, record_property: Callable[[str, object], None]
) -> None:
    """After every page of the menus and all visits of this process's tests (hundreds, where a few processes share);
    without the local model, and once what lies free has been given back."""
    for path in EVERY_PAGE:
        visits.open(path)
    try:
        wait_until(lambda: site.megabytes() < MOST_MEGABYTES, 15)
    finally:
        used = site.megabytes()
        record_property("server after the run (PSS)", f"{used:.1f} MB")
    assert 20 < used < MOST_MEGABYTES
