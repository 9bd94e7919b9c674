"""Messages that wait are asked once: by a page that is loaded anew, lost its line, or shows something else."""

import json

import pytest
from playwright.sync_api import Route, expect

from tests.e2e.chat import PATIENCE, Chat
from tests.e2e.held import Held
from tests.e2e.looks import Look
from tests.e2e.site import Site
from tests.e2e.visits import Visits
from tests.e2e.waiting import SENDS, act, asked, begin, expect_conversation, expect_held, waiting
from tests.support.scripted_upstream import ScriptedUpstream

FOCUS = "dispatchEvent(new Event('focus'))"

pytestmark = pytest.mark.browser


@pytest.fixture
def chat(look: Look, visits: Visits, script: ScriptedUpstream) -> Chat:
    return Chat(look.open(visits, "/"), look.say)


def test_a_reload_in_mid_answer_loses_none_and_asks_none_twice(chat: Chat, script: ScriptedUpstream) -> None:
    first = begin(chat, script, "Second?", "Third?")
    for _ in range(2):
        chat.page.reload()
        expect(waiting(chat)).to_have_text(["Second?", "Third?"])
    first.let_go()
    expect_conversation(chat, "First?", "Second?", "Third?")
    assert asked(script) == ["First?", "Second?", "Third?"]


def test_whoever_comes_back_after_the_answer_has_come_has_the_next_asked(chat: Chat, script: ScriptedUpstream) -> None:
    first = begin(chat, script, "Second?")
    address = chat.page.url
    chat.page.goto("/dashboard")
    first.let_go()
    script.journal.wait_until_idle()
    assert asked(script) == ["First?"]
    chat.page.goto(address)
    expect_conversation(chat, "First?", "Second?")
    assert asked(script) == ["First?", "Second?"]


def test_one_that_was_taken_without_a_word_to_this_page_is_not_asked_again(
    chat: Chat, script: ScriptedUpstream, site: Site
) -> None:
    """The server takes it, and the page is loaded anew before it has heard of that."""
    first = begin(chat, script, "Second?", "Third?")
    held = Held(chat.page, SENDS)
    first.let_go()
    body = json.loads(held.wait().request.post_data or "{}")
    list(site.server.chat(**body))
    chat.page.reload()
    chat.page.unroute_all()
    expect_conversation(chat, "First?", "Second?", "Third?")
    assert asked(script) == ["First?", "Second?", "Third?"]


@pytest.fixture
def unheard(chat: Chat, script: ScriptedUpstream, site: Site) -> None:
    """A message that waits is asked, and the line breaks before the page hears of it."""

    def take(route: Route) -> None:
        list(site.server.chat(**json.loads(route.request.post_data or "{}")))
        route.abort("connectionreset")

    first = begin(chat, script, "Second?")
    chat.page.route("**/api/chat", take)
    first.let_go()
    expect(chat.problem).to_contain_text(chat.say("js.error.offline"), timeout=PATIENCE)
    chat.page.unroute_all()
    expect_held(chat, script, "Second?")
    assert asked(script) == ["First?", "Second?"]


def test_one_whose_line_broke_after_it_was_taken_is_followed_and_not_asked_again(
    chat: Chat, script: ScriptedUpstream, unheard: None
) -> None:
    act(chat, "go").click()
    expect_conversation(chat, "First?", "Second?")
    assert asked(script) == ["First?", "Second?"]


def test_whoever_comes_back_to_the_page_sees_that_it_was_asked(
    chat: Chat, script: ScriptedUpstream, unheard: None
) -> None:
    chat.page.evaluate(FOCUS)
    expect(chat.questions).to_have_text(["First?", "Second?"])
    expect(waiting(chat)).to_have_count(0)
    chat.send("Third?")
    expect_conversation(chat, "First?", "Second?", "Third?")
    assert asked(script) == ["First?", "Second?", "Third?"]


def test_one_that_was_asked_in_another_place_is_said_to_be_there_and_not_asked_again(
    chat: Chat, script: ScriptedUpstream, unheard: None
) -> None:
    """Whoever writes on meanwhile writes beside it."""
    chat.send("Rather this?")
    expect(chat.problem).to_contain_text(chat.say("js.sent_before"))
    expect(waiting(chat)).to_have_count(0)
    chat.send("Last?")
    expect_conversation(chat, "First?", "Rather this?", "Last?")
    assert asked(script) == ["First?", "Second?", "Rather this?", "Last?"]
    chat.page.get_by_role("button", name=chat.say("chat.version_before"), exact=True).click()
    expect(chat.questions).to_have_text(["First?", "Second?"])


def test_a_tab_and_its_double_ask_once(chat: Chat, script: ScriptedUpstream) -> None:
    first = begin(chat, script, "Second?", "Third?")
    with chat.page.context.expect_page() as opened:
        chat.page.evaluate("void window.open(location.href)")
    double = Chat(opened.value, chat.say)
    expect(waiting(double)).to_have_text(["Second?", "Third?"])
    first.let_go()
    for each in (chat, double):
        expect_conversation(each, "First?", "Second?", "Third?")
    assert asked(script) == ["First?", "Second?", "Third?"]


def archive_shown(chat: Chat) -> None:
    """The one on the page, whatever others are called."""
    chat.open_list()
    entry = chat.list.locator("[data-conversation]:has([aria-current=page])")
    entry.hover()
    entry.locator("[data-more]").click()
    chat.menu.get_by_text(chat.say("js.archive"), exact=True).click()
    expect(chat.questions).to_have_count(0)


def test_in_the_archive_they_wait_for_the_readers_word(chat: Chat, script: ScriptedUpstream) -> None:
    first = begin(chat, script, "Second?")
    address = chat.page.url
    archive_shown(chat)
    first.let_go()
    script.journal.wait_until_idle()
    chat.page.goto(address)
    expect_held(chat, script, "Second?")
    expect(chat.page.locator("[data-archived-note]")).to_be_visible()
    act(chat, "go").click()
    expect_conversation(chat, "First?", "Second?")
    expect(chat.page.locator("[data-archived-note]")).to_be_hidden()


def test_taken_back_from_there_at_once_they_go_on(chat: Chat, script: ScriptedUpstream) -> None:
    first = begin(chat, script, "Second?")
    archive_shown(chat)
    chat.page.locator(".toast").get_by_role("button", name=chat.say("base.undo")).click()
    expect(waiting(chat)).to_have_text(["Second?"])
    first.let_go()
    expect_conversation(chat, "First?", "Second?")
    assert asked(script) == ["First?", "Second?"]


def test_where_its_conversation_is_deleted_they_are_kept_in_a_new_one(
    chat: Chat, script: ScriptedUpstream, site: Site
) -> None:
    begin(chat, script, "Second?", "Third?")
    chat.text.fill("a draft")
    site.ask("DELETE", f"/api/conversations/{chat.conversation_id}")
    expect(chat.problem).to_contain_text(chat.say("js.conversation_gone_kept"))
    expect(chat.text).to_have_value("Second?\n\nThird?\n\na draft")
    expect(waiting(chat)).to_have_count(0)
    chat.page.reload()
    expect(chat.text).to_have_value("Second?\n\nThird?\n\na draft")


def test_where_it_was_deleted_while_nobody_looked_they_are_kept_too(
    chat: Chat, script: ScriptedUpstream, site: Site
) -> None:
    begin(chat, script, "Second?")
    address, conversation_id = chat.page.url, chat.conversation_id
    chat.page.goto("/dashboard")
    site.ask("DELETE", f"/api/conversations/{conversation_id}")
    chat.page.goto(address)
    expect(chat.problem).to_contain_text(chat.say("js.not_found"))
    expect(chat.text).to_have_value("Second?")
