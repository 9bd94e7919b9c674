"""Budgets on the pages: what is left stands by the composer and on the dashboard."""

import re
from functools import partial
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.budgets import BUDGETS, ComeIn, Limit, tokens, used
from tests.e2e.chat import Chat
from tests.e2e.looks import ENGLISH, Look
from tests.e2e.site import Site
from tests.e2e.visits import Visits
from tests.e2e.words import Words
from tests.support.scripted_upstream import ScriptedUpstream

en = ENGLISH.say

pytestmark = pytest.mark.browser


def looks(visits: Visits, page: Page) -> list[str]:
    """How often the page has asked how the budgets stand."""
    return [request.url for request in visits.watch(page).requests if request.url.endswith("/api/budgets")]


def left(count: int, say: Words) -> str:
    return say("js.budget.left_day", whose="", amount=tokens(count, say))


def own(period: str, say: Words) -> str:
    """What a budget of the reader's is called."""
    return say(f"js.budget.name_{period}", whose=say("js.budget.whose_user"))


def test_what_is_left_today_stands_by_the_composer_until_it_is_used_up(
    look: Look, come_in: ComeIn, limit: Limit, script: ScriptedUpstream, visits: Visits
) -> None:
    limit(10_000)
    say, page = look.say, come_in("/", look)
    line = page.locator("[data-left]")
    expect(line).to_have_text(left(10_000, say))
    assert looks(visits, page) == [], "it has come with the page"
    chat = Chat(page, say)
    script.script(used(8_500), used(1_400))
    chat.ask("First")
    expect(line).to_have_text(left(1_500, say))
    expect(line).to_have_attribute("data-state", "low")
    chat.ask("Second")
    expect(line).to_contain_text(own("day", say))
    expect(line).to_have_attribute("data-state", "exhausted")
    assert len(script.journal.chats) == 2

    chat.send("Third")
    expect(chat.problem).to_contain_text(own("day", say))
    expect(chat.problem).to_contain_text(tokens(10_000, say))
    expect(chat.problem).to_contain_text(say("js.budget.help_renewing"))
    expect(chat.problem.get_by_role("link", name=say("js.see_budgets"))).to_have_attribute("href", "/dashboard")
    expect(line).to_be_hidden()  # once is enough
    expect(chat.text).to_have_value("Third")
    expect(chat.questions).to_have_count(2)
    assert len(script.journal.chats) == 2
    look.expect_no_fault(page)


def test_what_is_left_today_stands_beside_a_tighter_budget_in_two_lines_at_most(
    look: Look, come_in: ComeIn, limit: Limit, script: ScriptedUpstream
) -> None:
    limit(20_000)
    limit(10_000, period="month")
    say, page = look.say, come_in("/", look)
    line, month = page.locator("[data-left]"), partial(say, "js.budget.left_month", whose="")
    expect(line).to_have_text(left(20_000, say))
    script.script(used(8_500))
    Chat(page, say).ask("First")
    expect(line).to_have_text(f"{month(amount=tokens(1_500, say))} · {left(11_500, say)}")
    expect(line).to_have_attribute("data-state", "low")
    lines = "line => line.clientHeight / parseFloat(getComputedStyle(line).lineHeight)"
    assert line.evaluate(lines) < 3
    look.expect_no_fault(page)


def test_an_administrator_is_led_to_the_page_of_budgets_and_both_sentences_have_one_time(
    look: Look, visits: Visits, site: Site
) -> None:
    say = look.say
    made = site.ask("POST", BUDGETS, {"scope": "site", "period": "day", "limit": 1})
    words = {"budget": say("js.budget.name_day", whose=say("js.budget.whose_site")), "limit": tokens(1, say)}
    words["help"] = say("js.budget.help_admin")
    try:
        page = look.open(visits, "/")
        line = page.locator("[data-left]")
        expect(line).to_contain_text(words["help"])
        expect(line.get_by_role("link", name=say("js.see_budgets"))).to_have_attribute("href", "/admin/budgets")
        before, _, after = say("js.budget.exhausted", renewal="|", **words).partition("|")
        renewal = re.search(f"{re.escape(before)}(.+){re.escape(after)}", line.inner_text())
        assert renewal
        look.expect_no_fault(page)
        chat = Chat(page, say)
        chat.send("Hello")
        expect(chat.problem).to_contain_text(say("js.budget.refused", renewal=renewal[1], **words))
        expect(chat.problem.get_by_role("link", name=say("js.see_budgets"))).to_have_attribute("href", "/admin/budgets")
    finally:
        site.ask("DELETE", f"{BUDGETS}/{made['id']}")


def test_without_budgets_nothing_is_said_and_nothing_asked(
    come_in: ComeIn, script: ScriptedUpstream, visits: Visits
) -> None:
    page = come_in("/")
    Chat(page, en).ask("Hello")
    expect(page.locator("[data-left]")).to_be_hidden()
    assert looks(visits, page) == []


def test_a_page_that_is_come_back_to_looks_again(come_in: ComeIn, limit: Limit, site: Site, person: Any) -> None:
    limit(1)
    page = come_in("/")
    line = page.locator("[data-left]")
    expect(line).to_have_attribute("data-state", "exhausted")
    expect(line.get_by_role("link")).to_be_hidden()
    [budget] = [each for each in site.ask("GET", BUDGETS)["budgets"] if each["scope_id"] == person["id"]]
    site.ask("PATCH", f"{BUDGETS}/{budget['id']}", {"limit": 5_000})
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(line).to_have_text(left(5_000, en))


def test_the_dashboard_draws_a_bar_for_each_budget(
    look: Look, come_in: ComeIn, limit: Limit, script: ScriptedUpstream
) -> None:
    limit(10_000)
    limit(1_000, period="week", hard=False)
    limit(50_000_000, period="month", unit="CNY")
    say, page = look.say, come_in("/", look)
    script.script(used(2_500))
    Chat(page, say).ask("Hello")
    page.goto("/dashboard")
    section = page.get_by_role("region", name=say("budgets.title"))
    budgets = section.get_by_role("listitem")
    expect(budgets).to_have_count(3)
    expect(section.locator("[data-slot=zone]")).to_be_hidden()
    daily = budgets.filter(has_text=own("day", say))
    expect(daily.get_by_role("meter")).to_have_attribute("aria-valuenow", "25")
    for figure in (tokens(2_500, say), tokens(7_500, say), tokens(10_000, say)):
        expect(daily).to_contain_text(figure)
    weekly = budgets.filter(has_text=own("week", say))
    expect(weekly.get_by_text(say("budgets.soft"))).to_be_visible()
    expect(daily.get_by_text(say("budgets.soft"))).to_be_hidden()
    expect(weekly).to_contain_text(say("js.budget.state_reached"))
    expect(weekly.get_by_role("meter")).to_have_attribute("aria-valuenow", "100")
    expect(budgets.filter(has_text="¥50.00")).to_be_visible()
    look.expect_no_fault(page)


def test_budgets_that_count_days_elsewhere_than_the_figures_say_so(
    come_in: ComeIn, limit: Limit, visits: Visits
) -> None:
    limit(10_000)
    page = come_in("/account")
    page.locator("[data-timezones]").select_option("America/New_York")
    expect(page.locator(".toast")).to_be_visible()
    page.goto("/dashboard")
    expect(page.locator("[data-zone]")).to_contain_text("Eastern Time")
    section = page.get_by_role("region", name=en("budgets.title"))
    expect(section).to_contain_text(en("js.budget.zone", zone="China Standard Time"))
