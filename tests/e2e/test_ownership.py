"""The site is shared with somebody and taken back, with the password again; an administrator sees no way to do it."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e import entrance
from tests.e2e.looks import Look
from tests.e2e.site import Site
from tests.e2e.visits import Visits
from tests.support.served import PASSWORD, USERNAME

OTHERS = "copper window mountain"

pytestmark = pytest.mark.browser


@pytest.fixture
def deputy(look: Look, site: Site) -> Iterator[str]:
    yield from _administrator(site, f"deputy {look.locale}")


@pytest.fixture
def heir(look: Look, site: Site) -> Iterator[str]:
    yield from _administrator(site, f"heir {look.locale}")


def _administrator(site: Site, name: str) -> Iterator[str]:
    """One who owns nothing, before and after."""
    if not site.rows("SELECT id FROM users WHERE username = :name", name=name):
        site.ask("POST", "/api/admin/users", {"username": name, "role": "admin", "password": OTHERS})
    yield name
    for each in site.rows("SELECT id FROM users WHERE username = :name AND is_owner", name=name):
        site.ask("POST", f"/api/admin/users/{each['id']}/ownership/end", {"password": PASSWORD})


def _signed_in(look: Look, visits: Visits, name: str) -> Page:
    page = look.open(visits, "/login", signed_in=False)
    entrance.sign_in(page, look.say, username=name, password=OTHERS)
    expect(page.locator("[data-greeting]")).to_be_visible()
    return page


def _row(page: Page, name: str) -> Locator:
    return page.get_by_role("row").filter(has_text=name)


def _ask(page: Page, look: Look, name: str, act: str) -> Locator:
    """The dialog of a person's row, for `give` or `end`."""
    page.get_by_role("button", name=look.say("js.admin.actions_for", name=name)).click()
    page.locator("[data-row-menu]").get_by_text(look.say(f"js.admin.ownership_{act}"), exact=True).click()
    return page.get_by_role("dialog", name=look.say(f"js.admin.ownership_{act}_title", name=name))


def _confirm(dialog: Locator, look: Look, password: str) -> None:
    dialog.get_by_label(look.say("auth.current_password"), exact=True).fill(password)
    dialog.get_by_role("button", name=look.say("admin.ownership_confirm")).click()


def test_ownership_is_shared_and_ended(look: Look, visits: Visits, deputy: str) -> None:
    say, page = look.say, look.open(visits, f"/admin/users?q={deputy}")
    dialog = _ask(page, look, deputy, "give")
    dialog.get_by_label(say("admin.ownership_share")).check()
    _confirm(dialog, look, "not my password")
    expect(dialog.get_by_role("alert")).to_have_text(say("error.wrong_password"))
    look.expect_no_fault(page)
    _confirm(dialog, look, PASSWORD)
    expect(_row(page, deputy)).to_contain_text(say("js.admin.role_owner"))
    look.expect_no_fault(page)

    dialog = _ask(page, look, deputy, "end")
    expect(dialog.get_by_label(say("admin.ownership_share"))).to_be_hidden()
    _confirm(dialog, look, PASSWORD)
    expect(_row(page, deputy)).to_contain_text(say("js.admin.role_admin"))


def test_an_owner_hands_on_what_was_shared_with_them(
    look: Look, visits: Visits, site: Site, deputy: str, heir: str
) -> None:
    say, founder = look.say, look.open(visits, f"/admin/users?q={deputy}")
    dialog = _ask(founder, look, deputy, "give")
    dialog.get_by_label(say("admin.ownership_share")).check()
    _confirm(dialog, look, PASSWORD)
    expect(_row(founder, deputy)).to_contain_text(say("js.admin.role_owner"))

    page = _signed_in(look, visits, deputy)
    page.goto(f"/admin/users?q={heir}")
    dialog = _ask(page, look, heir, "give")
    expect(dialog.get_by_label(say("admin.ownership_hand_over"))).to_be_checked()
    look.expect_no_fault(page)
    _confirm(dialog, look, OTHERS)
    expect(page).to_have_url(re.compile("/login$"))  # whose rights have changed is signed out
    owners = site.rows("SELECT username FROM users WHERE is_owner ORDER BY username")
    assert [each["username"] for each in owners] == [USERNAME, heir]

    founder.goto(f"/admin/users?q={deputy}")
    expect(_row(founder, deputy)).to_contain_text(say("js.admin.role_admin"))
    founder.goto(f"/admin/users?q={heir}")
    _confirm(_ask(founder, look, heir, "end"), look, PASSWORD)
    expect(_row(founder, heir)).to_contain_text(say("js.admin.role_admin"))

    founder.goto(f"/admin/users?q={USERNAME}")
    dialog = _ask(founder, look, USERNAME, "end")
    _confirm(dialog, look, PASSWORD)
    expect(dialog.get_by_role("alert")).to_have_text(say("error.last_owner"))
    look.expect_no_fault(founder)


def test_an_administrator_is_offered_only_what_they_may(look: Look, visits: Visits, deputy: str) -> None:
    say, page = look.say, _signed_in(look, visits, deputy)
    page.goto(f"/admin/users?q={USERNAME}")
    page.get_by_role("button", name=say("js.admin.actions_for", name=USERNAME)).click()
    menu = page.locator("[data-row-menu]")
    expect(menu.locator("[data-act]:visible")).to_have_text(
        [say(f"admin.see_{what}") for what in ("records", "budgets", "audit")]
    )
    look.expect_no_fault(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name=say("admin.new_user")).click()
    expect(page.get_by_label(say("admin.role_admin"), exact=False)).to_have_count(0)
