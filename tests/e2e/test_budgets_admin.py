"""Budgets on the administrators' page: made, changed, deleted, refused, and told page by page."""

import itertools
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.budgets import BUDGETS, Limit, dialog_for_a_new_one, save, tokens
from tests.e2e.looks import ENGLISH, Look
from tests.e2e.site import Site
from tests.e2e.visits import Visits

en = ENGLISH.say

pytestmark = pytest.mark.browser


def test_an_administrator_adds_changes_and_deletes_a_budget(
    look: Look, visits: Visits, site: Site, person: Any
) -> None:
    say, admin = look.say, look.open(visits, "/admin/budgets")
    dialog = dialog_for_a_new_one(admin, say)
    dialog.get_by_label(say("budgets.scope_user")).check()
    name = dialog.get_by_label(say("dashboard.user"), exact=True)
    name.fill(person["username"][2:])
    expect(dialog.locator("#known-people option")).to_have_attribute("value", person["username"])
    name.fill(person["username"].upper())
    dialog.get_by_label(say("budgets.measure_money")).check()
    dialog.get_by_label(say("budgets.period"), exact=True).select_option("month")
    dialog.get_by_label(say("budgets.limit"), exact=True).fill("1,250.5")
    expect(dialog).to_contain_text("= ¥1,250.50")
    save(dialog, say)
    row = admin.get_by_role("listitem").filter(has_text=person["username"])
    expect(row).to_contain_text(say("js.budget.per_month", limit="¥1,250.50"))
    expect(row.get_by_role("button", name=say("admin.edit"))).to_be_focused()
    [stored] = [each for each in site.ask("GET", BUDGETS)["budgets"] if each["scope_id"] == person["id"]]
    assert (stored["unit"], stored["limit"], stored["hard"]) == ("CNY", 1_250_500_000, True)

    row.locator("[data-edit]").click()
    dialog = admin.get_by_role("dialog")
    expect(dialog.get_by_text(say("budgets.for_whom"))).to_be_hidden()
    expect(dialog.get_by_label(say("budgets.limit"), exact=True)).to_have_value("1250.5")
    look.expect_no_fault(admin)
    dialog.get_by_label(say("budgets.limit"), exact=True).fill("5")
    dialog.get_by_label(say("budgets.kind_soft")).check()
    save(dialog, say)
    expect(row).to_contain_text(say("budgets.soft"))
    expect(row).to_contain_text(say("js.budget.per_month", limit="¥5.00"))
    look.expect_no_fault(admin)

    row.locator("[data-delete]").click()
    admin.get_by_role("alertdialog").get_by_role("button", name=say("js.admin.delete")).click()
    expect(row).to_be_hidden()
    assert [each for each in site.ask("GET", BUDGETS)["budgets"] if each["scope_id"] == person["id"]] == []


def test_what_is_wrong_is_said_beside_its_field(look: Look, visits: Visits, limit: Limit, person: Any) -> None:
    limit(1_000)
    say, admin = look.say, look.open(visits, "/admin/budgets")
    dialog = dialog_for_a_new_one(admin, say)
    amount = dialog.get_by_label(say("budgets.limit"), exact=True)
    name = dialog.get_by_label(say("dashboard.user"), exact=True)
    dialog.get_by_label(say("budgets.scope_user")).check()
    name.fill("nobody at all")
    amount.fill("1,5")
    save(dialog, say)
    expect(amount).to_have_accessible_description(re.compile(re.escape(say("js.budget.bad_tokens", text="1,5"))))
    expect(amount).to_be_focused()
    amount.fill("0")
    save(dialog, say)
    expect(dialog.get_by_role("alert")).to_have_text(say("js.budget.zero"))
    amount.fill("9,000,000,000,000,000")
    save(dialog, say)
    expect(dialog.get_by_role("alert")).to_have_text(say("js.budget.too_large", most=tokens(10**15, say)))
    amount.fill("1,500")
    save(dialog, say)
    expect(dialog.get_by_role("alert")).to_have_text(say("js.admin.budget_no_person", name="nobody at all"))
    expect(name).to_be_focused()
    name.fill(person["username"])
    save(dialog, say)
    expect(dialog.get_by_role("alert")).to_have_text(say("error.budget_exists"))
    dialog.get_by_label(say("budgets.measure_money")).check()
    dialog.get_by_label(say("admin.currency"), exact=True).fill("元元元")
    save(dialog, say)
    expect(dialog.get_by_role("alert")).to_have_text(say("error.bad_currency"))
    currency = dialog.get_by_label(say("admin.currency"), exact=True)
    currency.fill("rmb")
    save(dialog, say)
    expect(dialog.get_by_role("alert")).to_have_text(say("error.currency_is_called", currency="RMB", meant="CNY"))
    expect(currency).to_be_focused()
    look.expect_no_fault(admin)


def test_each_person_of_a_group_has_a_budget_of_their_own(look: Look, visits: Visits) -> None:
    say, admin = look.say, look.open(visits, "/admin/budgets")
    dialog = dialog_for_a_new_one(admin, say)
    dialog.get_by_label(say("budgets.scope_member")).check()
    dialog.get_by_label(say("admin.group"), exact=True).select_option(label=say("admin.everyone"))
    dialog.get_by_label(say("budgets.limit"), exact=True).fill("1000000000")
    save(dialog, say)
    row = admin.get_by_role("listitem").filter(has_text=say("js.admin.budget_of_member", name=say("admin.everyone")))
    expect(row).to_contain_text(say("budgets.each"))
    expect(row.get_by_role("meter")).to_have_count(0)
    look.expect_no_fault(admin)
    row.locator("[data-delete]").click()
    admin.get_by_role("alertdialog").get_by_role("button", name=say("js.admin.delete")).click()
    expect(row).to_be_hidden()


def test_a_group_that_is_gone_is_said_beside_its_field(visits: Visits, site: Site) -> None:
    group = site.ask("POST", "/api/admin/groups", {"name": "Gone soon"})["id"]
    admin = visits.open("/admin/budgets")
    site.ask("DELETE", f"/api/admin/groups/{group}")
    dialog = dialog_for_a_new_one(admin, en)
    dialog.get_by_label(en("budgets.scope_group")).check()
    choice = dialog.get_by_label(en("admin.group"), exact=True)
    choice.select_option(label="Gone soon")
    dialog.get_by_label(en("budgets.limit"), exact=True).fill("100")
    save(dialog, en)
    expect(choice).to_have_accessible_description(en("error.unknown_group"))
    expect(choice).to_be_focused()


@pytest.fixture
def groups(site: Site) -> Iterator[list[str]]:
    made = [site.ask("POST", "/api/admin/groups", {"name": f"Of many {number}"})["id"] for number in range(3)]
    yield made
    for group in made:
        site.ask("DELETE", f"/api/admin/groups/{group}")


def test_many_budgets_come_page_by_page(groups: list[str], limit: Limit, visits: Visits) -> None:
    places = itertools.product(groups, ("group", "member"), ("tokens", "CNY", "USD"), ("day", "week", "month"))
    for group, scope, unit, period in itertools.islice(places, 51):
        limit(1_000_000, scope=scope, scope_id=group, unit=unit, period=period)
    admin = visits.open("/admin/budgets")
    rows = admin.locator("[data-budgets] > li")
    expect(rows).to_have_count(50)
    admin.get_by_role("button", name=en("base.more")).dblclick()
    expect(rows.nth(50).locator("[data-edit]")).to_be_focused()
    expect(rows).to_have_count(51)
    expect(admin.get_by_role("button", name=en("base.more"))).to_be_hidden()
