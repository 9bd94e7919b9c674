"""An answer that broke off is gone on with: one text, every word once, wherever it is read."""

import re

import pytest
from playwright.sync_api import Locator, expect

from flask_app.models import DEFAULT_GROUP_ID
from flask_app.services.runs.departure import GRACE_SECONDS
from tests.e2e.accessible import expect_no_violation
from tests.e2e.chat import Chat
from tests.e2e.looks import Look
from tests.e2e.site import Site
from tests.e2e.visits import PHONE, Scheme, Visits
from tests.e2e.words import words
from tests.support.brokers import PATIENCE, wait_until
from tests.support.scripted_upstream import Answer, Gate, ScriptedUpstream, Status

say = words("en")
HALF = "## Counting\n\nOne, two, **three"
REST = "**, four, five."
LENGTH = Answer(HALF, thinking="Let me count.", finish_reason="length")
COUNT = " ".join(f"w{number}" for number in range(1, 121))

pytestmark = pytest.mark.browser


@pytest.fixture
def chat(visits: Visits) -> Chat:
    return Chat(visits.open("/"), say)


def go_on(chat: Chat) -> Locator:
    return chat.answer.get_by_role("button", name=chat.say("chat.continue"), exact=True)


def test_an_answer_cut_at_its_length_becomes_whole(look: Look, visits: Visits, script: ScriptedUpstream) -> None:
    script.script(LENGTH, Answer(REST))
    chat = Chat(look.open(visits, "/"), look.say)
    chat.ask("Count.")
    expect(chat.answer.get_by_text(look.say("js.answer_length"))).to_be_visible()
    go_on(chat).click()
    expect(chat.prose).to_have_text(re.compile(r"Counting\s*One, two, three, four, five\."))
    chat.wait_until_answered()
    expect(chat.prose.locator("strong")).to_have_text("three")
    expect(go_on(chat)).to_be_hidden()
    expect(chat.answer.locator("[data-slot=problem]")).to_be_hidden()
    expect(chat.answer.locator("summary")).to_be_visible()
    assert chat.copied_answer() == HALF + REST
    about = chat.answer.locator("[data-slot=about]").inner_text()
    chat.page.reload()
    expect(chat.answer.locator("[data-slot=about]")).to_have_text(about)
    assert chat.copied_answer() == HALF + REST
    expect(chat.questions).to_have_count(1)


def test_an_answer_that_a_filter_ended_says_so(chat: Chat, script: ScriptedUpstream) -> None:
    script.script(Answer(HALF, finish_reason="content_filter"))
    chat.ask("Count.")
    expect(chat.answer.get_by_text(say("js.answer_content_filter"))).to_be_visible()
    expect(go_on(chat)).to_be_hidden()


@pytest.mark.parametrize("reason", ["stop", "tool_calls"])
def test_an_answer_without_a_word_says_so_and_is_asked_for_again(
    chat: Chat, script: ScriptedUpstream, reason: str
) -> None:
    script.script(Answer("", finish_reason=reason), Answer("Here it is."))
    chat.send("Count.")
    expect(chat.answer.get_by_text(say("js.answer_empty"))).to_be_visible()
    chat.page.reload()
    expect(chat.answer.get_by_text(say("js.answer_empty"))).to_be_visible()
    chat.answer.get_by_role("button", name=say("base.retry"), exact=True).click()
    expect(chat.prose).to_have_text("Here it is.")


def test_a_double_click_goes_on_once(chat: Chat, script: ScriptedUpstream) -> None:
    script.script(LENGTH, Answer(REST, tokens_per_second=10))
    chat.ask("Count.")
    go_on(chat).dblclick()
    chat.wait_until_answered()
    assert chat.copied_answer() == HALF + REST
    assert len(script.journal.chats) == 2


def test_by_keyboard_after_stopping_with_a_reload_in_the_middle(chat: Chat, script: ScriptedUpstream) -> None:
    second = Gate(25)
    script.script(Answer(COUNT, gate=Gate(20)), Answer(COUNT, gate=second))
    chat.send("Count.")
    expect(chat.prose).to_contain_text("w20")
    chat.stop_button.click()
    expect(chat.answer.get_by_text(say("js.answer_stopped"))).to_be_visible()
    half = chat.copied_answer()
    go_on(chat).focus()
    chat.page.keyboard.press("Enter")
    expect(chat.stop_button).to_be_visible()
    expect(chat.prose).to_contain_text(re.compile(r"w20.* w25"))
    chat.page.reload()
    other = Chat(chat.page.context.new_page(), say)
    other.page.goto(chat.page.url)
    expect(chat.stop_button).to_be_visible()
    second.let_go()
    for reader in (chat, other):
        reader.wait_until_answered()
        expect(reader.prose).to_contain_text("w120")
        assert reader.prose.inner_text().startswith(half.strip())
        expect(reader.answers).to_have_count(1)
    assert chat.copied_answer() == half + COUNT
    assert script.journal.chats[-1].prefix == half


def test_what_the_server_refuses_is_said_and_the_answer_stays(chat: Chat, script: ScriptedUpstream) -> None:
    script.script(LENGTH, Status(400))
    chat.ask("Count.")
    go_on(chat).click()
    expect(chat.answer.get_by_role("alert")).to_be_visible()
    chat.wait_until_answered()
    expect(chat.prose).to_contain_text("One, two")
    script.script(Answer(REST))
    go_on(chat).click()
    expect(chat.prose).to_contain_text("four, five.")


def test_only_the_newest_answer_can_be_gone_on_with(chat: Chat, script: ScriptedUpstream) -> None:
    script.script(LENGTH, Answer("Something else."))
    chat.ask("Count.")
    expect(go_on(chat)).to_be_visible()
    chat.ask("And?")
    buttons = chat.page.locator("[data-continue]:visible")
    expect(buttons).to_have_count(0)
    chat.page.reload()
    expect(chat.answers).to_have_count(2)
    expect(buttons).to_have_count(0)


@pytest.mark.parametrize("locale", ["zh", "en"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_button_stands_beside_the_other_on_a_phone(
    visits: Visits, script: ScriptedUpstream, locale: str, scheme: Scheme
) -> None:
    script.script(Answer(COUNT, gate=Gate(10)))
    chat = Chat(visits.open("/", locale=locale, viewport=PHONE, scheme=scheme), words(locale))
    chat.send("Count.")
    expect(chat.prose).to_contain_text("w10")
    chat.stop_button.click()
    retry = chat.answer.get_by_role("button", name=chat.say("base.retry"))
    expect(retry).to_be_visible()
    first, second = go_on(chat).bounding_box(), retry.bounding_box()
    assert first is not None
    assert second is not None
    assert abs(first["y"] - second["y"]) < 2, "in one row"
    assert first["height"] >= 24, "large enough for a finger"
    expect_no_violation(chat.page)
    assert chat.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_an_answer_that_its_reader_left_says_so_and_goes_on(chat: Chat, script: ScriptedUpstream, site: Site) -> None:
    """For a group whose answers stop then; the record says it too."""
    path = f"/api/admin/groups/{DEFAULT_GROUP_ID}"
    site.ask("PATCH", path, {"on_disconnect": "stop"})
    script.script(Answer(COUNT * 20, tokens_per_second=40), Answer(" and on."))
    try:
        chat.send("Count.")
        expect(chat.prose).to_contain_text("w20 ")
        chat.page.goto("/admin/records")
        newest = "SELECT status FROM runs ORDER BY id DESC LIMIT 1"
        wait_until(lambda: site.rows(newest) == [{"status": "left"}], GRACE_SECONDS + PATIENCE)
    finally:
        site.ask("PATCH", path, {"on_disconnect": "continue"})
    chat.page.reload()
    expect(chat.page.get_by_role("row").nth(1)).to_contain_text(say("js.dashboard.outcome_left"))
    chat.page.goto("/")
    chat.page.get_by_role("link", name="Count.").first.click()
    expect(chat.answer.get_by_text(say("js.answer_left"))).to_be_visible()
    go_on(chat).click()
    expect(chat.prose).to_contain_text(" and on.")
    expect(chat.answer.get_by_text(say("js.answer_left"))).to_be_hidden()
