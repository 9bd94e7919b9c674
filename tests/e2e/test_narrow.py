"""A narrow phone, 360 pixels wide: what stands in a card stands within it."""

import pytest
from playwright.sync_api import ViewportSize

from tests.e2e.test_zoom import PAGES
from tests.e2e.visits import Visits

NARROW: ViewportSize = {"width": 360, "height": 740}
# What reaches beyond the card that it is in, and that nothing scrolls to.
BEYOND = """() => {
  const scrolls = element => /auto|scroll/.test(getComputedStyle(element).overflowX)
  const isReached = (element, card) => element !== card && (scrolls(element) || isReached(element.parentElement, card))
  return [...document.querySelectorAll(".card *")]
    .filter(element => element.checkVisibility() && !element.closest(".visually-hidden, svg, dialog:not([open])"))
    .filter(element => {
      const card = element.closest(".card"), edge = card.getBoundingClientRect()
      const { left, right, width } = element.getBoundingClientRect()
      const isBeyond = width > 0 && (left < edge.left - 1 || right > edge.right + 1)
      return isBeyond && element !== card && !isReached(element, card)
    })
    .map(element => element.outerHTML.slice(0, 160))
}"""

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("path", PAGES)
def test_what_is_in_a_card_stays_in_it(path: str, visits: Visits) -> None:
    """In English, whose words are the longest."""
    page = visits.open(path, locale="en", viewport=NARROW)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    assert page.evaluate(BEYOND) == []
