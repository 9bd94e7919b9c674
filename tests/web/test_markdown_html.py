"""Markdown in a page that stands alone: nothing in it runs, and nothing is fetched."""

import html
import json
import re
import time
from pathlib import Path

import pytest

from flask_app.web import markdown_html
from flask_app.web.markdown_html import drawn

FORMULAS = json.loads(
    (Path(__file__).parents[1] / "formulas.json").read_text(encoding="utf-8")
)  # the browser has them too


def test_markdown_becomes_elements() -> None:
    html = drawn("# One\n\n- *two*\n- ~~three~~\n\n| a |\n|---|\n| b |\n\n```python\nx < 1\n```\nline\nnext")
    for element in ("<h1>One</h1>", "<em>two</em>", "<s>three</s>", "<td>b</td>", "x &lt; 1", "line<br"):
        assert element in html


@pytest.mark.security("markup-inert")
@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](&#106;avascript:alert(1))",
        "[x](data:text/html,<script>alert(1)</script>)",
        "[x](vbscript:x)",
        "<javascript:alert(1)>",
        "![x](https://192.0.2.1/p.png)",
        "![x][1]\n\n[1]: https://192.0.2.1/p.png",
        '![" onerror="alert(1)](https://192.0.2.1/" onerror="x)',
        '[x](https://192.0.2.1/"onmouseover="alert(1))',
        "```<script>\nx\n```",
        '```a" onclick="alert(1)\nx\n```',
        "<svg onload=alert(1)>",
        "<!-- --><style>@import 'x'</style>",
    ],
)
def test_nothing_of_it_runs_or_is_fetched(hostile: str) -> None:
    html = str(drawn(hostile))
    tags = re.findall(r"<(\w+)([^>]*)>", html)
    assert {name for name, _ in tags} <= {"p", "a", "pre", "code", "h1", "br"}
    for _, attributes in tags:
        names = re.findall(r'([\w-]+)="[^"]*"', attributes)
        assert set(names) <= {"href", "rel", "class", "title"}
        assert not re.search(r'href="(?!https?:|mailto:)', attributes, re.I)


def test_a_picture_is_a_link_to_it() -> None:
    assert '<a href="https://192.0.2.1/p.png" rel="noopener noreferrer nofollow">a dot</a>' in drawn(
        "![a dot](https://192.0.2.1/p.png)"
    )


def test_what_is_very_long_stands_there_as_it_was_written() -> None:
    html = drawn("**x** <b>" + "y" * markdown_html.LONGEST)
    assert html.startswith('<pre class="plain">**x** &lt;b&gt;y')


@pytest.mark.parametrize(("text", "found"), FORMULAS)
def test_a_formula_stands_there_as_it_was_written(text: str, found: list[str]) -> None:
    drawn_ones = re.findall(r'<code class="math">(.*?)</code>', drawn(text), re.DOTALL)
    assert [html.unescape(each) for each in drawn_ones] == found


@pytest.mark.security("markup-inert")
def test_a_formula_is_no_markup() -> None:
    assert drawn("$<b>$") == '<p><code class="math">$&lt;b&gt;$</code></p>\n'
    assert drawn("$$\n<b>\n$$") == '<p><code class="math">$$\n&lt;b&gt;\n$$</code></p>\n'


@pytest.mark.parametrize("begins", ["$a ", "\\(", "\\[ ", "$$\n", "\\[\n", "![a](b) $x ", "> $$\n"])
def test_beginnings_without_an_end_take_no_longer(begins: str) -> None:
    started = time.thread_time()
    drawn(begins * (100_000 // len(begins)))
    assert time.thread_time() - started < 5
