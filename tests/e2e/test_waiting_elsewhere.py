"""Messages that wait while another conversation is on the page: asked there, once, or it is told why not."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Route, expect

from tests.e2e.chat import Chat
from tests.e2e.held import Held
from tests.e2e.looks import Look
from tests.e2e.site import Site
from tests.e2e.visits import Visits
from tests.e2e.waiting import SENDS, asked, begin, expect_conversation, expect_held, stop, waiting
from tests.support.scripted_upstream import ScriptedUpstream

LOOK_EACH = 5_000  # milliseconds

pytestmark = pytest.mark.browser


@pytest.fixture
def chat(look: Look, visits: Visits, script: ScriptedUpstream) -> Chat:
    return Chat(look.open(visits, "/"), look.say)


def pass_time(chat: Chat, until: Callable[[], object]) -> None:
    """Each fifth second the page looks at what it does not show: its seconds go by quickly until then."""
    for _ in range(200):
        if until():
            return
        chat.page.clock.fast_forward(LOOK_EACH)
        chat.page.wait_for_timeout(200)
    raise AssertionError("waited in vain")


@pytest.fixture
def elsewhere(chat: Chat) -> Locator:
    """The entry of another conversation; the page shows a new one."""
    chat.ask("Another?")
    entry = chat.list.locator(f"a[href='/c/{chat.conversation_id}']")
    chat.page.goto("/")
    expect(chat.questions).to_have_count(0)
    chat.page.clock.install()
    return entry


def test_they_are_asked_while_another_conversation_is_on_the_page(
    chat: Chat, script: ScriptedUpstream, elsewhere: Locator
) -> None:
    first = begin(chat, script, "Second?", "Third?")
    address = chat.page.url
    chat.go_to(elsewhere)
    expect(chat.questions).to_have_text(["Another?"])
    expect(waiting(chat)).to_have_count(0)
    first.let_go()
    pass_time(chat, lambda: asked(script)[1:] == ["First?", "Second?", "Third?"])
    expect(chat.questions).to_have_text(["Another?"])
    script.journal.wait_until_idle()
    chat.page.goto(address)
    expect_conversation(chat, "First?", "Second?", "Third?")
    assert asked(script)[1:] == ["First?", "Second?", "Third?"]


def test_also_after_a_reload_of_the_other_and_behind_another_tab(
    chat: Chat, script: ScriptedUpstream, elsewhere: Locator
) -> None:
    first = begin(chat, script, "Second?")
    chat.go_to(elsewhere)
    expect(chat.questions).to_have_text(["Another?"])
    chat.page.reload()
    chat.page.evaluate("Object.defineProperty(document, 'hidden', { value: true })")
    first.let_go()
    pass_time(chat, lambda: asked(script)[1:] == ["First?", "Second?"])


def test_whoever_comes_back_in_the_moment_of_asking_sees_it_once(
    chat: Chat, script: ScriptedUpstream, elsewhere: Locator
) -> None:
    first = begin(chat, script, "Second?", "Third?")
    title = chat.list.locator(f"a[href='/c/{chat.conversation_id}']")
    chat.go_to(elsewhere)
    held = Held(chat.page, SENDS)
    first.let_go()
    pass_time(chat, lambda: held.routes)
    chat.go_to(title)
    held.wait(2)
    held.let_go()
    expect_conversation(chat, "First?", "Second?", "Third?")
    assert asked(script)[1:] == ["First?", "Second?", "Third?"]


def test_that_they_are_not_sent_is_told_with_their_conversation(
    chat: Chat, script: ScriptedUpstream, elsewhere: Locator, site: Site
) -> None:
    begin(chat, script, "Second?")
    title = chat.list.locator(f"a[href='/c/{chat.conversation_id}']")
    address = f"/api/conversations/{chat.conversation_id}"
    chat.go_to(elsewhere)
    expect(chat.questions).to_have_text(["Another?"])
    site.ask("POST", f"/api/runs/{site.ask('GET', address)['messages'][-1]['run_id']}/stop")
    told = chat.page.locator(
        ".toast", has_text=chat.say("js.not_sent_in", title="First?", why=chat.say("js.waits_after_all"))
    )
    pass_time(chat, told.is_visible)
    chat.go_to(title)
    expect_held(chat, script, "Second?")


def test_so_is_that_they_are_refused(chat: Chat, script: ScriptedUpstream, elsewhere: Locator, site: Site) -> None:
    first = begin(chat, script, "Second?")
    chat.go_to(elsewhere)
    budget = site.ask("POST", "/api/admin/budgets", {"scope": "site", "period": "day", "limit": 1})
    try:
        first.let_go()
        told = chat.page.locator(".toast", has_text=chat.say("js.not_sent_in", title="First?", why=""))
        pass_time(chat, told.is_visible)
        assert asked(script)[1:] == ["First?"]
    finally:
        site.ask("DELETE", f"/api/admin/budgets/{budget['id']}")


def test_a_look_that_fails_is_followed_by_another(chat: Chat, script: ScriptedUpstream, elsewhere: Locator) -> None:
    first = begin(chat, script, "Second?")
    failed: list[Route] = []

    def fail(route: Route) -> None:
        failed.append(route)
        route.abort("connectionreset")

    chat.page.route(f"**/api/conversations/{chat.conversation_id}", fail, times=1)
    chat.go_to(elsewhere)
    first.let_go()
    pass_time(chat, lambda: len(asked(script)) == 3)
    assert asked(script)[1:] == ["First?", "Second?"]
    assert failed, "it was looked at in vain"


def test_what_a_double_has_asked_meanwhile_waits_no_more(
    chat: Chat, script: ScriptedUpstream, elsewhere: Locator
) -> None:
    first = begin(chat, script, "Second?", "Third?")
    title = chat.list.locator(f"a[href='/c/{chat.conversation_id}']")
    with chat.page.context.expect_page() as opened:
        chat.page.evaluate("void window.open(location.href)")
    double = Chat(opened.value, chat.say)
    expect(waiting(double)).to_have_text(["Second?", "Third?"])
    chat.page.route(
        "**/api/conversations/unfiled?*", lambda route: route.abort()
    )  # it does not hear that the answer has come
    chat.go_to(elsewhere)
    expect(chat.questions).to_have_text(["Another?"])
    first.let_go()
    expect_conversation(double, "First?", "Second?", "Third?")
    chat.page.unroute_all()
    chat.go_to(title)
    expect_conversation(chat, "First?", "Second?", "Third?")
    assert asked(script)[1:] == ["First?", "Second?", "Third?"]


def test_what_was_stopped_is_not_asked_from_elsewhere(chat: Chat, script: ScriptedUpstream, elsewhere: Locator) -> None:
    begin(chat, script, "Second?")
    title = chat.list.locator(f"a[href='/c/{chat.conversation_id}']")
    stop(chat)
    chat.go_to(elsewhere)
    expect(chat.questions).to_have_text(["Another?"])
    chat.go_to(title)
    expect_held(chat, script, "Second?")
