"""The seconds of a call that runs, on a page that is loaded again."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e import tooled
from tests.e2e.chat import Chat
from tests.e2e.site import Site
from tests.e2e.visits import Visits
from tests.e2e.words import words
from tests.support.called import calling
from tests.support.scripted_upstream import Answer, ScriptedUpstream

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
