"""The browser's clipboard, which gets its text a moment after a button was pressed."""

from collections.abc import Callable

from playwright.sync_api import Page

READ = "navigator.clipboard.readText()"
MADE = f"async before => (await {READ}) !== before"
UNUSED = "nothing was copied"


def copied(page: Page, copy: Callable[[], None]) -> str:
    """What `copy` copies, once it is there; line breaks are as pages have them."""
    page.evaluate(f"navigator.clipboard.writeText('{UNUSED}')")
    copy()
    page.wait_for_function(MADE, arg=UNUSED, polling=20)
    text: str = page.evaluate(READ)
    return text.replace("\r\n", "\n")
