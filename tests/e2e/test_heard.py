"""What a screen reader hears of an answer while it is written."""

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.e2e.accessible import expect_no_fault
from tests.e2e.chat import Chat
from tests.e2e.visits import PHONE, WIDE, Visits
from tests.e2e.words import words
from tests.support.brokers import wait_until
from tests.support.scripted_upstream import Answer, ErrorEvent, Gate, ScriptedUpstream

say = words("en")
LISTEN = """
  window.heard = []
  addEventListener("DOMContentLoaded", () => {
    const region = document.querySelector("[data-live-answer]")
    if (!region) return
    new MutationObserver((changes) => {
      for (const { addedNodes } of changes) for (const { textContent } of addedNodes) window.heard.push(textContent)
    }).observe(region, { childList: true })
  })
"""
TEXT = " ".join(f"{'w' if number % 10 else 'W'}ord{number}{'.' if number % 10 == 9 else ''}" for number in range(200))
RICH = """# A title

Some **strong** words, and `code.call()`. 你好。世界！

```python
a = 1
b = 2
```

| x | y |
|---|---|
| 1 | 2 |

The end is $x^2$."""
RICH_HEARD = [
    "A title",
    "Some strong words, and code.call(). 你好。世界！",
    "{code}",
    "x, y",
    "1, 2",
    "The end is x^2 .",
]

pytestmark = pytest.mark.browser


def listened(page: Page) -> Chat:
    page.add_init_script(LISTEN)
    page.reload()
    return Chat(page, say)


def heard(chat: Chat) -> list[str]:
    pieces: list[str] = chat.page.evaluate("window.heard")
    return pieces


@pytest.mark.parametrize("viewport", [PHONE, WIDE], ids=["phone", "wide"])
def test_an_answer_is_heard_in_sentences_and_whole(
    viewport: ViewportSize, visits: Visits, script: ScriptedUpstream
) -> None:
    chat = listened(visits.open("/", viewport=viewport))
    gate = Gate(55)
    script.script(Answer(TEXT, thinking="Nobody hears this. Nor this. Not at all.", gate=gate))
    chat.send("Speak.")
    wait_until(lambda: "word9." in " ".join(heard(chat)), 30)
    begun = " ".join(heard(chat))
    assert TEXT.startswith(begun)
    assert begun.endswith("."), "no sentence that goes on"
    gate.let_go()
    chat.wait_until_answered()
    assert " ".join(heard(chat)) == TEXT
    assert 1 < len(heard(chat)) <= 20, "as many as sentences at most"
    assert chat.page.locator("[data-announcer]").inner_text() == say("js.answer_complete")


@pytest.mark.parametrize("locale", ["zh", "en"])
def test_no_sign_of_markdown_is_heard(locale: str, visits: Visits, script: ScriptedUpstream) -> None:
    chat = Chat(listened(visits.open("/", locale=locale)).page, words(locale))
    script.script(Answer(RICH))
    chat.ask("Speak.")
    code = chat.say("js.heard_code", count=2)
    assert " ".join(heard(chat)) == " ".join(RICH_HEARD).format(code=code)
    expect_no_fault(chat.page, locale)


def test_what_was_heard_is_not_repeated_after_a_reload(visits: Visits, script: ScriptedUpstream) -> None:
    chat = listened(visits.open("/"))
    gate = Gate(55)
    script.script(Answer(TEXT, gate=gate))
    chat.send("Speak.")
    wait_until(lambda: "word49." in " ".join(heard(chat)))  # the last that has ended: no more is said before the next
    expect(chat.prose).to_contain_text("word53")
    before = heard(chat)
    chat.page.reload()
    expect(chat.prose).to_contain_text("word53")
    gate.let_go()
    chat.wait_until_answered()
    assert " ".join(before + heard(chat)) == TEXT


def test_stopping_is_said_after_what_has_come(visits: Visits, script: ScriptedUpstream) -> None:
    chat = listened(visits.open("/"))
    script.script(Answer(TEXT, gate=Gate(15)))
    chat.send("Speak.")
    chat.wait_for_words(20)
    chat.stop_button.click()
    chat.wait_until_answered()
    assert " ".join(heard(chat)) == chat.prose.inner_text()
    assert chat.page.locator("[data-announcer]").inner_text() == say("js.answer_stopped")


def test_what_was_said_leaves_with_its_conversation(visits: Visits, script: ScriptedUpstream) -> None:
    page = visits.open("/")
    chat = Chat(page, say)
    script.script(Answer(TEXT))
    chat.ask("Speak.")
    expect(page.locator("[data-live-answer]")).not_to_be_empty()
    page.locator("[data-sidebar]").get_by_role("link", name=say("chat.new")).first.click()
    expect(chat.questions).to_have_count(0)
    expect(page.locator("[data-live-answer]")).to_be_empty()


def test_a_fault_is_said(visits: Visits, script: ScriptedUpstream) -> None:
    chat = listened(visits.open("/"))
    script.script(ErrorEvent(after="One. Two. Three"))
    chat.ask("Speak.")
    expect(chat.answer.get_by_role("alert")).to_be_visible()
    expect(chat.prose).to_have_text("One. Two. Three")
    assert " ".join(heard(chat)) == chat.prose.inner_text()


def test_the_page_keeps_few_of_the_pieces(visits: Visits, script: ScriptedUpstream) -> None:
    chat = listened(visits.open("/"))
    items = "\n".join(f"- Item {number}" for number in range(80))
    script.script(Answer(items))
    chat.ask("Speak.")
    assert heard(chat) == [f"Item {number}" for number in range(80)]
    assert chat.page.locator("[data-live-answer] p").count() == 30
