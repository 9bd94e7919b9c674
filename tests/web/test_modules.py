"""The pages' own modules: each short, and one door for what a model wrote."""

import re
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[2] / "flask_app" / "static"
MOST_LINES = 300
# What makes elements of a text. A frame without an origin may: its whole page is the model's. What draws SVG does it in
# a document apart, which becomes such a frame's picture.
APART = ["js/markdown/drawings.js"]
MAKES_MARKUP = re.compile(
    r"\b(?:innerHTML|outerHTML)\s*\+?=[^=]|\b(?:insertAdjacentHTML|document\.write|setHTML\w*|createContextualFragment|DOMParser)\b"
)


def modules() -> dict[str, str]:
    return {str(path.relative_to(STATIC)): path.read_text(encoding="utf-8") for path in (STATIC / "js").rglob("*.js")}


def test_no_module_outgrows_its_subject() -> None:
    assert len(modules()) > 100
    assert [name for name, text in modules().items() if len(text.splitlines()) > MOST_LINES] == []


@pytest.mark.security("markup-inert")
def test_only_the_sanitizer_makes_elements_of_text() -> None:
    assert [name for name, text in modules().items() if MAKES_MARKUP.search(text)] == APART
    assert [name for name, text in modules().items() if 'from "dompurify"' in text] == ["js/markdown.js"]
    frames = "".join(path.read_text(encoding="utf-8") for path in (STATIC / "frames").glob("*.js"))
    assert MAKES_MARKUP.search(frames), "it would be found"
