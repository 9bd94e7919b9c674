"""Messages that are spoken instead of typed."""

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.e2e.accessible import expect_no_fault
from tests.e2e.chat import Chat
from tests.e2e.site import Site
from tests.e2e.speech import ears, fail_to_hear, give_ears, say_aloud
from tests.e2e.visits import PHONE, Visits
from tests.e2e.words import words
from tests.support.scripted_upstream import Answer, ScriptedUpstream

say = words("en")
MODULE = "/js/chat/dictation.js"

pytestmark = pytest.mark.browser


@pytest.fixture
def chat(visits: Visits, script: ScriptedUpstream) -> Chat:
    made = Chat(visits.open("/"), say)
    give_ears(made.page)
    return made


def microphone(chat: Chat) -> Locator:
    return chat.page.get_by_role("button", name=chat.say("chat.dictate"), exact=True)


def heard(chat: Chat) -> Locator:
    """What is still a guess."""
    return chat.page.locator("[data-heard]")


def begin(chat: Chat) -> None:
    microphone(chat).click()
    expect(heard(chat)).to_have_text(chat.say("js.dictate_listening"))


def expect_silence(chat: Chat) -> None:
    expect(microphone(chat)).to_have_attribute("aria-pressed", "false")
    expect(heard(chat)).to_be_hidden()


def test_words_come_into_the_text_where_the_caret_is(chat: Chat, visits: Visits) -> None:
    chat.page.wait_for_load_state("networkidle")
    assert [request.url for request in visits.watch(chat.page).requests if MODULE in request.url] == []
    chat.text.press_sequentially("Tell me about .")
    chat.text.press("ArrowLeft")
    begin(chat)
    expect(microphone(chat)).to_have_attribute("aria-pressed", "true")
    assert ears(chat.page) == [{"lang": "en-GB", "continuous": True}]
    say_aloud(chat.page, ("the fjor", False))
    expect(heard(chat)).to_have_text("the fjor")
    expect(chat.text).to_have_value("Tell me about .")
    say_aloud(chat.page, ("the fjords", True), (" of nor", False))
    expect(chat.text).to_have_value("Tell me about the fjords.")
    say_aloud(chat.page, ("the fjords", True), (" of Norway", True))
    expect(chat.text).to_have_value("Tell me about the fjords of Norway.")
    expect(chat.text).to_be_focused()
    expect(chat.send_button).to_be_enabled()
    microphone(chat).click()
    expect_silence(chat)
    chat.text.press("Control+z")
    expect(chat.text).not_to_have_value("Tell me about the fjords of Norway.")


def test_escape_and_sending_end_it(chat: Chat) -> None:
    begin(chat)
    chat.text.press("Escape")
    expect_silence(chat)
    begin(chat)
    say_aloud(chat.page, ("Hello", True))
    chat.text.press("Enter")
    expect(chat.questions).to_have_text("Hello")
    expect_silence(chat)
    chat.wait_until_answered()
    assert len(ears(chat.page)) == 2


def test_what_is_still_a_guess_is_sent_with_the_rest(chat: Chat) -> None:
    chat.text.fill("Tell me about")
    begin(chat)
    say_aloud(chat.page, ("the fjords", False))
    chat.text.press("Enter")
    expect(chat.questions).to_have_text("Tell me about the fjords")
    expect_silence(chat)
    expect(chat.text).to_have_value("")
    chat.wait_until_answered()


def test_what_was_heard_before_the_line_broke_stays(chat: Chat) -> None:
    begin(chat)
    say_aloud(chat.page, ("the fjords", False))
    fail_to_hear(chat.page, "network")
    expect_silence(chat)
    expect(chat.text).to_have_value("the fjords")


def test_escape_on_the_microphone_ends_it(chat: Chat) -> None:
    begin(chat)
    microphone(chat).press("Escape")
    expect_silence(chat)


def test_words_stay_in_the_conversation_in_which_they_were_said(chat: Chat, script: ScriptedUpstream) -> None:
    script.script(Answer("One."))
    chat.ask("first")
    begin(chat)
    say_aloud(chat.page, ("and a second", False))
    chat.page.get_by_role("link", name=say("chat.new"), exact=True).first.click()
    expect(chat.answers).to_have_count(0)
    expect_silence(chat)
    say_aloud(chat.page, ("and a second thing", True))
    expect(chat.text).to_have_value("")
    chat.page.go_back()
    expect(chat.text).to_have_value("and a second")


@pytest.mark.parametrize("locale", ["zh", "en"])
@pytest.mark.parametrize(
    ("problem", "key"),
    [
        ("not-allowed", "js.dictate_not_allowed"),
        ("audio-capture", "js.dictate_no_microphone"),
        ("no-speech", "js.dictate_nothing"),
        ("network", "js.dictate_network"),
        ("language-not-supported", "js.dictate_language"),
        ("something-new", "js.dictate_failed"),
    ],
)
def test_what_went_wrong_is_told(problem: str, key: str, locale: str, visits: Visits) -> None:
    chat = Chat(visits.open("/", locale=locale), words(locale))
    give_ears(chat.page)
    begin(chat)
    fail_to_hear(chat.page, problem)
    expect(chat.page.locator(".toast", has_text=chat.say(key))).to_be_visible()
    expect_silence(chat)


def test_the_browsers_own_ears_may_be_asked_for_and_their_refusal_is_told(desktop: Browser, site: Site) -> None:
    visits = Visits(desktop, site)
    chat = Chat(visits.open("/"), say)
    assert chat.page.evaluate("document.featurePolicy.allowsFeature('microphone')")
    microphone(chat).click()
    expect(chat.page.locator(".toast", has_text=say("js.dictate_not_allowed"))).to_be_visible()
    expect_silence(chat)
    assert visits.close() == []


def test_a_browser_without_ears_offers_nothing(visits: Visits) -> None:
    page = visits.open("/")
    page.add_init_script(
        "for (const name of ['SpeechRecognition', 'webkitSpeechRecognition']) delete window[name]",
    )
    page.reload()
    chat = Chat(page, say)
    chat.text.fill("typed")
    expect(chat.send_button).to_be_enabled()
    expect(microphone(chat)).to_be_hidden()


def test_on_a_phone_one_sentence_is_heard_at_a_time_and_no_keyboard_opens(visits: Visits) -> None:
    chat = Chat(visits.open("/", viewport=PHONE), say)
    give_ears(chat.page)
    microphone(chat).tap()
    expect(heard(chat)).to_be_visible()
    assert ears(chat.page) == [{"lang": "en-GB", "continuous": False}]
    say_aloud(chat.page, ("Hello", True))
    expect(chat.text).to_have_value("Hello")
    expect(chat.text).not_to_be_focused()


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_everybody_can_dictate(locale: str, visits: Visits) -> None:
    chat = Chat(visits.open("/", locale=locale), words(locale))
    chat.page.emulate_media(reduced_motion="reduce")
    give_ears(chat.page)
    begin(chat)
    say_aloud(chat.page, ("a guess", False))
    expect(microphone(chat)).to_have_attribute("title", chat.say("chat.dictate_hint"))
    expect(microphone(chat).locator(".icon")).to_have_css("animation-iteration-count", "1")
    expect_no_fault(chat.page, locale)
