"""Accounts without an invitation: switched on in the settings, asked for, let in on the page of people."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e import entrance
from tests.e2e.accessible import expect_no_fault
from tests.e2e.held import Held
from tests.e2e.looks import Look
from tests.e2e.site import Site
from tests.e2e.visits import PHONE, WIDE, Scheme, Visits
from tests.e2e.words import Words, words
from tests.support import registered
from tests.support.brokers import wait_until
from tests.support.mail_server import MailServer

PASSWORD = "copper window mountain"
TERMS = "/api/admin/settings/registration"
# Each language, colour and size with each of the others.
LOOKS = [("zh", "light", PHONE), ("zh", "dark", WIDE), ("en", "light", WIDE), ("en", "dark", PHONE)]

en = words("en")

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def as_before(site: Site) -> Iterator[None]:
    yield
    site.ask("PUT", TERMS, {"mode": "closed"})
    for each in site.ask("GET", "/api/admin/registrations")["registrations"]:
        site.ask("DELETE", f"/api/admin/registrations/{each['id']}")


def ask(page: Page, say: Words, username: str, email: str | None = None) -> None:
    if email:
        page.get_by_label(say("registration.email"), exact=True).fill(email)
    entrance.join(page, say, username=username, password=PASSWORD)


def outcome(page: Page) -> Any:
    return page.get_by_role("main").get_by_role("status")


def row_of(page: Page, name: str) -> Any:
    return page.locator("[data-registrations]").get_by_role("listitem").filter(has_text=name)


@pytest.mark.parametrize(("locale", "scheme", "viewport"), LOOKS)
def test_somebody_asks_and_is_let_in(visits: Visits, site: Site, locale: str, scheme: Scheme, viewport: Any) -> None:
    say, name = words(locale), f"新人 {locale} {scheme}"
    group = site.ask("POST", "/api/admin/groups", {"name": f"Readers {locale} {scheme}"})
    admin = visits.open("/admin/settings", locale=locale, scheme=scheme, viewport=viewport)
    form = admin.locator("[data-registration-form]")
    expect(form.get_by_label(say("registration.group"))).to_be_hidden()
    form.get_by_label(say("registration.mode_approval")).check()
    form.get_by_label(say("registration.group")).select_option(group["name"])
    expect(form).to_contain_text(say("registration.confirms_not"))
    expect_no_fault(admin)
    form.get_by_role("button", name=say("base.save")).click()
    expect(admin.locator(".toast")).to_contain_text(say("js.admin.registration_saved"))

    person = visits.open("/login", locale=locale, scheme=scheme, viewport=viewport, signed_in=False)
    person.get_by_role("link", name=say("registration.link")).click()
    expect(person.get_by_text(say("registration.lead_approval"))).to_be_visible()
    expect_no_fault(person)
    ask(person, say, name)
    expect(outcome(person)).to_have_text(say("js.registration_approval"))
    expect(person.get_by_role("button", name=say("auth.create_account"))).to_be_hidden()
    expect_no_fault(person)

    admin.goto("/admin/users")
    expect(admin.get_by_role("heading", name=say("registration.waiting"))).to_be_visible()
    expect_no_fault(admin)
    assert admin.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    row_of(admin, name).get_by_role("button", name=say("js.admin.registration_accept", name=name)).click()
    told = say("js.admin.registration_accepted", name=name, group=group["name"])
    expect(admin.locator(".toast")).to_contain_text(told)
    expect(row_of(admin, name)).to_have_count(0)
    expect(admin.get_by_role("row").filter(has_text=name)).to_contain_text(group["name"])

    person.goto("/login")
    entrance.sign_in(person, say, username=name, password=PASSWORD)
    expect(person.locator("[data-greeting]")).to_contain_text(name)


def test_refusing_is_asked_about(look: Look, visits: Visits, site: Site) -> None:
    say = look.say
    site.ask("PUT", TERMS, {"mode": "approval"})
    person = look.open(visits, "/register", signed_in=False)
    ask(person, say, "Nobody knows")
    expect(outcome(person)).to_have_text(say("js.registration_approval"))
    admin = look.open(visits, "/admin/users")
    refuse = say("js.admin.registration_refuse_this", name="Nobody knows")
    row_of(admin, "Nobody knows").get_by_role("button", name=refuse).click()
    question = admin.get_by_role("alertdialog")
    expect(question).to_contain_text(say("js.admin.registration_refuse_text"))
    look.expect_no_fault(admin)
    question.get_by_role("button", name=say("js.admin.registration_refuse")).click()
    expect(admin.get_by_role("heading", name=say("registration.waiting"))).to_be_hidden()
    expect(admin.locator("#user-search")).to_be_focused()


def test_a_double_press_lets_one_in(visits: Visits, site: Site) -> None:
    """What comes up below the pointer, or to the focus, is somebody else."""
    site.ask("PUT", TERMS, {"mode": "approval"})
    for name in ("Pressed twice", "Next below", "Last below"):
        person = visits.open("/register", signed_in=False)
        ask(person, en, name)
        expect(outcome(person)).to_have_text(en("js.registration_approval"))
    admin = visits.open("/admin/users")
    expect(admin.locator("[data-registrations] > li")).to_have_count(3)
    held = Held(admin, re.compile("/accept$"))
    button = row_of(admin, "Pressed twice").locator("[data-accept]")
    button.hover()
    admin.mouse.down()
    admin.mouse.up()
    held.wait()
    expect(button).to_have_attribute("aria-busy", "true")
    admin.evaluate("document.querySelector('[data-accept]').click()")
    assert len(held.routes) == 1, "the same one was let in twice"
    held.let_go()
    expect(row_of(admin, "Pressed twice")).to_have_count(0)
    expect(row_of(admin, "Next below")).to_be_focused()
    admin.keyboard.press("Enter")
    box = row_of(admin, "Next below").locator("[data-accept]").bounding_box()
    assert box
    admin.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    admin.mouse.down(click_count=2)
    admin.mouse.up(click_count=2)
    admin.wait_for_timeout(300)
    assert len(site.ask("GET", "/api/admin/registrations")["registrations"]) == 2


def test_who_waits_after_the_first_page_stays_within_reach(visits: Visits, site: Site) -> None:
    site.ask("PUT", TERMS, {"mode": "approval"})
    person = visits.open("/register", signed_in=False)
    ask(person, en, "Ends the page")
    expect(outcome(person)).to_have_text(en("js.registration_approval"))
    later = {
        "id": "later",
        "username": "Comes after",
        "email": None,
        "address": "",
        "created_at": "2026-01-01T00:00:00Z",
    }

    def with_more(route: Route) -> None:
        reply = route.fetch()
        whole, cut = re.subn(r'("registrations":\[\{[^]]*\],"next":)null', r'\1"more"', reply.text())
        assert cut == 1
        route.fulfill(response=reply, body=whole)

    admin = visits.open("/dashboard")
    admin.route("**/admin/users", with_more)
    admin.route(
        "**/registrations?after=more", lambda route: route.fulfill(json={"registrations": [later], "next": None})
    )
    admin.goto("/admin/users")
    row_of(admin, "Ends the page").locator("[data-accept]").click()
    expect(row_of(admin, "Ends the page")).to_have_count(0)
    more = admin.locator("[data-registrations-more]")
    expect(more).to_be_focused()
    more.click()
    expect(row_of(admin, "Comes after")).to_be_visible()


def test_everybody_comes_in_at_once_and_a_taken_name_is_told_beside_it(visits: Visits, site: Site) -> None:
    site.ask("PUT", TERMS, {"mode": "open"})
    page = visits.open("/register", signed_in=False)
    ask(page, en, "FOUNDER")
    expect(page.get_by_role("alert").filter(has_text=en("error.username_taken"))).to_be_visible()
    page.get_by_label(en("auth.username"), exact=True).fill("At once")
    page.get_by_role("button", name=en("auth.create_account")).click()
    expect(page.locator("[data-greeting]")).to_contain_text("At once")


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_a_closed_door_says_so(visits: Visits, locale: str) -> None:
    say = words(locale)
    page = visits.open("/register", locale=locale, signed_in=False)
    expect(page.get_by_role("main")).to_contain_text(say("error.registration_closed"))
    expect_no_fault(page, locale)
    signing_in = visits.open("/login", locale=locale, signed_in=False)
    expect(signing_in.get_by_role("link", name=say("registration.link"))).to_have_count(0)


@pytest.mark.parametrize(("locale", "scheme", "viewport"), LOOKS)
def test_an_address_is_confirmed(
    seen: Visits, mailing: Site, mails: MailServer, locale: str, scheme: Scheme, viewport: Any
) -> None:
    say, name = words(locale), f"新人 {locale} {scheme}"
    address = f"{locale}.{scheme}@example.org"
    mailing.ask("PUT", TERMS, {"mode": "open", "domains": ["example.org"]})
    page = seen.open("/register", locale=locale, scheme=scheme, viewport=viewport, signed_in=False)
    expect(page.get_by_role("main")).to_contain_text(say("registration.email_domains", domains="example.org"))
    ask(page, say, name, "somebody@example.com")
    expect(page.get_by_role("alert").first).to_have_text(say("error.email_not_taken", domains="example.org"))
    expect(page.get_by_label(say("registration.email"), exact=True)).to_be_focused()
    ask(page, say, name, address)
    expect(outcome(page)).to_have_text(say("js.registration_confirm", email=address))
    wait_until(lambda: [mail for mail in mails.mails if mail.recipients == [address]])
    assert name in mails.mails[-1].text
    page.goto(f"/confirm#{registered.token_of(mails)}")
    expect_no_fault(page)
    page.get_by_role("button", name=say("registration.confirm")).click()
    expect(outcome(page)).to_have_text(say("js.registration_in", name=name))
    page.get_by_role("link", name=say("auth.have_account")).click()
    entrance.sign_in(page, say, username=name, password=PASSWORD)
    expect(page.locator("[data-greeting]")).to_contain_text(name)
    page.goto("/confirm#made-up")
    page.get_by_role("button", name=say("registration.confirm")).click()
    expect(page.get_by_role("alert")).to_have_text(say("error.registration_unknown"))
