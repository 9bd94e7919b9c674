"""Messages that are sent while an answer is written, as a person sees them wait."""

from dataclasses import replace

from playwright.sync_api import Locator, expect

from tests.e2e.chat import PATIENCE, Chat
from tests.support.scripted_upstream import Answer, Gate, ScriptedUpstream

LONG = Answer(text=" ".join(f"w{number}" for number in range(1, 200)))
BEGUN = 20  # tokens
SENDS = "**/api/chat"
SOON = 1_000  # milliseconds in which something would have been asked that is not to be


def waiting(chat: Chat) -> Locator:
    return chat.page.locator("[data-waiting] li [data-slot=text]:visible")


def act(chat: Chat, name: str) -> Locator:
    """The buttons that take one back, remove one, or have them go on."""
    return chat.page.get_by_role("button", name=chat.say(f"chat.waiting_{name}"), exact=True)


def asked(script: ScriptedUpstream) -> list[str]:
    """What the provider was asked, in order."""
    return [str(request.body["messages"][-1]["content"]) for request in script.journal.chats]


def begin(chat: Chat, script: ScriptedUpstream, *messages: str, answer: Answer = LONG) -> Gate:
    """Ask, and send these messages while the answer is written; gives what holds it back."""
    gate = Gate(BEGUN)
    script.script(replace(answer, gate=gate))
    chat.send("First?")
    chat.wait_for_words(10)
    for message in messages:
        chat.send(message)
    expect(waiting(chat)).to_have_text(list(messages))
    expect(chat.text).to_have_value("")
    return gate


def stop(chat: Chat) -> None:
    chat.stop_button.click()
    chat.wait_until_answered()
    expect(chat.answer.get_by_text(chat.say("js.answer_stopped"))).to_be_visible()


def expect_conversation(chat: Chat, *questions: str) -> None:
    """These are the questions, each answered, here and after a reload; nothing waits."""
    for _ in ("as it went", "as it is stored"):
        expect(chat.questions).to_have_text(list(questions), timeout=PATIENCE)
        chat.wait_until_answered()
        expect(waiting(chat)).to_have_count(0)
        chat.page.reload()


def expect_held(chat: Chat, script: ScriptedUpstream, *messages: str) -> None:
    """They wait and say so, and nothing is asked."""
    before = len(script.journal.chats)
    expect(waiting(chat)).to_have_text(list(messages))
    expect(chat.page.get_by_role("status").filter(has_text=chat.say("js.waiting_held"))).to_be_visible()
    chat.page.wait_for_timeout(SOON)
    assert len(script.journal.chats) == before
