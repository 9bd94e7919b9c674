"""A call on a page that is loaded again, and above the composer."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e import tooled
from tests.e2e.chat import Chat
from tests.e2e.site import Site
from tests.e2e.visits import NARROWEST, PHONE, Visits
from tests.e2e.words import words
from tests.support.called import calling
from tests.support.scripted_upstream import Answer, ScriptedUpstream

NAMES = ("create_pull_request_review_comment_for_repository", "A review comment for a pull request", "查询天气" * 20)
# The bar looks anew whenever other messages stand on the page.
NAMED = """(title, name) => {
  title.textContent = name
  document.querySelector("[data-messages]").append(document.createComment(""))
}"""

pytestmark = pytest.mark.browser


def test_a_page_that_is_loaded_again_counts_on(visits: Visits, site: Site, script: ScriptedUpstream) -> None:
    with tooled.offering(site):
        chat = Chat(visits.open("/"), words("en"))
        tooled.choose(chat)
        script.script(calling(("Workshop__hangs", "{}")), Answer("It hangs."))
        chat.send("What does the workshop say?")
        chat.page.wait_for_timeout(2000)  # what it waits for the person is not counted
        tooled.ask(chat, "allow").click()
        state = tooled.rows(chat).locator("[data-slot=state]")
        expect(state).to_contain_text("· 4")
        chat.page.reload()
        expect(state).to_contain_text("·")
        found = re.search(r"\d+", state.inner_text())
        assert found
        assert 4 <= int(found[0]) <= 8
        chat.stop_button.click()
        chat.wait_until_answered()


@pytest.mark.parametrize(("locale", "viewport"), [("en", NARROWEST), ("en", PHONE), ("zh", NARROWEST), ("zh", PHONE)])
def test_a_long_name_leaves_room_for_what_it_waits_for(
    visits: Visits, site: Site, script: ScriptedUpstream, locale: str, viewport: Any
) -> None:
    say = words(locale)
    with tooled.offering(site):
        chat = Chat(visits.open("/", locale=locale, viewport=viewport), say)
        tooled.choose(chat)
        script.script(calling(("Workshop__echo", "{}")), Answer("Done."))
        chat.send("What does the workshop say?")
        said = chat.page.locator("[data-call-waits] [data-slot=text]")
        for name in NAMES:
            tooled.rows(chat).locator("[data-slot=title]").evaluate(NAMED, name)
            expect(said).to_have_text(
                re.compile(re.escape(say("js.calls_waiting", tool=f"{name[:16]}§")).replace("§", ".*…"))
            )
            assert said.evaluate("each => each.scrollHeight <= each.clientHeight"), f"{name} is cut by its lines"
        tooled.ask(chat, "refuse").click()
        chat.wait_until_answered()
