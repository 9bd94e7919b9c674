"""Files that mean harm, or are not what they say, in the composer: each says what is wrong, in two languages."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import ViewportSize, expect

from tests.e2e.accessible import expect_no_fault
from tests.e2e.attached import chip, chips, sent, words_of
from tests.e2e.chat import Chat
from tests.e2e.visits import PHONE, WIDE, Visits
from tests.e2e.words import words
from tests.support import files
from tests.support.scripted_upstream import ScriptedUpstream

HUGE = 100 << 20
ZIP, PDF = files.document("words"), files.pdf("words")
UNREADABLE, UNKNOWN = "error.file_unreadable", "error.file_kind_unknown"
# A name, what is in it, and the words that are told of it.
HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "bomb.docx": (files.bomb, UNREADABLE),
    "ten thousand pages.pdf": (lambda: files.pdf(*["words"] * 10_000), "error.file_too_long"),
    "two kinds.pdf": (lambda: b"%PDF-1.7\n" + ZIP, UNREADABLE),
    "macros.docm": (files.with_macros, UNKNOWN),
    "entities.docx": (lambda: files.with_entities("/etc/passwd"), UNREADABLE),
    "a program.pdf": (lambda: b"MZ\x90\x00" + bytes(range(256)) * 40, UNKNOWN),
    "cut off.png": (lambda: files.picture()[:60], UNREADABLE),
    "cut off.docx": (lambda: ZIP[: len(ZIP) // 2], UNREADABLE),
    "nothing.txt": (bytes, "js.files.empty"),
}
LOOKS = [(locale, viewport) for locale in ("en", "zh") for viewport in (WIDE, PHONE)]
PARAMS = {"error.file_too_long": {"limit": "2", "pages": "2000"}}

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    for name, (make, _) in HOSTILE.items():
        (folder / name).write_bytes(make())
    with (folder / "huge.pdf").open("wb") as huge:
        huge.write(PDF)
        huge.truncate(HUGE)
    return folder


@pytest.mark.security("files-bounded")
@pytest.mark.parametrize(("locale", "viewport"), LOOKS, ids=[f"{at}-{look['width']}" for at, look in LOOKS])
def test_each_says_what_is_wrong_and_the_others_go(
    visits: Visits, script: ScriptedUpstream, corpus: Path, locale: str, viewport: ViewportSize
) -> None:
    say = words(locale)
    chat = Chat(visits.open("/", locale=locale, viewport=viewport), say)
    chat.page.get_by_label(say("chat.attach"), exact=True).set_input_files(sorted(corpus.iterdir()))
    expect(chips(chat)).to_have_count(len(HOSTILE) + 1)
    told = {name: say(code, **PARAMS.get(code, {})) for name, (_, code) in HOSTILE.items()}
    for name, sentence in (told | {"huge.pdf": say("js.files.too_large", limit="20")}).items():
        refused = chip(chat, name)
        expect(refused).to_have_attribute("data-state", "refused", timeout=60_000)
        expect(refused).to_contain_text(sentence)
        refused.scroll_into_view_if_needed()
        assert refused.evaluate("it => it.scrollWidth <= it.clientWidth + 1"), name
    expect_no_fault(chat.page, locale)
    chat.page.set_viewport_size(viewport)
    assert chat.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    chat.ask("Is anybody there?")
    assert words_of(script) == "Is anybody there?"
    expect(sent(chat.question())).to_have_count(0)
