"""Records as a file, while it comes: how far it is, a way to end it, and no half of a file that breaks off."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, CDPSession, Download, Page, expect

from tests.e2e.accessible import expect_no_violation
from tests.e2e.line import line_to
from tests.e2e.site import Site
from tests.e2e.visits import PHONE, WIDE, Scheme, Visits
from tests.e2e.words import words
from tests.support.scripted_upstream import Answer

RECORDS = 24
SECONDS = 20  # for a file that is not to be there before the test wants it
FIRST_BYTES = 4_000  # of the reply

en = words("en")

pytestmark = pytest.mark.browser


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


def test_what_nobody_has_counted_is_left_to_the_browser(visits: Visits, file: File) -> None:
    page = visits.open("/admin/records?outcome=complete")
    with page.expect_download() as downloading:
        page.get_by_role("link", name="CSV").click()
    assert len(downloading.value.path().read_text("utf-8-sig").splitlines()) > RECORDS
    assert not [each.url for each in visits.watch(page).requests if each.url.endswith("/download.js")]


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
