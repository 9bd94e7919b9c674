"""Reading, while an answer grows and after it: what the reader does is not undone."""

from dataclasses import replace

import pytest
from playwright.sync_api import expect

from tests.e2e.chat import Chat
from tests.e2e.visits import PHONE, WIDE, Visits
from tests.e2e.words import words
from tests.support.brokers import wait_until
from tests.support.scripted_upstream import Answer, Gate, ScriptedUpstream

LONG = "\n\n".join(f"Paragraph w{number} of them." for number in range(1, 60))
GROWING = "\n\n".join(f"p{number}" for number in range(1, 1000))
THREAD = "document.querySelector('[data-thread]')"
TOP = f"{THREAD}.scrollTop"
DISTANCE = f"(({{ scrollHeight, scrollTop, clientHeight }}) => scrollHeight - scrollTop - clientHeight)({THREAD})"
PAINTED = "new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))"

pytestmark = pytest.mark.browser


@pytest.fixture
def chat(request: pytest.FixtureRequest, visits: Visits, script: ScriptedUpstream) -> Chat:
    viewport = getattr(request, "param", WIDE)
    locale = "zh" if viewport is PHONE else "en"
    return Chat(visits.open("/", viewport=viewport, locale=locale), words(locale))


def growing() -> Answer:
    """Grows for longer than a test takes, and ends with it."""
    return Answer(GROWING, tokens_per_second=40, gate=Gate(990))


def paint(chat: Chat) -> None:
    """Let the page come to rest after what was done to it."""
    chat.page.evaluate(PAINTED)
    chat.page.evaluate(PAINTED)


def grow(chat: Chat) -> None:
    """Wait until the answer has become longer by some lines."""
    height = chat.page.evaluate(f"{THREAD}.scrollHeight")
    wait_until(lambda: chat.page.evaluate(f"{THREAD}.scrollHeight") > height + 100)
    paint(chat)


def expect_end(chat: Chat) -> None:
    """The end is followed, a moment after it was drawn; one that is not gets only farther away."""
    wait_until(lambda: chat.page.evaluate(DISTANCE) < 100)


def ask_for_what_grows(chat: Chat, script: ScriptedUpstream) -> None:
    """Ask, and wait until the answer is longer than the page and its end is followed."""
    script.script(growing())
    chat.send("Count.")
    wait_until(lambda: chat.page.evaluate(TOP) > 100)
    expect_end(chat)


def come_back(chat: Chat) -> None:
    """Come back to the tab, and wait until it has looked what there is: while it does it looks at nothing else."""
    listed, stored = "**/api/conversations/unfiled?*", f"**/api/conversations/{chat.conversation_id}"
    with (
        chat.page.expect_response(listed),
        chat.page.expect_response(stored),
        chat.page.expect_response(lambda reply: reply.request.method == "GET" and reply.url.endswith("/draft")),
    ):
        chat.page.evaluate("dispatchEvent(new Event('focus'))")
    paint(chat)


def regenerate(chat: Chat) -> None:
    chat.answer.get_by_role("button", name=chat.say("chat.regenerate"), exact=True).click()


def test_opened_thoughts_are_read_from_their_beginning(chat: Chat, script: ScriptedUpstream) -> None:
    script.script(Answer(LONG), Answer("Short.", thinking=LONG))
    chat.ask("Tell me.")
    chat.ask("And now think.")
    paint(chat)
    before = chat.page.evaluate(TOP)
    summary = chat.answer.locator("summary")
    summary.click()
    expect(chat.answer.locator("details")).to_have_attribute("open", "")
    paint(chat)
    assert chat.page.evaluate(DISTANCE) > 500, "the thoughts are longer than the page"
    assert chat.page.evaluate(TOP) == before
    expect(summary).to_be_in_viewport()


def test_thoughts_that_are_still_coming_are_followed(chat: Chat, script: ScriptedUpstream) -> None:
    script.script(replace(growing(), text="Short.", thinking=GROWING))
    chat.send("Think.")
    chat.answer.locator("summary").click()
    wait_until(lambda: chat.page.evaluate(TOP) > 100)
    grow(chat)
    expect_end(chat)


@pytest.mark.parametrize(("chat", "step"), [(WIDE, 1), (WIDE, 5), (PHONE, 1)], indirect=["chat"])
def test_moving_up_lets_go_however_slowly(chat: Chat, script: ScriptedUpstream, step: int) -> None:
    ask_for_what_grows(chat, script)
    chat.page.evaluate(f"""new Promise((resolve) => {{
      let left = 8
      const move = () => {{
        {THREAD}.scrollTop -= {step}
        if (--left) requestAnimationFrame(move)
        else resolve()
      }}
      move()
    }})""")
    top = chat.page.evaluate(TOP)
    grow(chat)
    assert chat.page.evaluate(TOP) == top
    chat.page.evaluate(f"{THREAD}.scrollTop = {THREAD}.scrollHeight - {THREAD}.clientHeight - 20")
    grow(chat)
    expect_end(chat)  # moving down to it takes hold again


def test_a_text_that_becomes_shorter_lets_go_of_nothing(chat: Chat, script: ScriptedUpstream) -> None:
    ask_for_what_grows(chat, script)
    taller = "document.querySelector('.message--question').style.paddingBottom"
    for size in ("2000px", "0px", "1000px", "0px"):
        chat.page.evaluate(f"{taller} = '{size}'")
        paint(chat)
    grow(chat)
    expect_end(chat)


def test_what_is_read_stays_where_it_is_when_something_was_written_elsewhere(
    chat: Chat, script: ScriptedUpstream
) -> None:
    script.script(Answer(LONG, thinking=LONG), Answer("It is in the other tab."))
    chat.ask("Tell me.")
    chat.answer.locator("summary").click()
    there = chat.page.context.new_page()
    there.goto(chat.page.url)
    other = Chat(there, chat.say)
    expect(other.prose).to_contain_text("Paragraph")
    other.ask("And now?")
    there.close()
    chat.page.evaluate(f"{TOP} = 700")
    paint(chat)
    come_back(chat)
    expect(chat.questions).to_have_count(2)
    expect(chat.prose).to_have_text("It is in the other tab.")
    paint(chat)
    assert chat.page.evaluate(TOP) == 700
    expect(chat.answers.first.locator("details")).to_have_attribute("open", "")


def test_an_answer_that_is_written_on_another_branch_changes_nothing_on_this_one(
    chat: Chat, script: ScriptedUpstream
) -> None:
    script.script(Answer(LONG), Answer("Another."), growing())
    chat.ask("Tell me.")
    regenerate(chat)
    chat.wait_until_answered()
    chat.answer.get_by_role("button", name=chat.say("chat.version_before"), exact=True).click()
    expect(chat.prose).to_contain_text("Paragraph")
    other = Chat(chat.page.context.new_page(), chat.say)
    other.page.goto(chat.page.url)
    regenerate(other)
    other.wait_for_words(2)
    chat.page.evaluate(f"{TOP} = 300")
    come_back(chat)
    expect(chat.answer.locator("[data-slot=version]")).to_have_text("1/3")
    chat.prose.evaluate("(prose) => (prose.isTheSame = true)")
    come_back(chat)
    paint(chat)
    assert chat.prose.evaluate("(prose) => prose.isTheSame")
    assert chat.page.evaluate(TOP) == 300
    expect(chat.stop_button).to_be_hidden()
    other.stop_button.click()


@pytest.mark.parametrize("opener", ["more", "about"])
def test_what_stands_beside_a_message_is_not_carried_away(chat: Chat, script: ScriptedUpstream, opener: str) -> None:
    gate = Gate(6, 990)  # at first it ends within the view
    script.script(Answer("Short."), replace(growing(), gate=gate))
    chat.ask("Tell me.")
    chat.send("Count.")
    expect(chat.prose).to_contain_text("p3")
    panel = chat.page.locator("[data-answer-menu]" if opener == "more" else "[data-answer-details]")
    chat.answers.first.locator(f"[data-{opener}]").click()
    expect(panel).to_be_visible()
    gate.let_go()
    wait_until(lambda: chat.page.evaluate(DISTANCE) > 200)
    expect(panel).to_be_visible()
    chat.page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    paint(chat)
    expect_end(chat)
