"""Prepaid balances on the pages: topped up by administrators, by codes, and spent."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.budgets import BUDGETS, dialog_for_a_new_one, save, tokens, used
from tests.e2e.chat import Chat
from tests.e2e.site import Site
from tests.e2e.visits import Visits
from tests.e2e.words import words
from tests.support.scripted_upstream import ScriptedUpstream

en = words("en")
BALANCE = en("js.budget.name_prepaid", whose=en("js.budget.whose_user"))

pytestmark = pytest.mark.browser


def left(amount: str) -> str:
    return en("js.budget.left_prepaid", whose="", amount=amount)


def test_a_code_fills_the_balance_that_answers_are_paid_from(
    come_in: Any, site: Site, person: Any, script: ScriptedUpstream
) -> None:
    made = site.ask("POST", "/api/admin/code-batches", {"label": "flyers", "count": 1, "amount": 10_000})
    page = come_in("/dashboard")
    expect(page.locator("[data-tiles]")).to_be_visible()
    section = page.get_by_role("region", name=en("codes.redeem_title"))
    expect(section, "nothing of theirs is limited by a balance").to_be_hidden()
    body = {"scope": "user", "scope_id": person["id"], "period": "prepaid", "limit": 0}
    budget = site.ask("POST", BUDGETS, body)
    page.reload()
    field = section.get_by_label(en("codes.code"), exact=True)
    field.fill("0000 0000 0000 0000")
    section.get_by_role("button", name=en("codes.redeem")).click()
    expect(section.get_by_role("alert")).to_have_text(en("error.code_unknown"))
    expect(field).to_be_focused()
    field.fill(made["codes"][0].lower().replace("-", " "))
    field.press("Enter")
    balance = page.get_by_role("region", name=en("budgets.title")).get_by_role("listitem")
    expect(balance).to_contain_text(BALANCE)
    expect(balance).to_contain_text(en("budgets.topped"))
    expect(balance.get_by_text(en("budgets.renews"), exact=True)).to_be_hidden()
    expect(field).to_have_value("")

    page.goto("/")
    line = page.locator("[data-left]")
    expect(line).to_have_text(left(tokens(10_000)))
    script.script(used(9_900))
    Chat(page, en).ask("Hello")
    expect(line).to_have_text(en("js.budget.balance_exhausted", budget=BALANCE, help=en("js.budget.help_user")))

    chat = Chat(page, en)
    chat.send("Again")
    expect(chat.problem).to_contain_text(en("js.budget.help_user"))
    expect(chat.problem.get_by_role("link", name=en("js.see_budgets"))).to_have_attribute("href", "/dashboard")
    site.ask("DELETE", f"{BUDGETS}/{budget['id']}")


def test_an_administrator_makes_a_balance_and_tops_it_up(visits: Visits, site: Site, person: Any) -> None:
    admin: Page = visits.open("/admin/budgets")
    dialog = dialog_for_a_new_one(admin)
    dialog.get_by_label(en("budgets.scope_user")).check()
    dialog.get_by_label(en("dashboard.user"), exact=True).fill(person["username"])
    dialog.get_by_label(en("budgets.measure_money")).check()
    dialog.get_by_label(en("budgets.period"), exact=True).select_option("prepaid")
    expect(dialog.get_by_label(en("budgets.kind_soft"))).to_be_hidden()
    dialog.get_by_label(en("budgets.first_top_up")).fill("12.30")
    save(dialog)
    expect(dialog.get_by_role("alert")).to_have_text(en("error.bad_reason", limit=200))
    dialog.get_by_label(en("budgets.reason")).fill("receipt 17")
    save(dialog)
    row = admin.get_by_role("listitem").filter(has_text=person["username"])
    expect(row).to_contain_text(en("js.budget.per_prepaid", limit="¥12.30"))
    expect(row.get_by_text(en("admin.edit"), exact=True)).to_be_hidden()

    row.get_by_text(en("budgets.top_up"), exact=True).click()
    dialog = admin.get_by_role("dialog")
    expect(dialog.get_by_role("listitem")).to_contain_text(["receipt 17"])
    amount = dialog.get_by_label(en("budgets.amount"), exact=True)
    dialog.get_by_label(en("budgets.reason")).fill("receipt 18")
    amount.fill("-12.31")
    dialog.get_by_role("button", name=en("budgets.top_up"), exact=True).click()
    expect(dialog.get_by_role("alert")).to_have_text(en("error.balance_in_use"))
    amount.fill("7.70")
    dialog.get_by_role("button", name=en("budgets.top_up"), exact=True).click()
    expect(dialog).to_be_hidden()
    expect(row).to_contain_text(en("js.budget.per_prepaid", limit="¥20.00"))
    expect(row.locator("[data-top-up]")).to_be_focused()

    row.locator("[data-delete]").click()
    admin.get_by_role("alertdialog").get_by_role("button", name=en("js.admin.delete")).click()
    expect(row).to_be_hidden()
