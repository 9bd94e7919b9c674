"""Pages of HTML are read as they are seen: their words, without what draws them."""

import pytest

from tests.support.file_reading import read, refused, text_of

pytestmark = pytest.mark.usefixtures("in_an_instance")
PAGE = """<!-- saved -->
<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>成绩</title><style>p { color: red }</style><script>secret()</script></head>
<body><h1>Marks &amp; more</h1>
<p>A&nbsp;line that
goes on <b>bold</b>ly<br>and another&#x3002;</p>
<ul><li>one<li>two</ul><ol><li>first</li><li>second</li></ol>
<div hidden>hidden</div><p style="display: none">hidden</p><p style="visibility:hidden">hidden</p>
<template><p>hidden</p></template><noscript>hidden</noscript><!-- hidden --><input type="hidden" value="hidden">
<table><thead><tr><th>Name</th><th>Mark</th></tr></thead><tr><td>Ann</td><td><p>1</p><p>2</p></td></tr></table>
<pre>def f():
    return 1</pre><img alt="a chart">
</body></html>"""
SEEN = """成绩
Marks & more
A line that goes on boldly
and another。
- one
- two
1. first
2. second
Name | Mark
Ann | 1 2
def f():
    return 1
a chart"""


def test_a_page_is_what_is_written_on_it() -> None:
    found = read(PAGE.encode())
    assert (found.kind, found.content_type, found.text) == ("text", "text/plain", SEEN)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_page_with_a_mark_is_in_the_encoding_of_that(encoding: str) -> None:
    assert text_of(PAGE.encode(encoding)) == SEEN


@pytest.mark.parametrize("named", ["gb2312", "GBK"])
def test_a_table_that_a_program_calls_a_spreadsheet_is_its_rows(named: str) -> None:
    """With a character that is in GBK and not in GB 2312, and too few for a guess."""
    head = f'<meta http-equiv="Content-Type" content="text/html; charset={named}">'
    table = "<table border=1><tr><td>姓名</td><td>分数</td></tr><tr><td>朱镕</td><td>九十</td></tr></table>\r\n"
    assert text_of((head + table).encode("gbk")) == "姓名 | 分数\n朱镕 | 九十"


def test_what_follows_the_end_of_a_page_stands_on_it_too() -> None:
    """As where a program writes one table's page behind the other."""
    assert text_of(b"<html><body><p>one</p></body></html><p>two<table><tr><td>3<td>4</table>") == "one\ntwo\n3 | 4"
    assert text_of(b"<html><p>one</html>\n<html><head><title>two</title></head><p>three</html>") == "one\ntwo\nthree"


def test_what_browsers_do_not_show_is_not_read() -> None:
    hidden = "<dialog>a</dialog><datalist><option>b</datalist><noframes>c</noframes><noembed>d</noembed>"
    assert text_of(f"<html><p>seen</p>{hidden}<dialog open>said</dialog>".encode()) == "seen\nsaid"


def test_an_encoding_that_is_not_true_is_guessed() -> None:
    text = '<html><meta charset="big5"><p>联系电话和联系地址，请填写清楚，谢谢大家的配合与支持。</p>'
    assert text_of(text.encode()) == "联系电话和联系地址，请填写清楚，谢谢大家的配合与支持。"
    assert text_of(b'<html><meta charset="unicode_escape">\\u0041 words') == "\\u0041 words"
    assert text_of(b'<html><meta charset="no such">words') == "words"


def test_tables_that_place_parts_of_a_page_are_no_rows() -> None:
    inner = "<table><tr><td>a</td><td>b</td></tr><tr><td>c</td><td>d</td></tr></table>"
    page = f"<html><table><tr><td>menu<br>of links</td><td></td></tr><tr><td>left</td><td>{inner}</td></tr></table>"
    assert text_of(page.encode()).splitlines() == ["menu", "of links", "left", "a | b", "c | d"]


@pytest.mark.parametrize(
    "text",
    [
        "<table>\n<tr><td>logo</td></tr>\n</table>\n\n# A title\n\n- of Markdown",
        "<?php echo 1 ?>\n<html></html>",
        "<script setup>\nlet x = 1\n</script>",
        "{% extends 'base.html' %}\n<html>",
        '<?xml version="1.0"?>\n<feed><title>x</title></feed>',
        "<tablets>\nare none</tablets>",
        "How <html> begins",
    ],
)
def test_other_texts_with_tags_stay_as_they_are(text: str) -> None:
    assert text_of(text.encode()) == text


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"<html><script>only()</script></html>", "file_without_words"),
        (b"<!doctype html>", "file_without_words"),
        (b"<html>" + b"<div>" * 50_000 + b"words", "file_unreadable"),
        (b"<html>" + b"<p>a word</p>" * 400_000, "file_too_long"),
        (b"<html>" + bytes(range(256)) * 40, "file_kind_unknown"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.security("files-bounded")
def test_a_page_that_cannot_be_read_says_why(content: bytes, code: str) -> None:
    assert refused(content) == code


def test_what_draws_a_page_does_not_count() -> None:
    page = b"<html><style>" + b"a{}" * 1_000_000 + b"</style><p>words</p>"
    assert text_of(page) == "words"
