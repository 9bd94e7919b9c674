"""Budgets on the pages: what is left stands by the composer and on the dashboard, and administrators set them."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import entrance
from tests.e2e.chat import Chat
from tests.e2e.site import Site
from tests.e2e.visits import Visits
from tests.e2e.words import words
from tests.support.scripted_upstream import Answer, ScriptedUpstream, Usage
from tests.support.served import PASSWORD

en = words("en")
BUDGETS = "/api/admin/budgets"
DAILY = en("js.budget.name_day", whose=en("js.budget.whose_user"))

pytestmark = pytest.mark.browser

Limit = Callable[..., None]


@pytest.fixture
def person(site: Site, request: pytest.FixtureRequest) -> Any:
    """Somebody who has used nothing yet."""
    name = f"saver {request.node.name}"[:40].replace("_", " ")
    body = {"username": name, "role": "member", "password": PASSWORD}
    return site.ask("POST", "/api/admin/users", body)["user"]


@pytest.fixture
def limit(site: Site, person: Any) -> Iterator[Limit]:
    """Limits what the person may use."""
    made = []

    def add(amount: int, **fields: Any) -> None:
        body = {"scope": "user", "scope_id": person["id"], "period": "day", "limit": amount} | fields
        made.append(site.ask("POST", BUDGETS, body)["id"])

    yield add
    for budget_id in made:
        site.ask("DELETE", f"{BUDGETS}/{budget_id}")


@pytest.fixture
def come_in(visits: Visits, site: Site, person: Any) -> Callable[[str], Page]:
    def open_as_person(path: str) -> Page:
        page = visits.open(f"/login?next={path}", signed_in=False)
        entrance.sign_in(page, en, username=person["username"], password=PASSWORD)
        page.wait_for_url(site.url + path)
        return page

    return open_as_person


def used(tokens: int) -> Answer:
    return Answer("Indeed.", usage=Usage(prompt=10, cached=0, completion=tokens - 10))


def tokens(count: int) -> str:
    return en("js.budget.tokens", count=f"{count:,}")


def left(count: int) -> str:
    return en("js.budget.left_day", whose="", amount=tokens(count))


def test_what_is_left_today_stands_by_the_composer_until_it_is_used_up(
    come_in: Callable[[str], Page], limit: Limit, script: ScriptedUpstream
) -> None:
    limit(10_000)
    page = come_in("/")
    line = page.locator("[data-left]")
    expect(line).to_have_text(left(10_000))
    chat = Chat(page, en)
    script.script(used(8_500), used(1_400))
    chat.ask("First")
    expect(line).to_have_text(left(1_500))
    expect(line).to_have_attribute("data-state", "low")
    chat.ask("Second")
    expect(line).to_contain_text(DAILY)
    expect(line).to_have_attribute("data-state", "exhausted")
    assert len(script.journal.chats) == 2

    chat.send("Third")
    expect(chat.problem).to_contain_text(DAILY)
    expect(chat.problem).to_contain_text(tokens(10_000))
    expect(chat.problem).to_contain_text("administrator")
    expect(line).to_be_hidden()  # once is enough
    expect(chat.text).to_have_value("Third")
    expect(chat.questions).to_have_count(2)
    assert len(script.journal.chats) == 2


def test_without_budgets_nothing_is_said_and_nothing_asked(
    come_in: Callable[[str], Page], script: ScriptedUpstream, visits: Visits
) -> None:
    page = come_in("/")
    Chat(page, en).ask("Hello")
    expect(page.locator("[data-left]")).to_be_hidden()
    asked = [request.url for request in visits.watch(page).requests]
    assert [url for url in asked if "/api/budgets" in url] == []


def test_the_dashboard_draws_a_bar_for_each_budget(
    come_in: Callable[[str], Page], limit: Limit, script: ScriptedUpstream
) -> None:
    limit(10_000)
    limit(1_000, period="week", hard=False)
    limit(50_000_000, period="month", unit="CNY")
    page = come_in("/")
    script.script(used(2_500))
    Chat(page, en).ask("Hello")
    page.goto("/dashboard")
    budgets = page.get_by_role("region", name=en("budgets.title")).get_by_role("listitem")
    expect(budgets).to_have_count(3)
    daily = budgets.filter(has_text=DAILY)
    expect(daily.get_by_role("meter")).to_have_attribute("aria-valuenow", "25")
    for figure in (tokens(2_500), tokens(7_500), tokens(10_000)):
        expect(daily).to_contain_text(figure)
    weekly = budgets.filter(has_text=en("js.budget.name_week", whose=en("js.budget.whose_user")))
    expect(weekly.get_by_text(en("budgets.soft"))).to_be_visible()
    expect(daily.get_by_text(en("budgets.soft"))).to_be_hidden()
    expect(weekly).to_contain_text(en("js.budget.state_reached"))
    expect(weekly.get_by_role("meter")).to_have_attribute("aria-valuenow", "100")
    expect(budgets.filter(has_text="¥50.00")).to_be_visible()
