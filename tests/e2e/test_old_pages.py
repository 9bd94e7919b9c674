"""Parts of a page that are loaded later and cannot be had: the page is older than the site, or the line was lost.

Or the page is of somebody who is not the one signed in any more.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e import entrance
from tests.e2e.accessible import expect_no_fault
from tests.e2e.chat import Chat
from tests.e2e.site import Site
from tests.e2e.visits import Visits
from tests.e2e.words import words
from tests.support.scripted_upstream import Answer, ScriptedUpstream
from tests.support.served import PASSWORD

DRAFT = "What I was about to ask"

pytestmark = pytest.mark.browser


@pytest.fixture(params=["en", "zh"])
def chat(request: pytest.FixtureRequest, visits: Visits, script: ScriptedUpstream) -> Iterator[Chat]:
    made = Chat(visits.open("/", locale=request.param), words(request.param))
    yield made
    problems = visits.watch(made.page).problems
    problems[:] = [problem for problem in problems if "/static/" not in problem]  # what the test took away


def take_away(chat: Chat, name: str) -> None:
    chat.page.route(f"**/static/*/{name}", lambda route: route.fulfill(status=404))


def said(chat: Chat) -> Locator:
    return chat.page.locator(".toast", has_text=chat.say("js.error.not_loaded"))


def reload(chat: Chat) -> None:
    with chat.page.expect_navigation():
        said(chat).get_by_role("button", name=chat.say("js.reload"), exact=True).click()


def test_what_cannot_be_loaded_is_said_once_with_a_way_to_mend_it(chat: Chat) -> None:
    field = chat.page.locator("[data-search-field]")
    take_away(chat, "js/sidebar/search.js")
    chat.text.fill(DRAFT)
    for _ in range(2):
        field.focus()
        expect(said(chat)).to_have_count(1)
        chat.text.focus()
    expect_no_fault(chat.page, chat.page.evaluate("document.documentElement.lang.slice(0, 2)"))
    chat.page.unroute_all()
    reload(chat)
    expect(chat.text).to_have_value(DRAFT)
    expect(said(chat)).to_be_hidden()


def test_the_next_try_works_where_only_the_line_was_lost(chat: Chat) -> None:
    take_away(chat, "js/sidebar/search.js")
    chat.page.locator("[data-search-field]").focus()
    expect(said(chat)).to_be_visible()
    chat.page.unroute_all()
    chat.text.focus()
    chat.page.locator("[data-search-field]").fill("nothing has these words")
    expect(chat.page.locator("[data-search-said]")).to_be_visible()


def test_a_message_that_an_old_page_cannot_send_stays(chat: Chat, script: ScriptedUpstream) -> None:
    take_away(chat, "js/chat/conversation.js")
    chat.send(DRAFT)
    expect(said(chat)).to_be_visible()
    expect(chat.text).to_have_value(DRAFT)
    assert not script.journal.chats
    chat.page.unroute_all()
    reload(chat)
    expect(chat.text).to_have_value(DRAFT)


def test_formulas_are_set_again_after_the_line_was_lost(chat: Chat, script: ScriptedUpstream) -> None:
    script.script(Answer("So $a+b$."), Answer("And $c+d$."))
    take_away(chat, "vendor/katex/*")
    chat.page.clock.install()
    chat.ask("A formula.")
    expect(said(chat)).to_have_count(1)
    expect(chat.prose).to_have_text("So a+b.")
    chat.page.unroute_all()
    chat.page.clock.fast_forward(3_500)
    chat.ask("Another.")
    expect(chat.prose.locator(".katex")).to_be_visible()
    expect(chat.answers.first.locator(".katex")).to_be_visible()


def test_colours_come_to_all_code_once_they_can_be_had(chat: Chat, script: ScriptedUpstream) -> None:
    script.script(Answer("```python\nx = 1\n```"), Answer("```python\ny = 2\n```"))
    take_away(chat, "vendor/highlight.js/*")
    chat.page.clock.install()
    chat.ask("Some code.")
    expect(said(chat)).to_have_count(1)
    chat.page.unroute_all()
    chat.page.clock.fast_forward(3_500)
    chat.ask("More code.")
    for answer in chat.answers.all():
        expect(answer.locator(".hljs-number")).to_be_visible()


def test_whoever_else_signs_in_in_another_tab_does_not_fill_the_list_of_this_one(chat: Chat, site: Site) -> None:
    locale = chat.page.evaluate("document.documentElement.lang")
    mine, theirs, name = f"Of the first {locale}", f"Of the second {locale}", f"Second tab {locale}"
    chat.ask(mine)
    chat.page.goto("/")
    expect(chat.in_list(mine)).to_have_count(1)
    site.ask("POST", "/api/admin/users", {"username": name, "role": "member", "password": PASSWORD})
    chat.page.context.clear_cookies()
    tab = chat.page.context.new_page()
    tab.goto("/login")
    entrance.sign_in(tab, chat.say, username=name, password=PASSWORD)
    tab.wait_for_url("**/")
    other = Chat(tab, chat.say)
    other.ask(theirs)
    with chat.page.expect_response("**/api/conversations/unfiled*"):
        chat.page.evaluate("dispatchEvent(new Event('focus'))")
    expect(said(chat)).to_have_count(1)
    expect(chat.in_list(mine)).to_have_count(1)
    expect(chat.in_list(theirs)).to_have_count(0)
