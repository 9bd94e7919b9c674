"""The site's own name, and what its administrators tell everybody: set on one page, seen on all."""

from typing import Any

import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.e2e.accessible import expect_no_fault
from tests.e2e.looks import Look
from tests.e2e.site import Site
from tests.e2e.visits import PHONE, WIDE, Scheme, Visits
from tests.e2e.words import words
from tests.support.logos import png

# Each language, colour and size with each of the others.
LOOKS = [("zh", "light", PHONE), ("zh", "dark", WIDE), ("en", "light", WIDE), ("en", "dark", PHONE)]

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def as_before(site: Site) -> Any:
    yield
    site.ask("PUT", "/api/admin/settings/site", {"name": None, "locale": None})
    site.ask("DELETE", "/api/admin/settings/logo")
    for each in site.ask("GET", "/api/admin/settings")["announcements"]:
        site.ask("DELETE", f"/api/admin/announcements/{each['id']}")


def row_of(page: Page, text: str) -> Any:
    return page.locator("[data-announcements]").get_by_role("listitem").filter(has_text=text)


@pytest.mark.parametrize(("locale", "scheme", "viewport"), LOOKS)
def test_a_site_is_named_and_something_is_announced(visits: Visits, locale: str, scheme: Scheme, viewport: Any) -> None:
    say = words(locale)
    admin = visits.open("/admin/settings", locale=locale, scheme=scheme, viewport=viewport)
    expect(admin.get_by_text(say("settings.announcements_none"))).to_be_visible()
    admin.get_by_role("textbox", name=say("settings.name"), exact=True).fill("育才 School")
    admin.get_by_role("button", name=say("base.save")).first.click()
    expect(admin.locator(".toast")).to_contain_text(say("js.admin.settings_saved"))

    admin.get_by_role("button", name=say("settings.announce")).click()
    dialog = admin.get_by_role("dialog", name=say("js.admin.announcement_new"))
    expect_no_fault(admin)
    dialog.get_by_label(say("settings.text")).fill("Exams begin.\nGood luck <b>all</b>!")
    dialog.get_by_label(say("settings.tone_warning")).check()
    dialog.get_by_role("button", name=say("base.save")).click()
    expect(row_of(admin, "Good luck <b>all</b>!")).to_contain_text(say("js.admin.announcement_is_shown"))
    admin.evaluate("scrollTo(0, 0)")  # how far the form had it scrolled goes by what the site holds
    expect_no_fault(admin)

    person = visits.open("/", locale=locale, scheme=scheme, viewport=viewport)
    expect(person).to_have_title(f"{say('js.new_chat')} · 育才 School")
    note = person.get_by_role("note")
    expect(note).to_contain_text("Good luck <b>all</b>!")
    expect(person.get_by_role("textbox", name=say("chat.message"))).to_be_in_viewport()
    expect_no_fault(person)
    person.goto(person.url + "dashboard")
    expect(note).to_be_visible()
    expect_no_fault(person)
    note.get_by_role("button", name=say("base.close")).click()
    expect(note).to_be_hidden()
    person.goto("/")
    expect(person.get_by_role("textbox", name=say("chat.message"))).to_be_visible()
    expect(note).to_be_hidden()


def test_what_was_announced_is_changed_and_taken_away(look: Look, visits: Visits, site: Site) -> None:
    say = look.say
    site.ask("POST", "/api/admin/announcements", {"text": "Exams begin."})
    admin, person = look.open(visits, "/admin/settings"), look.open(visits, "/")
    note = person.get_by_role("note")
    note.get_by_role("button", name=say("base.close")).click()
    admin.get_by_role("button", name=say("js.admin.announcement_edit_this", text="Exams begin.")).click()
    dialog = admin.get_by_role("dialog", name=say("js.admin.announcement_edit"))
    dialog.get_by_label(say("settings.text")).fill("Exams are over.")
    dialog.get_by_role("button", name=say("base.save")).click()
    expect(row_of(admin, "Exams are over.")).to_be_visible()
    person.reload()
    expect(note).to_contain_text("Exams are over.")

    admin.get_by_role("button", name=say("js.admin.announcement_delete_this", text="Exams are over.")).click()
    look.expect_no_fault(admin)
    admin.get_by_role("alertdialog").get_by_role("button", name=say("js.admin.announcement_delete")).click()
    expect(admin.get_by_text(say("settings.announcements_none"))).to_be_visible()
    person.reload()
    expect(note).to_be_hidden()


def test_a_bad_day_is_said_in_the_form(look: Look, visits: Visits) -> None:
    say = look.say
    admin = look.open(visits, "/admin/settings")
    admin.get_by_role("button", name=say("settings.announce")).click()
    dialog = admin.get_by_role("dialog")
    dialog.get_by_label(say("settings.text")).fill("x")
    dialog.get_by_label(say("settings.first")).fill("2030-05-02")
    dialog.get_by_label(say("settings.last")).fill("2030-05-01")
    dialog.get_by_role("button", name=say("base.save")).click()
    expect(dialog.get_by_role("alert")).to_have_text(say("error.bad_announcement_days"))
    expect(dialog.get_by_label(say("settings.text"))).to_have_value("x")
    look.expect_no_fault(admin)


def test_a_visitor_is_greeted_in_the_sites_language(visits: Visits, site: Site) -> None:
    site.ask("PUT", "/api/admin/settings/site", {"name": None, "locale": "ja"})
    page = visits.open("/login", locale="en", signed_in=False)
    expect(page.locator("html")).to_have_attribute("lang", "ja")


@pytest.mark.parametrize(("locale", "scheme", "viewport"), LOOKS)
def test_a_site_has_a_colour_of_its_own(visits: Visits, locale: str, scheme: Scheme, viewport: Any) -> None:
    say = words(locale)
    admin = visits.open("/admin/settings", locale=locale, scheme=scheme, viewport=viewport)
    colour = admin.get_by_label(say("settings.accent"), exact=True)
    colour.fill("#ffcc00")
    admin.get_by_role("button", name=say("base.save")).first.click()
    refusal = admin.locator("[data-site-form]").get_by_role("alert")
    expect(refusal).to_have_text(say("error.accent_too_light", contrast="1.3", least="4.5"))
    colour.fill("#8c1d5f")
    admin.get_by_role("button", name=say("base.save")).first.click()
    expect(admin.locator(".toast")).to_contain_text(say("js.admin.settings_saved"))
    for path, signed_in in (("/login", False), ("/", True), ("/admin", True)):
        page = visits.open(path, locale=locale, scheme=scheme, viewport=viewport, signed_in=signed_in)
        told = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--color-accent')")
        assert "#8c1d5f" in told, path
        expect_no_fault(page)


@pytest.mark.parametrize(("locale", "scheme", "viewport"), LOOKS)
def test_a_site_has_a_logo_of_its_own(visits: Visits, locale: str, scheme: Scheme, viewport: Any) -> None:
    say = words(locale)
    admin = visits.open("/admin/settings", locale=locale, scheme=scheme, viewport=viewport)
    card = admin.locator("[data-logo-form]")
    drawing: FilePayload = {"name": "logo.svg", "mimeType": "image/svg+xml", "buffer": b"<svg onload='alert(1)'/>"}
    card.get_by_label(say("settings.logo_file")).set_input_files(drawing)
    card.get_by_role("button", name=say("settings.logo_use")).click()
    expect(card.get_by_role("alert")).to_have_text(say("error.bad_logo", least=32, most=1024))
    card.get_by_label(say("settings.logo_file")).set_input_files(
        {"name": "logo.png", "mimeType": "image/png", "buffer": png()}
    )
    card.get_by_role("button", name=say("settings.logo_use")).click()
    expect(card.get_by_role("img", name=say("settings.logo_now"))).to_be_visible()
    expect_no_fault(admin)
    assert admin.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for path, signed_in in (("/login", False), ("/", True), ("/dashboard", True)):
        page = visits.open(path, locale=locale, scheme=scheme, viewport=viewport, signed_in=signed_in)
        shown = page.locator("img.brand__mark").last
        expect(shown).to_be_visible()
        assert shown.evaluate("image => image.complete && image.naturalWidth") == 192, path
        expect_no_fault(page)
    card.get_by_role("button", name=say("settings.logo_remove")).click()
    expect(card.get_by_text(say("settings.logo_none"))).to_be_visible()
