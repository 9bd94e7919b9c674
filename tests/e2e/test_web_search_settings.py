"""Who searches the web: chosen, priced and tried in the settings, and kept from a group on the groups' page."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import create_engine, update
from sqlalchemy.pool import NullPool

from flask_app.models import Provider
from tests.e2e.accessible import expect_no_fault
from tests.e2e.looks import Look
from tests.e2e.site import Site
from tests.e2e.visits import PHONE, WIDE, Scheme, Visits
from tests.e2e.words import words
from tests.support.scripted_upstream import Pages, Status
from tests.support.upstream_searches import PAGES

LOOKS = [("zh", "light", PHONE), ("zh", "dark", WIDE), ("en", "light", WIDE), ("en", "dark", PHONE)]
PATH, GROUPS = "/api/admin/settings/web-search", "/api/admin/groups"

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def as_before(site: Site) -> Any:
    yield
    site.ask("PUT", PATH, {"engine": "off"})
    for group in site.ask("GET", GROUPS)["groups"]:
        site.ask("PUT", f"{GROUPS}/{group['id']}/access", {"web_search": True})


@contextmanager
def billed_in(site: Site, currency: str) -> Iterator[None]:
    """Its provider bills in another currency than it usually does."""
    engine = create_engine(f"sqlite:///{site.instance / 'mingchat.db'}", poolclass=NullPool)
    change = update(Provider).where(Provider.kind == "openai")
    with engine.begin() as connection:
        connection.execute(change.values(currency=currency))
    yield
    with engine.begin() as connection:
        connection.execute(change.values(currency="CNY"))
    engine.dispose()


def card(page: Page, title: str) -> Any:
    return page.get_by_role("region", name=title, exact=True)


@pytest.mark.parametrize(("locale", "scheme", "viewport"), LOOKS)
def test_who_searches_is_chosen(visits: Visits, site: Site, locale: str, scheme: Scheme, viewport: Any) -> None:
    say = words(locale)
    admin = visits.open("/admin/settings", locale=locale, scheme=scheme, viewport=viewport)
    section = card(admin, say("web_search.title"))
    section.scroll_into_view_if_needed()
    expect(section.get_by_label(say("web_search.engine_off"))).to_be_checked()
    expect(section.get_by_label(say("web_search.query"))).to_be_hidden()

    section.get_by_label(say("web_search.engine_deepseek")).check()
    expect(section.get_by_label(say("web_search.url"))).to_be_hidden()
    expect(section.get_by_label(say("web_search.provider"), exact=True)).to_be_visible()
    section.get_by_role("button", name=say("base.save")).click()
    expect(admin.locator(".toast")).to_contain_text(say("js.admin.web_search_saved"))
    expect(section.locator("[data-slot=price]")).to_have_text(re.compile(r"0\.005.*5\.00"))
    expect(section.get_by_text(say("web_search.no_price"))).to_be_hidden()
    expect(section.get_by_label(say("web_search.query"))).to_be_visible()
    expect_no_fault(admin)
    assert site.ask("GET", "/api/admin/settings")["web_search"]["engine"] == "deepseek"

    section.get_by_label(say("web_search.engine_searxng")).check()
    expect(section.get_by_label(say("web_search.query"))).to_be_hidden()
    section.get_by_label(say("web_search.url")).fill("search")
    section.get_by_role("button", name=say("base.save")).click()
    expect(section.get_by_role("alert")).to_have_text(say("error.search_address_malformed"))
    section.get_by_label(say("web_search.url")).fill("https://search.example.com/")
    section.get_by_role("button", name=say("base.save")).click()
    expect(section.get_by_text(say("js.admin.web_search_free"))).to_be_visible()
    expect(section.get_by_label(say("web_search.url"))).to_have_value("https://search.example.com")
    expect_no_fault(admin)

    admin.reload()
    expect(section.get_by_label(say("web_search.engine_searxng"))).to_be_checked()
    section.get_by_label(say("web_search.engine_off")).check()
    section.get_by_role("button", name=say("base.save")).click()
    expect(admin.locator(".toast")).to_contain_text(say("js.admin.web_search_off"))
    assert site.ask("GET", "/api/admin/settings")["web_search"]["engine"] == "off"


def test_whoever_takes_the_last_key_is_told_that_nobody_can_search(look: Look, visits: Visits, site: Site) -> None:
    say = look.say
    (provider,) = site.ask("GET", "/api/admin/settings")["web_search"]["providers"]
    (key,) = site.ask("GET", "/api/admin/keys")["keys"]
    for engine, is_told in (("off", False), ("deepseek", True)):
        site.ask("PUT", PATH, {"engine": engine, "provider_id": provider["id"]})
        admin = look.open(visits, "/admin/keys")
        admin.locator(f'[data-id="{key["id"]}"] [data-menu-button]').click()
        admin.get_by_role("button", name=say("js.admin.disable"), exact=True).click()
        asked = admin.get_by_role("alertdialog")
        expect(asked).to_contain_text(say("js.admin.disable_key_text"))
        expect(asked.get_by_text(say("js.admin.key_of_search"))).to_have_count(int(is_told))
        look.expect_no_fault(admin)


def test_searches_without_a_price_are_said_to_be(look: Look, visits: Visits, site: Site) -> None:
    say = look.say
    (provider,) = site.ask("GET", "/api/admin/settings")["web_search"]["providers"]
    site.ask("PUT", PATH, {"engine": "deepseek", "provider_id": provider["id"]})
    with billed_in(site, "EUR"):
        admin = look.open(visits, "/admin/settings")
        section = card(admin, say("web_search.title"))
        expect(section.get_by_text(say("web_search.no_price"))).to_be_visible()
        expect(section.locator("[data-slot=price]")).to_be_hidden()
        look.expect_no_fault(admin)
        section.get_by_role("link", name=say("admin.prices")).click()
        expect(admin).to_have_url(re.compile("/admin/prices$"))


@pytest.mark.parametrize(("locale", "scheme", "viewport"), LOOKS)
def test_a_search_is_tried(visits: Visits, site: Site, locale: str, scheme: Scheme, viewport: Any) -> None:
    say = words(locale)
    (provider,) = site.ask("GET", "/api/admin/settings")["web_search"]["providers"]
    site.ask("PUT", PATH, {"engine": "deepseek", "provider_id": provider["id"]})
    admin = visits.open("/admin/settings", locale=locale, scheme=scheme, viewport=viewport)
    section = card(admin, say("web_search.title"))
    query, tried = section.get_by_label(say("web_search.query")), section.get_by_role("status")
    query.fill("lighthouse")
    query.press("Enter")
    expect(tried).to_contain_text(re.compile(say("js.admin.web_search_found", count=2, seconds="@").split("@")[0]))
    pages = section.get_by_role("list", name=say("web_search.found")).get_by_role("link")
    expect(pages).to_have_text(["The lighthouse at Kap Arkona", "A list of lighthouses"])
    expect(pages.first).to_have_attribute("href", "https://example.org/arkona")
    expect(pages.first).to_have_attribute("rel", "noopener noreferrer")
    expect_no_fault(admin)
    try:
        site.provider.pages = Pages(())
        section.get_by_role("button", name=say("web_search.try"), exact=True).click()
        expect(tried).to_contain_text(say("js.admin.web_search_empty", seconds="@").split("@")[0])
        expect(pages).to_have_count(0)
        site.provider.pages = Status(402, "Insufficient Balance")
        section.get_by_role("button", name=say("web_search.try"), exact=True).click()
        expect(tried).to_have_text(say("error.upstream_no_balance"))
        expect_no_fault(admin)
    finally:
        site.provider.pages = Pages(PAGES)


def test_a_provider_without_a_key_is_said_to_be(look: Look, visits: Visits, site: Site) -> None:
    say = look.say
    (provider,) = site.ask("GET", "/api/admin/settings")["web_search"]["providers"]
    site.ask("PUT", PATH, {"engine": "deepseek", "provider_id": provider["id"]})
    site.ask("PATCH", "/api/admin/keys/environment", {"disabled": True})
    try:
        admin = look.open(visits, "/admin/settings")
        section = card(admin, say("web_search.title"))
        expect(section.get_by_text(say("web_search.no_key"))).to_be_visible()
        expect(section.get_by_label(say("web_search.query"))).to_be_hidden()
        look.expect_no_fault(admin)
    finally:
        site.ask("PATCH", "/api/admin/keys/environment", {"disabled": False})


@pytest.mark.parametrize(("locale", "scheme", "viewport"), LOOKS)
def test_a_group_is_kept_from_it(visits: Visits, site: Site, locale: str, scheme: Scheme, viewport: Any) -> None:
    say = words(locale)
    name = say("admin.everyone")
    admin = visits.open("/admin/groups", locale=locale, scheme=scheme, viewport=viewport)
    opener = admin.get_by_role("button", name=say("js.admin.access_of", name=name))
    opener.click()
    dialog = admin.get_by_role("dialog", name=say("js.admin.access_of", name=name))
    dialog.get_by_label(say("admin.group_search")).uncheck()
    expect_no_fault(admin)
    dialog.get_by_role("button", name=say("base.save")).click()
    asked = admin.get_by_role("alertdialog")
    expect(asked).to_contain_text(say("js.admin.access_no_search"))
    asked.get_by_role("button", name=say("js.admin.access_action")).click()
    entry = admin.get_by_role("listitem").filter(has=opener)
    expect(entry.get_by_text(say("admin.group_no_search"))).to_be_visible()
    expect_no_fault(admin)
    (group,) = [each for each in site.ask("GET", GROUPS)["groups"] if each["is_default"]]
    assert group["access"]["web_search"] is False
