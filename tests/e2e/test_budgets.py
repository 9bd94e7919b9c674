"""Budgets on the pages: what is left stands by the composer and on the dashboard, and administrators set them."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

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


def looks(visits: Visits, page: Page) -> list[str]:
    """How often the page has asked how the budgets stand."""
    return [request.url for request in visits.watch(page).requests if request.url.endswith("/api/budgets")]


def tokens(count: int) -> str:
    return en("js.budget.tokens", count=f"{count:,}")


def left(count: int) -> str:
    return en("js.budget.left_day", whose="", amount=tokens(count))


def test_what_is_left_today_stands_by_the_composer_until_it_is_used_up(
    come_in: Callable[[str], Page], limit: Limit, script: ScriptedUpstream, visits: Visits
) -> None:
    limit(10_000)
    page = come_in("/")
    line = page.locator("[data-left]")
    expect(line).to_have_text(left(10_000))
    assert looks(visits, page) == [], "it has come with the page"
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
    expect(chat.problem.get_by_role("link", name=en("js.see_budgets"))).to_have_attribute("href", "/dashboard")
    expect(line).to_be_hidden()  # once is enough
    expect(chat.text).to_have_value("Third")
    expect(chat.questions).to_have_count(2)
    assert len(script.journal.chats) == 2


def test_an_administrator_is_led_to_the_page_of_budgets_and_both_sentences_have_one_time(
    visits: Visits, site: Site
) -> None:
    made = site.ask("POST", BUDGETS, {"scope": "site", "period": "day", "limit": 1})
    try:
        page = visits.open("/")
        line = page.locator("[data-left]")
        expect(line).to_contain_text(en("js.budget.help_admin"))
        expect(line.get_by_role("link", name=en("js.see_budgets"))).to_have_attribute("href", "/admin/budgets")
        renewal = re.search(r"renews on (.+?)\. ", line.inner_text())
        assert renewal
        chat = Chat(page, en)
        chat.send("Hello")
        expect(chat.problem).to_contain_text(f"renews on {renewal[1]}. {en('js.budget.help_admin')}")
        expect(chat.problem.get_by_role("link", name=en("js.see_budgets"))).to_have_attribute("href", "/admin/budgets")
    finally:
        site.ask("DELETE", f"{BUDGETS}/{made['id']}")


def test_without_budgets_nothing_is_said_and_nothing_asked(
    come_in: Callable[[str], Page], script: ScriptedUpstream, visits: Visits
) -> None:
    page = come_in("/")
    Chat(page, en).ask("Hello")
    expect(page.locator("[data-left]")).to_be_hidden()
    assert looks(visits, page) == []


def test_a_page_that_is_come_back_to_looks_again(
    come_in: Callable[[str], Page], limit: Limit, site: Site, person: Any
) -> None:
    limit(1)
    page = come_in("/")
    line = page.locator("[data-left]")
    expect(line).to_have_attribute("data-state", "exhausted")
    expect(line.get_by_role("link")).to_be_hidden()
    [budget] = [each for each in site.ask("GET", BUDGETS)["budgets"] if each["scope_id"] == person["id"]]
    site.ask("PATCH", f"{BUDGETS}/{budget['id']}", {"limit": 5_000})
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(line).to_have_text(left(5_000))


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
    zone = page.get_by_text(en("js.budget.zone", zone="China Standard Time"))
    expect(zone).to_be_hidden()
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


@pytest.fixture
def admin(visits: Visits) -> Page:
    return visits.open("/admin/budgets")


def dialog_for_a_new_one(page: Page) -> Locator:
    page.get_by_role("button", name=en("budgets.new")).click()
    return page.get_by_role("dialog", name=en("js.admin.budget_new"))


def save(dialog: Locator) -> None:
    dialog.get_by_role("button", name=en("base.save")).click()


def test_budgets_that_count_days_elsewhere_than_the_figures_say_so(
    come_in: Callable[[str], Page], limit: Limit, visits: Visits
) -> None:
    limit(10_000)
    page = come_in("/account")
    page.locator("[data-timezones]").select_option("America/New_York")
    expect(page.locator(".toast")).to_be_visible()
    page.goto("/dashboard")
    expect(page.locator("[data-lead]")).to_contain_text("Eastern Time")
    section = page.get_by_role("region", name=en("budgets.title"))
    expect(section).to_contain_text(en("js.budget.zone", zone="China Standard Time"))


def test_an_administrator_adds_changes_and_deletes_a_budget(admin: Page, site: Site, person: Any) -> None:
    dialog = dialog_for_a_new_one(admin)
    dialog.get_by_label(en("budgets.scope_user")).check()
    name = dialog.get_by_label(en("dashboard.user"), exact=True)
    name.fill(person["username"][2:])
    expect(dialog.locator("#known-people option")).to_have_attribute("value", person["username"])
    name.fill(person["username"].upper())
    dialog.get_by_label(en("budgets.measure_money")).check()
    dialog.get_by_label(en("budgets.period"), exact=True).select_option("month")
    dialog.get_by_label(en("budgets.limit"), exact=True).fill("1,250.5")
    expect(dialog).to_contain_text("= ¥1,250.50")
    save(dialog)
    row = admin.get_by_role("listitem").filter(has_text=person["username"])
    expect(row).to_contain_text(en("js.admin.budget_per_month", limit="¥1,250.50"))
    expect(row.get_by_role("button", name=en("admin.edit"))).to_be_focused()
    [stored] = [each for each in site.ask("GET", BUDGETS)["budgets"] if each["scope_id"] == person["id"]]
    assert (stored["unit"], stored["limit"], stored["hard"]) == ("CNY", 1_250_500_000, True)

    row.locator("[data-edit]").click()
    dialog = admin.get_by_role("dialog")
    expect(dialog.get_by_text(en("budgets.for_whom"))).to_be_hidden()
    expect(dialog.get_by_label(en("budgets.limit"), exact=True)).to_have_value("1250.5")
    dialog.get_by_label(en("budgets.limit"), exact=True).fill("5")
    dialog.get_by_label(en("budgets.kind_soft")).check()
    save(dialog)
    expect(row).to_contain_text(en("budgets.soft"))
    expect(row).to_contain_text(en("js.admin.budget_per_month", limit="¥5.00"))

    row.locator("[data-delete]").click()
    admin.get_by_role("alertdialog").get_by_role("button", name=en("js.admin.delete")).click()
    expect(row).to_be_hidden()
    assert [each for each in site.ask("GET", BUDGETS)["budgets"] if each["scope_id"] == person["id"]] == []


def test_what_is_wrong_is_said_beside_its_field(admin: Page, limit: Limit, person: Any) -> None:
    limit(1_000)
    dialog = dialog_for_a_new_one(admin)
    amount = dialog.get_by_label(en("budgets.limit"), exact=True)
    name = dialog.get_by_label(en("dashboard.user"), exact=True)
    dialog.get_by_label(en("budgets.scope_user")).check()
    name.fill("nobody at all")
    amount.fill("1,5")
    save(dialog)
    expect(amount).to_have_accessible_description(re.compile(re.escape(en("js.admin.budget_bad_tokens", text="1,5"))))
    expect(amount).to_be_focused()
    amount.fill("0")
    save(dialog)
    expect(dialog.get_by_role("alert")).to_have_text(en("js.admin.budget_zero"))
    amount.fill("9,000,000,000,000,000")
    save(dialog)
    expect(dialog.get_by_role("alert")).to_have_text(en("js.admin.budget_too_large", most=tokens(10**15)))
    amount.fill("1,500")
    save(dialog)
    expect(dialog.get_by_role("alert")).to_have_text(en("js.admin.budget_no_person", name="nobody at all"))
    expect(name).to_be_focused()
    name.fill(person["username"])
    save(dialog)
    expect(dialog.get_by_role("alert")).to_have_text(en("error.budget_exists"))
    dialog.get_by_label(en("budgets.measure_money")).check()
    dialog.get_by_label(en("admin.currency"), exact=True).fill("元元元")
    save(dialog)
    expect(dialog.get_by_role("alert")).to_have_text(en("error.bad_currency"))


def test_each_person_of_a_group_has_a_budget_of_their_own(admin: Page, site: Site) -> None:
    dialog = dialog_for_a_new_one(admin)
    dialog.get_by_label(en("budgets.scope_member")).check()
    dialog.get_by_label(en("admin.group"), exact=True).select_option(label=en("admin.everyone"))
    dialog.get_by_label(en("budgets.limit"), exact=True).fill("1000000000")
    save(dialog)
    row = admin.get_by_role("listitem").filter(has_text=en("js.admin.budget_of_member", name=en("admin.everyone")))
    expect(row).to_contain_text(en("budgets.each"))
    expect(row.get_by_role("meter")).to_have_count(0)
    row.locator("[data-delete]").click()
    admin.get_by_role("alertdialog").get_by_role("button", name=en("js.admin.delete")).click()
    expect(row).to_be_hidden()


def test_a_group_that_is_gone_is_said_beside_its_field(visits: Visits, site: Site) -> None:
    group = site.ask("POST", "/api/admin/groups", {"name": "Gone soon"})["id"]
    admin = visits.open("/admin/budgets")
    site.ask("DELETE", f"/api/admin/groups/{group}")
    dialog = dialog_for_a_new_one(admin)
    dialog.get_by_label(en("budgets.scope_group")).check()
    choice = dialog.get_by_label(en("admin.group"), exact=True)
    choice.select_option(label="Gone soon")
    dialog.get_by_label(en("budgets.limit"), exact=True).fill("100")
    save(dialog)
    expect(choice).to_have_accessible_description(en("error.unknown_group"))
    expect(choice).to_be_focused()


def test_many_budgets_come_page_by_page(limit: Limit, visits: Visits) -> None:
    for number in range(51):
        limit(1_000_000, unit=f"X{chr(65 + number // 3)}X", period=("day", "week", "month")[number % 3])
    admin = visits.open("/admin/budgets")
    rows = admin.locator("[data-budgets] > li")
    expect(rows).to_have_count(50)
    admin.get_by_role("button", name=en("base.more")).dblclick()
    expect(rows.nth(50).locator("[data-edit]")).to_be_focused()
    expect(rows).to_have_count(51)
    expect(admin.get_by_role("button", name=en("base.more"))).to_be_hidden()
