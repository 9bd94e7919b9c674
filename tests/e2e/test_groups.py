"""Groups on the pages: made, told what becomes of answers, joined, and deleted."""

from typing import Any

import pytest
from playwright.sync_api import expect

from flask_app.models import DEFAULT_GROUP_ID
from tests.e2e.looks import ENGLISH, Look
from tests.e2e.site import Site
from tests.e2e.visits import Visits
from tests.e2e.words import words

en = ENGLISH.say

pytestmark = pytest.mark.browser


def test_a_group_is_made_joined_and_deleted(look: Look, visits: Visits, site: Site) -> None:
    say, name, pupil = look.say, f"Class 3b {look.locale}", f"grader {look.locale}"
    site.ask("POST", "/api/admin/users", {"username": pupil, "password": "copper window mountain"})
    page = look.open(visits, "/admin/groups")
    page.get_by_role("button", name=say("admin.new_group")).click()
    dialog = page.get_by_role("dialog", name=say("js.admin.new_group"))
    expect(dialog.get_by_label(say("admin.on_disconnect_tokens"))).to_be_hidden()
    dialog.get_by_label(say("admin.group_name")).fill(name)
    dialog.get_by_label(say("admin.on_disconnect_limit")).check()
    dialog.get_by_label(say("admin.on_disconnect_tokens")).fill("250")
    expect(dialog.get_by_label(say("admin.file_quota"))).to_have_value("200")
    dialog.get_by_label(say("admin.file_quota")).fill("0")
    dialog.get_by_role("button", name=say("base.save")).click()
    row = page.get_by_role("listitem").filter(has_text=name)
    expect(row).to_contain_text(say("js.admin.group_limit", tokens="250"))
    expect(row).to_contain_text(say("js.admin.group_no_files"))
    expect(page.get_by_role("button", name=say("js.admin.edit_group", name=name))).to_be_focused()

    page.goto("/admin/users")
    page.get_by_role("button", name=say("js.admin.actions_for", name=pupil)).click()
    page.locator("[data-row-menu]").get_by_text(say("admin.move_to_group")).click()
    move = page.get_by_role("dialog", name=say("js.admin.move_user", name=pupil))
    move.get_by_label(say("admin.group")).select_option(label=name)
    move.get_by_role("button", name=say("base.save")).click()
    person = page.get_by_role("row").filter(has_text=pupil)
    expect(person).to_contain_text(name)

    page.goto("/admin/groups")
    expect(row).to_contain_text(say("js.admin.group_members", count="1"))
    page.get_by_role("button", name=say("js.admin.delete_group", name=name)).click()
    sure = page.get_by_role("alertdialog")
    expect(sure).to_contain_text(say("js.admin.delete_group_text", count="1", group=say("admin.everyone")))
    look.expect_no_fault(page)
    sure.get_by_role("button", name=say("js.admin.delete")).click()
    expect(row).to_be_hidden()
    page.goto("/admin/users")
    expect(person).to_contain_text(say("admin.everyone"))


def test_the_default_group_keeps_its_own_name_in_every_language(visits: Visits) -> None:
    page = visits.open("/admin/groups")
    page.get_by_role("button", name=en("js.admin.edit_group", name=en("admin.everyone"))).click()
    dialog = page.get_by_role("dialog", name=en("js.admin.edit_group", name=en("admin.everyone")))
    expect(dialog.get_by_label(en("admin.group_name"))).to_have_value(en("admin.everyone"))
    dialog.get_by_role("button", name=en("base.save")).click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("button", name=en("js.admin.delete_group", name=en("admin.everyone")))).to_be_hidden()
    zh = words("zh")
    named = visits.open("/admin/groups", locale="zh").locator(f"[data-id='{DEFAULT_GROUP_ID}']")
    expect(named).to_contain_text(zh("admin.everyone"))


def test_each_person_of_a_group_begins_with_a_balance(look: Look, visits: Visits, site: Site, person: Any) -> None:
    say, name = look.say, f"Savers {look.locale}"
    group = site.ask("POST", "/api/admin/groups", {"name": name})
    site.ask("PATCH", f"/api/admin/users/{person['id']}", {"group_id": group["id"]})
    page = look.open(visits, "/admin/groups")
    row = page.get_by_role("listitem").filter(has_text=name)
    button = row.get_by_role("button", name=say("js.admin.opening_of", name=name))
    button.click()
    dialog = page.get_by_role("dialog", name=say("js.admin.opening_of", name=name))
    dialog.get_by_label(say("admin.opening_begins")).check()
    dialog.get_by_label(say("budgets.measure_money")).check()
    amount = dialog.get_by_label(say("admin.opening_amount"), exact=True)
    amount.fill("five")
    dialog.get_by_role("button", name=say("base.save")).click()
    expect(amount).to_have_attribute("aria-invalid", "true")
    look.expect_no_fault(page)
    amount.fill("5")
    dialog.get_by_role("button", name=say("base.save")).click()
    sure = page.get_by_role("alertdialog")
    expect(sure).to_contain_text(say("js.admin.opening_text", amount="¥5.00", count="1"))
    look.expect_no_fault(page)
    sure.get_by_role("button", name=say("js.admin.opening_action")).click()
    expect(row).to_contain_text(say("js.admin.opening_each", amount="¥5.00"))
    expect(button).to_be_focused()
    expect(page.get_by_role("status")).to_have_text(say("js.admin.opening_given", name=name, count="1"))

    button.click()
    expect(amount).to_have_value("5")
    dialog.get_by_label(say("admin.opening_begins")).uncheck()
    dialog.get_by_role("button", name=say("base.save")).click()
    expect(row.locator('[data-slot="opening"]')).to_be_hidden()
    [kept] = site.ask("GET", f"/api/admin/budgets?person={person['id']}")["budgets"]
    assert (kept["left"], kept["unit"]) == (5_000_000, "CNY")
    site.ask("DELETE", f"/api/admin/budgets/{kept['id']}")
    site.ask("DELETE", f"/api/admin/groups/{group['id']}")
