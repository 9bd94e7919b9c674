"""An administrator deletes the account of somebody who has left: the name is typed, and they are out at once."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e import entrance
from tests.e2e.looks import CHINESE, ENGLISH, Look
from tests.e2e.site import Site
from tests.e2e.visits import Visits

PASSWORD = "copper window mountain"

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("look", [ENGLISH, CHINESE], ids=lambda look: look.locale)
def test_an_account_is_deleted_once_its_name_is_typed(visits: Visits, site: Site, look: Look) -> None:
    say, name = look.say, f"leaver {look.locale}"
    site.ask("POST", "/api/admin/users", {"username": name, "role": "member", "password": PASSWORD})
    theirs = look.open(visits, "/login", signed_in=False)
    entrance.sign_in(theirs, say, username=name, password=PASSWORD)
    expect(theirs.locator("[data-greeting]")).to_be_visible()

    page = look.open(visits, "/admin/users?q=leaver")
    row = page.get_by_role("row").filter(has_text=name)
    page.get_by_role("button", name=say("js.admin.actions_for", name=name)).click()
    look.expect_no_fault(page)
    page.locator('[data-row-menu] [data-act="delete"]').click()
    dialog = page.get_by_role("dialog", name=say("js.admin.delete_user_title", name=name))
    field = dialog.get_by_label(say("admin.delete_user_name"), exact=True)
    expect(field).to_be_focused()
    look.expect_no_fault(page)
    field.fill("somebody else")
    field.press("Enter")
    expect(dialog.get_by_role("alert")).to_have_text(say("js.admin.delete_user_other"))
    look.expect_no_fault(page)
    assert site.rows(f"SELECT id FROM users WHERE username = '{name}' AND deleted_at IS NULL")

    field.fill(f" {name} ")
    dialog.get_by_role("button", name=say("admin.delete_user_action")).click()
    expect(page.get_by_role("region").get_by_text(say("js.admin.user_deleted", name=name))).to_be_visible()
    expect(dialog).to_be_hidden()
    expect(row).to_have_count(0)
    look.expect_no_fault(page)
    page.reload()
    expect(page.get_by_role("search")).to_be_visible()
    expect(row).to_have_count(0)
    theirs.goto("/")
    expect(theirs).to_have_url(re.compile("/login"))


def test_nobody_is_offered_to_delete_themselves(visits: Visits) -> None:
    page = ENGLISH.open(visits, "/admin/users?q=founder")
    page.get_by_role("button", name=ENGLISH.say("js.admin.actions_for", name="founder")).click()
    expect(page.locator('[data-row-menu] [data-act="group"]')).to_be_visible()
    expect(page.locator('[data-row-menu] [data-act="delete"]')).to_be_hidden()
