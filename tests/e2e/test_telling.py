"""A document that is too long for its model is searched, or told in pages: on its chip, and where that is chosen."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, ViewportSize, expect

from flask_app.domain.files import SLIDES_TYPE
from tests.e2e.accessible import expect_no_fault
from tests.e2e.attached import Chosen, attach, chip, chips, remove, sent, text, words_of
from tests.e2e.chat import Chat
from tests.e2e.looks import MISNAMED
from tests.e2e.site import Site
from tests.e2e.visits import PHONE, WIDE, Visits
from tests.e2e.words import words
from tests.support import files, meant
from tests.support.scripted_upstream import Embedded, ScriptedUpstream
from tests.support.upstream_embeddings import EMBEDDINGS

say = words("en")
WINDOW = 12_000  # tokens
FILLED = "Trains leave on time and the mountains are far away and quiet. " * 8

pytestmark = pytest.mark.browser


@pytest.fixture
def narrow(site: Site) -> Iterator[None]:
    """The default model reads little, for as long as the test lasts."""
    listed = site.ask("GET", "/api/models")
    (default,) = [each["id"] for each in listed["models"] if each["name"] == listed["default"]]
    path = f"/api/admin/models/{default}"
    (before,) = [each for each in site.ask("GET", "/api/admin/models")["models"] if each["id"] == default]
    settings = {name: before[name] for name in ("successor_id", "aliases", "context_tokens")}
    site.ask("PUT", path, settings | {"context_tokens": WINDOW})
    yield
    site.ask("PUT", path, settings)


@pytest.fixture
def meaning(site: Site, script: ScriptedUpstream) -> Iterator[None]:
    """A model makes vectors that no chat begins with, for as long as the test lasts."""
    default, models = (site.ask("GET", path) for path in ("/api/models", "/api/admin/models"))
    offered = [each for each in models["models"] if each["offered"]]
    maker = next(each["id"] for each in offered if each["name"] != default["default"])
    script.script(Embedded(means=meant.means), path=EMBEDDINGS)
    site.ask("PUT", "/api/admin/models/embeddings", {"model_id": maker})
    yield
    site.ask("PUT", "/api/admin/models/embeddings", {"model_id": None})


def guide(name: str = "guide.pptx") -> Chosen:
    """A hundred slides; the harbour is on one, the ferry on another."""
    told = {41: "The harbour closes at dusk. ", 77: "The ferry needs an hour. "}
    pages = [told.get(number, "") + FILLED for number in range(1, 101)]
    return Chosen(name, SLIDES_TYPE, files.slides(*pages))


def way(chat: Chat, name: str = "guide.pptx") -> Locator:
    """The button on the chip that says how it is told."""
    return chip(chat, name).locator("[data-told]")


def dialog(chat: Chat) -> Locator:
    return chat.page.get_by_role("dialog", name=chat.say("chat.telling"))


def note(chat: Chat) -> Locator:
    return chat.page.locator("[data-attached-searched]")


@pytest.mark.parametrize(("locale", "viewport"), [("en", WIDE), ("zh", PHONE)], ids=["wide", "phone"])
def test_what_is_too_long_is_searched_for_each_question(
    narrow: None, visits: Visits, script: ScriptedUpstream, locale: str, viewport: ViewportSize
) -> None:
    chat = Chat(visits.open("/", locale=locale, viewport=viewport), words(locale))
    attach(chat, guide())
    expect(way(chat)).to_have_text(chat.say("js.files.told_search"))
    expect(note(chat)).to_contain_text("guide.pptx")
    expect(chip(chat, "guide.pptx")).to_contain_text("3,000")
    expect_no_fault(chat.page, locale)
    assert chat.page.evaluate(MISNAMED) == []
    chat.page.set_viewport_size(viewport)
    chat.ask("When does the harbour close?")
    assert '<page number="41">' in words_of(script)
    assert "ferry" not in words_of(script)
    for _ in ("as it was sent", "as it is stored"):
        expect(sent(chat.question())).to_contain_text(chat.say("js.files.told_search"))
        expect(sent(chat.question())).to_contain_text("15,510")
        expect(chips(chat)).to_have_count(1)
        expect(chat.send_button).to_be_disabled()
        expect(note(chat)).to_be_hidden()
        chat.page.reload()
    chat.ask("How long does the ferry need?")
    assert '<page number="77">' in words_of(script)
    assert "harbour" not in words_of(script)
    remove(chat, "guide.pptx").click()
    chat.ask("Thanks!")
    assert words_of(script) == "Thanks!"


@pytest.mark.parametrize(("locale", "viewport"), [("en", WIDE), ("ja", PHONE)], ids=["wide", "phone"])
def test_pages_are_chosen_and_what_they_are_is_told(
    narrow: None, visits: Visits, script: ScriptedUpstream, locale: str, viewport: ViewportSize
) -> None:
    chat = Chat(visits.open("/", locale=locale, viewport=viewport), words(locale))
    attach(chat, guide())
    way(chat).click()
    expect(dialog(chat)).to_contain_text("guide.pptx")
    expect(dialog(chat).get_by_role("radio", checked=True)).to_have_value("search")
    dialog(chat).locator("[value=pages]").check()
    field = dialog(chat).get_by_label(chat.say("js.files.pages_of", count="100"))
    field.fill("41, 101")
    dialog(chat).get_by_role("button", name=chat.say("base.save")).click()
    expect(dialog(chat).get_by_role("alert")).to_have_text(chat.say("js.files.pages_wrong", count="100"))
    field.fill("41, 76-77")
    expect(dialog(chat).locator("[data-slot=about]")).to_have_text(re.compile(r"4\d\d .*[¥元]\s?0\.\d+"))
    expect_no_fault(chat.page, locale)
    assert chat.page.evaluate(MISNAMED) == []
    chat.page.set_viewport_size(viewport)
    field.press("Enter")
    expect(dialog(chat)).to_be_hidden()
    expect(way(chat)).to_have_text(chat.say("js.files.told_pages", pages="41, 76-77"))
    expect(note(chat)).to_be_hidden()
    chat.ask("What closes?")
    assert re.findall(r'<page number="(\d+)"', words_of(script)) == ["41", "76", "77"]
    expect(chips(chat)).to_have_count(0)
    chat.page.reload()
    expect(sent(chat.question())).to_contain_text(chat.say("js.files.told_pages", pages="41, 76-77"))


def test_an_edited_question_keeps_its_way(narrow: None, visits: Visits, script: ScriptedUpstream) -> None:
    chat = Chat(visits.open("/"), say)
    attach(chat, guide())
    chat.ask("When does the harbour close?")
    chat.act(chat.question(), "edit").click()
    editor = chat.page.locator(".editor")
    expect(editor).to_contain_text(say("js.files.told_search"))
    editor.get_by_role("textbox").fill("Is there a ferry?")
    editor.get_by_role("button", name=say("chat.send")).click()
    chat.wait_until_answered()
    assert '<page number="77">' in words_of(script)


def test_a_person_may_tell_it_whole_all_the_same(narrow: None, visits: Visits, script: ScriptedUpstream) -> None:
    chat = Chat(visits.open("/"), say)
    attach(chat, guide())
    way(chat).click()
    dialog(chat).locator("[value=whole]").check()
    dialog(chat).get_by_role("button", name=say("base.save")).click()
    expect(way(chat)).to_have_text(say("js.files.told_whole"))
    chat.page.reload()
    expect(way(chat)).to_have_text(say("js.files.told_whole"))
    chat.ask("What is it?")
    assert "[slide 100]" in words_of(script)
    expect(chips(chat)).to_have_count(0)


def test_a_short_text_has_nothing_to_choose(visits: Visits, script: ScriptedUpstream) -> None:
    chat = Chat(visits.open("/"), say)
    attach(chat, text())
    expect(way(chat, "notes.txt")).to_be_hidden()


@pytest.mark.parametrize("locale", ["en", "zh"])
def test_it_is_said_where_meaning_found_passages(
    narrow: None, meaning: None, visits: Visits, script: ScriptedUpstream, locale: str
) -> None:
    script.script(*(Embedded(means=meant.means) for _ in range(20)), path=EMBEDDINGS)
    chat = Chat(visits.open("/", locale=locale), words(locale))
    attach(chat, guide())
    chat.ask("Gibt es einen Hafen?")
    assert '<page number="41">' in words_of(script)
    for _ in ("as it was sent", "as it is stored"):
        expect(sent(chat.question())).to_contain_text(chat.say("js.files.found_meaning"))
        chat.page.reload()
    expect_no_fault(chat.page, locale)
