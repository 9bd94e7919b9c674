"""Records that are downloaded: enough of them, a line that takes its time, and what the browser is given."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import CDPSession, Download, Page, Route, expect

from tests.e2e.site import Site
from tests.e2e.words import words
from tests.support.scripted_upstream import Answer

RECORDS = 24
PATIENCE_SECONDS = 30  # for what is there a moment later
SECONDS = 20  # for a file that is not to be there before the test wants it
MANY = 100_001  # records: too many for the memory
ON_DISK = """async () => {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("downloads", { create: true })
    return await Array.fromAsync(folder.keys())
}"""

en = words("en")


@dataclass(frozen=True)
class File:
    """The administrator's records of the last days, as JSON Lines."""

    records: int
    size: int


@contextmanager
def records(site: Site) -> Iterator[File]:
    """Some records at least, which may be downloaded as often as the tests like."""
    site.rest()
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
    until = time.monotonic() + PATIENCE_SECONDS
    while on_disk(page) and time.monotonic() < until:
        page.wait_for_timeout(50)
    assert on_disk(page) == []


def the_one(page: Page, kept: list[Download]) -> Download:
    """It may come a moment after it is told."""
    until = time.monotonic() + PATIENCE_SECONDS
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
