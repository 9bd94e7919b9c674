"""The price of the hour beside the model that is chosen."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.visits import PHONE, WIDE, Visits
from tests.e2e.words import words

pytestmark = pytest.mark.browser

HOURS = "[data-peak]"


@pytest.mark.parametrize("viewport", [PHONE, WIDE], ids=["phone", "wide"])
@pytest.mark.parametrize("locale", ["zh", "en"])
def test_the_composer_says_what_hour_it_is_until_it_changes(visits: Visits, locale: str, viewport: Any) -> None:
    say = words(locale)
    page = visits.open("/", locale=locale, viewport=viewport)
    said = page.locator(HOURS)
    until = "|".join(re.escape(say(f"js.{kind}_until", time="TIME")) for kind in ("peak", "off_peak"))
    expect(said).to_have_text(re.compile(until.replace("TIME", r".*\d.*")))
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    page.clock.install()
    page.reload()
    expect(said).to_be_visible()
    page.clock.fast_forward(30 * 86_400_000)  # holidays may be long
    expect(said).to_be_hidden()
