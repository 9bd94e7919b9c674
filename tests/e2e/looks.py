"""The two looks of an administrator's journey: a wide screen in English, and a phone in Chinese."""

from dataclasses import dataclass

from playwright.sync_api import Page, ViewportSize

from tests.e2e import accessible
from tests.e2e.visits import PHONE, WIDE, Visits
from tests.e2e.words import words

# Buttons and links that nobody could call by what is written on them: their name does not contain it.
MISNAMED = """() => [...document.querySelectorAll("button[aria-label], a[aria-label], summary[aria-label]")]
  .filter(element => element.checkVisibility())
  .map(element => [element.innerText.trim().toLowerCase(), element.ariaLabel.toLowerCase()])
  .filter(([written, name]) => !name.includes(written))"""


@dataclass(frozen=True)
class Look:
    locale: str
    viewport: ViewportSize

    def say(self, key: str, **params: object) -> str:
        """What a reader sees there."""
        return words(self.locale)(key, **params)

    def open(self, visits: Visits, path: str, *, signed_in: bool = True) -> Page:
        return visits.open(path, locale=self.locale, viewport=self.viewport, signed_in=signed_in)

    def expect_no_fault(self, page: Page) -> None:
        """Scan the page with whatever is open on it, in two sizes; the journey goes on in its own."""
        accessible.expect_no_fault(page, self.locale)
        assert page.evaluate(MISNAMED) == []
        page.set_viewport_size(self.viewport)


ENGLISH = Look("en", WIDE)
CHINESE = Look("zh", PHONE)
