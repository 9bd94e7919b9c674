"""The pane of an answer's thoughts says how long they took, wherever the answer is read."""

import re
import sqlite3
from contextlib import closing

import pytest
from playwright.sync_api import ViewportSize, expect

from tests.e2e.chat import Chat
from tests.e2e.site import Site
from tests.e2e.visits import AT_REST, PHONE, WIDE, Visits
from tests.e2e.words import words
from tests.support.scripted_upstream import Answer, Gate, ScriptedUpstream

TIMES = {"en": r"(less than a second|for \d+ seconds?)$", "zh": r"^思考了(不到)? \d+ 秒$"}

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("locale", ["en", "zh"])
@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_it_is_said_once_it_is_known_and_stays(
    visits: Visits, site: Site, script: ScriptedUpstream, locale: str, viewport: ViewportSize
) -> None:
    gate = Gate(3)
    script.script(Answer("So it is.", thinking="Let me think.", gate=gate))
    chat = Chat(visits.open("/", locale=locale, viewport=viewport), words(locale))
    chat.send("Why?")
    pane = chat.answer.locator("[data-slot=thinking-state]")
    expect(pane).to_have_text(chat.say("js.thinking_now"))
    chat.page.evaluate(AT_REST)
    before = pane.bounding_box()
    gate.let_go()
    chat.wait_until_answered()
    expect(pane).to_have_text(re.compile(TIMES[locale]))
    chat.page.evaluate(AT_REST)
    after = pane.bounding_box()
    assert before
    assert after
    assert (after["y"], after["height"]) == (before["y"], before["height"]), "nothing jumps"
    said = pane.inner_text()
    chat.page.reload()
    expect(pane).to_have_text(said)
    elsewhere = visits.open(f"/c/{chat.conversation_id}", locale=locale, viewport=WIDE)
    expect(elsewhere.locator("[data-slot=thinking-state]")).to_have_text(said)


def answer_id(site: Site, chat: Chat) -> str:
    query = "SELECT id FROM messages WHERE conversation_id = :id AND role = 'assistant'"
    (answer,) = site.rows(query, id=chat.conversation_id)
    return str(answer["id"])


def test_a_page_that_is_opened_meanwhile_says_the_same(visits: Visits, site: Site, script: ScriptedUpstream) -> None:
    gate = Gate(3, 4)
    script.script(Answer("So it is.", thinking="Let me think.", gate=gate))
    say = words("en")
    chat = Chat(visits.open("/"), say)
    chat.send("Why?")
    pane = chat.answer.locator("[data-slot=thinking-state]")
    expect(pane).to_have_text(say("js.thinking_now"))
    chat.page.reload()
    expect(pane).to_have_text(say("js.thinking_now"))
    gate.let_go()
    expect(pane).to_have_text(re.compile(TIMES["en"]))
    said = pane.inner_text()
    chat.page.reload()
    expect(pane).to_have_text(said)
    gate.let_go()
    chat.wait_until_answered()
    expect(pane).to_have_text(said)


def test_minutes_are_told_and_what_nobody_noted_is_not(visits: Visits, site: Site, script: ScriptedUpstream) -> None:
    script.script(Answer("So it is.", thinking="Hm."))
    chat = Chat(visits.open("/"), words("en"))
    chat.ask("Why?")
    for stored, said in ((125_000, "Thought for 2 minutes 5 seconds"), (None, chat.say("js.thought"))):
        with closing(sqlite3.connect(site.instance / "mingchat.db")) as connection, connection:
            connection.execute("UPDATE messages SET thinking_ms = ? WHERE id = ?", (stored, answer_id(site, chat)))
        chat.page.reload()
        expect(chat.answer.locator("[data-slot=thinking-state]")).to_have_text(said)
