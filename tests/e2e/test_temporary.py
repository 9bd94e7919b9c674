"""Temporary chats: all that a chat does, and nothing of it anywhere once the page has gone."""

import re
from typing import Any

import pytest
from playwright.sync_api import Dialog, Locator, Page, ViewportSize, expect

from tests.e2e.accessible import expect_no_fault, expect_no_violation
from tests.e2e.chat import Chat
from tests.e2e.site import Site
from tests.e2e.visits import PHONE, WIDE, Visits
from tests.e2e.words import words
from tests.support.brokers import wait_until
from tests.support.scripted_upstream import Answer, Gate, ScriptedUpstream

say = words("en")
ASKED, ANSWERED = "quokka", "numbat"
STORED = "JSON.stringify([Object.entries(localStorage), Object.entries(sessionStorage)])"
ENDLESS = Answer(f"{ANSWERED} " * 2000, tokens_per_second=30)

pytestmark = pytest.mark.browser


@pytest.fixture
def chat(visits: Visits, script: ScriptedUpstream) -> Chat:
    script.default = Answer(f"A {ANSWERED}.")
    return Chat(visits.open("/?temporary"), say)


def note(chat: Chat) -> Locator:
    return chat.page.get_by_text(chat.say("chat.temporary_note"))


def leaving(chat: Chat) -> Locator:
    """The question whether one wants to leave."""
    return chat.page.get_by_role("alertdialog", name=chat.say("js.temporary_leave"))


def asked(script: ScriptedUpstream) -> list[tuple[str, str]]:
    """The messages of the last request."""
    return [(each["role"], each["content"]) for each in script.journal.chats[-1].body["messages"]]


def count(site: Site, table: str) -> int:
    return int(site.rows(f"SELECT count(*) AS count FROM {table}")[0]["count"])


def reload(page: Page, *, anyway: bool) -> list[str]:
    """What the browser asked before it; `anyway` is the answer."""
    kinds: list[str] = []

    def answer(dialog: Dialog) -> None:
        kinds.append(dialog.type)
        dialog.accept() if anyway else dialog.dismiss()

    page.once("dialog", answer)
    with page.expect_event("dialog"):
        page.evaluate("setTimeout(() => location.reload())")
    return kinds


@pytest.mark.parametrize("locale", ["en", "zh"])
@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_it_does_what_a_chat_does_and_leaves_nothing(
    visits: Visits, site: Site, script: ScriptedUpstream, locale: str, viewport: ViewportSize
) -> None:
    script.default = Answer(f"A {ANSWERED}.", thinking=f"{ANSWERED}?")
    chat = Chat(visits.open("/", locale=locale, viewport=viewport), words(locale))
    tables = ("conversations", "messages")
    before = [count(site, table) for table in tables]
    chat.page.get_by_role("link", name=chat.say("js.temporary")).click()
    expect(note(chat)).to_be_visible()
    expect(chat.page).to_have_title(re.compile(chat.say("js.temporary")))
    chat.ask(f"One {ASKED}?")
    chat.ask("Two?")
    assert asked(script) == [("user", f"One {ASKED}?"), ("assistant", f"A {ANSWERED}."), ("user", "Two?")]
    expect(chat.answer.locator("[data-slot=thinking]")).to_be_visible()
    chat.act(chat.answer, "regenerate").click()
    chat.wait_until_answered()
    expect(chat.answer.locator("[data-slot=version]")).to_have_text("2/2")
    chat.question(1).hover()
    chat.act(chat.question(1), "edit").click()
    chat.page.locator(".editor__text").fill("Three?")
    chat.page.get_by_role("button", name=chat.say("chat.send"), exact=True).first.click()
    chat.wait_until_answered()
    assert asked(script)[-1] == ("user", "Three?")
    expect(chat.questions).to_have_text([f"One {ASKED}?", "Three?"])
    chat.answer.locator("[data-slot=about]").click()
    expect(chat.page.locator("[data-answer-details]")).to_contain_text(chat.say("js.details_cost"))
    chat.page.keyboard.press("Escape")
    expect(chat.list).not_to_contain_text(ASKED)
    expect_no_violation(chat.page, locale)
    assert [count(site, table) for table in tables] == before
    stored = chat.page.evaluate(STORED)
    assert ASKED not in stored
    assert ANSWERED not in stored
    assert len(script.journal.chats) == 4


@pytest.mark.parametrize("locale", ["en", "zh"])
def test_its_page_has_no_fault(visits: Visits, script: ScriptedUpstream, locale: str) -> None:
    chat = Chat(visits.open("/?temporary", locale=locale), words(locale))
    expect_no_fault(chat.page, locale)
    chat.ask("One?")
    expect_no_fault(chat.page, locale)


def test_a_reload_is_asked_about_and_all_is_gone_after_it(chat: Chat, visits: Visits) -> None:
    chat.page.reload()  # nothing to lose: nothing is asked
    chat.ask(f"One {ASKED}?")
    chat.text.fill("a draft")
    assert reload(chat.page, anyway=False) == ["beforeunload"]
    expect(chat.questions).to_have_count(1)
    assert reload(chat.page, anyway=True) == ["beforeunload"]
    expect(chat.questions).to_have_count(0)
    expect(note(chat)).to_be_visible()
    expect(chat.text).to_have_value("")
    assert [each.url for each in visits.watch(chat.page).requests if each.url.endswith("/draft")] == []


@pytest.mark.parametrize("way", ["new", "conversation", "dashboard", "end"])
def test_whoever_goes_elsewhere_is_asked_first(chat: Chat, site: Site, way: str) -> None:
    stored = next(iter(site.server.chat("Kept?")))[1]["conversation_id"]
    chat.page.reload()
    chat.ask(f"One {ASKED}?")
    sidebar = chat.page.locator("[data-sidebar]")
    ways: dict[str, tuple[Locator, str]] = {
        "new": (sidebar.locator(".sidebar__new"), "/"),
        "conversation": (chat.list.locator(f'a[href="/c/{stored}"]'), f"/c/{stored}"),
        "dashboard": (sidebar.locator('a[href="/dashboard"]'), "/dashboard"),
        "end": (chat.page.get_by_role("link", name=say("chat.temporary_end"), exact=True), "/"),
    }
    link, path = ways[way]
    if way == "dashboard":
        sidebar.locator(".menu__button").click()
    link.click()
    leaving(chat).get_by_role("button", name=say("base.cancel")).click()
    expect(chat.questions).to_have_count(1)
    if way == "dashboard":
        sidebar.locator(".menu__button").click()
    link.click()
    leaving(chat).get_by_role("button", name=say("js.temporary_leave_act"), exact=True).click()
    chat.page.wait_for_url(f"{site.url}{path}")
    expect(chat.page.locator("[data-temporary]")).to_have_count(0)
    chat.page.go_back()
    expect(note(chat)).to_be_visible()
    expect(chat.questions).to_have_count(0)


@pytest.mark.parametrize(("words_of", "path"), [("nav.dashboard", "/dashboard"), ("chat.new", "/")])
def test_the_palette_asks_first_too(chat: Chat, site: Site, words_of: str, path: str) -> None:
    chat.ask("One?")
    chat.page.keyboard.press("Control+k")
    field = chat.page.get_by_role("combobox", name=say("palette.field"))
    field.fill(say(words_of))
    expect(chat.page.locator("#palette [role=option]").first).to_contain_text(say(words_of))
    field.press("Enter")
    leaving(chat).get_by_role("button", name=say("js.temporary_leave_act"), exact=True).click()
    chat.page.wait_for_url(f"{site.url}{path}")


def test_the_palette_leads_to_one(visits: Visits) -> None:
    chat = Chat(visits.open("/dashboard"), say)
    chat.page.keyboard.press("Control+k")
    field = chat.page.get_by_role("combobox", name=say("palette.field"))
    field.fill("temporary")
    expect(chat.page.locator("#palette [role=option]").first).to_contain_text(say("js.temporary"))
    field.press("Enter")
    expect(note(chat)).to_be_visible()


def test_without_a_message_nobody_is_asked(chat: Chat) -> None:
    chat.text.fill("a draft")
    chat.page.get_by_role("link", name=say("chat.temporary_end"), exact=True).click()
    expect(note(chat)).to_have_count(0)
    expect(chat.text).to_have_value("")


def test_stop_keeps_what_came_and_offers_to_ask_again(chat: Chat, script: ScriptedUpstream) -> None:
    script.script(ENDLESS)
    chat.send("One?")
    chat.wait_for_words(10)
    chat.stop_button.click()
    chat.wait_until_answered()
    expect(chat.answer.get_by_role("button", name=say("chat.continue"))).to_be_hidden()
    chat.answer.get_by_role("button", name=say("base.retry")).click()
    chat.wait_until_answered()
    expect(chat.prose).to_have_text(f"A {ANSWERED}.")


def test_leaving_stops_what_is_being_written(chat: Chat, script: ScriptedUpstream, site: Site) -> None:
    script.script(ENDLESS)
    chat.send("One?")
    chat.wait_for_words(10)
    chat.page.get_by_role("link", name=say("chat.temporary_end"), exact=True).click()
    leaving(chat).get_by_role("button", name=say("js.temporary_leave_act"), exact=True).click()
    expect(note(chat)).to_have_count(0)
    script.journal.wait_until_idle()
    assert script.journal.chats[-1].closed_early

    def records() -> list[dict[str, Any]]:
        return list(site.ask("GET", "/api/usage/records?limit=1", None)["records"])

    wait_until(lambda: records() and records()[0]["outcome"] == "stopped")


def test_what_is_sent_meanwhile_waits_for_its_turn(chat: Chat, script: ScriptedUpstream) -> None:
    gate = Gate(1)
    script.script(Answer("first", gate=gate), Answer("second"))
    chat.send("One?")
    chat.wait_for_words(1)  # before the page has heard of its answer nothing waits for that
    expect(chat.questions).to_have_count(1)
    chat.send("Two?")
    expect(chat.page.locator("[data-waiting-items] li")).to_have_count(1)
    gate.let_go()
    expect(chat.questions).to_have_count(2)
    chat.wait_until_answered()
    assert asked(script) == [("user", "One?"), ("assistant", "first"), ("user", "Two?")]


def test_a_refusal_gives_the_words_back(chat: Chat, script: ScriptedUpstream) -> None:
    chat.page.route(
        "**/api/temporary/answers",
        lambda route: route.fulfill(status=429, json={"error": {"code": "no_model", "message": "None."}}),
    )
    chat.send("One?")
    expect(chat.problem).to_be_visible()
    expect(chat.text).to_have_value("One?")
    expect(chat.page.locator("[data-welcome]")).to_be_visible()
