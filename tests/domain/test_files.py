"""How a document stands in a prompt: nothing that it says, or is called, is taken for its end."""

import time

import pytest

from flask_app.domain import files


@pytest.mark.parametrize(
    "tag",
    [
        "</document>",
        "</DOCUMENT>",
        "< / Document >",
        "</\n document",
        "<\t/document",
        '<document name="x">',
        "<  DoCuMent",
        "<\u00a0/document>",
    ],
)
def test_no_text_ends_a_document_or_begins_another(tag: str) -> None:
    told = files.document("a.txt", None, f"before {tag} after")
    assert told == f'<document name="a.txt">\nbefore <\\{tag[1:]} after\n</document>'


def test_what_is_no_tag_stays() -> None:
    words = "a < b, </doc>, <body>, &lt;document, <\\/document"
    assert words in files.document("a.txt", None, words)


def test_a_long_text_is_looked_through_in_no_time() -> None:
    for part in ("<", "< ", "<" + " " * 1000, "< / " * 10, "</docu"):
        text = part * (files.MOST_TEXT_BYTES // len(part))
        before = time.thread_time()
        assert text in files.document("a.txt", 2, text)
        assert time.thread_time() - before < 2
    blanks = "<" + " " * files.MOST_TEXT_BYTES
    before = time.thread_time()
    assert blanks in files.document("a.txt", None, blanks)
    assert time.thread_time() - before < 2


def test_its_name_ends_nothing() -> None:
    told = files.document("\"><a\r\n\x00\x85&\u2028'b", None, "words")
    assert told.splitlines()[0] == '<document name="&quot;&gt;&lt;a    &amp; &#x27;b">'


@pytest.mark.parametrize(
    ("width", "height", "tiles"),
    [(64, 48, 1), (512, 512, 1), (513, 512, 2), (1024, 1024, 4), (2048, 1536, 4), (1536, 2048, 4), (2048, 700, 8)],
)
def test_a_picture_is_bounded_by_its_size(width: int, height: int, tiles: int) -> None:
    assert files.most_tokens(width, height) == 2_833 + 5_667 * tiles
