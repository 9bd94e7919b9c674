"""A message on its way: it follows what is stored, is asked once, and no word of it is lost."""

import json
import re

import pytest
from playwright.sync_api import Locator, Request, Route, expect

from tests.e2e.chat import Chat
from tests.e2e.held import Held
from tests.e2e.looks import Look
from tests.e2e.visits import Visits
from tests.support.scripted_upstream import Answer, Gate, ScriptedUpstream

STORED = re.compile(r"/api/conversations/[^/?]+$")

pytestmark = pytest.mark.browser


@pytest.fixture
def chat(look: Look, visits: Visits, script: ScriptedUpstream) -> Chat:
    return Chat(look.open(visits, "/"), look.say)


@pytest.fixture
def stored(chat: Chat) -> Locator:
    """The entry of a stored conversation; the page shows a new one."""
    chat.ask("What was first?")
    entry = chat.list.locator(f"a[href='/c/{chat.conversation_id}']")
    chat.page.goto("/")
    return entry


def expect_it_to_follow(chat: Chat, script: ScriptedUpstream) -> None:
    expect(chat.answers).to_have_count(2)
    chat.wait_until_answered()
    expect(chat.questions).to_have_text(["What was first?", "And second?"])
    assert [
        message["content"] for message in script.journal.chats[-1].body["messages"] if message["role"] == "user"
    ] == [
        "What was first?",
        "And second?",
    ]
    chat.page.reload()
    expect(chat.questions).to_have_text(["What was first?", "And second?"])


def test_what_is_sent_before_its_conversation_has_come_follows_it(
    chat: Chat, look: Look, script: ScriptedUpstream, stored: Locator
) -> None:
    held = Held(chat.page, STORED)
    chat.go_to(stored)
    chat.send("And second?")
    expect(chat.stop_button).to_be_visible()
    expect(chat.questions).to_have_count(0)
    look.expect_no_fault(chat.page)
    held.let_go()
    expect_it_to_follow(chat, script)


def test_a_conversation_that_could_not_be_had_is_asked_for_again_by_what_is_sent(
    chat: Chat, script: ScriptedUpstream, stored: Locator
) -> None:
    def drop(route: Route) -> None:
        route.abort("connectionrefused")

    chat.page.route(STORED, drop)
    chat.go_to(stored)
    expect(chat.unreached).to_contain_text(chat.say("js.error.offline"))
    chat.send("And second?")
    expect(chat.text).to_have_value("And second?")
    expect(chat.problem).to_contain_text(chat.say("js.error.offline"))
    chat.page.unroute(STORED, drop)
    chat.enter()
    expect_it_to_follow(chat, script)


def test_what_waits_for_its_conversation_comes_back_when_it_is_stopped_or_left(
    chat: Chat, script: ScriptedUpstream, stored: Locator
) -> None:
    asked = len(script.journal.chats)
    held = Held(chat.page, STORED)
    chat.go_to(stored)
    chat.send("And second?")
    chat.stop_button.click()
    held.let_go()
    expect(chat.text).to_have_value("And second?")
    expect(chat.questions).to_have_count(1)
    chat.page.goto("/")
    held = Held(chat.page, STORED)
    chat.go_to(stored)
    chat.enter()
    chat.open_list()
    chat.page.get_by_role("link", name=chat.say("chat.new")).first.click()
    held.let_go()
    expect(chat.page.locator(".toast", has_text=chat.say("js.not_sent"))).to_be_visible()
    chat.go_to(stored)
    expect(chat.text).to_have_value("And second?")
    assert len(script.journal.chats) == asked


def test_a_page_that_is_loaded_anew_while_it_sends_gives_the_words_back_and_asks_once(
    chat: Chat, script: ScriptedUpstream
) -> None:
    keys: list[str] = []

    def note(request: Request) -> None:
        if request.url.endswith("/api/chat"):
            keys.append(json.loads(request.post_data or "{}")["idempotency_key"])

    chat.page.on("request", note)
    held = Held(chat.page, "**/api/chat")
    chat.send("Is it lost?")
    held.wait()
    chat.text.fill("Something more")
    for _ in range(2):
        chat.page.reload()
        expect(chat.text).to_have_value("Is it lost?\n\nSomething more")
    chat.text.fill("Is it lost?")
    held.page.unroute(held.pattern)
    chat.enter()
    chat.wait_until_answered()
    assert len(keys) == 2
    assert keys[0] == keys[1]
    chat.page.reload()
    expect(chat.text).to_have_value("")
    assert len(script.journal.chats) == 1


def test_what_is_typed_while_a_message_is_on_its_way_stays_alone(chat: Chat, script: ScriptedUpstream) -> None:
    held = Held(chat.page, "**/api/chat")
    chat.send("On its way")
    held.wait()
    chat.text.fill("Next")
    held.let_go()
    chat.wait_until_answered()
    expect(chat.text).to_have_value("Next")
    chat.page.reload()
    expect(chat.text).to_have_value("Next")
    expect(chat.questions).to_have_text("On its way")


def test_an_idea_keeps_what_is_written(chat: Chat) -> None:
    chat.text.fill("Words of my own")
    idea = chat.page.locator("[data-idea]").first
    idea.click()
    expect(chat.text).to_have_value(f"{idea.get_attribute('data-idea')}\n\nWords of my own")
    chat.text.fill("")


def test_two_messages_while_the_page_still_loads_make_one_conversation(chat: Chat, script: ScriptedUpstream) -> None:
    held = Held(chat.page, "**/conversation.js")
    chat.page.locator("[data-idea]").first.click()
    chat.enter()
    held.wait()
    chat.text.fill("And another?")
    expect(chat.send_button).to_be_hidden()
    chat.text.press("Control+Enter")
    expect(chat.text).to_have_value("And another?")
    held.let_go()
    expect(chat.answers).to_have_count(1)
    chat.wait_until_answered()
    expect(chat.text).to_have_value("And another?")
    assert len(script.journal.chats) == 1


def test_a_question_that_is_being_changed_waits_for_whoever_goes_elsewhere(chat: Chat, stored: Locator) -> None:
    chat.go_to(stored)
    edit = chat.page.get_by_role("button", name=chat.say("chat.edit"))
    editor = chat.page.locator(".message--question textarea")
    edit.click()
    editor.fill("What was the very first?")
    chat.page.goto("/")
    chat.go_to(stored)
    edit.click()
    expect(editor).to_have_value("What was the very first?")
    editor.press("Escape")
    edit.click()
    expect(editor).to_have_value("What was first?")
    editor.fill("What was before that?")
    editor.press("Control+Enter")
    chat.wait_until_answered()
    chat.page.get_by_role("button", name=chat.say("chat.version_before")).first.click()
    edit.click()
    expect(editor).to_have_value("What was first?")


def test_the_mark_of_an_answer_that_nobody_looks_at_goes_out_with_it(
    chat: Chat, script: ScriptedUpstream, stored: Locator
) -> None:
    gate = Gate(1)
    script.script(Answer("One, two, three.", gate=gate))
    chat.send("Count.")
    expect(chat.prose).to_have_text("One,")
    chat.go_to(stored)
    chat.open_list()
    mark = chat.list.locator("[data-slot=running]:visible")
    expect(mark).to_have_count(1)
    gate.let_go()
    expect(mark).to_have_count(0)
    script.journal.wait_until_idle()


def test_what_is_written_before_the_scripts_have_come_stays(chat: Chat, script: ScriptedUpstream) -> None:
    for draft, early in [("", "Early words"), ("Kept from before", "and more of them")]:
        chat.text.fill(draft)
        scripts = Held(chat.page, "**/*.js")
        chat.page.goto("/", wait_until="commit")
        scripts.wait()
        chat.text.fill(early)
        scripts.let_go()
        chat.page.wait_for_load_state()
        expect(chat.text).to_have_value("\n\n".join(filter(None, [draft, early])))
        expect(chat.send_button).to_be_enabled()
