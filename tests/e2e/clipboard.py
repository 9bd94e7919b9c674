"""The browser's clipboard, which gets its text a moment after a button was pressed."""

from collections.abc import Callable

from playwright.sync_api import Page

from tests.support.brokers import wait_until

READ = "navigator.clipboard.readText()"
UNUSED = "nothing was copied"


def copied(page: Page, copy: Callable[[], None]) -> str:
    """What `copy` copies, once it is there; line breaks are as pages have them."""
    page.evaluate(f"navigator.clipboard.writeText('{UNUSED}')")
    copy()
    wait_until(lambda: page.evaluate(READ) != UNUSED)
    text: str = page.evaluate(READ)
    return text.replace("\r\n", "\n")
