"""Records that no memory should hold: on the browser's disk until they are whole, and gone once nobody needs them."""

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.e2e.downloading import (
    MANY,
    RECORDS,
    File,
    begin,
    expect_nothing_on_disk,
    many,
    on_disk,
    press,
    records,
    set_pace,
    slow_line,
    the_one,
)
from tests.e2e.site import Site
from tests.e2e.visits import Visits
from tests.e2e.words import words
from tests.support.brokers import wait_until

FULL = """FileSystemFileHandle.prototype.createWritable = async () =>
    new WritableStream({ write: () => { throw new DOMException("", "QuotaExceededError") } })
"""

LOCKS = "async () => (await navigator.locks.query()).held.length"

en = words("en")

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def file(site: Site) -> Iterator[File]:
    with records(site) as found:
        yield found


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
    assert RECORDS <= len(downloading.value.path().read_text("utf-8").splitlines()) < MANY
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
    wait_until(lambda: other.evaluate(LOCKS) == 0)  # the browser lets go of them a moment later
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
