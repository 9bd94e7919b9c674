"""The lines of an answer: a single end of a line is one, and so is `<br>`, on paper too."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.chat import Chat
from tests.e2e.clipboard import copied
from tests.e2e.visits import PHONE, WIDE, Visits
from tests.e2e.words import words
from tests.support.scripted_upstream import Answer, ScriptedUpstream

POEM = ["床前明月光，", "疑是地上霜。", "举头望明月，", "低头思故乡。"]
CELL = "| 作者 | 朝代 |\n|---|---|\n| 李白<br>字太白<br />号青莲 | 唐 |"
FORMULA = "由 $$x^2$$\n得 $x$。"

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("viewport", "locale"), [(WIDE, "en"), (PHONE, "zh")], ids=["wide", "phone"])
def test_lines_stay_lines(visits: Visits, script: ScriptedUpstream, viewport: Any, locale: str) -> None:
    poem = "\n".join(POEM)
    script.script(Answer(f"{poem}\n\n{CELL}\n\n{FORMULA}\n\n`<br>` <b>"))
    say = words(locale)
    chat = Chat(visits.open("/", locale=locale, viewport=viewport), say)
    chat.ask("静夜思")
    chat.prose.locator(".katex").last.wait_for()
    shown = chat.prose.locator("p").first
    for media in ("screen", "print"):
        chat.page.emulate_media(media=media)
        assert shown.inner_text().split("\n") == POEM
        lines = shown.evaluate("p => p.getBoundingClientRect().height / parseFloat(getComputedStyle(p).lineHeight)")
        assert abs(lines - len(POEM)) < 0.1, media
        assert chat.prose.locator("td").first.inner_text().split("\n") == ["李白", "字太白", "号青莲"]
    chat.page.emulate_media(media="screen")
    expect(chat.prose.locator(".formula--display + br")).to_be_hidden()
    expect(chat.prose.locator("p").last).to_have_text("<br> <b>")
    chat.act(chat.answer, "answer_menu").click()
    plain = copied(chat.page, chat.page.locator("[data-answer-menu]").get_by_text(say("chat.copy_plain")).click)
    assert plain.startswith(f"{poem}\n\n")
    assert f"{poem}\n\n{CELL}" in chat.copied_answer()
