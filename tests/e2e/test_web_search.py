"""A question that is looked up on the web: switched on, searched, answered with sources, and asked in any other way."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e import looked_up
from tests.e2e.accessible import expect_no_fault
from tests.e2e.chat import Chat
from tests.e2e.keyboard import Keyboard
from tests.e2e.looks import Look
from tests.e2e.site import Site
from tests.e2e.test_branches import again, edit
from tests.e2e.test_palette import choose
from tests.e2e.visits import Visits
from tests.e2e.waiting import begin
from tests.e2e.words import words
from tests.support.scripted_upstream import Answer, Gate, Pages, ScriptedUpstream, Status, pieces

say = words("en")
QUESTION = "How high is the lighthouse?"
CITED = "It is 19 metres high [1], as are others【2】."
FIRST = "https://example.org/arkona"

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def _searching(site: Site, script: ScriptedUpstream) -> Iterator[None]:
    with looked_up.searching(site):
        yield
    script.pages = Pages()


@pytest.fixture
def chat(visits: Visits) -> Chat:
    return Chat(visits.open("/"), say)


def switch(chat: Chat) -> Locator:
    return chat.page.get_by_role("switch", name=chat.say("chat.search_web"), exact=True)


def turn(chat: Chat) -> None:
    """As a finger does: the switch itself is as small as a dot."""
    chat.page.locator("label").filter(has=switch(chat)).click()


def found(chat: Chat) -> Locator:
    """The line of what was found, which opens."""
    return chat.page.locator("summary").filter(has_text=chat.say("js.web_found", count=2))


def queries(script: ScriptedUpstream) -> list[str]:
    return [str(request.body["query"]) for request in script.journal.searches]


def cited(page: Page) -> list[str | None]:
    return [link.get_attribute("href") for link in page.locator(".message--answer a.citation").all()]


def test_a_question_is_looked_up_and_its_answer_leads_to_what_was_found(
    look: Look, visits: Visits, script: ScriptedUpstream
) -> None:
    chat = Chat(look.open(visits, "/"), look.say)
    expect(switch(chat)).not_to_be_checked()
    turn(chat)
    expect(switch(chat)).to_be_checked()
    gates = Gate(0), Gate(len(list(pieces(CITED[:28]))))
    script.pages = Pages(gate=gates[0])
    script.script(Answer(CITED, gate=gates[1]))
    chat.send(QUESTION)
    searching = chat.answer.get_by_text(look.say("js.web_searching", query=QUESTION))
    expect(searching).to_be_visible()
    look.expect_no_fault(chat.page)
    gates[0].open()
    expect(found(chat)).to_be_visible()
    expect(searching).to_be_hidden()
    expect(chat.prose.locator("a.citation")).to_have_text("[1]")
    gates[1].open()
    chat.wait_until_answered()
    for _ in ("as it went", "as it is stored"):
        expect(chat.prose.locator("a.citation")).to_have_text(["[1]", "[2]"])
        assert cited(chat.page) == [FIRST, "https://example.net/list"]
        first = chat.prose.get_by_role(
            "link", name=look.say("js.web_source", number="[1]", title="The lighthouse at Kap Arkona"), exact=True
        )
        expect(first).to_have_attribute("rel", "noopener noreferrer nofollow")
        expect(chat.page.get_by_role("link", name=re.compile("Kap Arkona"))).to_have_count(1)
        found(chat).click()
        card = chat.page.locator(".message--question").get_by_role("link", name=re.compile("Kap Arkona"))
        expect(card).to_be_visible()
        expect(card).to_have_attribute("href", FIRST)
        expect(card).to_have_attribute("target", "_blank")
        expect(card).to_have_attribute("rel", "noopener noreferrer")
        expect(card).to_contain_text("Example · 2026-10-03")
        expect(chat.page.get_by_text(look.say("js.web_query", query=QUESTION))).to_be_visible()
        look.expect_no_fault(chat.page)
        chat.page.reload()
    expect(switch(chat)).to_be_checked()
    assert queries(script) == [QUESTION]


def test_it_is_told_to_those_who_do_not_see_it(chat: Chat, script: ScriptedUpstream) -> None:
    gate = Gate(0)
    script.pages = Pages(gate=gate)
    turn(chat)
    chat.send(QUESTION)
    announcer = chat.page.locator("[data-announcer]").first
    expect(announcer).to_have_text(say("js.web_searching", query=QUESTION))
    script.script(Answer(CITED, gate=(held := Gate(1))))
    gate.open()
    expect(announcer).to_have_text(say("js.web_found", count=2))
    held.open()
    chat.wait_until_answered()
    heard = chat.page.locator("[data-live-answer]")
    expect(heard).to_contain_text("as are others")
    assert "[1]" not in str(heard.text_content()), "numbers say nothing to whoever listens"


def test_an_answer_is_copied_with_the_sources_that_it_names(chat: Chat, script: ScriptedUpstream) -> None:
    turn(chat)
    script.script(Answer("It is 19 metres high [1]."))
    chat.ask(QUESTION)
    assert chat.copied_answer() == (
        f"It is 19 metres high [1].\n\n{say('js.web_list')}\n\n- [1] [The lighthouse at Kap Arkona]({FIRST})\n"
    )


@pytest.mark.parametrize(
    ("pages", "key"),
    [(Pages(found=()), "empty"), (Status(500), "failed"), (Status(404), "failed_no_provider_search")],
    ids=["nothing", "failure", "nowhere"],
)
def test_what_brought_nothing_says_so_for_good(
    pages: Pages | Status, key: str, chat: Chat, script: ScriptedUpstream
) -> None:
    script.pages = pages
    script.script(Answer("I do not know [1]."))
    turn(chat)
    chat.ask(QUESTION)
    for _ in ("as it went", "as it is stored"):
        expect(chat.page.get_by_text(say(f"js.web_{key}", query=QUESTION)).last).to_be_visible()
        expect(chat.prose).to_have_text("I do not know [1].")
        assert cited(chat.page) == []
        chat.page.reload()
    expect_no_fault(chat.page)


def test_it_goes_along_however_a_question_is_asked(chat: Chat, script: ScriptedUpstream) -> None:
    turn(chat)
    gate = begin(chat, script, "Second?", answer=replace(Answer(), text=" ".join("word" for _ in range(100))))
    expect(chat.page.locator("[data-waiting] li")).to_contain_text(say("chat.search_web"))
    chat.page.reload()
    expect(chat.page.locator("[data-waiting] li")).to_contain_text(say("chat.search_web"))
    gate.open()
    expect(chat.answers).to_have_count(2)
    chat.wait_until_answered()
    assert queries(script) == ["First?", "Second?"]
    edit(chat, chat.question(1)).fill("Third?")
    chat.question(1).get_by_role("button", name=say("chat.send"), exact=True).click()
    expect(chat.questions).to_have_text(["First?", "Third?"])
    chat.wait_until_answered()
    assert queries(script)[2:] == ["Third?"]
    again(chat)
    assert queries(script)[3:] == [], "what was found is there"
    turn(chat)
    chat.ask("Fourth?")
    assert queries(script)[3:] == []
    turn(chat)
    again(chat)
    assert queries(script)[3:] == ["Fourth?"]
    expect(found(chat)).to_have_count(3)
    expect(chat.question(2).locator("summary")).to_be_visible()


def test_what_is_left_meanwhile_is_found_as_it_goes_on(chat: Chat, script: ScriptedUpstream) -> None:
    gate = Gate(0)
    script.pages = Pages(gate=gate)
    script.script(Answer(CITED))
    turn(chat)
    chat.send(QUESTION)
    searching = chat.answer.get_by_text(say("js.web_searching", query=QUESTION))
    expect(searching).to_be_visible()
    chat.page.reload()
    expect(searching).to_be_visible()
    gate.open()
    expect(found(chat)).to_be_visible()
    chat.wait_until_answered()
    assert cited(chat.page) == [FIRST, "https://example.net/list"]


def test_a_search_is_stopped_at_once(chat: Chat, script: ScriptedUpstream) -> None:
    script.pages = Pages(gate=Gate(0))
    turn(chat)
    chat.send(QUESTION)
    expect(chat.answer.get_by_text(say("js.web_searching", query=QUESTION))).to_be_visible()
    chat.stop_button.click()
    chat.wait_until_answered()
    expect(chat.page.get_by_text(say("js.web_stopped")).last).to_be_visible()
    assert script.journal.chats == []


def test_it_is_reached_without_a_pointer(chat: Chat, script: ScriptedUpstream) -> None:
    keys = Keyboard(chat.page)
    keys.use(switch(chat), "Space")
    expect(switch(chat)).to_be_checked()
    keys.go_to(chat.text, backwards=True)
    keys.type(QUESTION)
    keys.press("Enter")
    keys.use(found(chat))
    chat.wait_until_answered()
    keys.go_to(chat.page.get_by_role("link", name=re.compile("A list of lighthouses")))


def test_a_new_conversation_begins_without_it(chat: Chat, script: ScriptedUpstream) -> None:
    turn(chat)
    script.script(Answer(CITED))
    chat.ask(QUESTION)
    chat.page.reload()
    expect(switch(chat)).to_be_checked()
    first = chat.page.url
    chat.page.get_by_role("link", name=say("chat.new"), exact=True).first.click()
    expect(chat.answers).to_have_count(0)
    expect(switch(chat)).not_to_be_checked()
    chat.ask("Second?")
    expect(switch(chat)).not_to_be_checked()
    assert queries(script) == [QUESTION]
    chat.page.goto(first)
    expect(switch(chat)).to_be_checked()


def test_its_details_say_what_it_cost(chat: Chat, script: ScriptedUpstream) -> None:
    turn(chat)
    script.script(Answer(CITED))
    chat.ask(QUESTION)
    chat.answer.locator("[data-about]").click()
    details = chat.page.get_by_role("dialog", name=say("chat.details"))
    cost = details.locator("dt", has_text=say("js.details_search")).locator("+ dd")
    expect(cost).to_have_text(re.compile(r"^¥0\.005"))
    expect_no_fault(chat.page)


def test_the_palette_turns_it(chat: Chat) -> None:
    choose(chat.page, "web", say("chat.search_web"))
    expect(switch(chat)).to_be_checked()


def test_one_that_was_turned_before_the_scripts_had_come_stays(visits: Visits, chat: Chat) -> None:
    page = chat.page
    page.route("**/js/chat/chat.js*", lambda route: route.abort())
    page.reload()
    turn(chat)
    expect(switch(chat)).to_be_checked()
    page.unroute("**/js/chat/chat.js*")
    page.reload()
    expect(switch(chat)).not_to_be_checked()
    visits.forgive("/js/chat/chat.js")


def test_where_nobody_searches_any_more_words_come_back_and_go_without(chat: Chat, site: Site) -> None:
    turn(chat)
    looked_up.switch_off(site)
    chat.send(QUESTION)
    expect(chat.problem).to_contain_text(say("error.search_off"))
    expect(chat.text).to_have_value(QUESTION)
    turn(chat)
    chat.enter()
    expect(chat.answers).to_have_count(1)
    chat.wait_until_answered()
    expect(chat.problem).to_be_hidden()
    chat.page.reload()
    expect(chat.answers).to_have_count(1)
    expect(switch(chat)).to_have_count(0)


def test_a_temporary_chat_has_no_switch(visits: Visits, chat: Chat) -> None:
    expect(switch(chat)).to_have_count(1)
    expect(Chat(visits.open("/?temporary"), say).text).to_be_visible()
    expect(switch(Chat(visits.open("/?temporary"), say))).to_have_count(0)


def test_it_makes_the_page_no_heavier(look: Look, visits: Visits, site: Site) -> None:
    page = look.open(visits, "/")

    def asked() -> list[str]:
        page.wait_for_load_state("networkidle")
        (requests := visits.watch(page).requests).clear()
        page.reload(wait_until="networkidle")
        return sorted(each.url for each in requests if not each.url.startswith("data:"))

    expect(switch(Chat(page, look.say))).to_be_visible()
    searching = asked()
    looked_up.switch_off(site)
    assert searching == asked() != []
    assert "/js/chat/sources.js" not in " ".join(searching)
    expect(switch(Chat(page, look.say))).to_be_hidden()
