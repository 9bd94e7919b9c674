"""A long conversation: a few messages at once where it is read, the others when the page has nothing else to do."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e import written
from tests.e2e.chat import Chat
from tests.e2e.site import Site
from tests.e2e.visits import AT_REST, PHONE, WIDE, Visits
from tests.e2e.words import words
from tests.support.scripted_upstream import Answer, Gate, ScriptedUpstream

say = words("en")
TEXTS = [
    f"Question {at}" if at % 2 == 0 else f"Answer {at}: **bold**, and `code`.\n\n- one\n- two" for at in range(120)
]
AT_ONCE = 30
# The page's idle time is the test's to give.
HOLD = "window.held = []; requestIdleCallback = work => held.push(work); cancelIdleCallback = at => delete held[at - 1]"
GIVE = "left => { for (const each of held.splice(0).filter(Boolean)) each({timeRemaining: () => left}) }"
IS_IDLE = "() => held.filter(Boolean).length === 0"
TOP = "element => element.getBoundingClientRect().top"
SETTLED = "() => new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve)))"

pytestmark = pytest.mark.browser


@pytest.fixture
def talk(site: Site) -> Iterator[tuple[str, list[str]]]:
    conversation, messages = written.converse(site, "A long one", TEXTS)
    yield conversation, messages
    written.forget(site, conversation)


def opened(visits: Visits, path: str, *, is_phone: bool = False) -> Page:
    page = visits.open("/", viewport=PHONE, locale="zh") if is_phone else visits.open("/", viewport=WIDE)
    page.add_init_script(HOLD)
    page.goto(path)
    return page


def messages(page: Page) -> Locator:
    return page.locator("[data-messages] > *")


def settle(page: Page) -> None:
    page.evaluate(SETTLED)
    page.evaluate(AT_REST)


def give_idle_time(page: Page) -> None:
    while not page.evaluate(IS_IDLE):
        page.evaluate(GIVE, 50)


@pytest.mark.parametrize("is_phone", [False, True], ids=["wide", "phone"])
def test_the_newest_are_there_at_once_and_the_others_follow_in_their_order(
    visits: Visits, talk: tuple[str, list[str]], is_phone: bool
) -> None:
    page = opened(visits, f"/c/{talk[0]}", is_phone=is_phone)
    expect(messages(page)).to_have_count(AT_ONCE)
    expect(messages(page).first).to_contain_text(f"Question {len(TEXTS) - AT_ONCE}")
    expect(messages(page).last).to_be_in_viewport()
    give_idle_time(page)
    expect(messages(page)).to_contain_text([text.partition(":")[0] for text in TEXTS])
    expect(messages(page).last).to_be_in_viewport()


def test_what_is_read_stays_where_it_is_while_earlier_ones_come(visits: Visits, talk: tuple[str, list[str]]) -> None:
    page = opened(visits, f"/c/{talk[0]}")
    read = messages(page).filter(has_text=f"Question {len(TEXTS) - 20}")
    read.evaluate("element => element.scrollIntoView({block: 'center'})")
    settle(page)
    before = read.evaluate(TOP)
    give_idle_time(page)
    expect(messages(page)).to_have_count(len(TEXTS))
    settle(page)
    assert read.evaluate(TOP) == pytest.approx(before, abs=1)


@pytest.mark.parametrize("is_phone", [False, True], ids=["wide", "phone"])
def test_a_message_of_long_ago_is_gone_to_at_once_and_stays_while_others_come(
    visits: Visits, talk: tuple[str, list[str]], is_phone: bool
) -> None:
    conversation, ids = talk
    page = opened(visits, f"/c/{conversation}#message={ids[41]}", is_phone=is_phone)
    sought = messages(page).filter(has_text="Answer 41:")
    expect(sought).to_be_in_viewport()
    expect(messages(page)).to_have_count(AT_ONCE)
    expect(messages(page).first).to_contain_text("Question 40")
    settle(page)
    before = sought.evaluate(TOP)
    while not page.evaluate(IS_IDLE):
        page.evaluate(GIVE, 4)
        settle(page)
        assert sought.evaluate(TOP) == pytest.approx(before, abs=1), "what is read stays where it is"
    expect(messages(page)).to_contain_text([text.partition(":")[0] for text in TEXTS])
    expect(sought).to_be_in_viewport()


def test_the_end_is_gone_to_from_a_message_of_long_ago(visits: Visits, talk: tuple[str, list[str]]) -> None:
    page = opened(visits, f"/c/{talk[0]}#message={talk[1][21]}")
    latest = page.get_by_role("button", name=say("chat.to_latest"))
    expect(messages(page)).to_have_count(AT_ONCE)
    messages(page).last.evaluate("element => element.scrollIntoView({block: 'end'})")
    expect(messages(page).last).to_be_in_viewport()
    expect(messages(page).last).not_to_contain_text(f"Answer {len(TEXTS) - 1}")
    expect(latest).to_be_visible()
    latest.click()
    expect(messages(page).last).to_contain_text(f"Answer {len(TEXTS) - 1}:")
    expect(messages(page).last).to_be_in_viewport()
    give_idle_time(page)
    expect(messages(page)).to_contain_text([text.partition(":")[0] for text in TEXTS])
    expect(messages(page).last).to_be_in_viewport()


def test_what_is_asked_there_follows_the_end(visits: Visits, talk: tuple[str, list[str]], site: Site) -> None:
    page = opened(visits, f"/c/{talk[0]}#message={talk[1][21]}")
    expect(messages(page)).to_have_count(AT_ONCE)
    Chat(page, say).send("And now?")
    expect(messages(page).last).to_be_in_viewport()
    expect(messages(page)).to_have_count(AT_ONCE + 2)
    Chat(page, say).wait_until_answered()
    give_idle_time(page)
    expected = [*(text.partition(":")[0] for text in TEXTS), "And now?", ""]
    expect(messages(page)).to_contain_text(expected)


def test_a_question_of_long_ago_is_asked_again_where_it_stands(
    visits: Visits, talk: tuple[str, list[str]], site: Site
) -> None:
    page = opened(visits, f"/c/{talk[0]}#message={talk[1][21]}")
    chat = Chat(page, say)
    question = messages(page).filter(has_text="Question 24")
    chat.act(question, "edit").click()
    area = page.locator(".editor textarea")
    area.fill("In other words")
    area.press("Enter")
    chat.wait_until_answered()
    give_idle_time(page)
    expect(messages(page)).to_have_count(24 + 2)
    expect(messages(page).nth(24)).to_contain_text("In other words")
    expect(messages(page).first).to_contain_text("Question 0")
    chat.act(messages(page).nth(24), "version_before").click()
    give_idle_time(page)
    expect(messages(page)).to_contain_text([text.partition(":")[0] for text in TEXTS])


def test_the_last_question_is_changed_by_key_from_there_too(visits: Visits, talk: tuple[str, list[str]]) -> None:
    page = opened(visits, f"/c/{talk[0]}#message={talk[1][21]}")
    expect(messages(page)).to_have_count(AT_ONCE)
    Chat(page, say).text.press("ArrowUp")
    expect(page.locator(".editor textarea")).to_have_value(f"Question {len(TEXTS) - 2}")
    expect(page.locator(".editor textarea")).to_be_in_viewport()


def test_an_answer_that_is_being_written_is_followed_from_there_too(
    visits: Visits, talk: tuple[str, list[str]], script: ScriptedUpstream
) -> None:
    script.script(Answer("word " * 40, gate=Gate(20)))
    asking = Chat(visits.open(f"/c/{talk[0]}"), say)
    expect(asking.answers).not_to_have_count(0)
    asking.send("At length, please")
    asking.wait_for_words(5)
    page = opened(visits, f"/c/{talk[0]}#message={talk[1][21]}")
    expect(messages(page).filter(has_text="Answer 21:")).to_be_in_viewport()
    expect(Chat(page, say).stop_button).to_be_visible()
    Chat(page, say).stop_button.click()
    Chat(page, say).wait_until_answered()
    asking.wait_until_answered()


@pytest.mark.parametrize("fragment", ["", "#message={}"], ids=["end", "long ago"])
def test_all_of_it_is_printed(visits: Visits, talk: tuple[str, list[str]], fragment: str) -> None:
    page = opened(visits, f"/c/{talk[0]}" + fragment.format(talk[1][41]))
    expect(messages(page)).to_have_count(AT_ONCE)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(messages(page)).to_contain_text([text.partition(":")[0] for text in TEXTS])


def test_another_version_of_the_first_on_the_page_has_what_is_before_it_too(
    visits: Visits, talk: tuple[str, list[str]], site: Site
) -> None:
    conversation, ids = talk
    at = len(TEXTS) - AT_ONCE
    written.go_on(site, conversation, ["Another question", "Another answer"], after=ids[at - 1])
    page = opened(visits, f"/c/{conversation}#message={ids[at]}")
    first = messages(page).first
    expect(first).to_contain_text(f"Question {at}")
    Chat(page, say).act(first, "version_after").click()
    expect(messages(page).last).to_contain_text("Another answer")
    give_idle_time(page)
    expect(messages(page)).to_have_count(at + 2)
    expect(messages(page).first).to_contain_text("Question 0")


def test_what_is_asked_then_follows(visits: Visits, talk: tuple[str, list[str]], site: Site) -> None:
    page = opened(visits, f"/c/{talk[0]}")
    chat = Chat(page, say)
    chat.ask("And now?")
    expect(messages(page)).to_have_count(AT_ONCE + 2)
    give_idle_time(page)
    expect(messages(page)).to_have_count(len(TEXTS) + 2)
    expect(messages(page).last).to_be_in_viewport()
