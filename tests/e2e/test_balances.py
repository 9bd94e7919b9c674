"""Prepaid balances on the pages: topped up by administrators, by codes, and spent."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.budgets import BUDGETS, ComeIn, dialog_for_a_new_one, save, tokens, used
from tests.e2e.chat import Chat
from tests.e2e.looks import Look
from tests.e2e.site import Site
from tests.e2e.visits import Visits
from tests.support.scripted_upstream import ScriptedUpstream

pytestmark = pytest.mark.browser


def test_a_code_fills_the_balance_that_answers_are_paid_from(
    look: Look, come_in: ComeIn, site: Site, person: Any, script: ScriptedUpstream
) -> None:
    say = look.say
    its_name = say("js.budget.name_prepaid", whose=say("js.budget.whose_user"))
    made = site.ask("POST", "/api/admin/code-batches", {"label": "flyers", "count": 1, "amount": 10_000})
    page = come_in("/dashboard", look)
    expect(page.locator("[data-tiles]")).to_be_visible()
    section = page.get_by_role("region", name=say("codes.redeem_title"))
    expect(section, "nothing of theirs is limited by a balance").to_be_hidden()
    body = {"scope": "user", "scope_id": person["id"], "period": "prepaid", "limit": 0}
    budget = site.ask("POST", BUDGETS, body)
    page.reload()
    field = section.get_by_label(say("codes.code"), exact=True)
    field.fill("0000 0000 0000 0000")
    section.get_by_role("button", name=say("codes.redeem")).click()
    expect(section.get_by_role("alert")).to_have_text(say("error.code_unknown"))
    expect(field).to_be_focused()
    field.fill(made["codes"][0].lower().replace("-", " "))
    field.press("Enter")
    balance = page.get_by_role("region", name=say("budgets.title")).get_by_role("listitem")
    expect(balance).to_contain_text(its_name)
    expect(balance).to_contain_text(say("budgets.topped"))
    expect(balance.get_by_text(say("budgets.renews"), exact=True)).to_be_hidden()
    expect(field).to_have_value("")
    look.expect_no_fault(page)

    page.goto("/")
    line = page.locator("[data-left]")
    expect(line).to_have_text(say("js.budget.left_prepaid", whose="", amount=tokens(10_000, say)))
    script.script(used(9_900))
    chat = Chat(page, say)
    chat.ask("Hello")
    expect(line).to_have_text(say("js.budget.balance_exhausted", budget=its_name, help=say("js.budget.help_user")))

    chat.send("Again")
    expect(chat.problem).to_contain_text(say("js.budget.help_user"))
    expect(chat.problem.get_by_role("link", name=say("js.see_budgets"))).to_have_attribute("href", "/dashboard")
    look.expect_no_fault(page)
    site.ask("DELETE", f"{BUDGETS}/{budget['id']}")


def test_an_administrator_makes_a_balance_and_tops_it_up(look: Look, visits: Visits, person: Any) -> None:
    say, admin = look.say, look.open(visits, "/admin/budgets")
    dialog = dialog_for_a_new_one(admin, say)
    dialog.get_by_label(say("budgets.scope_user")).check()
    dialog.get_by_label(say("dashboard.user"), exact=True).fill(person["username"])
    dialog.get_by_label(say("budgets.measure_money")).check()
    dialog.get_by_label(say("budgets.period"), exact=True).select_option("prepaid")
    expect(dialog.get_by_label(say("budgets.kind_soft"))).to_be_hidden()
    dialog.get_by_label(say("budgets.first_top_up")).fill("12.30")
    save(dialog, say)
    expect(dialog.get_by_role("alert")).to_have_text(say("error.bad_reason", limit=200))
    look.expect_no_fault(admin)
    dialog.get_by_label(say("budgets.reason")).fill("receipt 17")
    save(dialog, say)
    row = admin.get_by_role("listitem").filter(has_text=person["username"])
    expect(row).to_contain_text(say("js.budget.per_prepaid", limit="¥12.30"))
    expect(row.get_by_text(say("admin.edit"), exact=True)).to_be_hidden()

    row.get_by_text(say("budgets.top_up"), exact=True).click()
    dialog = admin.get_by_role("dialog")
    expect(dialog.get_by_role("listitem")).to_contain_text(["receipt 17"])
    amount = dialog.get_by_label(say("budgets.amount"), exact=True)
    dialog.get_by_label(say("budgets.reason")).fill("receipt 18")
    amount.fill("-12.31")
    dialog.get_by_role("button", name=say("budgets.top_up"), exact=True).click()
    expect(dialog.get_by_role("alert")).to_have_text(say("error.balance_in_use"))
    look.expect_no_fault(admin)
    amount.fill("7.70")
    dialog.get_by_role("button", name=say("budgets.top_up"), exact=True).click()
    expect(dialog).to_be_hidden()
    expect(row).to_contain_text(say("js.budget.per_prepaid", limit="¥20.00"))
    expect(row.locator("[data-top-up]")).to_be_focused()

    row.locator("[data-delete]").click()
    admin.get_by_role("alertdialog").get_by_role("button", name=say("js.admin.delete")).click()
    expect(row).to_be_hidden()
