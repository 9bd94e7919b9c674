"""Answers read aloud by the browser."""

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.accessible import expect_no_fault
from tests.e2e.chat import Chat
from tests.e2e.speech import finish, give_voices, spoken, still_to_speak
from tests.e2e.visits import PHONE, WIDE, Visits
from tests.e2e.words import words
from tests.support.scripted_upstream import Answer, ScriptedUpstream

say = words("en")
MIXED = "# Hello\n\nSome **strong** words.\n\n```python\nx = 1\n```\n\n你好，世界。"
MODULE = "/js/chat/read-aloud.js"

pytestmark = pytest.mark.browser


@pytest.fixture
def chat(visits: Visits, script: ScriptedUpstream) -> Chat:
    made = Chat(visits.open("/"), say)
    give_voices(made.page)
    return made


def read(chat: Chat, answer: Locator | None = None) -> Locator:
    """The button that has an answer read aloud, the newest one's unless told otherwise."""
    return (answer or chat.answer).locator("[data-read]")


def expect_reading(chat: Chat, button: Locator) -> None:
    expect(button).to_have_accessible_name(chat.say("js.read_stop"))


def expect_silent(chat: Chat, button: Locator) -> None:
    expect(button).to_have_accessible_name(chat.say("js.read_aloud"))
    assert still_to_speak(chat.page) == 0


def test_an_answer_is_read_piece_by_piece_in_its_languages(
    chat: Chat, visits: Visits, script: ScriptedUpstream
) -> None:
    script.script(Answer(MIXED))
    chat.ask("Greet me.")
    assert [request.url for request in visits.watch(chat.page).requests if MODULE in request.url] == []
    read(chat).click()
    expect_reading(chat, read(chat))
    assert spoken(chat.page) == [
        {"text": "Hello", "lang": "en-US", "voice": "English"},
        {"text": "Some strong words.", "lang": "en-US", "voice": "English"},
        {"text": say("js.read_code"), "lang": "en-US", "voice": "English"},
        {"text": "你好，世界。", "lang": "zh-CN", "voice": "中文"},
    ]
    finish(chat.page)
    expect_silent(chat, read(chat))


def test_a_second_press_stops_and_another_answer_takes_over(chat: Chat, script: ScriptedUpstream) -> None:
    script.script(Answer("One."), Answer("Two."))
    chat.ask("first")
    chat.ask("second")
    first, second = (read(chat, chat.answers.nth(number)) for number in (0, 1))
    first.click()
    expect_reading(chat, first)
    first.click()
    expect_silent(chat, first)
    first.click()
    expect_reading(chat, first)
    second.click()
    expect_reading(chat, second)
    expect(first).to_have_accessible_name(say("js.read_aloud"))
    assert [each["text"] for each in spoken(chat.page)] == ["One.", "One.", "Two."]
    assert still_to_speak(chat.page) == 1


def test_leaving_the_conversation_or_the_version_stops(chat: Chat, script: ScriptedUpstream) -> None:
    script.script(Answer("One."), Answer("Two."))
    chat.ask("first")
    read(chat).click()
    expect_reading(chat, read(chat))
    chat.act(chat.answer, "regenerate").click()
    chat.wait_until_answered()
    expect(chat.prose).to_have_text("Two.")
    expect_silent(chat, read(chat))
    read(chat).click()
    expect_reading(chat, read(chat))
    chat.page.get_by_role("link", name=say("chat.new"), exact=True).first.click()
    expect(chat.answers).to_have_count(0)
    assert still_to_speak(chat.page) == 0


def test_going_on_with_an_answer_stops_reading_it(chat: Chat, script: ScriptedUpstream) -> None:
    script.script(Answer("One, ", finish_reason="length"), Answer("two."))
    chat.ask("Count.")
    read(chat).click()
    expect_reading(chat, read(chat))
    chat.answer.get_by_role("button", name=say("chat.continue"), exact=True).click()
    expect(chat.prose).to_have_text("One, two.")
    chat.wait_until_answered()
    expect_silent(chat, read(chat))


def test_a_browser_that_cannot_speak_says_so(visits: Visits, script: ScriptedUpstream) -> None:
    """The browser's own: where it has voices they are read, and there is nothing to say."""
    page = visits.open("/")
    if page.evaluate("speechSynthesis.getVoices().length"):
        pytest.skip("this browser has voices")
    chat = Chat(page, say)
    chat.ask("Speak.")
    read(chat).click()
    expect(page.locator(".toast", has_text=say("js.read_failed"))).to_be_visible()
    expect(read(chat)).to_have_accessible_name(say("js.read_aloud"))


def test_without_voices_in_the_browser_nothing_is_offered(visits: Visits, script: ScriptedUpstream) -> None:
    page = visits.open("/")
    page.add_init_script("delete window.speechSynthesis; delete Window.prototype.speechSynthesis")
    page.reload()
    assert not page.evaluate("'speechSynthesis' in window")
    chat = Chat(page, say)
    chat.ask("Speak.")
    expect(chat.act(chat.answer, "regenerate")).to_be_visible()
    expect(read(chat)).to_have_count(0)


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_everybody_can_have_it_read(locale: str, visits: Visits, script: ScriptedUpstream) -> None:
    chat = Chat(visits.open("/", locale=locale, viewport=PHONE if locale == "zh" else WIDE), words(locale))
    give_voices(chat.page)
    chat.ask("Speak.")
    read(chat).click()
    expect_reading(chat, read(chat))
    expect_no_fault(chat.page, locale)
