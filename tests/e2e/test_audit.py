"""The audit log as an administrator reads it: searched, followed from an entry to all of its kind, gone back from."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.looks import Look
from tests.e2e.visits import Visits

pytestmark = pytest.mark.browser


def test_what_was_done_is_found_by_who_and_to_whom(look: Look, visits: Visits) -> None:
    say, name = look.say, f"choir {look.locale}"
    page = look.open(visits, "/admin/groups")
    page.evaluate(
        """async (name) => {
          const { api } = await import("app/api.js")
          const group = await api.post("/api/admin/groups", { name })
          await api.patch(`/api/admin/groups/${group.id}`, { on_disconnect: "stop" })
          await api.delete(`/api/admin/groups/${group.id}`)
        }""",
        name,
    )

    page.goto("/admin/audit")
    entries = page.locator("[data-entries] > li")
    expect(entries.first).to_contain_text(say("audit.action_group_delete"))
    change = say("js.audit.change", name="on_disconnect", before="continue", after="stop")
    expect(entries.nth(1)).to_contain_text(change)
    look.expect_no_fault(page)
    entries.first.get_by_role("link", name=re.compile(name)).click()
    expect(entries).to_have_count(3)
    expect(entries.last).to_contain_text(say("audit.action_group_add"))
    expect(entries.last).to_contain_text(name)
    look.expect_no_fault(page)

    page.get_by_label(say("audit.action"), exact=True).select_option("group.delete")
    page.get_by_role("button", name=say("admin.search"), exact=True).click()
    expect(entries).to_have_count(1)
    page.get_by_label(say("audit.who"), exact=True).fill("nobody")
    page.get_by_role("button", name=say("admin.search"), exact=True).click()
    expect(page.get_by_text(say("audit.none"))).to_be_visible()
    look.expect_no_fault(page)
    page.go_back()
    expect(entries).to_have_count(1)
    expect(page.get_by_label(say("audit.action"), exact=True)).to_have_value("group.delete")


def test_a_persons_menu_leads_to_what_was_done_to_them(look: Look, visits: Visits) -> None:
    page = look.open(visits, "/admin/users?q=founder")
    page.get_by_role("button", name=look.say("js.admin.actions_for", name="founder")).click()
    page.locator("[data-row-menu]").get_by_text(look.say("admin.see_audit"), exact=True).click()
    expect(page.locator("[data-entries] > li").last).to_contain_text(look.say("audit.action_setup_finish"))
