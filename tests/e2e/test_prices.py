"""The administrator's prices: a new one is entered, planned, corrected and taken back."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.looks import Look
from tests.e2e.site import Site
from tests.e2e.visits import Visits
from tests.support.administered_prices import YEAR

COUNTRY = "new Intl.DisplayNames(document.documentElement.lang, { type: 'region' }).of('CN')"

pytestmark = pytest.mark.browser


@pytest.fixture
def page(look: Look, visits: Visits, site: Site) -> Page:
    return look.open(visits, "/admin/prices")


def enter(dialog: Locator, **fields: str) -> None:
    for name, value in fields.items():
        dialog.locator(f'[name="{name}"]').fill(value)


@pytest.fixture
def model(look: Look) -> str:
    return f"house-model-{look.locale}"


@pytest.fixture
def card(page: Page, site: Site, model: str) -> Locator:
    """Of a model that only has a price, open."""
    prices = {"input_hit": "0.1", "input_miss": "1.5", "output": "2"}
    site.ask("POST", "/api/admin/tariffs", {"model": model, "currency": "EUR", "prices": prices})
    page.reload()
    found = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=model))
    found.get_by_text("EUR").first.click()
    return found


def prices_of(site: Site, model: str) -> Any:
    [found] = [each for each in site.ask("GET", "/api/admin/tariffs")["models"] if each["model"] == model]
    return found["lines"][0]["tariffs"]


def test_a_price_is_entered_and_a_mistake_said(look: Look, page: Page, site: Site) -> None:
    say, model = look.say, f"another-{look.locale}"
    page.get_by_role("button", name=say("admin.new_price"), exact=True).first.click()
    dialog = page.get_by_role("dialog", name=say("js.admin.price_new"))
    enter(dialog, model=model, currency="EUR", input_hit="0.1", input_miss="1,5", output="2")
    dialog.get_by_role("button", name=say("base.save")).click()
    expect(dialog.get_by_role("alert")).to_have_text(say("error.bad_price", price="1,5"))
    look.expect_no_fault(page)
    enter(dialog, input_miss="1.5")
    dialog.get_by_role("button", name=say("base.save")).click()
    expect(dialog).to_be_hidden()
    assert prices_of(site, model)[0]["prices"] == {"input_hit": "0.1", "input_miss": "1.5", "output": "2"}
    [year] = [each["year"] for each in site.ask("GET", "/api/admin/tariffs")["doubts"] if each["country"] == "CN"]
    words_of_it = say("js.admin.holidays_unconfirmed", country=page.evaluate(COUNTRY), year=str(year))
    expect(page.locator("[data-doubts]")).to_contain_text(words_of_it)


def test_requests_are_priced_by_the_thousand(look: Look, page: Page, site: Site) -> None:
    say, model = look.say, f"a-search-{look.locale}"
    page.get_by_role("button", name=say("admin.new_price"), exact=True).first.click()
    dialog = page.get_by_role("dialog", name=say("js.admin.price_new"))
    enter(dialog, model=model, currency="EUR", input_hit="0", input_miss="0", output="0")
    requests = dialog.get_by_label(say("admin.price_thousand_requests"), exact=True)
    requests.fill("0.0001")
    dialog.get_by_role("button", name=say("base.save")).click()
    expect(dialog.get_by_role("alert")).to_have_text(say("error.bad_request_price", price="0.0001"))
    look.expect_no_fault(page)
    requests.fill("5")
    dialog.get_by_role("button", name=say("base.save")).click()
    expect(dialog).to_be_hidden()
    assert prices_of(site, model)[0]["thousand_requests"] == "5"
    card = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=model))
    card.get_by_text("EUR").first.click()
    told = say("js.admin.price_of_requests", price="€5.00")
    expect(card.get_by_text(told, exact=True)).to_be_visible()
    expect(card.get_by_role("table")).to_have_count(0)
    page.evaluate("scrollTo(0, 0)")  # nothing lies below the bar at the top
    look.expect_no_fault(page)

    card.get_by_role("button", name=say("js.admin.price_new_of", model=model)).click()
    dialog = page.get_by_role("dialog", name=say("js.admin.price_new_of", model=model))
    expect(dialog.get_by_label(say("admin.price_thousand_requests"), exact=True)).to_have_value("5")
    dialog.get_by_label(say("admin.price_later")).check()
    enter(dialog, moment=f"{YEAR}-01-01T08:00", output="2")
    dialog.get_by_role("button", name=say("base.save")).click()
    expect(dialog).to_be_hidden()
    card.get_by_text("EUR").first.click()
    tokens = say("js.admin.price_three", hit="€0.00", miss="€0.00", output="€2.00")
    expect(card.get_by_text(say("js.admin.price_and_requests", tokens=tokens, requests=told))).to_be_visible()
    page.evaluate("scrollTo(0, 0)")  # nothing lies below the bar at the top
    look.expect_no_fault(page)


def test_a_price_is_planned_with_peak_hours(look: Look, page: Page, site: Site, card: Locator, model: str) -> None:
    say = look.say
    expect(card).to_contain_text(say("js.admin.price_not_offered"))
    expect(card).not_to_contain_text(say("js.admin.price_retired"))
    expect(card).not_to_contain_text(say("js.admin.price_other_currency", currency="EUR"))
    card.get_by_role("button", name=say("js.admin.price_new_of", model=model)).click()
    dialog = page.get_by_role("dialog", name=say("js.admin.price_new_of", model=model))
    expect(dialog.locator('[name="input_miss"]')).to_have_value("1.5")
    dialog.get_by_label(say("admin.price_later")).check()
    dialog.get_by_label(say("admin.has_peak")).check()
    enter(dialog, moment=f"{YEAR}-01-01T08:00", peak_input_hit="0.2", peak_input_miss="3", peak_output="4")
    enter(dialog, hours="09:00 – 12:00，14:00-18:00", off_peak_days=f"{YEAR}-12-24\n{YEAR}-12-31")
    look.expect_no_fault(page)
    dialog.get_by_role("button", name=say("base.save")).click()
    expect(dialog).to_be_hidden()
    planned = prices_of(site, model)[0]
    assert (planned["state"], planned["starts_at"]) == (
        "planned",
        f"{YEAR}-01-01T00:00:00Z",
    )  # the reader's eight o'clock
    assert planned["peak"]["prices"] == {"input_hit": "0.2", "input_miss": "3", "output": "4"}
    assert planned["peak"]["calendar"] == {
        "timezone": "Asia/Shanghai",
        "weekdays": [0, 1, 2, 3, 4],
        "hours": [["09:00", "12:00"], ["14:00", "18:00"]],
        "holidays": "CN",
        "peak_days": [],
        "off_peak_days": [f"{YEAR}-12-24", f"{YEAR}-12-31"],
    }

    card.get_by_text("EUR").first.click()
    look.expect_no_fault(page)
    card.locator("[data-edit-price]").locator("visible=true").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator('[name="moment"]')).to_have_value(re.compile(f"^{YEAR}-01-01T08:00"))
    dialog.get_by_label(say("admin.has_peak")).uncheck()
    enter(dialog, output="9")
    dialog.get_by_role("button", name=say("base.save")).click()
    expect(dialog).to_be_hidden()
    corrected = prices_of(site, model)[0]
    assert (corrected["prices"]["output"], corrected["peak"]) == ("9", None)

    card.get_by_text("EUR").first.click()
    card.locator("[data-remove-price]").locator("visible=true").click()
    page.get_by_role("alertdialog").get_by_role("button", name=say("js.admin.price_remove")).click()
    expect(page.get_by_text(say("js.admin.price_removed", model=model)).first).to_be_visible()
    assert [each["state"] for each in prices_of(site, model)] == ["current"]
