"""Records as a file, while it comes: how far it is, a way to end it, and no half of a file that breaks off."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, CDPSession, Download, Page, Route, expect

from tests.e2e.accessible import expect_no_violation
from tests.e2e.line import line_to
from tests.e2e.site import Site
from tests.e2e.visits import PHONE, WIDE, Scheme, Visits
from tests.e2e.words import words
from tests.support.scripted_upstream import Answer

RECORDS = 24
SECONDS = 20  # for a file that is not to be there before the test wants it
FIRST_BYTES = 4_000  # of the reply
MANY = 100_001  # records: too many for the memory
ON_DISK = """async () => {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("downloads", { create: true })
    return await Array.fromAsync(folder.keys())
}"""

en = words("en")

pytestmark = pytest.mark.browser
FULL = """FileSystemFileHandle.prototype.createWritable = async () =>
    new WritableStream({ write: () => { throw new DOMException("", "QuotaExceededError") } })
"""


@dataclass(frozen=True)
class File:
    """The administrator's records of the last days, as JSON Lines."""

    records: int
    size: int


@pytest.fixture(scope="module")
def file(site: Site) -> Iterator[File]:
    """Some records at least, which may be downloaded as often as the tests like."""
    site.provider.script(*(Answer("Yes.") for _ in range(RECORDS)))
    for number in range(RECORDS):
        list(site.server.chat(f"Is it {number}?"))
    site.ask("PUT", "/api/admin/rates/site", {"downloads": {"amount": None}})
    whole = site.server.get("/api/usage/records/export?format=jsonl").data
    yield File(whole.count(b"\n"), len(whole))
    site.ask("PUT", "/api/admin/rates/site", {})


def slow_line(page: Page, file: File) -> CDPSession:
    """The page's own, which needs long for the file from now on."""
    page.wait_for_load_state("networkidle")
    page.evaluate("import('app/download.js')")
    line = page.context.new_cdp_session(page)
    line.send("Network.enable")
    set_pace(line, file.size / SECONDS)
    return line


def set_pace(line: CDPSession, bytes_per_second: float) -> None:
    terms = {"offline": False, "latency": 0, "uploadThroughput": -1, "downloadThroughput": bytes_per_second}
    line.send("Network.emulateNetworkConditions", terms)


def begin(page: Page, say: Callable[..., str] = en) -> list[Download]:
    """A download under way, by keyboard; what the browser is given to keep is in the list."""
    kept = press(page)
    expect(page.get_by_role("button", name=say("base.cancel"), exact=True)).to_be_focused()
    return kept


def press(page: Page) -> list[Download]:
    kept: list[Download] = []
    page.on("download", lambda made: kept.append(made))  # noqa: PLW0108 - Playwright marks what it is given
    link = page.get_by_role("link", name="JSON Lines")
    link.focus()
    page.keyboard.press("Enter")
    return kept


def on_disk(page: Page) -> list[str]:
    """What the site's pages have on the browser's disk."""
    found: list[str] = page.evaluate(ON_DISK)
    return found


def expect_nothing_on_disk(page: Page) -> None:
    until = time.monotonic() + 10
    while on_disk(page) and time.monotonic() < until:
        page.wait_for_timeout(50)
    assert on_disk(page) == []


def the_one(page: Page, kept: list[Download]) -> Download:
    """It may come a moment after it is told."""
    until = time.monotonic() + 10
    while not kept and time.monotonic() < until:
        page.wait_for_timeout(50)
    (one,) = kept
    return one


def many(route: Route) -> None:
    """The page itself, which says that there are so many records."""
    response = route.fetch()
    text, changes = re.subn(r'"expected":\s*\d+', f'"expected":{MANY}', response.text())
    assert changes == 1
    route.fulfill(response=response, body=text)


def test_it_says_how_far_it_is_and_then_gives_the_whole_file(visits: Visits, file: File) -> None:
    page = visits.open("/dashboard")
    line = slow_line(page, file)
    kept = begin(page)
    bar = page.get_by_role("progressbar", name=en("records.downloading"))
    expect(bar).to_have_attribute("max", str(file.records))
    expect(
        page.get_by_text(en("js.records.download_of", count="0", expected=str(file.records)), exact=True)
    ).to_be_hidden()
    assert 0 < float(bar.evaluate("bar => bar.value")) < file.records
    assert not kept
    set_pace(line, -1)
    expect(bar).to_be_hidden()
    expect(page.get_by_role("link", name="JSON Lines")).to_be_focused()
    expect(page.locator("[data-announcer]")).to_have_text(en("js.records.downloaded"))
    (whole,) = kept
    assert whole.suggested_filename.endswith(".jsonl")
    assert len(whole.path().read_text("utf-8").splitlines()) == file.records


def test_what_nobody_has_counted_is_counted_while_it_comes_and_leaves_nothing(visits: Visits, file: File) -> None:
    page = visits.open("/admin/records?outcome=complete")
    page.clock.install()
    line = slow_line(page, file)
    kept = begin(page)
    bar = page.get_by_role("progressbar", name=en("records.downloading"))
    assert bar.evaluate("bar => bar.matches(':indeterminate')")
    expect(page.get_by_text(re.compile(r"^[1-9]\d* so far$"))).to_be_visible()
    assert len(on_disk(page)) == 1
    assert not kept
    set_pace(line, -1)
    expect(page.locator("[data-announcer]")).to_have_text(en("js.records.downloaded"))
    whole = the_one(page, kept)
    assert whole.suggested_filename.endswith(".jsonl")
    assert len(whole.path().read_text("utf-8").splitlines()) >= RECORDS
    assert len(on_disk(page)) == 1, "the browser may still copy it"
    page.clock.fast_forward(3_600_000)
    expect_nothing_on_disk(page)


def test_what_no_memory_should_hold_says_how_far_it_is_too(visits: Visits, file: File) -> None:
    page = visits.open()
    page.route("**/dashboard", many)
    page.goto("/dashboard")
    line = slow_line(page, file)
    kept = begin(page)
    bar = page.get_by_role("progressbar", name=en("records.downloading"))
    expect(bar).to_have_attribute("max", str(MANY))
    expect(page.get_by_text(f"of {MANY:,}")).to_be_visible()
    assert len(on_disk(page)) == 1
    set_pace(line, -1)
    expect(page.locator("[data-announcer]")).to_have_text(en("js.records.downloaded"))
    assert len(the_one(page, kept).path().read_text("utf-8").splitlines()) == file.records


@pytest.mark.parametrize("path", ["/admin/records?outcome=complete", "/dashboard"], ids=["uncounted", "many"])
def test_without_a_disk_what_is_too_long_for_the_memory_is_left_to_the_browser(
    visits: Visits, file: File, path: str
) -> None:
    page = visits.open()
    page.add_init_script("delete FileSystemFileHandle.prototype.createWritable")
    page.route("**/dashboard", many)
    page.route("**/export?*", lambda route: route.fulfill(body="{}\n" * MANY), times=int("admin" in path))
    page.goto(path)
    page.wait_for_load_state("networkidle")
    with page.expect_download() as downloading:
        page.get_by_role("link", name="JSON Lines").click()
    assert file.records <= len(downloading.value.path().read_text("utf-8").splitlines()) < MANY
    expect(page.get_by_role("link", name="JSON Lines")).to_be_visible()


def test_without_a_disk_what_nobody_has_counted_is_held_in_memory(visits: Visits, file: File) -> None:
    page = visits.open()
    page.add_init_script("delete FileSystemFileHandle.prototype.createWritable")
    page.goto("/admin/records?outcome=complete")
    line = slow_line(page, file)
    kept = begin(page)
    assert on_disk(page) == []
    set_pace(line, -1)
    expect(page.locator("[data-announcer]")).to_have_text(en("js.records.downloaded"))
    assert len(the_one(page, kept).path().read_text("utf-8").splitlines()) >= RECORDS


def test_what_is_cancelled_leaves_nothing_on_the_disk(visits: Visits, file: File) -> None:
    page = visits.open("/admin/records?outcome=complete")
    slow_line(page, file)
    kept = begin(page)
    assert len(on_disk(page)) == 1
    page.keyboard.press("Enter")
    expect(page.locator("[data-announcer]")).to_have_text(en("js.records.download_ended"))
    expect_nothing_on_disk(page)
    assert not kept


def test_what_a_closed_tab_left_is_removed_at_the_next_visit_and_nothing_else(visits: Visits, file: File) -> None:
    page = visits.open("/admin/records?outcome=complete")
    slow_line(page, file)
    begin(page)
    other = page.context.new_page()
    other.goto("/dashboard")
    other.wait_for_load_state("networkidle")
    assert len(on_disk(page)) == 1, "its page still needs it"
    page.close()
    other.reload()
    expect_nothing_on_disk(other)


def test_what_the_browser_may_still_copy_stays_though_its_page_is_loaded_anew(visits: Visits, file: File) -> None:
    page = visits.open("/admin/records?outcome=complete")
    line = slow_line(page, file)
    kept = begin(page)
    set_pace(line, -1)
    expect(page.locator("[data-announcer]")).to_have_text(en("js.records.downloaded"))
    for _ in range(2):
        page.reload()
        page.wait_for_load_state("networkidle")
        assert len(on_disk(page)) == 1
    assert len(the_one(page, kept).path().read_text("utf-8").splitlines()) >= RECORDS
    page.clock.set_fixed_time(time.time() + 3_600)
    page.reload()
    expect_nothing_on_disk(page)


def test_a_full_disk_is_told(visits: Visits, file: File) -> None:
    page = visits.open()
    page.add_init_script(FULL)
    page.goto("/admin/records?outcome=complete")
    page.wait_for_load_state("networkidle")
    press(page)
    expect(page.get_by_text(en("js.records.download_no_room")).first).to_be_visible()
    expect_nothing_on_disk(page)


def test_who_does_something_else_meanwhile_is_left_alone(visits: Visits, file: File) -> None:
    page = visits.open("/dashboard")
    line = slow_line(page, file)
    kept = begin(page)
    field = page.get_by_label(en("records.id"))
    field.focus()
    set_pace(line, -1)
    expect(page.locator("[data-announcer]")).to_have_text(en("js.records.downloaded"))
    expect(field).to_be_focused()
    assert len(kept) == 1


def test_one_that_is_cancelled_gives_no_file(visits: Visits, file: File) -> None:
    page = visits.open("/dashboard")
    line = slow_line(page, file)
    kept = begin(page)
    page.keyboard.press("Enter")
    expect(page.locator("[data-announcer]")).to_have_text(en("js.records.download_ended"))
    link = page.get_by_role("link", name="JSON Lines")
    expect(link).to_be_focused()
    assert not kept
    set_pace(line, -1)
    with page.expect_download() as again:
        link.click()
    assert len(again.value.path().read_text("utf-8").splitlines()) == file.records


def test_one_that_breaks_off_is_told_and_not_kept(browser: Browser, site: Site, file: File) -> None:
    with line_to(urlsplit(site.url).port or 80) as line:
        visits = Visits(browser, replace(site, server=replace(site.server, base_url=line.url)))
        page = visits.open("/dashboard")
        page.wait_for_load_state("networkidle")
        page.evaluate("import('app/download.js')")
        line.cut_after(FIRST_BYTES)
        kept = press(page)
        expect(page.get_by_text(en("js.records.download_broke_off")).first).to_be_visible()
        expect(page.get_by_role("link", name="JSON Lines")).to_be_focused()
        assert not kept
        assert visits.close() == []


def test_a_refusal_is_told_on_the_page(visits: Visits, site: Site, file: File) -> None:
    page = visits.open("/dashboard")
    page.wait_for_load_state("networkidle")
    page.context.clear_cookies()
    page.get_by_role("link", name="JSON Lines").click()
    expect(page.locator(".toast").get_by_text(en("error.sign_in_required")).last).to_be_visible()
    expect(page).to_have_url(f"{site.url}/dashboard")


@pytest.mark.parametrize(("locale", "scheme"), [("zh", "dark"), ("en", "light")])
@pytest.mark.parametrize("viewport", [PHONE, WIDE], ids=["phone", "wide"])
@pytest.mark.parametrize("path", ["/dashboard", "/admin/records?channel=chat"])
def test_it_fits_and_is_accessible(
    visits: Visits, file: File, path: str, locale: str, scheme: Scheme, viewport: Any
) -> None:
    page = visits.open(path, locale=locale, viewport=viewport, scheme=scheme)
    slow_line(page, file)
    begin(page, words(locale))
    page.evaluate("scrollTo(0, 0)")  # nothing is half under the bar at the top
    expect_no_violation(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    page.keyboard.press("Enter")
