"""RTF files are their words, in whatever encoding; what is broken is refused, and costs no more than any other file."""

import pytest

from flask_app.errors import Invalid
from tests.support.file_reading import text_of

pytestmark = pytest.mark.usefixtures("in_an_instance")
HEAD = rb"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fnil\fcharset0 Calibri;}{\f1\fnil\fcharset134 SimSun;}}"


def rich(words: bytes, head: bytes = HEAD) -> bytes:
    return head + rb"{\colortbl;\red0\green0\blue0;}{\*\generator Writer;}\pard " + words + b"}"


@pytest.mark.parametrize(
    ("words", "read"),
    [
        (rb"First.\par\par\par\par Second \b bold\b0  and \{braces\}.\par", "First.\n\nSecond bold and {braces}."),
        (rb"\f1\'c4\'e3\'ba\'c3\f0  caf\'e9", "你好 café"),
        (rb"\uc1\u20320?\u22909? \u-10179?\u-8704?", "你好 😀"),
        (rb"\trowd\cellx1\cellx2 a\cell b\cell\row c\cell d\cell\row\pard", "a|b\nc|d"),
        (rb"Seen {\pict\pngblip 89504e47}{\*\shppict{\pict 00}} here", "Seen [picture] here"),
        (rb"Kept{\footnote a note}{\header above} only", "Kept only"),
        (b"caf\xe9", "café"),
        (rb'See {\field{\*\fldinst{HYPERLINK "http://a.example"}}{\fldrslt{\ul here}}}.', "See here."),
        (rb"\'94quoted\'94 soft\-ly", "”quoted” softly"),
    ],
    ids=[
        "paragraphs",
        "a font's encoding",
        "letters by number",
        "tables",
        "pictures",
        "notes",
        "raw letters",
        "links",
        "signs",
    ],
)
def test_it_is_read_as_its_words(words: bytes, read: str) -> None:
    assert text_of(rich(words)) == read


def test_the_encoding_that_it_names_counts_where_a_font_names_none() -> None:
    head = rb"{\rtf1\ansi\ansicpg936\deff0{\fonttbl{\f0\fnil SimSun;}}"
    assert text_of(rich(rb"\'c4\'e3\'ba\'c3", head)) == "你好"
    assert text_of(rich("你好".encode("gbk"), head)) == "你好"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (rich(rb"{\pict\pngblip 89504e47}"), "file_without_words"),
        (rich(rb"x{\pict\bin}"), "file_unreadable"),
        (rich(b"words " * 400_000), "file_too_long"),
        (rich(rb"{\field{\*\fldinst{" * 300_000), "file_without_words"),
    ],
    ids=["a picture alone", "a length without a number", "too many words", "fields that never end"],
)
def test_what_cannot_be_read_says_why(content: bytes, code: str) -> None:
    with pytest.raises(Invalid, match=code):
        text_of(content)
