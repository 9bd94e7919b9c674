"""Inviting people: a link that is shown once, the page that it leads to, and what became of it."""

import csv
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import create_engine, update
from sqlalchemy.pool import NullPool

from flask_app.database import new_id
from flask_app.models import Invitation
from tests.e2e import entrance
from tests.e2e.accessible import expect_no_fault
from tests.e2e.looks import Look
from tests.e2e.site import Site
from tests.e2e.visits import PHONE, WIDE, Scheme, Visits
from tests.e2e.words import words

PASSWORD = "copper window mountain"
INVITATIONS = "/api/admin/invitations"
# Each language, colour and size with each of the others.
LOOKS = [("zh", "light", PHONE), ("zh", "dark", WIDE), ("en", "light", WIDE), ("en", "dark", PHONE)]

en = words("en")

pytestmark = pytest.mark.browser


def invited(site: Site, name: str, **terms: Any) -> tuple[str, str]:
    """The invitation's id, and the path of its link."""
    made = site.ask("POST", INVITATIONS, {"name": name, **terms})
    return made["invitation"]["id"], f"/join#{made['token']}"


def row_of(page: Page, name: str) -> Any:
    return page.locator("[data-invitations]").get_by_role("listitem").filter(has_text=name)


@pytest.mark.parametrize(("locale", "scheme", "viewport"), LOOKS)
def test_a_class_is_invited_and_comes_in(
    visits: Visits, site: Site, locale: str, scheme: Scheme, viewport: Any
) -> None:
    say, mark = words(locale), f"{locale} {scheme} {viewport['width']}"
    admin = visits.open("/admin/users", locale=locale, scheme=scheme, viewport=viewport)
    admin.get_by_role("button", name=say("admin.invite")).click()
    dialog = admin.get_by_role("dialog", name=say("admin.invite"))
    dialog.get_by_label(say("admin.invitation_name"), exact=True).fill(f"Class {mark}")
    dialog.get_by_label(say("admin.invitation_most"), exact=True).fill("2")
    dialog.get_by_label(say("admin.invitation_days_30")).check()
    dialog.get_by_role("button", name=say("admin.invitation_make")).click()
    shown = admin.locator("#link-dialog")
    expect(shown).to_contain_text(say("js.admin.invitation_link", name=f"Class {mark}"))
    expect(shown).to_contain_text(say("js.admin.invitation_once"))
    link = shown.locator("#link-address").inner_text()
    shown.get_by_role("button", name=say("base.copy"), exact=True).click()
    expect(admin.locator(".toast")).to_be_visible()
    assert admin.evaluate("navigator.clipboard.readText()") == link
    shown.get_by_role("button", name=say("admin.done")).click()
    for secret in ("#link-address", "#link-code"):
        expect(shown.locator(secret)).to_be_empty()  # gone with its dialog
    expect(row_of(admin, mark)).to_contain_text(say("js.admin.invitation_open"))

    person = visits.open(link, locale=locale, scheme=scheme, viewport=viewport, signed_in=False)
    expect(person.get_by_role("heading", name=say("auth.join", brand=say("base.brand")))).to_be_visible()
    expect(person.get_by_text(say("js.join_by", name=f"Class {mark}"))).to_be_visible()
    entrance.join(person, say, username=f"小红 {mark}", password=PASSWORD)
    expect(person.locator("[data-greeting]")).to_contain_text(f"小红 {mark}")
    person.go_back()
    expect(person).not_to_have_url(re.compile("/join"))
    secrets = link.partition("#")[2], PASSWORD
    asked = visits.watch(person).requests
    assert any("/api/join" in request.url for request in asked)
    for request in asked:
        told = request.url.partition("#")[0] + request.headers.get("referer", "")
        assert not [secret for secret in secrets if secret in told], "no address and no log has it"

    admin.reload()
    expect(admin.get_by_role("row").filter(has_text=f"小红 {mark}")).to_be_visible()
    used = say("js.admin.invitation_used", used="1", most="2", group=say("admin.everyone"))
    expect(row_of(admin, mark)).to_contain_text(used)
    assert admin.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


@pytest.mark.parametrize(("locale", "scheme", "viewport"), LOOKS)
def test_a_code_on_the_board_is_typed_and_leads_in(
    visits: Visits, site: Site, locale: str, scheme: Scheme, viewport: Any
) -> None:
    say, mark = words(locale), f"Board {locale} {scheme}"
    admin = visits.open("/admin/users", locale=locale, scheme=scheme, viewport=viewport)
    admin.get_by_role("button", name=say("admin.invite")).click()
    admin.get_by_label(say("admin.invitation_name"), exact=True).fill(mark)
    admin.get_by_role("button", name=say("admin.invitation_make")).click()
    shown = admin.locator("#link-dialog")
    expect(shown).to_be_visible()
    code = shown.locator("#link-code").inner_text()
    assert shown.locator("#link-address").inner_text().endswith(f"/join#{code}")
    expect(shown).to_contain_text(say("js.admin.invitation_code", address=f"{urlsplit(admin.url).netloc}/join"))
    shown.get_by_role("button", name=say("admin.copy_code")).click()
    expect(admin.locator(".toast")).to_be_visible()
    assert admin.evaluate("navigator.clipboard.readText()") == code

    person = visits.open("/login", locale=locale, scheme=scheme, viewport=viewport, signed_in=False)
    person.get_by_role("link", name=say("auth.have_invitation")).click()
    expect(person.get_by_label(say("auth.invitation_code"), exact=True)).to_be_focused()
    expect(person.get_by_role("button", name=say("auth.create_account"))).to_be_hidden()
    entrance.give_invitation_code(person, say, f"{code[:-1]}!")
    expect(person.get_by_role("alert")).to_have_text(say("error.invitation_unknown"))
    expect_no_fault(person, locale)
    entrance.give_invitation_code(person, say, f" {urlsplit(admin.url)._replace(path='/join').geturl()}#{code} ")
    expect(person.get_by_text(say("js.join_by", name=mark))).to_be_visible()
    person.reload()
    entrance.give_invitation_code(person, say, f"#{code.replace('-', ' ').lower()}")
    expect(person.get_by_text(say("js.join_by", name=mark))).to_be_visible()
    expect(person.get_by_label(say("auth.username"), exact=True)).to_be_focused()
    entrance.join(person, say, username=mark, password=PASSWORD)
    expect(person.locator("[data-greeting]")).to_contain_text(mark)
    for request in visits.watch(person).requests:
        assert code[:4].lower() not in request.url.lower(), "no address has it"


@pytest.mark.parametrize(("locale", "scheme", "viewport"), LOOKS)
def test_a_list_is_mended_and_everybody_on_it_invited(
    visits: Visits, site: Site, tmp_path: Path, locale: str, scheme: Scheme, viewport: Any
) -> None:
    say, mark = words(locale), f"{locale}-{scheme}"
    admin = visits.open("/admin/users", locale=locale, scheme=scheme, viewport=viewport)
    admin.get_by_role("button", name=say("admin.invite_many")).click()
    dialog = admin.get_by_role("dialog", name=say("admin.invite_many"))
    file = tmp_path / "people.csv"
    file.write_bytes("李雷".encode("gbk"))
    dialog.get_by_label(say("admin.many_file")).set_input_files(file)
    expect(dialog.get_by_role("alert")).to_have_text(say("js.admin.many_not_utf8"))
    file.write_text(f"\ufeffname;email;group\r\n李雷 {mark};li@example.org;\r\n韩 {mark};;3z\r\n", "utf-8")
    dialog.get_by_label(say("admin.many_file")).set_input_files(file)
    people = dialog.get_by_label(say("admin.many_people"))
    expect(people).to_have_value(re.compile(mark))
    dialog.get_by_role("button", name=say("admin.many_make")).click()
    mistake = say("invitation.at_line", line="3", mistake=say("error.invitation_group_unknown", name="3z"))
    expect(dialog.get_by_role("alert")).to_contain_text(mistake)
    expect_no_fault(admin, locale)
    people.fill(people.input_value().replace("3z", ""))
    dialog.get_by_role("button", name=say("admin.many_make")).click()
    made = admin.get_by_role("dialog", name=say("js.admin.many_made", count="2"))
    expect(made.locator("[data-made]")).to_have_value(re.compile(f"^李雷 {mark}\\t.*/join#.*\\n韩 {mark}\\t.*/join#"))
    expect_no_fault(admin, locale)
    with admin.expect_download() as download:
        made.get_by_text(say("admin.many_download")).click()
    rows = list(csv.DictReader(Path(download.value.path()).read_text("utf-8-sig").splitlines()))
    assert [row["name"] for row in rows] == [f"李雷 {mark}", f"韩 {mark}"]
    made.get_by_role("button", name=say("admin.done")).click()
    expect(admin.locator("#many-made-dialog [data-made]")).to_have_value("")
    expect(row_of(admin, f"韩 {mark}")).to_contain_text(say("js.admin.invitation_open"))
    assert admin.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    person = visits.open(rows[0]["link"], locale=locale, scheme=scheme, viewport=viewport, signed_in=False)
    expect(person.get_by_text(say("js.join_by", name=rows[0]["name"]))).to_be_visible()


def test_a_name_that_is_taken_is_told_beside_it_and_another_comes_in(visits: Visits, site: Site) -> None:
    site.ask("POST", "/api/admin/users", {"username": "Han Meimei", "password": PASSWORD})
    _, link = invited(site, "For one")
    page = visits.open(link, signed_in=False)
    entrance.join(page, en, username="han meimei", password=PASSWORD)
    expect(page.get_by_role("alert").filter(has_text=en("error.username_taken"))).to_be_visible()
    name = page.get_by_label(en("auth.username"), exact=True)
    expect(name).to_be_focused()
    name.fill("Han Meimei 2")
    page.get_by_role("button", name=en("auth.create_account")).click()
    expect(page.locator("[data-greeting]")).to_contain_text("Han Meimei 2")


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_a_link_that_is_over_says_so_and_asks_for_nothing(visits: Visits, site: Site, locale: str) -> None:
    say = words(locale)
    revoked, link = invited(site, f"Over {locale}")
    waiting = visits.open(link, locale=locale, signed_in=False)
    expect(waiting.get_by_text(say("js.join_by", name=f"Over {locale}"))).to_be_visible()
    site.ask("DELETE", f"{INVITATIONS}/{revoked}")
    entrance.join(waiting, say, username=f"late {locale}", password=PASSWORD)
    fresh = visits.open(link, locale=locale, signed_in=False)
    for page in (waiting, fresh):
        expect(page.get_by_role("alert")).to_have_text(say("error.invitation_revoked"))
        expect(page.get_by_role("button", name=say("auth.create_account"))).to_be_hidden()
    expect_no_fault(fresh, locale)
    assert not site.rows("SELECT id FROM users WHERE username = :name", name=f"late {locale}")


def test_revoking_is_asked_about_and_told(look: Look, visits: Visits, site: Site) -> None:
    say, name = look.say, f"Revoke me {look.locale}"
    made, _ = invited(site, name, most=30)
    page = look.open(visits, "/admin/users")
    row = row_of(page, name)
    row.get_by_role("button", name=say("js.admin.invitation_revoke", name=name)).click()
    question = page.get_by_role("alertdialog")
    expect(question).to_contain_text(say("js.admin.invitation_revoke_text", name=name))
    look.expect_no_fault(page)
    question.get_by_role("button", name=say("js.admin.invitation_revoke_action")).click()
    expect(row).to_contain_text(say("js.admin.invitation_revoked"))
    expect(row.get_by_role("button")).to_be_hidden()
    history = row.get_by_role("link", name=say("js.admin.invitation_history", name=name))
    expect(history).to_be_focused()
    history.click()
    expect(page).to_have_url(re.compile(f"/admin/audit.*{made}"))
    expect(page.get_by_role("main")).to_contain_text(say("audit.action_invitation_revoke"))


def test_who_is_signed_in_is_told_that_they_are(visits: Visits, site: Site) -> None:
    _, link = invited(site, "For a friend")
    page = visits.open(link)
    expect(page.get_by_role("main")).to_contain_text(en("auth.join_signed_in", name="founder"))


def test_more_than_a_page_of_invitations_comes_when_it_is_asked_for(visits: Visits, site: Site) -> None:
    for number in range(51):
        site.ask("DELETE", f"{INVITATIONS}/{invited(site, f'Many {number}')[0]}")
    page = visits.open("/admin/users")
    rows = page.locator("[data-invitations] > li")
    expect(rows).to_have_count(50)
    page.locator("[data-invitations-more]").click()
    expect(row_of(page, "Many 0")).to_have_count(1)
    assert rows.count() > 50


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_everybody_can_use_what_there_is(visits: Visits, site: Site, locale: str) -> None:
    """The page of a link, the list of invitations, and both dialogs: as axe sees them, wide and narrow."""
    say = words(locale)
    _, link = invited(site, f"Seen {locale}", most=3)
    page = visits.open(link, locale=locale, signed_in=False)
    expect(page.get_by_text(say("js.join_by", name=f"Seen {locale}"))).to_be_visible()
    expect_no_fault(page, locale)
    admin = visits.open("/admin/users", locale=locale)
    expect(row_of(admin, f"Seen {locale}")).to_be_visible()
    expect_no_fault(admin, locale)
    admin.get_by_role("button", name=say("admin.invite")).click()
    expect_no_fault(admin, locale)
    admin.get_by_label(say("admin.invitation_name"), exact=True).fill("Shown once")
    admin.get_by_role("button", name=say("admin.invitation_make")).click()
    expect(admin.locator("#link-dialog")).to_be_visible()
    expect_no_fault(admin, locale)


def test_one_whose_maker_may_invite_no_more_says_why(look: Look, visits: Visits, site: Site) -> None:
    say, name = look.say, f"Left behind {look.locale}"
    made, link = invited(site, name)
    engine = create_engine(f"sqlite:///{site.instance / 'mingchat.db'}", poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(update(Invitation).where(Invitation.id == made).values(user_id=new_id()))
    page = look.open(visits, "/admin/users")
    row = row_of(page, name)
    expect(row).to_contain_text(say("js.admin.invitation_lapsed"))
    expect(row).to_contain_text(say("js.admin.invitation_why_lapsed"))
    look.expect_no_fault(page)
    person = look.open(visits, link, signed_in=False)
    expect(person.get_by_text(say("error.invitation_revoked"))).to_be_visible()
    row.get_by_role("button", name=say("js.admin.invitation_revoke", name=name)).click()
    page.get_by_role("alertdialog").get_by_role("button", name=say("js.admin.invitation_revoke_action")).click()
    expect(row).to_contain_text(say("js.admin.invitation_revoked"))
    expect(row).not_to_contain_text(say("js.admin.invitation_why_lapsed"))
