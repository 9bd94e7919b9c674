"""Titles that a model writes: they come into the open page by themselves. An administrator chooses who writes them."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.accessible import expect_no_violation
from tests.e2e.chat import Chat
from tests.e2e.looks import Look
from tests.e2e.site import Site
from tests.e2e.visits import AT_REST, PHONE, WIDE, Scheme, Visits
from tests.e2e.words import words
from tests.support import meant
from tests.support.scripted_upstream import Embedded, ScriptedUpstream, Stall, Status
from tests.support.titled import WRITER, Held
from tests.support.upstream_embeddings import EMBEDDINGS

say = words("en")
FOCUS = "dispatchEvent(new Event('focus'))"

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def unchosen(site: Site) -> Iterator[None]:
    yield
    site.ask("PUT", "/api/admin/models/titles", {"model_id": None})


@pytest.fixture
def chosen(site: Site) -> None:
    models = site.ask("GET", "/api/admin/models")["models"]
    (writer,) = [each["id"] for each in models if each["name"] == WRITER and each["offered"]]
    site.ask("PUT", "/api/admin/models/titles", {"model_id": writer})


def test_the_title_comes_into_the_page_and_its_list(
    look: Look, visits: Visits, script: ScriptedUpstream, chosen: None
) -> None:
    written = f"Plovers on a shore {look.locale}"
    held = Held(written)
    script.script(held, model=WRITER)
    page = look.open(visits, "/")
    beside = visits.open("/")
    chat, title = Chat(page, look.say), page.locator("[data-title]")
    chat.ask("Which birds run along the water?")
    expect(title).to_have_text("Which birds run along the water?")
    held.let_go()
    expect(title).to_have_text(written)
    expect(page).to_have_title(f"{written} · {look.say('base.brand')}")
    entry = page.locator("[data-list] [aria-current=page] [data-slot=title]")
    expect(entry).to_have_text(written)
    look.expect_no_fault(page)
    beside.evaluate(FOCUS)
    expect(Chat(beside, say).in_list(written)).to_be_visible()


def test_it_stays_while_the_next_answer_ends(visits: Visits, script: ScriptedUpstream, chosen: None) -> None:
    """What is told at the end of an answer that was begun before is the title of before."""
    held = Held("Sandpipers")
    script.script(held, model=WRITER)
    page = visits.open("/")
    chat, title = Chat(page, say), page.locator("[data-title]")
    chat.ask("Which birds do not?")
    script.script(Stall("They"))
    chat.send("And which of them swim?")
    chat.wait_for_words(4)
    held.let_go()
    expect(title).to_have_text("Sandpipers")
    page.reload()
    expect(chat.stop_button).to_be_visible()
    expect(chat.prose).to_have_text("They")
    expect(title).to_have_text("Sandpipers")
    chat.stop_button.click()
    chat.wait_until_answered()
    expect(title).to_have_text("Sandpipers")
    expect(chat.in_list("Sandpipers")).to_be_visible()


def test_what_somebody_renames_during_an_answer_stays(visits: Visits, script: ScriptedUpstream) -> None:
    script.script(Stall("They"))
    page = visits.open("/")
    chat, title = Chat(page, say), page.locator("[data-title]")
    chat.send("Which birds are never seen?")
    chat.wait_for_words(4)
    chat.choose("Which birds are never seen?", say("chat.rename"))
    page.get_by_role("dialog").get_by_role("textbox").fill("Unseen ones")
    page.get_by_role("dialog").get_by_role("button", name=say("base.save")).click()
    expect(title).to_have_text("Unseen ones")
    chat.stop_button.click()
    chat.wait_until_answered()
    expect(title).to_have_text("Unseen ones")
    expect(chat.in_list("Unseen ones")).to_be_visible()


@pytest.mark.parametrize(("locale", "viewport"), [("zh", PHONE), ("en", WIDE)], ids=["phone", "wide"])
def test_an_administrator_chooses_who_writes_them(visits: Visits, site: Site, locale: str, viewport: Any) -> None:
    say_ = words(locale)
    page = visits.open("/admin/models", locale=locale, viewport=viewport)
    choice = page.get_by_label(say_("admin.titles_by"))
    expect(choice.locator("option:checked")).to_have_text(say_("js.admin.titles_none"))
    save = page.locator("[data-titles]").get_by_role("button", name=say_("base.save"))
    choice.select_option(label=f"{WRITER} · DeepSeek")
    save.click()
    expect(page.locator(".toast").last).to_contain_text(say_("js.admin.titles_saved", name=WRITER))
    page.reload()
    expect(choice.locator("option:checked")).to_have_text(f"{WRITER} · DeepSeek")
    choice.select_option(label=say_("js.admin.titles_default"))
    save.click()
    said = say_("js.admin.titles_saved", name=say_("js.admin.titles_default"))
    expect(page.locator(".toast").last).to_contain_text(said)
    choice.select_option(value="")
    save.click()
    expect(page.locator(".toast").last).to_contain_text(say_("js.admin.titles_off"))
    assert site.ask("GET", "/api/admin/models")["titles_by"] is None


@pytest.mark.parametrize(("locale", "viewport"), [("zh", PHONE), ("en", WIDE)], ids=["phone", "wide"])
def test_an_administrator_chooses_who_makes_vectors(
    visits: Visits, site: Site, script: ScriptedUpstream, locale: str, viewport: Any
) -> None:
    say_ = words(locale)
    script.script(Embedded(means=meant.means), path=EMBEDDINGS)
    page = visits.open("/admin/models", locale=locale, viewport=viewport)
    choice = page.get_by_label(say_("admin.embeddings_by"))
    expect(choice.locator("option:checked")).to_have_text(say_("js.admin.embeddings_none"))
    save = page.locator("[data-embeddings]").get_by_role("button", name=say_("base.save"))
    choice.select_option(label=f"{WRITER} · DeepSeek")
    save.click()
    expect(page.locator(".toast").last).to_contain_text(say_("js.admin.embeddings_saved", name=WRITER))
    page.reload()
    expect(choice.locator("option:checked")).to_have_text(f"{WRITER} · DeepSeek")
    script.script(Status(404), path=EMBEDDINGS)
    choice.select_option(label="deepseek-flash · DeepSeek")
    save.click()
    expect(page.get_by_text(say_("error.makes_no_vectors", model="deepseek-flash"))).to_be_visible()
    choice.select_option(value="")
    save.click()
    expect(page.locator(".toast").last).to_contain_text(say_("js.admin.embeddings_off"))
    assert site.ask("GET", "/api/admin/models")["embeddings_by"] is None


@pytest.mark.parametrize(("locale", "scheme"), [("zh", "dark"), ("en", "light")])
@pytest.mark.parametrize("viewport", [PHONE, WIDE], ids=["phone", "wide"])
def test_the_choice_fits_and_is_accessible(visits: Visits, locale: str, scheme: Scheme, viewport: Any) -> None:
    page = visits.open("/admin/models", locale=locale, viewport=viewport, scheme=scheme)
    page.evaluate(AT_REST)
    expect_no_violation(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
