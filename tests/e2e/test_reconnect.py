"""An answer and its reader who goes and comes: every word once, wherever it is read."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.accessible import expect_no_violation
from tests.e2e.chat import Chat
from tests.e2e.held import Held
from tests.e2e.line import line_to
from tests.e2e.looks import ENGLISH, Look
from tests.e2e.site import Site
from tests.e2e.visits import Visits
from tests.support.scripted_upstream import Answer, Gate, ScriptedUpstream

COUNT = " ".join(f"w{number}" for number in range(1, 201))

pytestmark = pytest.mark.browser


@pytest.fixture
def chat(look: Look, visits: Visits, script: ScriptedUpstream) -> Chat:
    return Chat(look.open(visits, "/"), look.say)


def held_back(script: ScriptedUpstream, *places: int) -> Gate:
    """The next answer counts, as far as these words until it is let go."""
    gate = Gate(*places)
    script.script(Answer(COUNT, gate=gate))
    return gate


def _expect_every_word_once(chat: Chat, script: ScriptedUpstream) -> None:
    expect(chat.prose).to_have_text(COUNT)
    assert chat.copied_answer() == COUNT
    assert len(script.journal.chats) == 1, "the provider is asked once, however often the reader comes back"


def test_two_reloads_lose_and_repeat_nothing(chat: Chat, script: ScriptedUpstream) -> None:
    gate = held_back(script, 30, 90)
    chat.send("Count.")
    expect(chat.prose).to_contain_text("w30")
    gate.let_go()  # it goes on while the page is loaded anew
    chat.page.reload()
    expect(chat.prose).to_contain_text("w90")
    chat.page.reload()
    expect(chat.prose).to_contain_text("w90")
    expect(chat.stop_button).to_be_visible()
    gate.let_go()
    chat.wait_until_answered()
    _expect_every_word_once(chat, script)


def test_a_line_that_breaks_is_mended_by_itself(
    browser: Browser, script: ScriptedUpstream, site: Site, look: Look
) -> None:
    gate = held_back(script, 30, 90)
    with line_to(urlsplit(site.url).port or 80) as line:
        visits = Visits(browser, replace(site, server=replace(site.server, base_url=line.url)))
        chat = Chat(look.open(visits, "/"), look.say)
        chat.send("Count.")
        for word in ("w30", "w90"):
            expect(chat.prose).to_contain_text(word)
            held = Held(chat.page, "**/events?*")
            gate.let_go()
            line.cut()
            expect(chat.answer.get_by_text(chat.say("js.reconnecting"))).to_be_visible()
            expect_no_violation(chat.page)
            held.let_go()
        expect(chat.prose).to_contain_text("w200")
        expect(chat.answer.get_by_text(chat.say("js.reconnecting"))).to_be_hidden()
        chat.wait_until_answered()
        _expect_every_word_once(chat, script)
        assert visits.close() == []


def test_a_second_tab_follows_the_same_answer_and_may_stop_it(chat: Chat, script: ScriptedUpstream) -> None:
    gate = held_back(script, 40, 80)
    chat.send("Count.")
    expect(chat.prose).to_contain_text("w40")
    other = Chat(chat.page.context.new_page(), chat.say)
    other.page.goto(chat.page.url)
    gate.let_go()
    expect(other.prose).to_contain_text("w80")
    other.stop_button.click()
    for reader in (chat, other):
        expect(reader.answer.get_by_text(chat.say("js.answer_stopped"))).to_be_visible()
    assert chat.prose.inner_text() == other.prose.inner_text()
    script.journal.wait_until_idle()
    assert script.journal.chats[-1].closed_early, "stopping closes the provider's connection"


def test_leaving_the_page_lets_the_answer_finish(chat: Chat, script: ScriptedUpstream) -> None:
    gate = held_back(script, 20)
    chat.send("Count.")
    expect(chat.prose).to_contain_text("w20")
    address = chat.page.url
    chat.page.goto("/dashboard")
    gate.let_go()
    script.journal.wait_until_idle()
    chat.page.goto(address)
    _expect_every_word_once(chat, script)


def test_stop_that_comes_before_the_answer_has_begun_holds(chat: Chat, script: ScriptedUpstream) -> None:
    held_back(script, 20)
    held = Held(chat.page, "**/api/chat")
    chat.send("Count.")
    held.wait()
    chat.stop_button.click()
    held.let_go()
    chat.wait_until_answered()
    expect(chat.answer.get_by_text(chat.say("js.answer_stopped"))).to_be_visible()
    script.journal.wait_until_idle()


def test_what_begins_after_its_conversation_was_opened_anew_is_shown(chat: Chat, script: ScriptedUpstream) -> None:
    script.script(Answer("First."), Answer("Second."))
    chat.ask("One?")
    held = Held(chat.page, "**/api/chat")
    chat.send("Two?")
    held.wait()
    address = chat.page.url
    chat.go_to(chat.list.locator("a[aria-current=page]"))
    expect(chat.questions).to_have_count(1)
    held.let_go()
    expect(chat.questions).to_have_count(2)
    expect(chat.answers.last).to_contain_text("Second.")
    assert chat.page.url == address


@pytest.mark.parametrize("look", [ENGLISH], ids=["wide"])  # it takes half a minute
def test_an_answer_that_cannot_be_saved_yet_is_followed_until_it_is(
    chat: Chat, script: ScriptedUpstream, site: Site
) -> None:
    gate = held_back(script, 20)
    unsaved = chat.answer.get_by_text(chat.say("error.not_saved_yet"))
    chat.send("Count.")
    expect(chat.prose).to_contain_text("w20")
    with closing(sqlite3.connect(site.instance / "mingchat.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        gate.let_go()
        expect(unsaved).to_be_visible(
            timeout=90_000
        )  # each who writes waits ten seconds for the lock, one after the other
        expect(chat.answer.get_by_role("button", name=chat.say("base.retry"))).to_be_hidden()
        other.execute("ROLLBACK")
    chat.wait_until_answered()
    expect(unsaved).to_be_hidden()
    _expect_every_word_once(chat, script)


def test_who_comes_back_to_a_tab_sees_what_was_written_in_another(
    visits: Visits, chat: Chat, script: ScriptedUpstream
) -> None:
    script.script(Answer(COUNT))
    chat.ask("Count.")
    there = chat.page.context.new_page()
    there.goto(chat.page.url)
    other = Chat(there, chat.say)
    expect(other.answers).to_have_count(1)
    script.script(Answer("It is in the other tab."))
    other.ask("And now?")
    expect(chat.questions).to_have_count(1)
    chat.page.bring_to_front()
    chat.page.evaluate("dispatchEvent(new Event('focus'))")
    expect(chat.prose).to_have_text("It is in the other tab.")
    expect(chat.questions).to_have_count(2)
