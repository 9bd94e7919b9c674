"""Signing in by a real directory in a browser: set up in the settings, tried, and come in by the usual two fields."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e import entrance
from tests.e2e.accessible import expect_no_fault
from tests.e2e.site import Site
from tests.e2e.visits import PHONE, WIDE, Scheme, Visits
from tests.e2e.words import Words, words
from tests.support import directory
from tests.support.directory import GROUPS, PEOPLE, PUPILS, READER, READER_PASSWORD, RealDirectory

THERE = "a word of the directory"
HERE = "copper window mountain"
ALL = "/api/admin/directories"
LOOKS = [("zh", "dark", PHONE), ("en", "light", WIDE)]

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def campus() -> Iterator[RealDirectory]:
    with directory.running() as known:
        yield known


@pytest.fixture(autouse=True)
def as_before(site: Site) -> Iterator[None]:
    yield
    for each in site.ask("GET", ALL)["directories"]:
        site.ask("DELETE", f"{ALL}/{each['id']}")


def fill_in(admin: Page, say: Words, campus: RealDirectory, group: str, login: str) -> Locator:
    admin.get_by_role("button", name=say("directories.add")).click()
    form = admin.get_by_role("dialog")
    form.get_by_label(say("identities.name"), exact=True).fill("The Campus")
    form.get_by_label(say("directories.slug"), exact=True).fill("campus")
    form.get_by_label(say("directories.address"), exact=True).fill(campus.address)
    form.get_by_label(say("directories.bind_dn"), exact=True).fill(READER)
    form.get_by_label(say("directories.bind_password"), exact=True).fill(READER_PASSWORD)
    form.get_by_label(say("directories.base_dn"), exact=True).fill(PEOPLE)
    form.get_by_label(say("directories.groups_base"), exact=True).fill(GROUPS)
    form.get_by_label(say("directories.nested_walked"), exact=True).check()
    form.get_by_label(say("directories.try_name"), exact=True).fill(login)
    form.get_by_role("button", name=say("directories.try")).click()
    expect(form.locator("[data-tried]")).to_contain_text(say("error.directory_certificate"))
    form.get_by_label(say("directories.certificates"), exact=True).fill(campus.certificate)
    form.get_by_role("button", name=say("directories.try")).click()
    expect(form.locator("[data-tried]")).to_have_text(say("js.admin.directory_found", name=login))
    expect(form.locator("[data-found]")).to_contain_text(f"{login}@school.example")
    expect(form.locator("[data-found]")).to_contain_text(PUPILS)
    form.get_by_label(say("identities.newcomers_open"), exact=True).check()
    form.get_by_role("button", name=say("identities.add_row")).click()
    form.get_by_label(say("directories.group_value"), exact=True).fill(PUPILS)
    form.get_by_role("listitem").get_by_label(say("identities.group_here"), exact=True).select_option(group)
    return form


@pytest.mark.parametrize(("locale", "scheme", "viewport"), LOOKS)
def test_it_is_set_up_tried_and_somebody_comes_in(
    visits: Visits, site: Site, campus: RealDirectory, locale: str, scheme: Scheme, viewport: Any
) -> None:
    say, login = words(locale), f"visitor-{locale}"
    campus.join(campus.know(login, THERE, mail=f"{login}@school.example"), PUPILS)
    group = site.ask("POST", "/api/admin/groups", {"name": f"Campus {locale}"})
    admin = visits.open("/admin/settings", locale=locale, scheme=scheme, viewport=viewport)
    expect(admin.get_by_text(say("directories.none"))).to_be_visible()
    form = fill_in(admin, say, campus, group["name"], login)
    expect_no_fault(admin)
    form.get_by_role("button", name=say("base.save")).click()
    expect(admin.locator(".toast")).to_contain_text(say("js.admin.identity_saved"))
    expect(admin.locator("[data-directories]")).to_contain_text(campus.address)

    person = visits.open("/login?next=/account", locale=locale, scheme=scheme, viewport=viewport, signed_in=False)
    expect(person.get_by_text(say("directories.sign_in", names="The Campus"))).to_be_visible()
    expect_no_fault(person)
    entrance.sign_in(person, say, username=login, password="not the password, long")
    expect(person.get_by_role("alert").filter(visible=True)).to_have_text(say("error.wrong_credentials"))
    entrance.sign_in(person, say, username=login, password=THERE)
    person.wait_for_url(f"{site.url}/account")
    expect(person.locator("[data-linked]")).to_contain_text("The Campus")
    (found,) = site.ask("GET", f"/api/admin/users?q={login}")["users"]
    assert found["group"]["name"] == group["name"]
    admin.locator("[data-directories]").get_by_role(
        "button", name=say("js.admin.identity_edit_this", name="The Campus")
    ).click()
    expect(admin.get_by_role("dialog").get_by_label(say("directories.nested_walked"), exact=True)).to_be_checked()


@pytest.mark.parametrize(("locale", "scheme", "viewport"), LOOKS)
def test_whoever_has_an_account_links_it(
    visits: Visits, site: Site, campus: RealDirectory, locale: str, scheme: Scheme, viewport: Any
) -> None:
    say, login = words(locale), f"linker-{locale}-{scheme}"
    campus.know(login, THERE)
    terms = campus.terms(newcomers="closed")
    body = {name: getattr(terms, name) for name in ("address", "base_dn", "bind_dn", "certificates", "newcomers")}
    site.ask("POST", ALL, body | {"slug": "campus", "name": "The Campus", "bind_password": READER_PASSWORD})
    site.ask("POST", "/api/admin/users", {"username": login.title(), "role": "member", "password": HERE})
    page = visits.open("/login?next=/account", locale=locale, scheme=scheme, viewport=viewport, signed_in=False)
    entrance.sign_in(page, say, username=login.title(), password=HERE)
    page.get_by_role("button", name=say("js.account.identity_link", name="The Campus")).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text(say("directories.link_text"))
    expect_no_fault(page)
    dialog.get_by_label(say("directories.link_name"), exact=True).fill(login)
    dialog.get_by_label(say("directories.link_password"), exact=True).fill("not the password")
    dialog.get_by_label(say("directories.link_own_password"), exact=True).fill(HERE)
    dialog.get_by_role("button", name=say("directories.link"), exact=True).click()
    expect(dialog.get_by_role("alert").filter(visible=True)).to_have_text(say("error.wrong_directory_password"))
    dialog.get_by_label(say("directories.link_password"), exact=True).fill(THERE)
    dialog.get_by_role("button", name=say("directories.link"), exact=True).click()
    expect(page.locator(".toast")).to_contain_text(say("js.account.directory_linked"))
    expect(page.locator("[data-linked]")).to_contain_text(login)
