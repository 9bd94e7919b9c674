"""The site is shared with somebody and taken back, with the password again; an administrator sees no way to do it."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import entrance
from tests.e2e.accessible import expect_no_fault
from tests.e2e.site import Site
from tests.e2e.visits import PHONE, Visits
from tests.e2e.words import words
from tests.support.served import PASSWORD

en = words("en")
OTHERS = "copper window mountain"

pytestmark = pytest.mark.browser


@pytest.fixture
def deputy(site: Site) -> str:
    """An administrator."""
    if not site.rows("SELECT id FROM users WHERE username = 'deputy'"):
        site.ask("POST", "/api/admin/users", {"username": "deputy", "role": "admin", "password": OTHERS})
    return "deputy"


def _choose(page: Page, name: str, act: str) -> None:
    page.get_by_role("button", name=en("js.admin.actions_for", name=name)).click()
    page.locator("[data-row-menu]").get_by_text(act, exact=True).click()


def test_ownership_is_shared_and_ended(visits: Visits, deputy: str) -> None:
    page = visits.open("/admin/users?q=deputy")
    row = page.get_by_role("row").filter(has_text=deputy)
    _choose(page, deputy, en("js.admin.ownership_give"))
    dialog = page.get_by_role("dialog", name=en("js.admin.ownership_give_title", name=deputy))
    dialog.get_by_label(en("admin.ownership_share")).check()
    dialog.get_by_label(en("auth.current_password"), exact=True).fill("not my password")
    dialog.get_by_role("button", name=en("admin.ownership_confirm")).click()
    expect(dialog.get_by_role("alert")).to_have_text(en("error.wrong_password"))
    expect_no_fault(page, "en")
    dialog.get_by_label(en("auth.current_password"), exact=True).fill(PASSWORD)
    dialog.get_by_role("button", name=en("admin.ownership_confirm")).click()
    expect(row).to_contain_text(en("js.admin.role_owner"))

    _choose(page, deputy, en("js.admin.ownership_end"))
    dialog = page.get_by_role("dialog", name=en("js.admin.ownership_end_title", name=deputy))
    expect(dialog.get_by_label(en("admin.ownership_share"))).to_be_hidden()
    dialog.get_by_label(en("auth.current_password"), exact=True).fill(PASSWORD)
    dialog.get_by_role("button", name=en("admin.ownership_confirm")).click()
    expect(row).to_contain_text(en("js.admin.role_admin"))


def test_an_administrator_is_offered_only_what_they_may(visits: Visits, deputy: str) -> None:
    page = visits.open("/login", viewport=PHONE, signed_in=False)
    entrance.sign_in(page, en, username=deputy, password=OTHERS)
    expect(page.locator("[data-greeting]")).to_be_visible()
    page.goto("/admin/users?q=founder")
    page.get_by_role("button", name=en("js.admin.actions_for", name="founder")).click()
    menu = page.locator("[data-row-menu]")
    expect(menu.locator("[data-act]:visible")).to_have_text(
        [en(f"admin.see_{what}") for what in ("records", "budgets", "audit")]
    )
    page.keyboard.press("Escape")
    page.get_by_role("button", name=en("admin.new_user")).click()
    expect(page.get_by_label(en("admin.role_admin"), exact=False)).to_have_count(0)
