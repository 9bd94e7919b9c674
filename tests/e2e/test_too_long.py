"""A conversation that is too long to be read: what was to be asked in it is asked in a new one."""

import re

import pytest
from playwright.sync_api import Locator, expect

from flask_app.services.chat import prompts
from tests.e2e.accessible import expect_no_fault, expect_no_violation
from tests.e2e.chat import Chat
from tests.e2e.site import Site
from tests.e2e.visits import PHONE, WIDE, Visits
from tests.e2e.words import words
from tests.support.assisted import ASSISTANTS, TUTOR
from tests.support.scripted_upstream import Answer, ScriptedUpstream, Status

say = words("en")
QUESTION = "And what follows from it?"
REFUSED = Status(400, "This model's maximum context length is 65536 tokens. However, you requested 70000 tokens.")
PART = 190_000  # bytes, nearly what one message may have
NEW = re.compile(r"//[^/]+/$")

pytestmark = pytest.mark.browser


@pytest.fixture
def chat(visits: Visits, script: ScriptedUpstream) -> Chat:
    return Chat(visits.open("/"), say)


def anew(place: Locator) -> Locator:
    return place.get_by_role("button", name=re.compile(f"{say('chat.anew')}|{words('zh')('chat.anew')}"))


def expect_it_in_a_new_one(chat: Chat, text: str) -> None:
    expect(chat.page).to_have_url(NEW)
    expect(chat.text).to_have_value(text)
    expect(chat.answers).to_have_count(0)
    expect(chat.problem).to_be_hidden()
    chat.enter()
    expect(chat.prose).to_have_text(Answer().text)
    expect(chat.questions).to_have_text(text)


def test_what_the_provider_could_not_read_is_asked_in_a_new_one(chat: Chat, script: ScriptedUpstream) -> None:
    chat.ask("A long story.")
    long = chat.page.url
    script.script(REFUSED)
    chat.ask(QUESTION)
    expect(chat.answer.get_by_role("alert")).to_contain_text(say("error.conversation_too_long"))
    chat.page.reload()
    expect(anew(chat.answer)).to_be_visible()
    expect_no_fault(chat.page)
    chat.text.fill("Something begun meanwhile")
    anew(chat.answer).click()
    expect_it_in_a_new_one(chat, QUESTION)
    chat.page.goto(long)
    expect(chat.text).to_have_value("Something begun meanwhile")


@pytest.mark.parametrize("is_from_here", [True, False])
def test_a_new_one_has_the_same_assistant(
    visits: Visits, site: Site, script: ScriptedUpstream, *, is_from_here: bool
) -> None:
    """Whether the page has begun with it, or was opened in the conversation."""
    tutor = site.ask("POST", ASSISTANTS, TUTOR)["id"]
    chat = Chat(visits.open(f"/?assistant={tutor}"), say)
    chat.ask("A long story.")
    if not is_from_here:
        chat = Chat(visits.open(chat.page.url), say)
    script.script(REFUSED)
    chat.ask(QUESTION)
    chat.text.fill("Something begun meanwhile")
    anew(chat.answer).click()
    expect(chat.page).to_have_url(re.compile(rf"/\?assistant={tutor}$"))
    expect(chat.text).to_have_value(QUESTION)
    expect(chat.page.locator(".assisted")).to_contain_text("Tutor")
    chat.enter()
    expect(chat.prose).to_have_text(Answer().text)
    told = [{"role": "system", "content": TUTOR["instructions"]}, {"role": "user", "content": QUESTION}]
    assert script.journal.chats[-1].body["messages"] == told
    site.ask("DELETE", f"{ASSISTANTS}/{tutor}")


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_a_first_message_that_is_too_long_by_itself_is_to_be_shortened(
    visits: Visits, script: ScriptedUpstream, locale: str
) -> None:
    chat = Chat(visits.open("/", locale=locale, viewport=PHONE if locale == "zh" else WIDE), words(locale))
    script.script(REFUSED)
    chat.ask(QUESTION)
    expect(chat.answer.get_by_role("alert")).to_contain_text(chat.say("error.message_too_long_for_model"))
    expect(anew(chat.answer)).to_be_hidden()
    expect_no_fault(chat.page, locale)


@pytest.fixture(scope="module")
def full(site: Site) -> str:
    """A conversation that has been filled to the brim; its last answer was cut and made it too long."""
    site.provider.script(*[Answer("ok")] * (prompts.MAX_BYTES // PART))
    place: dict[str, str] = {}
    room = prompts.MAX_BYTES
    while room > PART:
        start, *_ = site.server.chat("x" * PART, **place)
        place = {"conversation_id": start[1]["conversation_id"]}
        room -= PART + len("ok")
    site.provider.script(Answer("word " * (room // 5), finish_reason="length"))
    list(site.server.chat("x" * (room - 100), **place))
    return f"/c/{place['conversation_id']}"


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_what_no_model_could_read_is_asked_in_a_new_one(
    visits: Visits, script: ScriptedUpstream, full: str, locale: str
) -> None:
    chat = Chat(visits.open(full, locale=locale, viewport=PHONE), words(locale))
    chat.send(QUESTION)
    expect(chat.problem).to_contain_text(chat.say("error.conversation_too_long"))
    expect(chat.text).to_have_value(QUESTION)
    assert chat.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    expect_no_violation(chat.page)
    anew(chat.problem).click()
    expect_it_in_a_new_one(chat, QUESTION)
    chat.page.goto(full)
    expect(chat.text).to_have_value("")


def test_going_on_with_what_no_model_could_read_offers_the_question_anew(
    visits: Visits, script: ScriptedUpstream, full: str
) -> None:
    chat = Chat(visits.open(full), say)
    chat.answer.get_by_role("button", name=say("chat.continue"), exact=True).click()
    alert = chat.answer.get_by_role("alert")  # four megabytes are laid out and read first
    expect(alert).to_contain_text(say("error.conversation_too_long"), timeout=120_000)
    question = chat.questions.last.text_content() or ""  # far above, it is not laid out
    anew(chat.answer).click()
    expect_it_in_a_new_one(chat, question)
