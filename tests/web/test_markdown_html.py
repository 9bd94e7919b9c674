"""Markdown in a page that stands alone: nothing in it runs, and nothing is fetched."""

import re

import pytest

from flask_app.web import markdown_html
from flask_app.web.markdown_html import drawn


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
