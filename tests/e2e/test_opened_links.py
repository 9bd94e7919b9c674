"""Links of a question that were opened, and what a model found itself: as they come, and as they are stored."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import looked_up
from tests.e2e.chat import Chat
from tests.e2e.looks import Look
from tests.e2e.site import Site
from tests.e2e.test_web_search import cited, turn
from tests.e2e.visits import Visits
from tests.e2e.words import words
from tests.support.called import calling
from tests.support.scripted_upstream import Answer, Gate, Opened, Pages, ScriptedUpstream

say = words("en")
LINK = "https://example.com/lighthouse"

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def _searching(site: Site, script: ScriptedUpstream) -> Iterator[None]:
    with looked_up.searching(site):
        yield
    script.pages, script.opened = Pages(), Opened()


def test_links_that_were_opened_say_how_it_went(look: Look, visits: Visits, site: Site) -> None:
    first, second, third = looked_up.SOURCES
    sources = [first | {"fetched": "opened"}, second | {"fetched": "failed", "fetch_error": "upstream_busy"}, third]
    page = look.open(visits, looked_up.talk(site, f"Opened {look.locale}", sources=sources))
    page.locator("summary").filter(has_text=look.say("js.web_found", count=3)).click()
    cards = page.locator(".source__about")
    expect(cards.nth(0)).to_contain_text(look.say("js.web_link_opened"))
    expect(cards.nth(1)).to_contain_text(look.say("js.web_link_failed"))
    expect(cards.nth(2)).to_have_text("long.example.org")
    look.expect_no_fault(page)


def test_a_question_that_is_a_link_is_opened(visits: Visits, script: ScriptedUpstream) -> None:
    chat = Chat(visits.open("/"), say)
    turn(chat)
    gate = Gate(0)
    script.opened = Opened(gate=gate)
    script.script(Answer("It is 19 metres high [1]."))
    chat.send(LINK)
    expect(chat.answer.get_by_text(say("js.web_opening"))).to_be_visible()
    gate.open()
    chat.wait_until_answered()
    for _ in ("as it went", "as it is stored"):
        expect(chat.page.locator("summary").filter(has_text=say("js.web_opened", count=1, all=1))).to_be_visible()
        assert cited(chat.page) == [LINK]
        chat.page.reload()


def with_the_web(page: Page) -> None:
    """The model may use it as a tool."""
    page.locator("[data-tools]").click()
    page.get_by_role("checkbox", name=say("chat.tools_web")).check()
    page.keyboard.press("Escape")


def test_what_a_model_found_itself_stands_with_its_answer(visits: Visits, script: ScriptedUpstream) -> None:
    chat = Chat(visits.open("/"), say)
    with_the_web(chat.page)
    script.script(
        calling(("web_search", '{"query": "lighthouse"}'), text="I look it up."), Answer("19 metres [1], others [2].")
    )
    chat.ask("How high?")
    for _ in ("as it went", "as it is stored"):
        found = chat.page.locator(".message--answer summary").filter(has_text=say("js.web_found", count=2))
        expect(found).to_be_visible()
        expect(chat.prose.locator("a.citation")).to_have_text(["[1]", "[2]"])
        assert cited(chat.page) == ["https://example.org/arkona", "https://example.net/list"]
        found.click()
        expect(chat.page.locator(".message--answer .source")).to_have_count(2)
        chat.page.reload()
