"""How much is thought about an answer: chosen beside the model, remembered, and told of the answer."""

import re

import pytest
from playwright.sync_api import Locator, Route, ViewportSize, expect

from tests.e2e import waiting
from tests.e2e.chat import Chat
from tests.e2e.visits import NARROWEST, PHONE, WIDE, Visits
from tests.e2e.words import words
from tests.support.scripted_upstream import Answer, ScriptedUpstream

EFFORTS = ("low", "high", "max")
say = words("en")

pytestmark = pytest.mark.browser


def thinking(chat: Chat) -> Locator:
    return chat.page.get_by_label(chat.say("chat.thinking"))


def named(chat: Chat, *ways: str) -> list[str]:
    return [chat.say(f"js.think_{way}") for way in ways]


def told(script: ScriptedUpstream) -> list[tuple[str, str | None]]:
    """How the provider was told to think, each time."""
    bodies = [request.body for request in script.journal.chats]
    return [(body["thinking"]["type"], body.get("reasoning_effort")) for body in bodies]


@pytest.mark.parametrize("locale", ["en", "zh", "ja"])
@pytest.mark.parametrize("viewport", [WIDE, PHONE, NARROWEST], ids=["wide", "phone", "narrowest"])
def test_it_is_chosen_told_and_remembered(
    visits: Visits, script: ScriptedUpstream, locale: str, viewport: ViewportSize
) -> None:
    script.default = Answer("So it is.", thinking="Hm.")
    chat = Chat(visits.open("/", locale=locale, viewport=viewport), words(locale))
    expect(thinking(chat)).to_have_value("off")
    expect(thinking(chat).locator("option")).to_have_text(named(chat, "off", *EFFORTS))
    thinking(chat).select_option("max")
    assert chat.page.locator(".composer__tools").evaluate("tools => tools.scrollWidth <= tools.clientWidth")
    chat.ask("Why?")
    chat.answer.locator("[data-about]").click()
    details = chat.page.get_by_role("dialog", name=chat.say("chat.details"))
    expect(details.locator("dt", has_text=chat.say("js.details_effort")).locator("+ dd")).to_have_text(
        chat.say("js.effort_max")
    )
    chat.page.keyboard.press("Escape")
    chat.page.reload()
    expect(thinking(chat)).to_have_value("max")
    thinking(chat).select_option("off")
    chat.ask("And?")
    assert told(script) == [("enabled", "max"), ("disabled", None)]


def test_by_keyboard(visits: Visits, script: ScriptedUpstream) -> None:
    chat = Chat(visits.open("/"), say)
    chat.models.focus()
    chat.page.keyboard.press("Tab")
    expect(thinking(chat)).to_be_focused()
    chat.page.keyboard.press("End")
    expect(thinking(chat)).to_have_value("max")


def test_another_answer_and_a_changed_question_are_thought_about_as_chosen_now(
    visits: Visits, script: ScriptedUpstream
) -> None:
    chat = Chat(visits.open("/"), say)
    thinking(chat).select_option("low")
    chat.ask("Why?")
    thinking(chat).select_option("high")
    chat.act(chat.answer, "regenerate").click()
    expect(chat.answer.locator("[data-slot=version]")).to_have_text("2/2")
    chat.wait_until_answered()
    thinking(chat).select_option("max")
    chat.question().hover()
    chat.act(chat.question(), "edit").click()
    chat.page.keyboard.type(" really")
    chat.page.keyboard.press("Enter")
    expect(chat.question().locator("[data-slot=version]")).to_have_text("2/2")
    chat.wait_until_answered()
    assert told(script) == [("enabled", "low"), ("enabled", "high"), ("enabled", "max")]


def test_what_waits_is_thought_about_as_it_was_chosen_when_it_was_written(
    visits: Visits, script: ScriptedUpstream
) -> None:
    chat = Chat(visits.open("/"), say)
    thinking(chat).select_option("max")
    gate = waiting.begin(chat, script, "And then?")
    thinking(chat).select_option("off")
    gate.let_go()
    waiting.expect_conversation(chat, "First?", "And then?")
    assert told(script) == [("enabled", "max"), ("enabled", "max")]


def test_a_model_that_knows_no_efforts_thinks_or_not(visits: Visits, script: ScriptedUpstream) -> None:
    chat = Chat(visits.open("/"), say)
    thinking(chat).select_option("low")
    chat.page.route("**/", without_efforts)
    chat.page.reload()
    expect(thinking(chat).locator("option")).to_have_text(named(chat, "off", "on"))
    expect(thinking(chat)).to_have_value("on")
    chat.page.unroute("**/")
    chat.page.reload()
    expect(thinking(chat)).to_have_value("low")


def without_efforts(route: Route) -> None:
    """The page as it is where a provider's models are known to think, and no more."""
    reply = route.fetch()
    page = re.sub(r'"efforts":\[[^]]+\]', '"efforts":[]', reply.text())
    assert page != reply.text()
    route.fulfill(response=reply, body=page)


def test_whoever_had_thinking_on_has_the_usual_effort(visits: Visits, script: ScriptedUpstream) -> None:
    chat = Chat(visits.open("/"), say)
    for before, now in (("on", "high"), ("off", "off")):
        chat.page.evaluate("before => localStorage.setItem('thinking', before)", before)
        chat.page.reload()
        expect(thinking(chat)).to_have_value(now)
