"""Files as a person attaches them to a message: chosen, dropped, pasted."""

import base64
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.e2e.chat import Chat
from tests.support import files
from tests.support.scripted_upstream import ScriptedUpstream

UPLOADS = "**/api/files?name=*"

# What comes with an event, as browsers give it to a page; `words` are those that are pasted with it.
CARRIED = """([kinds, selector, files, words]) => {
  const carried = new DataTransfer()
  for (const [name, type, content] of files) {
    carried.items.add(new File([Uint8Array.from(atob(content), sign => sign.charCodeAt(0))], name, { type }))
  }
  for (const [type, text] of Object.entries(words)) carried.setData(type, text)
  const about = { bubbles: true, cancelable: true, dataTransfer: carried, clipboardData: carried }
  const events = kinds.map(kind => new (kind === "paste" ? ClipboardEvent : DragEvent)(kind, about))
  return events.map(event => !document.querySelector(selector).dispatchEvent(event)).at(-1)
}"""


# Notes whether the place in which files can be dropped was ever seen: without another event it goes in a moment.
NOTE_DROP = """() => {
  const place = document.querySelector("[data-drop]")
  window.wasSeen = false
  new MutationObserver(() => (window.wasSeen ||= place.checkVisibility())).observe(place, { attributes: true })
}"""
WAS_SEEN = "() => window.wasSeen"


@dataclass(frozen=True)
class Chosen:
    """A file of the person's own."""

    name: str
    kind: str
    content: bytes


def pdf(name: str = "report.pdf", words: str = "The harvest was good.") -> Chosen:
    return Chosen(name, "application/pdf", files.pdf(words, "The end."))


def text(name: str = "notes.txt", words: str = "Bring the lamp.") -> Chosen:
    return Chosen(name, "text/plain", words.encode())


def picture(name: str = "board.png", size: tuple[int, int] = (640, 400)) -> Chosen:
    return Chosen(name, "image/png", files.picture(size=size))


def choose(chat: Chat, *chosen: Chosen) -> None:
    """By the paper-clip."""
    payloads = [{"name": each.name, "mimeType": each.kind, "buffer": each.content} for each in chosen]
    chat.page.get_by_label(chat.say("chat.attach"), exact=True).set_input_files(payloads)  # type: ignore[arg-type]


def attach(chat: Chat, *chosen: Chosen) -> None:
    """Choose, and wait until all are there."""
    choose(chat, *chosen)
    for each in chosen:
        expect(chip(chat, each.name)).to_have_attribute("data-state", "here")


def carry(page: Page, kinds: list[str], selector: str, *carried: Chosen, **words: str) -> bool:
    """Whether the page took it, instead of the browser."""
    coded = [[each.name, each.kind, base64.b64encode(each.content).decode()] for each in carried]
    spelled = {f"text/{name}": said for name, said in words.items()}
    return bool(page.evaluate(CARRIED, [kinds, selector, coded, spelled]))


def chips(chat: Chat) -> Locator:
    return chat.page.get_by_role("list", name=chat.say("chat.attached")).get_by_role("listitem")


def chip(chat: Chat, name: str) -> Locator:
    return chips(chat).filter(has_text=name)


def remove(chat: Chat, name: str) -> Locator:
    return chat.page.get_by_role("button", name=chat.say("js.files.remove", name=name), exact=True)


def sent(message: Locator) -> Locator:
    """The files of a message in the thread, or of one that waits."""
    return message.locator("[data-slot=files] > li")


def parts(script: ScriptedUpstream) -> list[dict[str, Any]]:
    """What the provider was given as the last question: its parts."""
    content = script.journal.chats[-1].body["messages"][-1]["content"]
    return content if isinstance(content, list) else [{"type": "text", "text": content}]


def words_of(script: ScriptedUpstream) -> str:
    return "\n".join(each["text"] for each in parts(script) if each["type"] == "text")


def pictures_of(script: ScriptedUpstream) -> list[str]:
    return [each["image_url"]["url"] for each in parts(script) if each["type"] == "image_url"]


def wait_line(chat: Chat) -> Locator:
    return chat.page.locator("[data-attached-wait]")
