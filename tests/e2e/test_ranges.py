"""Ranges of days in the browser: chosen, kept in the address, told apart, taken away as a table."""

import csv
import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.e2e.looks import Look
from tests.e2e.site import Site
from tests.e2e.visits import NARROWEST, PHONE, Visits
from tests.e2e.words import Words, words
from tests.support.scripted_upstream import Answer, ScriptedUpstream, Usage
from tests.support.served import USERNAME

en = words("en")

# How wide a field is, and how wide it would be by what stands in it.
WIDTHS = """input => {
  const free = input.cloneNode()
  Object.assign(free.style, { position: "absolute", inlineSize: "max-content", minInlineSize: 0 })
  input.after(free)
  const widths = [input.offsetWidth, free.offsetWidth]
  free.remove()
  return widths
}"""

pytestmark = pytest.mark.browser


@pytest.fixture
def answer(site: Site, script: ScriptedUpstream) -> None:
    script.script(Answer("It is.", usage=Usage(prompt=700, cached=500, completion=40)))
    list(site.server.chat("Is it?"))


@pytest.fixture
def today() -> str:
    return f"{datetime.now(ZoneInfo('Asia/Shanghai')):%Y-%m-%d}"


def sum_of(page: Page, name: str) -> str:
    """As soon as it is there: the figures above are drawn before it."""
    found = page.locator(f"[data-sums] [data-slot={name}]")
    expect(found).not_to_have_text("–")
    return found.inner_text()


def choose(page: Page, preset: str, say: Words = en) -> None:
    page.get_by_role("navigation", name=say("stats.range")).get_by_role("link", name=preset, exact=True).click()


@pytest.mark.parametrize("path", ["/dashboard", "/admin"])
def test_a_range_is_chosen_and_stands_in_the_address(path: str, visits: Visits, answer: None, today: str) -> None:
    page = visits.open(path)
    everything = sum_of(page, "tokens")
    choose(page, en("stats.today"))
    expect(page).to_have_url(re.compile(rf"{path}\?from={today}&to={today}#range$"))
    expect(page.locator("[data-preset=today]")).to_have_attribute("aria-current", "true")
    expect(page.get_by_role("heading", name=en("js.stats.bars_hour"))).to_be_visible()
    assert sum_of(page, "tokens") == everything, "the site was made today"
    first = (datetime.fromisoformat(today) - timedelta(days=400)).date().isoformat()
    last = (datetime.fromisoformat(today) - timedelta(days=300)).date().isoformat()
    page.get_by_label(en("admin.from"), exact=True).fill(first)
    page.get_by_label(en("admin.to"), exact=True).fill(last)
    page.get_by_role("button", name=en("stats.show")).click()
    expect(page).to_have_url(re.compile(rf"{path}\?from={first}&to={last}#range$"))
    expect(page.locator("[data-sums] [data-slot=tokens]")).to_have_text("0")
    expect(page.get_by_role("heading", name=en("js.stats.bars_month"))).to_be_visible()
    page.go_back()
    expect(page.locator("[data-sums] [data-slot=tokens]")).to_have_text(everything)


def test_the_first_day_cannot_lie_after_the_last(visits: Visits, answer: None, today: str) -> None:
    page = visits.open("/dashboard")
    sum_of(page, "tokens")
    page.get_by_label(en("admin.from"), exact=True).fill("2990-01-02")
    page.get_by_role("button", name=en("stats.show")).click()
    assert page.get_by_label(en("admin.to"), exact=True).evaluate("input => input.validity.rangeUnderflow")
    expect(page).to_have_url(re.compile("/dashboard$"))


def test_use_is_told_apart_and_stays_so_over_another_range(look: Look, visits: Visits, answer: None) -> None:
    say, page = look.say, look.open(visits, "/admin")
    rows = page.locator("[data-breakdown-rows] tr")
    expect(rows.filter(has_text=USERNAME)).to_be_visible()
    bar = rows.first.get_by_role("progressbar", include_hidden=True).bounding_box()
    assert bar
    assert bar["height"] < 10 < bar["width"], "a line below the name"
    for by, row in (
        ("channel", say("js.records.channel_chat")),
        ("group", say("admin.everyone")),
        ("model", "deepseek"),
    ):
        page.get_by_role("button", name=say(f"stats.by_{by}"), exact=True).click()
        expect(rows.filter(has_text=row).first).to_be_visible()
        expect(page.get_by_text(say("stats.group_note"))).to_be_visible(visible=by == "group")
    look.expect_no_fault(page)
    choose(page, say("stats.days_7"), say)
    expect(page.get_by_role("button", name=say("stats.by_model"), exact=True)).to_have_attribute("aria-pressed", "true")
    rows.filter(has_text="deepseek").first.get_by_role("link").click()
    expect(page).to_have_url(re.compile(r"/admin/records\?model=deepseek[^&]*&from=[0-9-]{10}&to=[0-9-]{10}$"))


def test_what_is_shown_is_taken_away_as_a_table(visits: Visits, answer: None, today: str) -> None:
    page = visits.open("/dashboard")
    with page.expect_download() as chart:
        page.locator("[data-bars] [data-csv]").click()
    days = list(csv.DictReader(chart.value.path().read_text("utf-8-sig").splitlines()))
    assert (len(days), days[-1]["day"]) == (30, today)
    page.get_by_role("button", name=en("stats.by_hour"), exact=True).click()
    expect(page.locator("[data-breakdown-rows] tr")).to_have_count(24)
    with page.expect_download() as breakdown:
        page.locator("[data-breakdown] [data-csv]").click()
    hours = list(csv.DictReader(breakdown.value.path().read_text("utf-8-sig").splitlines()))
    assert sum(int(hour["total_tokens"]) for hour in hours) == sum(int(day["total_tokens"]) for day in days) > 0


@pytest.mark.parametrize("path", ["/dashboard", "/admin"])
def test_the_chart_tells_of_the_bar_under_the_pointer(path: str, visits: Visits, answer: None) -> None:
    page = visits.open(path)
    told, drawn = page.locator("[data-bars] [data-readout]"), page.locator("[data-chart] .u-over")
    expect(drawn).to_be_visible()
    newest = told.inner_text()
    assert newest
    drawn.hover(position={"x": 3, "y": 50})
    expect(told).not_to_have_text(newest)
    expect(told).to_contain_text("input 0, output 0")
    page.mouse.move(0, 0)
    expect(told).to_have_text(newest)


@pytest.mark.parametrize("path", ["/dashboard", "/admin"])
def test_the_year_is_a_calendar_and_a_table(path: str, visits: Visits, answer: None, today: str) -> None:
    page = visits.open(path, viewport=PHONE)
    heat = page.locator("[data-heat]")
    heat.scroll_into_view_if_needed()
    day = heat.locator(f"[data-day='{today}']")
    expect(day).to_have_attribute("data-level", "4")
    page.wait_for_load_state("networkidle")
    heat.scroll_into_view_if_needed()  # what has come above it meanwhile may have pushed it away
    expect(day).to_be_in_viewport()
    assert heat.locator("[data-heat-days] [data-day]").count() in (365, 366)
    expect(heat.locator("[data-heat-words]")).to_contain_text(
        en("js.stats.year", count="1", day="|", tokens="").split("|")[0]
    )
    heat.get_by_text(en("dashboard.days_as_table")).click()
    row = heat.get_by_role("row").nth(1)
    expect(row).to_contain_text(sum_of(page, "tokens"))
    row.get_by_role("link").click()
    expect(page).to_have_url(re.compile(rf"{path}\?from={today}&to={today}#range$"))


@pytest.mark.parametrize("viewport", [NARROWEST, PHONE], ids=["narrowest", "phone"])
@pytest.mark.parametrize("locale", ["zh", "en"])
@pytest.mark.parametrize("path", ["/dashboard", "/admin", "/admin/records", "/admin/reconciliation"])
def test_a_phone_shows_whole_dates(
    path: str, locale: str, viewport: ViewportSize, visits: Visits, answer: None
) -> None:
    page = visits.open(path, locale=locale, viewport=viewport)
    dates = page.locator("input[type=date]").filter(visible=True)
    expect(dates).to_have_count(2)
    for date in dates.all():
        width, needed = date.evaluate(WIDTHS)
        assert 100 < needed <= width
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
