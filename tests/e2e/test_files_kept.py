"""Files that wait beside a draft: after a reload, and where their conversation is gone."""

import pytest
from playwright.sync_api import expect

from tests.e2e.attached import (
    attach,
    chip,
    chips,
    sent,
    text,
)
from tests.e2e.chat import Chat
from tests.e2e.site import Site
from tests.e2e.visits import Visits
from tests.e2e.words import words
from tests.support.scripted_upstream import ScriptedUpstream

say = words("en")
MODULE = "**/static/*/js/chat/attaching.js"
# What a page leaves that ends while it sends its files with these words.
CRASH = """(text) => {
  const place = Object.keys(sessionStorage).find(name => name.startsWith("files:"))
  const files = JSON.parse(sessionStorage.getItem(place))
  sessionStorage.removeItem(place)
  const sending = { text, files, idempotencyKey: "crashed", isBack: false }
  sessionStorage.setItem(place.replace("files", "unsent"), JSON.stringify(sending))
}"""

pytestmark = pytest.mark.browser


@pytest.fixture
def chat(visits: Visits, script: ScriptedUpstream) -> Chat:
    return Chat(visits.open("/"), say)


def test_whoever_reloads_has_them_still_but_for_those_that_are_gone(chat: Chat, site: Site) -> None:
    attach(chat, text("stays.txt", "stays"), text("goes.txt", "goes"))
    chat.text.fill("a draft")
    (gone,) = site.rows("SELECT id FROM files WHERE name = 'goes.txt'")
    site.ask("DELETE", f"/api/files/{gone['id']}")
    chat.page.reload()
    expect(chat.page.locator(".toast")).to_contain_text(say("js.files.gone", names="goes.txt"))
    expect(chips(chat)).to_have_count(1)
    expect(chip(chat, "stays.txt")).to_have_attribute("data-state", "here")
    expect(chat.text).to_have_value("a draft")
    expect(chat.send_button).to_be_enabled()


def test_nothing_is_sent_without_what_was_attached_before_a_reload(
    chat: Chat, visits: Visits, script: ScriptedUpstream
) -> None:
    """The module that shows it comes late, or not at all at first: the next press asks for it, without a reload."""
    attach(chat, text())
    chat.text.fill("What does it say?")
    chat.page.route(MODULE, lambda route: route.fulfill(status=404))
    chat.page.reload()
    expect(chat.page.locator(".toast")).to_contain_text(say("js.error.not_loaded"))
    chat.enter()
    expect(chat.page.locator(".toast").filter(has_text=say("js.files.wait"))).to_be_visible()
    expect(chat.text).to_have_value("What does it say?")
    assert script.journal.chats == []
    chat.page.unroute_all()
    chat.text.press("Enter")
    expect(chip(chat, "notes.txt")).to_have_attribute("data-state", "here")
    chat.enter()
    expect(sent(chat.question())).to_have_count(1)
    chat.wait_until_answered()
    problems = visits.watch(chat.page).problems
    problems[:] = [problem for problem in problems if "/static/" not in problem]  # what the test took away


def test_each_conversation_has_its_own(chat: Chat) -> None:
    chat.ask("First?")
    attach(chat, text())
    chat.page.get_by_role("link", name=say("chat.new"), exact=True).first.click()
    expect(chips(chat)).to_have_count(0)
    chat.page.go_back()
    expect(chips(chat)).to_have_count(1)


def test_what_was_attached_where_the_conversation_is_gone_waits_in_a_new_one(chat: Chat, site: Site) -> None:
    chat.ask("First?")
    attach(chat, text("sent.txt", "sent"))
    site.ask("DELETE", f"/api/conversations/{chat.conversation_id}")
    chat.send("Is it there?")
    expect(chat.problem).to_contain_text(say("js.conversation_gone_kept"))
    expect(chat.text).to_have_value("Is it there?")
    expect(chip(chat, "sent.txt")).to_be_visible()
    chat.text.press("Enter")
    expect(sent(chat.question())).to_have_count(1)
    chat.wait_until_answered()


@pytest.mark.parametrize("draft", ["", "a draft"])
def test_what_was_attached_waits_in_a_new_one_where_the_page_finds_no_conversation(
    chat: Chat, site: Site, draft: str
) -> None:
    chat.ask("First?")
    attach(chat, text())
    chat.text.fill(draft)
    site.ask("DELETE", f"/api/conversations/{chat.conversation_id}")
    chat.page.reload()
    expect(chat.problem).to_contain_text(say("js.not_found"))
    expect(chat.text).to_have_value(draft)
    expect(chip(chat, "notes.txt")).to_have_attribute("data-state", "here")


def test_what_was_attached_to_one_that_the_list_finds_gone_is_seen_in_the_new_one(chat: Chat, site: Site) -> None:
    chat.ask("Is it still there?")
    attach(chat, text())
    gone = chat.conversation_id
    chat.page.goto("/")
    expect(chips(chat)).to_have_count(0)
    site.ask("DELETE", f"/api/conversations/{gone}")
    chat.choose("Is it still there?", say("js.pin"))
    expect(chat.page.locator(".toast")).to_contain_text(say("js.conversation_gone_kept"))
    expect(chip(chat, "notes.txt")).to_be_visible()


def test_what_a_page_was_sending_comes_back_though_the_next_one_cannot_show_files(
    chat: Chat, visits: Visits, script: ScriptedUpstream
) -> None:
    attach(chat, text())
    chat.page.evaluate(CRASH, "Is it sent?")
    chat.page.route(MODULE, lambda route: route.fulfill(status=404))
    chat.page.reload()
    expect(chat.text).to_have_value("Is it sent?")
    expect(chat.page.locator(".toast")).to_contain_text(say("js.error.not_loaded"))
    chat.page.unroute_all()
    chat.page.reload()
    expect(chat.text).to_have_value("Is it sent?")
    expect(chip(chat, "notes.txt")).to_have_attribute("data-state", "here")
    chat.enter()
    expect(sent(chat.question())).to_have_count(1)
    chat.wait_until_answered()
    assert len(script.journal.chats) == 1
    problems = visits.watch(chat.page).problems
    problems[:] = [problem for problem in problems if "/static/" not in problem]  # what the test took away
