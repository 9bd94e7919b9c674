"""Calls of tools in files: nothing that a server or a model wrote makes a link, or anything else, of its line."""

import re
from functools import partial

import pytest
from markdown_it import MarkdownIt
from msgspec.structs import replace

from flask_app.domain.tools import Call
from flask_app.i18n import translate
from flask_app.web import shown_calls

MARKDOWN = MarkdownIt("commonmark").enable("strikethrough")
LINKED = re.compile(r"(?<!\\):(?=//)|www(?=\.)|(?<!\\)@", re.IGNORECASE)  # what many make a link of
EVIL = [
    "[here](https://evil.example)",
    "see https://evil.example",
    "see HTTPS://evil.example or www.evil.example or WWW.evil.example",
    "<https://evil.example>",
    "![x](https://evil.example)",
    "one\n\n# Another heading",
    "one\r\n> quoted",
    "write to me@evil.example",
    "**bold** and `code` ~~gone~~",
    "&lt;b&gt; <b>",
]


@pytest.mark.parametrize("evil", EVIL)
def test_a_name_stays_a_name(evil: str) -> None:
    call = Call(id="c", round=1, server=evil, tool="x", title=evil, arguments="", status="done")
    told = shown_calls.markdown(lambda key, **_: key, [call])
    drawn = MARKDOWN.render(told)
    assert not LINKED.search(told)
    assert drawn.count("<p>") == 1
    assert not any(
        f"<{name}" in drawn for name in ("a ", "h1", "img", "strong", "code", "s>", "b>", "blockquote", "em")
    )


@pytest.mark.parametrize(
    "result", ["```\n[here](https://evil.example)", "````\n# x\n````", "~~~\nx", "  ```\n<b>x</b>"]
)
def test_a_result_does_not_end_its_block(result: str) -> None:
    call = Call(id="c", round=1, server="", tool="x", title="x", arguments="{}", status="done", result=result)
    drawn = MARKDOWN.render(shown_calls.markdown(lambda key, **_: key, [call]))
    assert drawn.count("<pre>") == 2
    assert not any(f"<{name}" in drawn for name in ("a ", "h1", "b>"))


def test_what_is_built_in_is_named_in_the_readers_language() -> None:
    call = Call(id="c", round=1, server="", tool="web_fetch", title="Open a page", arguments="", status="done")
    assert "打开网页" in shown_calls.words(partial(translate, "zh"), call)
    theirs = replace(call, server="Sky")
    assert "Open a page · Sky" in shown_calls.words(partial(translate, "zh"), theirs)
