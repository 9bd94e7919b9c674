"""Signing in by a real identity provider in a browser: set up in the settings, gone through, linked and unlinked."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import create_engine, select, update
from sqlalchemy.pool import NullPool

from flask_app.database import utc_now
from flask_app.models import LoginSession, User
from tests.e2e import entrance
from tests.e2e.accessible import expect_no_fault
from tests.e2e.held import Held
from tests.e2e.looks import Look
from tests.e2e.site import Site
from tests.e2e.visits import PHONE, WIDE, Scheme, Visits
from tests.e2e.words import Words, words
from tests.support import oidc_provider
from tests.support.oidc_provider import RealProvider
from tests.support.served import PASSWORD

ALL = "/api/admin/identity-providers"
LOOKS = [("zh", "dark", PHONE), ("en", "light", WIDE)]

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def school(site: Site) -> Iterator[RealProvider]:
    """On another site than ours, as browsers see it: `localhost` and 127.0.0.1 share no cookie."""
    with oidc_provider.running(f"{site.url}/login/callback/school") as provider:
        yield provider


@pytest.fixture(autouse=True)
def as_before(site: Site, visits: Visits, school: RealProvider) -> Iterator[None]:
    yield
    for each in site.ask("GET", ALL)["identity_providers"]:
        site.ask("DELETE", f"{ALL}/{each['id']}")
    visits.forgive(school.issuer)


def provide(site: Site, school: RealProvider, **terms: Any) -> None:
    body = {"slug": "school", "name": "The School", "issuer": school.issuer, "client_id": "site"}
    site.ask("POST", ALL, body | {"client_secret": school.secret, "newcomers": "open"} | terms)


def sign_in_there(page: Page, login: str) -> None:
    page.get_by_label("Login").fill(login)
    page.get_by_role("button", name="Sign in there").click()


def press(page: Page, say: Words) -> None:
    page.get_by_role("button", name=say("identities.sign_in_by", name="The School")).click()


def fill_in(admin: Page, say: Words, site: Site, school: RealProvider, group: str) -> Locator:
    admin.get_by_role("button", name=say("identities.add")).click()
    form = admin.get_by_role("dialog")
    form.get_by_label(say("identities.name"), exact=True).fill("The School")
    form.get_by_label(say("identities.slug"), exact=True).fill("school")
    expect(form).to_contain_text(f"{site.url}/login/callback/school")
    form.get_by_label(say("identities.issuer"), exact=True).fill(school.issuer + "/")
    form.get_by_role("button", name=say("identities.try")).click()
    expect(form.locator("[data-tried]")).to_contain_text(school.issuer)
    form.get_by_label(say("identities.issuer"), exact=True).fill(school.issuer)
    form.get_by_role("button", name=say("identities.try")).click()
    expect(form.locator("[data-tried]")).to_have_text(say("js.admin.identity_works", algorithms="RS256, ES256, EdDSA"))
    form.get_by_label(say("identities.client_id"), exact=True).fill("site")
    form.get_by_label(say("identities.client_secret"), exact=True).fill(school.secret)
    form.get_by_label(say("identities.scopes"), exact=True).fill("openid profile email groups")
    form.get_by_label(say("identities.newcomers_open"), exact=True).check()
    form.get_by_label(say("identities.groups_claim"), exact=True).fill("groups")
    form.get_by_role("button", name=say("identities.add_row")).click()
    form.get_by_label(say("identities.group_value"), exact=True).fill("pupils")
    form.get_by_role("listitem").get_by_label(say("identities.group_here"), exact=True).select_option(group)
    return form


@pytest.mark.parametrize(("locale", "scheme", "viewport"), LOOKS)
def test_it_is_set_up_and_somebody_comes_into_their_group(
    visits: Visits, site: Site, school: RealProvider, locale: str, scheme: Scheme, viewport: Any
) -> None:
    say, login = words(locale), f"pupil-{locale}"
    school.know(**{login: {"preferred_username": login, "groups": ["pupils"]}})
    group = site.ask("POST", "/api/admin/groups", {"name": f"Pupils {locale}"})
    admin = visits.open("/admin/settings", locale=locale, scheme=scheme, viewport=viewport)
    expect(admin.get_by_text(say("identities.none"))).to_be_visible()
    form = fill_in(admin, say, site, school, group["name"])
    expect_no_fault(admin)
    form.get_by_role("button", name=say("base.save")).click()
    expect(admin.locator(".toast")).to_contain_text(say("js.admin.identity_saved"))
    expect(admin.locator("[data-identity-providers]")).to_contain_text("The School")

    person = visits.open("/login?next=/dashboard", locale=locale, scheme=scheme, viewport=viewport, signed_in=False)
    expect_no_fault(person)
    press(person, say)
    sign_in_there(person, login)
    person.wait_for_url(f"{site.url}/dashboard")
    person.goto("/account")
    expect(person.locator("[data-linked]")).to_contain_text("The School")
    expect(person.get_by_text(say("identities.no_password"))).to_be_visible()
    expect_no_fault(person)
    (found,) = site.ask("GET", f"/api/admin/users?q={login}")["users"]
    assert found["group"]["name"] == group["name"]


@pytest.mark.parametrize(("locale", "scheme", "viewport"), LOOKS)
def test_who_cancels_or_is_unknown_reads_why(
    visits: Visits, site: Site, school: RealProvider, locale: str, scheme: Scheme, viewport: Any
) -> None:
    say = words(locale)
    provide(site, school, newcomers="closed")
    person = visits.open("/login", locale=locale, scheme=scheme, viewport=viewport, signed_in=False)
    press(person, say)
    person.get_by_role("button", name="Cancel").click()
    expect(person.get_by_role("alert")).to_have_text(say("error.identity_cancelled"))
    expect_no_fault(person)
    scripts = Held(person, "**/identity-buttons.js")
    person.get_by_role("link", name=say("auth.back_to_sign_in")).click()
    scripts.wait()
    press(person, say)  # which nobody hears yet
    scripts.let_go()
    sign_in_there(person, "stranger")
    expect(person.get_by_role("alert")).to_have_text(say("error.identity_unknown", provider="The School"))
    assert "code=" not in person.url, "no history keeps it"
    person.reload()
    expect(person.get_by_role("alert")).to_have_text(say("error.sign_in_expired"))


def test_one_links_an_identity_and_signs_in_by_it(visits: Visits, site: Site, school: RealProvider) -> None:
    say = words("en")
    provide(site, school, newcomers="closed")
    site.ask("POST", "/api/admin/users", {"username": "linker", "role": "member", "password": PASSWORD})
    page = visits.open("/login?next=/account", signed_in=False)
    entrance.sign_in(page, say, username="linker", password=PASSWORD)
    page.wait_for_url(f"{site.url}/account")
    page.get_by_role("button", name=say("js.account.identity_link", name="The School")).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label(say("auth.password"), exact=True).fill("not the password, long")
    dialog.get_by_role("button", name=say("identities.go_on")).click()
    expect(dialog.get_by_role("alert")).to_have_text(say("error.wrong_password"))
    dialog.get_by_label(say("auth.password"), exact=True).fill(PASSWORD)
    dialog.get_by_role("button", name=say("identities.go_on")).click()
    sign_in_there(page, "linked login")
    page.wait_for_url(f"{site.url}/account")
    expect(page.locator("[data-linked]")).to_contain_text("The School")

    again = visits.open("/login", signed_in=False)
    press(again, say)
    sign_in_there(again, "linked login")
    again.wait_for_url(f"{site.url}/")
    page.get_by_role("button", name=say("js.account.identity_unlink_this", name="The School")).click()
    page.get_by_role("alertdialog").get_by_role("button", name=say("js.account.identity_unlink"), exact=True).click()
    expect(page.locator(".toast")).to_contain_text(say("js.account.identity_unlinked", name="The School"))
    expect(page.locator("[data-linked]").get_by_role("listitem")).to_have_count(0)


@pytest.mark.parametrize(("locale", "scheme", "viewport"), LOOKS)
def test_who_has_no_password_and_an_old_session_is_led_to_sign_in_and_back(
    visits: Visits, site: Site, school: RealProvider, locale: str, scheme: Scheme, viewport: Any
) -> None:
    say, login = words(locale), f"late-{locale}"
    provide(site, school)
    school.know(**{login: {"preferred_username": login}})
    page = visits.open("/login?next=/account", locale=locale, scheme=scheme, viewport=viewport, signed_in=False)
    press(page, say)
    sign_in_there(page, login)
    page.wait_for_url(f"{site.url}/account")
    engine = create_engine(f"sqlite:///{site.instance / 'mingchat.db'}", poolclass=NullPool)
    with engine.begin() as connection:
        person = select(User.id).where(User.username == login).scalar_subquery()
        began = utc_now() - timedelta(hours=3)
        connection.execute(update(LoginSession).where(LoginSession.user_id == person).values(created_at=began))
    page.get_by_role("button", name=say("js.account.identity_link", name="The School"), exact=True).click()
    failure = page.locator("[data-identity-error]")
    expect(failure).to_contain_text(say("error.sign_in_again"))
    expect_no_fault(page)
    failure.get_by_role("button", name=say("js.sign_in_again")).click()
    page.wait_for_url(f"{site.url}/login?next=%2Faccount")


def test_members_passwords_are_switched_off(look: Look, visits: Visits, site: Site, school: RealProvider) -> None:
    say, idler = look.say, f"idler {look.locale}"
    provide(site, school)
    site.ask("POST", "/api/admin/users", {"username": idler, "role": "member", "password": PASSWORD})
    admin = look.open(visits, "/admin/settings")
    passwords = admin.get_by_role("switch", name=say("identities.passwords"))
    passwords.uncheck()
    question = admin.get_by_role("alertdialog")
    expect(question).to_be_visible()
    look.expect_no_fault(admin)
    question.get_by_role("button", name=say("base.cancel")).click()
    expect(passwords).to_be_checked()
    passwords.uncheck()
    question.get_by_role("button", name=say("js.admin.identity_passwords_off")).click()
    expect(admin.locator(".toast")).to_contain_text(say("js.admin.identity_passwords_saved"))
    page = look.open(visits, "/login", signed_in=False)
    expect(page.get_by_text(say("identities.passwords_off"))).to_be_visible()
    look.expect_no_fault(page)
    entrance.sign_in(page, say, username=idler, password=PASSWORD)
    expect(page.get_by_role("alert").filter(visible=True)).to_have_text(say("error.password_sign_in_off"))
    site.ask("PUT", "/api/admin/settings/password-sign-in", {"everybody": True})
