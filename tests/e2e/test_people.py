"""How people come and go: a link that works once, what a member may not open, and the end of an account."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import entrance
from tests.e2e.chat import Chat
from tests.e2e.held import Held
from tests.e2e.looks import ENGLISH, Look
from tests.e2e.site import Site
from tests.e2e.visits import Visits

en = ENGLISH.say
PASSWORD = "copper window mountain"

pytestmark = pytest.mark.browser


def _invite(page: Page, look: Look, username: str) -> str:
    """Create a member on the page; gives the link that is shown once."""
    say = look.say
    page.get_by_role("button", name=say("admin.new_user")).click()
    dialog = page.get_by_role("dialog", name=say("admin.new_user"))
    dialog.get_by_label(say("auth.username"), exact=True).fill(username)
    dialog.get_by_role("button", name=say("admin.create")).click()
    shown = page.locator("#link-dialog")
    expect(shown).to_contain_text(say("js.admin.link_for", name=username))
    expect(shown).to_contain_text(say("admin.link_here"))  # the site is opened by 127.0.0.1
    look.expect_no_fault(page)
    link = shown.locator("#link-address").inner_text()
    shown.get_by_role("button", name=say("admin.done")).click()
    expect(page.get_by_role("row").filter(has_text=username)).to_be_visible()
    expect(shown.locator("#link-address")).to_be_empty()  # gone with its dialog
    return link


def _member(site: Site, username: str) -> None:
    site.ask("POST", "/api/admin/users", {"username": username, "role": "member", "password": PASSWORD})


def test_a_new_person_comes_in_by_a_link_that_works_once(look: Look, visits: Visits) -> None:
    say, name = look.say, f"小红🌷 {look.locale}"
    link = _invite(look.open(visits, "/admin/users"), look, name)
    page = look.open(visits, link, signed_in=False)
    expect(page.get_by_text(say("js.reset_for", name=name))).to_be_visible()
    entrance.choose_password(page, say, PASSWORD)
    expect(page.locator("[data-greeting]")).to_contain_text(name)
    page.go_back()
    expect(page).not_to_have_url(re.compile("/reset"))
    secrets = link.partition("#")[2], PASSWORD
    asked = visits.watch(page).requests
    assert any("/api/password-reset" in request.url for request in asked)
    for request in asked:
        told = request.url.partition("#")[0] + request.headers.get("referer", "")
        assert not [secret for secret in secrets if secret in told], "no address and no log has it"

    again = look.open(visits, link, signed_in=False)
    expect(again.get_by_role("alert")).to_have_text(say("error.reset_link_invalid"))
    expect(again.get_by_role("button", name=say("auth.save_and_sign_in"))).to_be_hidden()
    look.expect_no_fault(again)


def test_a_member_sees_no_way_into_the_admin_pages_and_finds_none(look: Look, visits: Visits, site: Site) -> None:
    name = f"member {look.locale}"
    _member(site, name)
    page = look.open(visits, "/login", signed_in=False)
    entrance.sign_in(page, look.say, username=name, password=PASSWORD)
    expect(page.locator("[data-greeting]")).to_be_visible()
    assert page.locator('a[href^="/admin"]').count() == 0
    for path in ("/admin", "/admin/users", "/admin/keys", "/admin/records"):
        reply = page.goto(path)
        assert reply is not None
        assert reply.status == 403
        expect(page.get_by_role("heading", name=look.say("base.error.title_403"))).to_be_visible()
    look.expect_no_fault(page)


def test_a_disabled_member_is_signed_out_at_the_next_request_until_let_in_again(
    look: Look, visits: Visits, site: Site
) -> None:
    say, name = look.say, f"guest {look.locale}"
    _member(site, name)
    guest = Chat(look.open(visits, "/login", signed_in=False), say)
    entrance.sign_in(guest.page, say, username=name, password=PASSWORD)
    expect(guest.text).to_be_visible()

    admin = look.open(visits, f"/admin/users?q={name}")
    row = admin.get_by_role("row").filter(has_text=name)
    row.get_by_role("button", name=say("js.admin.actions_for", name=name)).click()
    look.expect_no_fault(admin)
    admin.locator("[data-row-menu]").get_by_text(say("js.admin.disable"), exact=True).click()
    look.expect_no_fault(admin)
    admin.get_by_role("alertdialog").get_by_role("button", name=say("js.admin.disable")).click()
    expect(row).to_contain_text(say("js.admin.disabled"))
    look.expect_no_fault(admin)

    guest.send("Am I still here?")
    expect(guest.problem).to_contain_text(say("error.sign_in_required"))
    expect(guest.text).to_have_value("Am I still here?")
    guest.problem.get_by_role("link", name=say("js.sign_in_again")).click()
    expect(guest.page).to_have_url(re.compile("/login"))
    entrance.sign_in(guest.page, say, username=name, password=PASSWORD)
    expect(guest.page.get_by_role("alert")).to_be_visible()

    row.get_by_role("button", name=say("js.admin.actions_for", name=name)).click()
    admin.locator("[data-row-menu]").get_by_text(say("js.admin.enable"), exact=True).click()
    expect(row).not_to_contain_text(say("js.admin.disabled"))
    entrance.sign_in(guest.page, say, username=name, password=PASSWORD)
    expect(guest.text).to_be_visible()


def test_a_menu_stays_until_its_row_moves(visits: Visits) -> None:
    """A browser tells of what was scrolled before the menu opened only afterwards."""
    page = visits.open("/admin/users?q=founder", viewport={"width": 390, "height": 400})
    page.get_by_role("row").filter(has_text="founder").locator("[data-menu-button]").click()
    menu = page.locator("[data-row-menu]")
    expect(menu).to_be_visible()
    page.evaluate("dispatchEvent(new Event('scroll'))")
    page.wait_for_timeout(100)
    expect(menu).to_be_visible()
    page.mouse.wheel(0, 60)
    expect(menu).to_be_hidden()


def test_a_change_to_somebody_who_has_left_the_list_is_no_fault(visits: Visits, site: Site) -> None:
    for name in ("Looked away from", "Looked at"):
        _member(site, name)
    page = visits.open("/admin/users")
    page.get_by_role("row").filter(has_text="Looked away from").locator("[data-menu-button]").click()
    page.locator("[data-row-menu]").get_by_text(en("js.admin.disable"), exact=True).click()
    held = Held(page, re.compile("/api/admin/users/"))
    page.get_by_role("alertdialog").get_by_role("button", name=en("js.admin.disable")).click()
    held.wait()
    page.locator("#user-search").fill("Looked at")
    expect(page.get_by_role("row").filter(has_text="Looked away from")).to_have_count(0)
    held.let_go()
    expect(page.locator(".toast")).to_have_text(re.compile(en("js.admin.user_disabled", name="Looked away from")))
    page.locator("#user-search").fill("Looked")
    expect(page.get_by_role("row").filter(has_text="Looked away from")).to_contain_text(en("js.admin.disabled"))


def test_who_is_found_by_their_state_gets_a_budget(look: Look, visits: Visits, site: Site) -> None:
    say, name = look.say, f"Latecomer {look.locale}"
    _member(site, name)
    page = look.open(visits, "/admin/users?q=late")
    row = page.get_by_role("row").filter(has_text=name)
    page.get_by_label(say("admin.state"), exact=True).select_option("disabled")
    expect(row).to_be_hidden()
    page.get_by_label(say("admin.state"), exact=True).select_option("waiting")
    expect(row).to_be_visible()
    expect(page).to_have_url(re.compile(r"/admin/users\?q=late&state=waiting$"))
    look.expect_no_fault(page)
    row.get_by_role("button", name=say("js.admin.actions_for", name=name)).click()
    page.locator("[data-row-menu]").get_by_text(say("admin.see_budgets")).click()
    expect(page.get_by_text(say("budgets.none_of_person"))).to_be_visible()
    look.expect_no_fault(page)
    page.get_by_role("button", name=say("budgets.new")).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label(say("dashboard.user"), exact=True)).to_have_value(name)
    dialog.get_by_label(say("budgets.limit"), exact=True).fill("5000")
    dialog.get_by_role("button", name=say("base.save")).click()
    expect(page.locator("[data-budgets] > li")).to_contain_text(name)
