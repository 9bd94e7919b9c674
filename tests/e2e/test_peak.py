"""The price of the hour beside the model that is chosen."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.held import Held
from tests.e2e.looks import Look
from tests.e2e.site import Site
from tests.e2e.visits import PHONE, WIDE, Visits
from tests.e2e.words import words
from tests.support.administered_prices import HIGH, PRICES, TARIFFS

pytestmark = pytest.mark.browser

HOURS = "[data-peak]"
A_TURN = 15_000  # milliseconds in which whoever waits for an hour has asked what it brings
LOOK_AGAIN = "() => dispatchEvent(new Event('focus'))"

Turn = Callable[[list[int]], None]


def said(say: Callable[..., str], *kinds: str) -> re.Pattern[str]:
    either = "|".join(re.escape(say(f"js.{kind}_until", time="TIME")) for kind in kinds)
    return re.compile(either.replace("TIME", r".*\d.*"))


@pytest.mark.parametrize("viewport", [PHONE, WIDE], ids=["phone", "wide"])
@pytest.mark.parametrize("locale", ["zh", "en"])
def test_the_composer_says_what_hour_it_is(visits: Visits, locale: str, viewport: Any) -> None:
    page = visits.open("/", locale=locale, viewport=viewport)
    expect(page.locator(HOURS)).to_have_text(said(words(locale), "peak", "off_peak"))
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


@pytest.fixture
def peak_on(site: Site) -> Iterator[Turn]:
    """Makes some days, counted from today in UTC, peak hours of the model that new chats begin with."""
    model = site.ask("GET", "/api/models")["default"]
    [lines] = [each["lines"] for each in site.ask("GET", TARIFFS)["models"] if each["model"] == model]
    [(currency, tariffs)] = [(line["currency"], line["tariffs"]) for line in lines if line["billed"]]
    usual = next(each for each in tariffs if each["state"] == "current")

    def price(**terms: Any) -> None:
        site.ask("POST", TARIFFS, {"model": model, "currency": currency} | terms)

    def turn(days: list[int]) -> None:
        weekdays = [(datetime.now(UTC) + timedelta(days=day)).weekday() for day in days]
        calendar = {"timezone": "UTC", "weekdays": weekdays, "hours": [["00:00", "24:00"]]}
        price(prices=PRICES, peak={"prices": HIGH, "calendar": calendar})

    yield turn
    price(prices=usual["prices"], peak=usual["peak"])


def until(page: Page) -> int:
    """When the hours that the page was told of are over, from now in milliseconds."""
    ends = "() => JSON.parse(document.querySelector('#chat-state').textContent).models[0].peak.until"
    return int((datetime.fromisoformat(page.evaluate(ends)) - datetime.now(UTC)).total_seconds() * 1000)


@pytest.fixture
def page(look: Look, visits: Visits, peak_on: Turn) -> Page:
    """Opened in a peak hour, with a clock of its own."""
    peak_on([0, 1])
    page = look.open(visits, "/")
    page.clock.install()
    page.reload()
    expect(page.locator(HOURS)).to_have_text(said(look.say, "peak"))
    return page


def test_another_hour_is_told_when_it_comes_and_to_whoever_looks_again(look: Look, page: Page, peak_on: Turn) -> None:
    hours = page.locator(HOURS)
    peak_on([4])
    page.clock.fast_forward(until(page) + A_TURN)
    expect(hours).to_have_text(said(look.say, "off_peak"))
    peak_on([0, 1, 2, 3])
    page.evaluate(LOOK_AGAIN)
    expect(hours).to_have_text(said(look.say, "peak"))
    look.expect_no_fault(page)


def test_a_page_that_nobody_sees_asks_for_no_hour(look: Look, page: Page, peak_on: Turn) -> None:
    hours, asked = page.locator(HOURS), list[str]()
    page.on("request", lambda request: asked.append(request.url))
    peak_on([4])
    page.evaluate("() => Object.defineProperty(document, 'hidden', {configurable: true, value: true})")
    page.clock.fast_forward(until(page) + A_TURN)
    expect(hours).to_be_hidden()
    page.clock.fast_forward(5 * 60_000)
    assert not [each for each in asked if each.endswith("/api/models")], "it would be a visit of its person"
    page.evaluate("() => { delete document.hidden; document.dispatchEvent(new Event('visibilitychange')) }")
    expect(hours).to_have_text(said(look.say, "off_peak"))


def test_an_hour_that_cannot_be_asked_for_is_told_a_minute_later(look: Look, page: Page, peak_on: Turn) -> None:
    hours = page.locator(HOURS)
    peak_on([4])
    asked = Held(page, "**/api/models")
    page.clock.fast_forward(until(page) + A_TURN)
    asked.wait().abort()
    expect(hours).to_be_hidden()
    page.unroute_all()
    page.clock.fast_forward(60_000)
    expect(hours).to_have_text(said(look.say, "off_peak"))
