"""Messages that wait are asked once: by a page that is loaded anew, lost its line, or shows something else."""

import json

import pytest
from playwright.sync_api import Locator, Route, expect

from tests.e2e.chat import PATIENCE, Chat
from tests.e2e.site import Site
from tests.e2e.visits import Visits
from tests.e2e.waiting import act, asked, begin, expect_conversation, expect_held, hold, stop, wait_for, waiting
from tests.e2e.words import words
from tests.support.brokers import wait_until
from tests.support.scripted_upstream import ScriptedUpstream

say = words("en")
FOCUS = "dispatchEvent(new Event('focus'))"

pytestmark = pytest.mark.browser


@pytest.fixture
def chat(visits: Visits, script: ScriptedUpstream) -> Chat:
    return Chat(visits.open("/"), say)


def test_a_reload_in_mid_answer_loses_none_and_asks_none_twice(chat: Chat, script: ScriptedUpstream) -> None:
    begin(chat, script, "Second?", "Third?")
    for _ in range(2):
        chat.page.reload()
        expect(waiting(chat)).to_have_text(["Second?", "Third?"])
    expect_conversation(chat, "First?", "Second?", "Third?")
    assert asked(script) == ["First?", "Second?", "Third?"]


def test_whoever_comes_back_after_the_answer_has_come_has_the_next_asked(chat: Chat, script: ScriptedUpstream) -> None:
    begin(chat, script, "Second?")
    address = chat.page.url
    chat.page.goto("/dashboard")
    script.journal.wait_until_idle(timeout=10)
    assert asked(script) == ["First?"]
    chat.page.goto(address)
    expect_conversation(chat, "First?", "Second?")
    assert asked(script) == ["First?", "Second?"]


def test_one_that_was_taken_without_a_word_to_this_page_is_not_asked_again(
    chat: Chat, script: ScriptedUpstream, site: Site
) -> None:
    """The server takes it, and the page is loaded anew before it has heard of that."""
    begin(chat, script, "Second?", "Third?")
    asking = wait_for(chat, hold(chat))
    body = json.loads(asking.request.post_data or "{}")
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

    begin(chat, script, "Second?")
    chat.page.route("**/api/chat", take)
    expect(chat.problem).to_contain_text(say("js.error.offline"), timeout=PATIENCE)
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
    expect(chat.problem).to_contain_text(say("js.sent_before"))
    expect(waiting(chat)).to_have_count(0)
    chat.send("Last?")
    expect_conversation(chat, "First?", "Rather this?", "Last?")
    assert asked(script) == ["First?", "Second?", "Rather this?", "Last?"]
    chat.page.get_by_role("button", name=say("chat.version_before"), exact=True).click()
    expect(chat.questions).to_have_text(["First?", "Second?"])


def test_a_tab_and_its_double_ask_once(chat: Chat, script: ScriptedUpstream) -> None:
    begin(chat, script, "Second?", "Third?")
    with chat.page.context.expect_page() as opened:
        chat.page.evaluate("void window.open(location.href)")
    double = Chat(opened.value, say)
    expect(waiting(double)).to_have_text(["Second?", "Third?"])
    for each in (chat, double):
        expect_conversation(each, "First?", "Second?", "Third?")
    assert asked(script) == ["First?", "Second?", "Third?"]


@pytest.fixture
def elsewhere(chat: Chat) -> Locator:
    """The entry of another conversation; the page shows a new one."""
    chat.ask("Another?")
    entry = chat.list.locator(f"a[href='/c/{chat.conversation_id}']")
    chat.page.get_by_role("link", name=say("chat.new"), exact=True).click()
    expect(chat.questions).to_have_count(0)
    return entry


def test_they_are_asked_while_another_conversation_is_on_the_page(
    chat: Chat, script: ScriptedUpstream, elsewhere: Locator
) -> None:
    begin(chat, script, "Second?", "Third?")
    address = chat.page.url
    elsewhere.click()
    expect(chat.questions).to_have_text(["Another?"])
    expect(waiting(chat)).to_have_count(0)
    wait_until(lambda: asked(script)[1:] == ["First?", "Second?", "Third?"], 40)
    expect(chat.questions).to_have_text(["Another?"])
    script.journal.wait_until_idle(timeout=10)
    chat.page.goto(address)
    expect_conversation(chat, "First?", "Second?", "Third?")
    assert asked(script)[1:] == ["First?", "Second?", "Third?"]


def test_also_after_a_reload_of_the_other_and_behind_another_tab(
    chat: Chat, script: ScriptedUpstream, elsewhere: Locator
) -> None:
    begin(chat, script, "Second?")
    elsewhere.click()
    expect(chat.questions).to_have_text(["Another?"])
    chat.page.reload()
    chat.page.evaluate("Object.defineProperty(document, 'hidden', { value: true })")
    wait_until(lambda: asked(script)[1:] == ["First?", "Second?"], 40)


def test_whoever_comes_back_in_the_moment_of_asking_sees_it_once(
    chat: Chat, script: ScriptedUpstream, elsewhere: Locator
) -> None:
    begin(chat, script, "Second?", "Third?")
    title = chat.list.locator(f"a[href='/c/{chat.conversation_id}']")
    elsewhere.click()
    held = hold(chat)
    wait_for(chat, held)
    title.click()
    for _ in range(500):
        if len(held) == 2:
            break
        chat.page.wait_for_timeout(20)
    chat.page.unroute_all()  # lets both go
    expect_conversation(chat, "First?", "Second?", "Third?")
    assert asked(script)[1:] == ["First?", "Second?", "Third?"]


def test_that_they_are_not_sent_is_told_with_their_conversation(
    chat: Chat, script: ScriptedUpstream, elsewhere: Locator, site: Site
) -> None:
    begin(chat, script, "Second?")
    title = chat.list.locator(f"a[href='/c/{chat.conversation_id}']")
    address = f"/api/conversations/{chat.conversation_id}"
    elsewhere.click()
    expect(chat.questions).to_have_text(["Another?"])
    site.ask("POST", f"/api/runs/{site.ask('GET', address)['messages'][-1]['run_id']}/stop")
    told = say("js.not_sent_in", title="First?", why=say("js.waits_after_all"))
    expect(chat.page.locator(".toast")).to_contain_text(told)
    title.click()
    expect_held(chat, script, "Second?")


def test_so_is_that_they_are_refused(chat: Chat, script: ScriptedUpstream, elsewhere: Locator, site: Site) -> None:
    begin(chat, script, "Second?")
    elsewhere.click()
    budget = site.ask("POST", "/api/admin/budgets", {"scope": "site", "period": "day", "limit": 1})
    try:
        expect(chat.page.locator(".toast")).to_contain_text(say("js.not_sent_in", title="First?", why=""))
        assert asked(script)[1:] == ["First?"]
    finally:
        site.ask("DELETE", f"/api/admin/budgets/{budget['id']}")


def test_a_look_that_fails_is_followed_by_another(chat: Chat, script: ScriptedUpstream, elsewhere: Locator) -> None:
    begin(chat, script, "Second?")
    failed: list[Route] = []

    def fail(route: Route) -> None:
        failed.append(route)
        route.abort("connectionreset")

    chat.page.route(f"**/api/conversations/{chat.conversation_id}", fail, times=1)
    elsewhere.click()
    for _ in range(2_000):
        if len(asked(script)) == 3:
            break
        chat.page.wait_for_timeout(20)
    assert asked(script)[1:] == ["First?", "Second?"]
    assert failed, "it was looked at in vain"


def test_what_a_double_has_asked_meanwhile_waits_no_more(
    chat: Chat, script: ScriptedUpstream, elsewhere: Locator
) -> None:
    begin(chat, script, "Second?", "Third?")
    title = chat.list.locator(f"a[href='/c/{chat.conversation_id}']")
    with chat.page.context.expect_page() as opened:
        chat.page.evaluate("void window.open(location.href)")
    double = Chat(opened.value, say)
    expect(waiting(double)).to_have_text(["Second?", "Third?"])
    chat.page.route("**/api/conversations?*", lambda route: route.abort())  # it does not hear that the answer has come
    elsewhere.click()
    expect(chat.questions).to_have_text(["Another?"])
    expect_conversation(double, "First?", "Second?", "Third?")
    chat.page.unroute_all()
    title.click()
    expect_conversation(chat, "First?", "Second?", "Third?")
    assert asked(script)[1:] == ["First?", "Second?", "Third?"]


def test_what_was_stopped_is_not_asked_from_elsewhere(chat: Chat, script: ScriptedUpstream, elsewhere: Locator) -> None:
    begin(chat, script, "Second?")
    title = chat.list.locator(f"a[href='/c/{chat.conversation_id}']")
    stop(chat)
    elsewhere.click()
    expect(chat.questions).to_have_text(["Another?"])
    title.click()
    expect_held(chat, script, "Second?")


def archive_shown(chat: Chat) -> None:
    """The one on the page, whatever others are called."""
    entry = chat.list.locator("[data-conversation]:has([aria-current=page])")
    entry.hover()
    entry.locator("[data-more]").click()
    chat.menu.get_by_text(say("js.archive"), exact=True).click()
    expect(chat.questions).to_have_count(0)


def test_in_the_archive_they_wait_for_the_readers_word(chat: Chat, script: ScriptedUpstream) -> None:
    begin(chat, script, "Second?")
    address = chat.page.url
    archive_shown(chat)
    script.journal.wait_until_idle(timeout=10)
    chat.page.goto(address)
    expect_held(chat, script, "Second?")
    expect(chat.page.locator("[data-archived-note]")).to_be_visible()
    act(chat, "go").click()
    expect_conversation(chat, "First?", "Second?")
    expect(chat.page.locator("[data-archived-note]")).to_be_hidden()


def test_taken_back_from_there_at_once_they_go_on(chat: Chat, script: ScriptedUpstream) -> None:
    begin(chat, script, "Second?")
    archive_shown(chat)
    chat.page.locator(".toast").get_by_role("button", name=say("base.undo")).click()
    expect_conversation(chat, "First?", "Second?")
    assert asked(script) == ["First?", "Second?"]


def test_where_its_conversation_is_deleted_they_are_kept_in_a_new_one(
    chat: Chat, script: ScriptedUpstream, site: Site
) -> None:
    begin(chat, script, "Second?", "Third?")
    chat.text.fill("a draft")
    site.ask("DELETE", f"/api/conversations/{chat.conversation_id}")
    expect(chat.problem).to_contain_text(say("js.conversation_gone_kept"))
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
    expect(chat.problem).to_contain_text(say("js.not_found"))
    expect(chat.text).to_have_value("Second?")
