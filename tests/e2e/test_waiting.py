"""Messages that are sent while an answer is written: each waits for its turn, and can be had back until then."""

from dataclasses import replace

import pytest
from playwright.sync_api import ViewportSize, expect

from tests.e2e.accessible import expect_no_violation
from tests.e2e.chat import PATIENCE, Chat
from tests.e2e.held import Held
from tests.e2e.keyboard import Keyboard
from tests.e2e.site import Site
from tests.e2e.visits import PHONE, WIDE, Scheme, Visits
from tests.e2e.waiting import (
    BEGUN,
    LONG,
    SENDS,
    act,
    asked,
    begin,
    expect_conversation,
    expect_held,
    stop,
    waiting,
)
from tests.e2e.words import words
from tests.support.scripted_upstream import Answer, Gate, ScriptedUpstream

say = words("en")

pytestmark = pytest.mark.browser


@pytest.fixture
def chat(visits: Visits, script: ScriptedUpstream) -> Chat:
    return Chat(visits.open("/"), say)


@pytest.mark.parametrize("locale", ["en", "zh"])
@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["enter", "button"])
def test_they_are_asked_in_their_order_each_after_the_answer_before_it(
    visits: Visits, script: ScriptedUpstream, locale: str, viewport: ViewportSize
) -> None:
    chat = Chat(visits.open("/", locale=locale, viewport=viewport), words(locale))
    first = begin(chat, script, "Second?", "Third?")
    expect(chat.stop_button).to_be_visible()
    assert asked(script) == ["First?"]
    first.let_go()
    expect_conversation(chat, "First?", "Second?", "Third?")
    assert asked(script) == ["First?", "Second?", "Third?"]
    last = script.journal.chats[-1].body["messages"]
    assert [each["content"] for each in last if each["role"] == "user"] == ["First?", "Second?", "Third?"]
    assert LONG.text in [each["content"] for each in last], "after the whole answer"


def test_one_is_taken_back_and_another_removed(chat: Chat, script: ScriptedUpstream) -> None:
    first = begin(chat, script, "Second?", "Third?", "Fourth?")
    chat.text.fill("a draft")
    act(chat, "back").first.click()
    expect(chat.text).to_have_value("Second?\n\na draft")
    expect(chat.text).to_be_focused()
    act(chat, "remove").first.click()
    expect(waiting(chat)).to_have_text(["Fourth?"])
    expect(act(chat, "remove")).to_be_focused()
    first.let_go()
    expect_conversation(chat, "First?", "Fourth?")
    assert asked(script) == ["First?", "Fourth?"]


def test_what_was_removed_can_be_had_back_where_it_was(chat: Chat, script: ScriptedUpstream) -> None:
    first = begin(chat, script, "Second?", "Third?")
    act(chat, "remove").first.click()
    chat.page.locator(".toast").get_by_role("button", name=say("base.undo")).click()
    expect(waiting(chat)).to_have_text(["Second?", "Third?"])
    act(chat, "remove").last.click()
    expect(waiting(chat)).to_have_text(["Second?"])
    first.let_go()
    expect_conversation(chat, "First?", "Second?")


def test_by_keyboard(chat: Chat, script: ScriptedUpstream) -> None:
    first = begin(chat, script, "Second?", "Third?")
    keys = Keyboard(chat.page)
    expect(chat.text).to_be_focused()
    keys.press("ArrowUp")
    expect(chat.text).to_have_value("Third?")
    keys.press("Enter")
    expect(waiting(chat)).to_have_text(["Second?", "Third?"])
    act(chat, "remove").first.focus()
    keys.press("Enter")
    keys.press("Enter")
    expect(waiting(chat)).to_have_count(0)
    expect(chat.text).to_be_focused()
    keys.press("Control+z")
    expect(waiting(chat)).to_have_text(["Third?"])
    expect(chat.text).to_be_focused()
    first.let_go()
    expect_conversation(chat, "First?", "Third?")


def test_whoever_has_them_go_on_is_taken_to_the_answer(chat: Chat, script: ScriptedUpstream) -> None:
    begin(chat, script, "Second?", "Third?")
    stop(chat)
    act(chat, "go").focus()
    Keyboard(chat.page).press("Enter")
    expect(chat.answers.nth(1)).to_be_focused()
    expect_conversation(chat, "First?", "Second?", "Third?")


def test_whoever_is_on_one_whose_turn_has_come_is_taken_to_its_answer(chat: Chat, script: ScriptedUpstream) -> None:
    first = begin(chat, script, "Second?")
    script.script(replace(LONG, gate=Gate(BEGUN)))
    act(chat, "remove").focus()
    first.let_go()
    expect(chat.questions).to_have_count(2)
    expect(chat.answer).to_be_focused()


def test_one_that_is_had_back_has_the_focus_and_is_told(chat: Chat, script: ScriptedUpstream) -> None:
    begin(chat, script, "Second?", "Third?")
    stop(chat)
    for at in (0, 1):
        act(chat, "remove").nth(at).click()
        chat.page.locator(".toast").get_by_role("button", name=say("base.undo")).focus()
        Keyboard(chat.page).press("Enter")
        expect(waiting(chat)).to_have_text(["Second?", "Third?"])
        expect(act(chat, "remove").nth(at)).to_be_focused()
        expect(chat.page.locator("[data-announcer]")).to_have_text(say("js.waits_again"))


def test_it_is_told_to_whoever_does_not_see_it(chat: Chat, script: ScriptedUpstream) -> None:
    begin(chat, script, "Second?")
    expect(chat.page.locator("[data-announcer]")).to_have_text(say("js.waits"))
    expect(chat.page.get_by_role("region", name=say("chat.waiting"))).to_be_visible()
    expect(chat.page.get_by_role("region", name=say("chat.waiting")).get_by_role("listitem")).to_have_count(1)
    stop(chat)
    expect_held(chat, script, "Second?")


def test_after_stop_they_wait_for_the_readers_word(chat: Chat, script: ScriptedUpstream) -> None:
    begin(chat, script, "Second?", "Third?")
    stop(chat)
    expect_held(chat, script, "Second?", "Third?")
    chat.page.reload()
    expect_held(chat, script, "Second?", "Third?")
    act(chat, "go").click()
    expect_conversation(chat, "First?", "Second?", "Third?")
    assert asked(script) == ["First?", "Second?", "Third?"]


def test_after_stop_the_next_message_is_asked_at_once_and_they_follow_it(chat: Chat, script: ScriptedUpstream) -> None:
    begin(chat, script, "Second?")
    stop(chat)
    chat.send("Rather this?")
    expect_conversation(chat, "First?", "Rather this?", "Second?")
    assert asked(script) == ["First?", "Rather this?", "Second?"]


def test_a_stopped_answer_that_goes_on_is_waited_for_again(chat: Chat, script: ScriptedUpstream) -> None:
    begin(chat, script, "Second?")
    stop(chat)
    script.script(Answer(" and the end."))
    chat.answer.get_by_role("button", name=say("chat.continue"), exact=True).click()
    expect_conversation(chat, "First?", "Second?")
    assert len(script.journal.chats) == 3


def test_stop_holds_what_follows_one_that_is_just_being_asked(chat: Chat, script: ScriptedUpstream) -> None:
    first = begin(chat, script, "Second?", "Third?")
    script.script(replace(LONG, gate=Gate(BEGUN)))
    held = Held(chat.page, SENDS)
    first.let_go()
    held.wait()
    expect(chat.questions).to_have_text(["First?", "Second?"])
    expect(waiting(chat)).to_have_text(["Third?"])
    chat.stop_button.click()
    held.let_go()
    expect(chat.answer.get_by_text(say("js.answer_stopped"))).to_be_visible()
    expect_held(chat, script, "Third?")


def test_after_a_failure_they_wait_and_another_try_has_them_go_on(chat: Chat, script: ScriptedUpstream) -> None:
    begin(chat, script, "Second?", answer=replace(LONG, cut_at=15_000)).let_go()
    expect(chat.answer.get_by_role("button", name=say("base.retry"))).to_be_visible()
    expect_held(chat, script, "Second?")
    script.script(Answer("This time it comes."))
    chat.answer.get_by_role("button", name=say("base.retry")).click()
    expect_conversation(chat, "First?", "Second?")
    assert asked(script) == ["First?", "First?", "Second?"]


def test_an_answer_that_was_cut_off_has_them_wait(chat: Chat, script: ScriptedUpstream) -> None:
    begin(chat, script, "Second?", answer=replace(LONG, finish_reason="length")).let_go()
    expect(chat.answer.get_by_text(say("js.answer_length"))).to_be_visible()
    expect_held(chat, script, "Second?")


def test_one_that_is_refused_waits_with_those_behind_it(chat: Chat, script: ScriptedUpstream, site: Site) -> None:
    first = begin(chat, script, "Second?", "Third?")
    budget = site.ask("POST", "/api/admin/budgets", {"scope": "site", "period": "day", "limit": 1})
    try:
        first.let_go()
        expect(chat.problem).to_be_visible(timeout=PATIENCE)
        expect(chat.questions).to_have_text(["First?"])
        expect_held(chat, script, "Second?", "Third?")
    finally:
        site.ask("DELETE", f"/api/admin/budgets/{budget['id']}")
    act(chat, "go").click()
    expect_conversation(chat, "First?", "Second?", "Third?")
    assert asked(script) == ["First?", "Second?", "Third?"]


def test_whoever_looks_at_another_version_is_not_brought_back(chat: Chat, script: ScriptedUpstream) -> None:
    script.script(Answer("One."))
    chat.ask("Which?")
    second = Gate(BEGUN)
    script.script(replace(LONG, gate=second))
    chat.page.get_by_role("button", name=say("chat.edit"), exact=True).click()
    chat.page.locator(".editor textarea").fill("Which then?")
    chat.page.locator(".editor textarea").press("Enter")
    chat.wait_for_words(10)
    chat.send("Second?")
    chat.page.get_by_role("button", name=say("chat.version_before"), exact=True).click()
    expect(chat.prose).to_have_text("One.")
    second.let_go()
    script.journal.wait_until_idle()
    chat.wait_until_answered()
    expect_held(chat, script, "Second?")
    act(chat, "go").click()
    expect(chat.questions).to_have_text(["Which?", "Second?"])
    chat.wait_until_answered()
    contents = [each["content"] for each in script.journal.chats[-1].body["messages"]]
    assert "One." in contents, "after what is on the page"


@pytest.mark.parametrize(("locale", "viewport", "scheme"), [("zh", PHONE, "dark"), ("en", WIDE, "light")])
def test_anybody_can_use_it(
    visits: Visits, script: ScriptedUpstream, locale: str, viewport: ViewportSize, scheme: Scheme
) -> None:
    chat = Chat(visits.open("/", locale=locale, viewport=viewport, scheme=scheme), words(locale))
    begin(chat, script, "word " * 60, "a" * 300)
    chat.text.fill("a draft")
    for state in ("waiting", "held"):
        expect_no_violation(chat.page, state)
        for button in (*act(chat, "back").all(), *act(chat, "remove").all(), chat.send_button):
            box = button.bounding_box()
            assert box
            assert min(box["width"], box["height"]) >= 24
        width = chat.page.evaluate(
            "Math.max(...['html', '[data-thread]'].map(at => document.querySelector(at).scrollWidth))"
        )
        assert width <= viewport["width"]
        if state == "waiting":
            stop(chat)
            expect(act(chat, "go")).to_be_visible()
