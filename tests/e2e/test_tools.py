"""Tools that a model calls while it answers: chosen, allowed or not, shown while they run, and read again later."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e import tooled
from tests.e2e.accessible import expect_no_fault
from tests.e2e.chat import Chat
from tests.e2e.keyboard import Keyboard
from tests.e2e.looks import Look
from tests.e2e.site import Site
from tests.e2e.test_branches import again
from tests.e2e.test_weight import MOST_REQUESTS
from tests.e2e.tooled import ask, box, button, calls, choose, rows
from tests.e2e.visits import Visits
from tests.e2e.waiting import begin
from tests.e2e.words import words
from tests.support.called import calling
from tests.support.mcp_server import McpServer
from tests.support.scripted_upstream import Answer, Gate, ScriptedUpstream

say = words("en")
QUESTION = "What does the workshop say?"
WORDS = 'boats <img src="/nowhere" onerror="document.title = 1">'
ECHO = ("Workshop__echo", json.dumps({"words": WORDS}))
FAILS = ("Workshop__fails", "{}")
HANGS = ("Workshop__hangs", "{}")

pytestmark = pytest.mark.browser


@pytest.fixture
def server(site: Site) -> Iterator[McpServer]:
    with tooled.offering(site) as running:
        yield running


@pytest.fixture
def trusted(site: Site) -> Iterator[McpServer]:
    """Whose calls are made at once."""
    with tooled.offering(site, confirms=False) as running:
        yield running


@pytest.fixture
def chat(visits: Visits) -> Chat:
    return Chat(visits.open("/"), say)


def status(row: Locator, name: str) -> None:
    expect(row).to_have_attribute("data-status", name)


def offered(script: ScriptedUpstream) -> list[bool]:
    """Of each request, were tools offered?"""
    return ["tools" in request.body for request in script.journal.chats]


def test_tools_are_chosen_called_and_told_of(
    look: Look, server: McpServer, visits: Visits, script: ScriptedUpstream
) -> None:
    chat = Chat(look.open(visits, "/"), look.say)
    button(chat).click()
    expect(chat.page.get_by_role("checkbox", name=tooled.NAME)).not_to_be_checked()
    expect(chat.page.locator("[data-tools-menu]")).to_contain_text("echo")
    look.expect_no_fault(chat.page)
    chat.page.keyboard.press("Escape")
    expect(button(chat)).to_be_focused()
    choose(chat)
    expect(button(chat)).to_have_accessible_name(look.say("js.tools_chosen", count=1))
    gate = Gate(1)
    script.script(calling(ECHO, text="I ask."), Answer("It says boats.", gate=gate))
    chat.send(QUESTION)
    status(rows(chat), "waiting")
    expect(rows(chat)).to_contain_text(look.say("js.call_waiting"))
    expect(chat.answer.locator("[data-slot=arguments]")).to_contain_text("boats <img")
    look.expect_no_fault(chat.page)
    assert server.called == []
    ask(chat, "allow").click()
    status(rows(chat), "done")
    expect(ask(chat, "allow")).to_be_hidden()
    assert server.called == [("echo", {"words": WORDS})]
    gate.open()
    chat.wait_until_answered()
    for _ in ("as it went", "as it is stored"):
        expect(chat.prose).to_have_text("I ask.\nIt says boats.", use_inner_text=True)
        expect(calls(chat)).to_contain_text("echo")
        expect(rows(chat)).to_be_hidden()
        calls(chat).click()
        rows(chat).locator("summary").click()
        expect(rows(chat).locator("[data-slot=result]")).to_have_text(f"echo: {WORDS}")
        expect(chat.answer.locator(".calls img")).to_have_count(0)
        expect(ask(chat, "allow")).to_be_hidden()
        look.expect_no_fault(chat.page)
        chat.page.reload()
    expect(box(chat)).to_be_checked()


def test_what_is_not_allowed_is_not_called(server: McpServer, chat: Chat, script: ScriptedUpstream) -> None:
    choose(chat)
    script.script(calling(ECHO), Answer("Then not."))
    chat.send(QUESTION)
    ask(chat, "refuse").click()
    chat.wait_until_answered()
    for _ in ("as it went", "as it is stored"):
        expect(chat.prose).to_have_text("Then not.")
        status(rows(chat), "refused")
        expect(calls(chat)).to_have_text(say("js.calls_one_refused", tool="echo"))
        chat.page.reload()
    assert server.called == []


def test_one_word_is_enough_for_an_answer_and_only_for_that(
    server: McpServer, chat: Chat, script: ScriptedUpstream
) -> None:
    choose(chat)
    script.script(calling(ECHO), calling(ECHO, FAILS), Answer("Boats."))
    chat.send(QUESTION)
    ask(chat, "allow_all").click()
    chat.wait_until_answered()
    expect(calls(chat)).to_have_text(
        f"{say('js.calls_done', count=2)} · {say('js.calls_failed', count=1)}", use_inner_text=True
    )
    calls(chat).click()
    expect(rows(chat).nth(2)).to_contain_text(say("js.call_error_tool_said_error"))
    assert [name for name, _ in server.called] == ["echo", "echo", "fails"]
    script.script(calling(ECHO), Answer("Again."))
    chat.send("And now?")
    status(rows(chat), "waiting")
    ask(chat, "refuse").click()
    chat.wait_until_answered()


def test_one_that_waits_is_found_again_and_told_to_those_who_do_not_see_it(
    server: McpServer, chat: Chat, script: ScriptedUpstream
) -> None:
    choose(chat)
    script.script(calling(ECHO), Answer("Boats."))
    chat.send(QUESTION)
    status(rows(chat), "waiting")
    announced = chat.page.locator("[data-announcer]").first
    expect(announced).to_have_text(say("js.calls_waiting", tool="echo"))
    chat.page.reload()
    keys = Keyboard(chat.page)
    expect(ask(chat, "allow")).to_be_visible()
    keys.use(ask(chat, "allow"))
    chat.wait_until_answered()
    expect(chat.prose).to_have_text("Boats.")


def test_one_that_waits_out_of_sight_is_told_of_above_the_composer(
    look: Look, server: McpServer, visits: Visits, script: ScriptedUpstream
) -> None:
    chat = Chat(look.open(visits, "/"), look.say)
    waits = chat.page.locator("[data-call-waits]")
    choose(chat)
    script.script(calling(ECHO, text="A long paragraph before it.\n\n" * 60), Answer("Boats."))
    chat.send(QUESTION)
    for _ in ("as it comes", "as it is followed again"):
        expect(waits).to_contain_text(look.say("js.calls_waiting", tool="echo"))
        chat.page.locator("[data-thread]").evaluate("each => each.scrollTo(0, each.scrollHeight)")
        expect(ask(chat, "allow")).not_to_be_in_viewport()
        chat.page.reload()
    chat.page.evaluate("document.querySelector('[data-new]').click()")
    expect(waits).to_be_hidden()
    chat.page.go_back()
    expect(waits).to_be_visible()
    look.expect_no_fault(chat.page)
    calls(chat).evaluate("each => { each.parentElement.open = false }")
    waits.get_by_role("button").click()
    expect(ask(chat, "allow")).to_be_focused()
    expect(ask(chat, "allow")).to_be_in_viewport()
    expect(rows(chat)).to_contain_text(look.say("chat.call_until", minutes=5))
    chat.page.keyboard.press("Enter")
    expect(waits).to_be_hidden()
    chat.wait_until_answered()
    assert len(server.called) == 1


def test_a_word_that_did_not_get_there_is_given_again_and_seen_in_the_other_tab(
    server: McpServer, chat: Chat, script: ScriptedUpstream
) -> None:
    choose(chat)
    script.script(calling(ECHO), Answer("Boats."))
    chat.send(QUESTION)
    status(rows(chat), "waiting")
    other = Chat(chat.page.context.new_page(), say)
    other.page.goto(chat.page.url)
    expect(ask(other, "allow")).to_be_visible()
    chat.page.route("**/calls/*", lambda route: route.abort())
    ask(chat, "allow").click()
    expect(chat.page.locator(".toast")).to_contain_text(say("js.error.offline"))
    assert server.called == []
    expect(ask(chat, "allow")).not_to_have_attribute("aria-disabled", "true")
    chat.page.unroute("**/calls/*")
    ask(chat, "allow").click()
    for each in (chat, other):
        each.wait_until_answered()
        status(rows(each), "done")
        expect(each.prose).to_have_text("Boats.")
    assert len(server.called) == 1


def test_a_call_is_stopped_with_its_answer(trusted: McpServer, chat: Chat, script: ScriptedUpstream) -> None:
    choose(chat)
    script.script(calling(HANGS))
    chat.send(QUESTION)
    status(rows(chat), "running")
    expect(rows(chat)).to_contain_text(f"{say('js.call_running')} · ", timeout=10_000)
    chat.stop_button.click()
    chat.wait_until_answered()
    for _ in ("as it went", "as it is stored"):
        status(rows(chat), "stopped")
        expect(calls(chat)).to_have_text(say("js.calls_one_stopped", tool="hangs"))
        expect(chat.answer.locator(".calls--now")).to_have_count(0)
        chat.page.reload()
    expect_no_fault(chat.page)


def test_they_go_along_however_a_question_is_asked(trusted: McpServer, chat: Chat, script: ScriptedUpstream) -> None:
    choose(chat)
    gate = begin(chat, script, "Second?")
    state = chat.page.locator("[data-waiting] li").get_by_title(say("js.tools"), exact=True)
    expect(state).to_be_visible()
    gate.open()
    expect(chat.answers).to_have_count(2)
    chat.wait_until_answered()
    again(chat)
    assert offered(script) == [True, True, True]
    choose(chat)
    chat.ask("Third?")
    assert offered(script)[3:] == [False]


def test_a_new_conversation_begins_without_them(trusted: McpServer, chat: Chat, script: ScriptedUpstream) -> None:
    choose(chat)
    chat.ask(QUESTION)
    first = chat.page.url
    chat.page.reload()
    expect(box(chat)).to_be_checked()
    chat.page.get_by_role("link", name=say("chat.new"), exact=True).first.click()
    expect(box(chat)).not_to_be_checked()
    expect(button(chat)).to_have_accessible_name(say("js.tools"))
    chat.page.goto(first)
    expect(box(chat)).to_be_checked()


def test_they_are_chosen_without_a_pointer(trusted: McpServer, chat: Chat, script: ScriptedUpstream) -> None:
    chat.text.fill(QUESTION)
    keys = Keyboard(chat.page)
    keys.use(button(chat))
    keys.use(box(chat), "Space")
    keys.press("Enter")
    expect(box(chat)).to_be_hidden()
    expect(chat.text).to_have_value(QUESTION)
    expect(chat.answers).to_have_count(0)
    expect(button(chat)).to_have_accessible_name(say("js.tools_chosen", count=1))


def test_where_a_server_is_gone_words_come_back_and_go_without(
    visits: Visits, site: Site, script: ScriptedUpstream
) -> None:
    with tooled.offering(site):
        chat = Chat(visits.open("/"), say)
        choose(chat)
    chat.send(QUESTION)
    expect(chat.problem).to_contain_text(say("error.tool_not_granted"))
    expect(chat.text).to_have_value(QUESTION)
    choose(chat)
    chat.enter()
    expect(chat.answers).to_have_count(1)
    chat.wait_until_answered()
    chat.page.reload()
    expect(button(chat)).to_have_count(0)


def test_a_page_is_no_heavier_and_a_temporary_chat_has_none(trusted: McpServer, visits: Visits) -> None:
    page = visits.open("/")
    page.wait_for_load_state("networkidle")
    requests = visits.watch(page).requests
    before = len(requests)
    page.reload(wait_until="networkidle")
    asked = [each.url for each in requests[before:] if not each.url.startswith("data:")]
    assert 1 < len(asked) <= MOST_REQUESTS, asked
    expect(page.locator("[data-tools]")).to_have_count(1)
    temporary = Chat(visits.open("/?temporary"), say)
    expect(temporary.text).to_be_visible()
    expect(button(temporary)).to_have_count(0)
