"""Answers for which no more tools may be called: why is said, while they are written and later."""

import pytest
from playwright.sync_api import expect

from flask_app.domain.tools import MOST_CALLS, MOST_CALLS_OF_ROUND, MOST_ROUNDS
from tests.e2e import tooled
from tests.e2e.chat import Chat
from tests.e2e.looks import Look
from tests.e2e.site import Site
from tests.e2e.visits import Visits
from tests.support.called import calling
from tests.support.scripted_upstream import Answer, Gate, ScriptedUpstream

ECHO = ("Workshop__echo", '{"words": "boats"}')
ROUNDS = [calling(ECHO)] * MOST_ROUNDS
CALLS = [calling(*[ECHO] * MOST_CALLS_OF_ROUND)] * (MOST_CALLS // MOST_CALLS_OF_ROUND)

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("scripted", "key", "most"),
    [(ROUNDS, "calls_most_rounds", MOST_ROUNDS), (CALLS, "calls_most", MOST_CALLS)],
    ids=["rounds", "calls"],
)
def test_why_an_answer_goes_on_without_tools_is_said(
    look: Look, visits: Visits, site: Site, script: ScriptedUpstream, scripted: list[Answer], key: str, most: int
) -> None:
    with tooled.offering(site, confirms=False):
        chat = Chat(look.open(visits, "/"), look.say)
        tooled.choose(chat)
        gate = Gate(0)
        script.script(*scripted, Answer("That is all.", gate=gate))
        chat.send("What does the workshop say?")
        said = chat.answer.get_by_text(look.say(f"chat.{key}", count=most), exact=True)
        expect(said).to_be_visible()
        gate.open()
        chat.wait_until_answered()
        for _ in ("as it went", "as it is stored"):
            expect(chat.prose).to_have_text("That is all.")
            expect(said).to_be_visible()
            expect(chat.answer.locator("[data-limit]:visible")).to_have_count(1)
            look.expect_no_fault(chat.page)
            chat.page.reload()
        script.script(calling(ECHO), Answer("Once more."))
        chat.ask("And now?")
        expect(chat.answer.locator("[data-limit]:visible")).to_have_count(0)
