"""Versions of questions and answers: edited, asked for again, gone through, and gone on with from the shown one."""

from typing import Any

import pytest
from playwright.sync_api import Locator, Route, expect

from tests.e2e.accessible import expect_no_violation
from tests.e2e.chat import Chat
from tests.e2e.keyboard import Keyboard
from tests.e2e.looks import Look
from tests.e2e.site import Site
from tests.e2e.test_keyboard import COMPOSING, PRESS
from tests.e2e.visits import AT_REST, PHONE, WIDE, Scheme, Visits
from tests.e2e.words import words
from tests.support.scripted_upstream import Answer, Gate, Raw, ScriptedUpstream

say = words("en")
QUESTION = "Why is the sky blue?"

pytestmark = pytest.mark.browser


def held() -> Answer:
    """It comes no farther than its twentieth word before it is stopped."""
    return Answer(text=" ".join(f"w{number}" for number in range(1, 400)), gate=Gate(20))


@pytest.fixture
def chat(visits: Visits, script: ScriptedUpstream) -> Chat:
    return Chat(visits.open("/"), say)


def again(chat: Chat) -> None:
    """Have the newest answer's question answered once more, and wait for it."""
    chat.act(chat.answer, "regenerate").click()
    chat.wait_until_answered()


def edit(chat: Chat, message: Locator) -> Locator:
    """Open a question's editor; gives its text area."""
    message.hover()
    chat.act(message, "edit").click()
    area = message.get_by_label(chat.say("chat.edit_message"))
    expect(area).to_be_focused()
    return area


def version(message: Locator) -> Locator:
    return message.locator("[data-slot=version]")


def turns(script: ScriptedUpstream) -> list[str]:
    return [turn["content"] for turn in script.journal.chats[-1].body["messages"]]


def test_the_question_stays_and_the_answers_are_gone_through(chat: Chat, script: ScriptedUpstream) -> None:
    script.script(Answer("Because of scattering."), Answer("Because of the air."), Answer("Red light."))
    chat.ask(QUESTION)
    expect(version(chat.answer)).to_be_hidden()
    again(chat)
    expect(chat.prose).to_have_text("Because of the air.")
    expect(chat.questions).to_have_count(1)
    expect(version(chat.answer)).to_have_text("2/2")
    chat.act(chat.answer, "version_before").click()
    expect(chat.prose).to_have_text("Because of scattering.")
    expect(version(chat.answer)).to_have_text("1/2")
    chat.ask("And at dusk?")
    assert turns(script) == [QUESTION, "Because of scattering.", "And at dusk?"]
    chat.act(chat.answers.first, "version_after").click()
    expect(chat.questions).to_have_count(1)
    expect(chat.prose).to_have_text("Because of the air.")
    chat.act(chat.answer, "version_before").click()
    expect(chat.questions).to_have_text([QUESTION, "And at dusk?"])


def test_the_chosen_version_survives_a_reload(chat: Chat, script: ScriptedUpstream) -> None:
    script.script(Answer("one"), Answer("two"))
    chat.ask(QUESTION)
    again(chat)
    chat.act(chat.answer, "version_before").click()
    chat.page.reload()
    expect(chat.prose).to_have_text("one")
    expect(version(chat.answer)).to_have_text("1/2")
    chat.act(chat.answer, "version_after").click()
    chat.page.reload()
    expect(chat.prose).to_have_text("two")


def test_a_version_that_is_left_at_once_is_set_all_the_same(chat: Chat, script: ScriptedUpstream) -> None:
    script.script(Answer("So $x^2$.\n\n```python\nx = 1\n```"), Answer("two"))
    chat.ask(QUESTION)
    again(chat)
    chat.act(chat.answer, "version_before").click()
    expect(chat.prose.locator(".katex")).to_have_count(1)
    expect(chat.prose.locator(".hljs-number")).to_have_count(1)


@pytest.mark.parametrize("sends", ["Enter", "Control+Enter", "button"])
def test_an_edited_question_is_another_version(chat: Chat, script: ScriptedUpstream, sends: str) -> None:
    script.script(Answer("because"), Answer("then"), Answer("at sunset"))
    chat.ask(QUESTION)
    chat.ask("And then?")
    area = edit(chat, chat.question())
    expect(area).to_have_value(QUESTION)
    area.fill("Why is the sky red?")
    if sends == "button":
        chat.question().get_by_role("button", name=say("chat.send"), exact=True).click()
    else:
        area.press(sends)
    chat.wait_until_answered()
    expect(chat.questions).to_have_text(["Why is the sky red?"])
    expect(chat.prose).to_have_text("at sunset")
    expect(version(chat.question())).to_have_text("2/2")
    assert turns(script) == ["Why is the sky red?"]
    chat.question().hover()
    chat.act(chat.question(), "version_before").click()
    expect(chat.questions).to_have_text([QUESTION, "And then?"])
    chat.page.reload()
    expect(chat.questions).to_have_text([QUESTION, "And then?"])


def test_escape_cancels_and_shift_enter_breaks_the_line(chat: Chat, script: ScriptedUpstream) -> None:
    chat.ask(QUESTION)
    area = edit(chat, chat.question())
    area.press("Shift+Enter")
    expect(area).to_have_value(f"{QUESTION}\n")
    area.press("Escape")
    expect(area).to_have_count(0)
    expect(chat.act(chat.question(), "edit")).to_be_focused()
    expect(chat.questions).to_have_text(QUESTION)
    assert len(script.journal.chats) == 1


@pytest.mark.parametrize("press", COMPOSING.values(), ids=COMPOSING)
def test_an_input_methods_keys_neither_send_nor_cancel(
    press: dict[str, Any], chat: Chat, script: ScriptedUpstream
) -> None:
    chat.ask(QUESTION)
    area = edit(chat, chat.question())
    assert not area.evaluate(PRESS, press)
    area.evaluate(PRESS, press | {"key": "Escape", "code": "Escape", "isComposing": True})
    expect(area).to_have_value(QUESTION)
    assert len(script.journal.chats) == 1


def test_what_cannot_be_sent_stays_in_its_editor(chat: Chat, script: ScriptedUpstream) -> None:
    def drop(route: Route) -> None:
        route.abort("connectionrefused")

    script.script(Answer("because"), Answer("at sunset"))
    chat.ask(QUESTION)
    area = edit(chat, chat.question())
    area.fill("很长" * 33_334)
    area.press("Enter")
    expect(chat.question().get_by_role("alert")).to_contain_text(say("js.message_too_long", size=201, limit=200))
    area.fill("Why is the sky red?")
    chat.page.route("**/api/chat", drop)
    area.press("Enter")
    expect(chat.problem).to_contain_text(say("js.error.offline"))
    expect(chat.question().get_by_label(say("chat.edit_message"))).to_have_value("Why is the sky red?")
    expect(chat.answers).to_have_count(1)
    chat.page.unroute("**/api/chat", drop)
    chat.question().get_by_label(say("chat.edit_message")).press("Enter")
    expect(chat.prose).to_have_text("at sunset")
    expect(chat.problem).to_be_hidden()


def test_another_model_answers_again(look: Look, visits: Visits, script: ScriptedUpstream) -> None:
    script.script(Answer("flash"), Answer("pro"))
    chat = Chat(look.open(visits, "/"), look.say)
    flash = chat.models.locator("option", has_text="flash").get_attribute("value")
    chat.models.select_option(flash)
    chat.ask(QUESTION)
    chat.act(chat.answer, "answer_menu").click()
    menu = chat.page.locator("[data-answer-menu]")
    expect(menu.get_by_role("button", name="deepseek-flash")).to_have_count(0)
    menu.get_by_role("button", name="deepseek-v4-pro").click()
    expect(chat.prose).to_have_text("pro")
    assert script.journal.chats[-1].body["model"] == "deepseek-v4-pro"
    expect(chat.models).to_have_value(flash or "")


def test_a_failed_answer_is_no_version_beside_the_one_that_came(
    chat: Chat, script: ScriptedUpstream, site: Site
) -> None:
    script.script(*[Raw(parts=(), resets=True)] * 2, Answer("there"))  # the only key is asked twice
    chat.ask(QUESTION)
    site.ask("DELETE", "/api/admin/keys/environment/bench")
    chat.answer.get_by_role("button", name=say("base.retry")).click()
    expect(chat.prose).to_have_text("there")
    chat.wait_until_answered()
    expect(version(chat.answer)).to_be_hidden()
    chat.page.reload()
    expect(chat.prose).to_have_text("there")
    expect(version(chat.answer)).to_be_hidden()


def test_a_refusal_leaves_the_page_as_it_was(chat: Chat, script: ScriptedUpstream, site: Site) -> None:
    chat.ask(QUESTION)
    shown = chat.prose.inner_text()
    budget = site.ask("POST", "/api/admin/budgets", {"scope": "site", "period": "day", "limit": 1})
    try:
        chat.act(chat.answer, "regenerate").click()
        expect(chat.problem).to_be_visible()
        expect(chat.prose).to_have_text(shown)
        expect(chat.answers).to_have_count(1)
    finally:
        site.ask("DELETE", f"/api/admin/budgets/{budget['id']}")


def test_while_an_answer_is_written_the_others_wait(chat: Chat, script: ScriptedUpstream) -> None:
    script.script(Answer("one"), held())
    chat.ask(QUESTION)
    chat.send("And then?")
    expect(chat.prose).to_contain_text("w5 ")
    chat.act(chat.answers.first, "regenerate").click()
    told = chat.page.locator(".toast", has_text=say("js.wait_for_answer"))
    told.get_by_role("button", name=say("base.close_notice")).click()
    expect(told).to_have_count(0)
    edit(chat, chat.question()).press("Enter")
    expect(told).to_be_visible()
    assert len(script.journal.chats) == 2
    chat.stop_button.click()


def test_a_reload_while_another_answer_is_written(chat: Chat, script: ScriptedUpstream) -> None:
    script.script(Answer("one"), held())
    chat.ask(QUESTION)
    chat.act(chat.answer, "regenerate").click()
    expect(chat.prose).to_contain_text("w5 ")
    chat.page.reload()
    expect(chat.prose).to_contain_text("w8 ")
    chat.stop_button.click()
    expect(version(chat.answer)).to_have_text("2/2")
    expect(chat.questions).to_have_count(1)


def test_versions_by_keyboard(chat: Chat, script: ScriptedUpstream) -> None:
    script.script(Answer("one"), Answer("two"))
    chat.ask(QUESTION)
    again(chat)
    keys = Keyboard(chat.page)
    keys.go_to(chat.act(chat.answer, "version_before"), backwards=True)
    keys.press("ArrowLeft")
    expect(chat.prose).to_have_text("one")
    expect(chat.act(chat.answer, "version_before")).to_be_focused()
    keys.press("ArrowLeft")
    expect(chat.prose).to_have_text("one")
    keys.press("ArrowRight")
    expect(chat.prose).to_have_text("two")
    expect(chat.act(chat.answer, "version_after")).to_be_focused()
    expect(chat.page.locator("[data-announcer]")).to_have_text(say("js.version_of", at=2, count=2))


@pytest.mark.parametrize(("locale", "scheme"), [("zh", "dark"), ("en", "light")])
@pytest.mark.parametrize("viewport", [PHONE, WIDE], ids=["phone", "wide"])
def test_it_fits_and_is_accessible(
    visits: Visits, script: ScriptedUpstream, locale: str, scheme: Scheme, viewport: Any, request: pytest.FixtureRequest
) -> None:
    chat = Chat(visits.open("/", locale=locale, viewport=viewport, scheme=scheme), words(locale))
    script.script(Answer("one"), Answer("two"))
    chat.ask(QUESTION)
    again(chat)
    for button in chat.answer.locator("footer button:visible").all():
        box = button.bounding_box()
        assert box
        assert min(box["width"], box["height"]) >= 24, "large enough for a finger"
    steps: list[tuple[Any, str]] = [
        (lambda: chat.act(chat.answer, "answer_menu").click(), "[data-answer-menu]"),
        (lambda: chat.answer.locator("[data-about]").click(), "[data-answer-details]"),
        (lambda: edit(chat, chat.question()), ".editor"),
    ]
    for step, opened in steps:
        step()
        expect(chat.page.locator(opened)).to_be_visible()
        chat.page.evaluate(AT_REST)
        expect_no_violation(chat.page)
        assert chat.page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
        chat.page.keyboard.press("Escape")
