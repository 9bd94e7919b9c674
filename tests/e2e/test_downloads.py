"""Records as a file, while it comes: how far it is, a way to end it, and no half of a file that breaks off."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.accessible import expect_no_violation
from tests.e2e.downloading import File, begin, press, records, set_pace, slow_line, the_one
from tests.e2e.line import line_to
from tests.e2e.site import Site
from tests.e2e.visits import PHONE, WIDE, Scheme, Visits
from tests.e2e.words import words

FIRST_BYTES = 4_000  # of the reply

en = words("en")

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def file(site: Site) -> Iterator[File]:
    with records(site) as found:
        yield found


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
    whole = the_one(page, kept)
    assert whole.suggested_filename.endswith(".jsonl")
    assert len(whole.path().read_text("utf-8").splitlines()) == file.records


def test_who_does_something_else_meanwhile_is_left_alone(visits: Visits, file: File) -> None:
    page = visits.open("/dashboard")
    line = slow_line(page, file)
    kept = begin(page)
    field = page.get_by_label(en("records.id"))
    field.focus()
    set_pace(line, -1)
    expect(page.locator("[data-announcer]")).to_have_text(en("js.records.downloaded"))
    expect(field).to_be_focused()
    the_one(page, kept)


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
