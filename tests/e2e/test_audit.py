"""The audit log as an administrator reads it: searched, followed from an entry to all of its kind, gone back from."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.visits import Visits
from tests.e2e.words import words

en = words("en")

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", [390, 1280])
def test_what_was_done_is_found_by_who_and_to_whom(visits: Visits, width: int) -> None:
    page = visits.open("/admin/groups")
    page.set_viewport_size({"width": width, "height": 800})
    name = f"choir {width}"
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
    expect(entries.first).to_contain_text(en("audit.action_group_delete"))
    expect(entries.nth(1)).to_contain_text("on_disconnect: continue → stop")
    entries.first.get_by_role("link", name=re.compile(name)).click()
    expect(entries).to_have_count(3)
    expect(entries.last).to_contain_text(en("audit.action_group_add"))
    expect(entries.last).to_contain_text(name)

    page.get_by_label(en("audit.action"), exact=True).select_option("group.delete")
    page.get_by_role("button", name=en("admin.search")).click()
    expect(entries).to_have_count(1)
    page.get_by_label(en("audit.who"), exact=True).fill("nobody")
    page.get_by_role("button", name=en("admin.search")).click()
    expect(page.get_by_text(en("audit.none"))).to_be_visible()
    page.go_back()
    expect(entries).to_have_count(1)
    expect(page.get_by_label(en("audit.action"), exact=True)).to_have_value("group.delete")


def test_a_persons_menu_leads_to_what_was_done_to_them(visits: Visits) -> None:
    page = visits.open("/admin/users")
    row = page.get_by_role("row").filter(has_text="founder")
    row.locator("[data-menu-button]").click()
    page.locator('[data-row-menu] [data-act="audit"]').click()
    expect(page.locator("[data-entries] > li").last).to_contain_text(en("audit.action_setup_finish"))
