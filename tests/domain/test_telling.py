"""How documents stand in a prompt that are not told whole."""

import pytest

from flask_app.domain import passages, telling
from flask_app.domain.telling import PAGES, SEARCH, WHOLE, Way

TEXT = "[page 1]\nfirst\n[page 2]\nsecond <document> </PAGE>\n[page 3]\nthird and long"
THIRD = TEXT.index("third")


def test_a_whole_document_is_told_as_it_always_was() -> None:
    assert telling.document("a.pdf", 3, "words", Way()) == '<document name="a.pdf" pages="3">\nwords\n</document>'


def test_chosen_pages_are_told_with_their_numbers_and_how_to_cite_them() -> None:
    told = telling.document('a"b.pdf', 3, TEXT, Way(PAGES, "1, 3"))
    assert told.startswith('<document name="a&quot;b.pdf" pages="3" shown="1, 3">\n[Only the chosen pages')
    assert "(p. 12)" in told
    assert "(第 12 页)" in told
    assert told.endswith('<page number="1">\nfirst\n</page>\n<page number="3">\nthird and long\n</page>\n</document>')
    assert "second" not in told


def test_passages_are_told_by_page_and_gaps_are_marked() -> None:
    way = Way(SEARCH, f"{THIRD}-{THIRD + 5} {THIRD + 10}-{THIRD + 14}")
    told = telling.document("a.pdf", 3, TEXT, way)
    assert 'shown="passages">\n[Only passages' in told
    assert told.endswith('<page number="3">\nthird\n[…]\nlong\n</page>\n</document>')


def test_a_document_without_pages_has_passages_without_numbers() -> None:
    told = telling.document("a.txt", None, "some words here", Way(SEARCH, "5-10"))
    assert "It has no pages" in told
    assert "(p. 12)" not in told
    assert told.endswith("<page>\nwords\n</page>\n</document>")


def test_a_sheet_keeps_its_name() -> None:
    told = telling.document("a.xlsx", 1, '[sheet "Costs"]\n1\t2', Way(PAGES, "1"))
    assert '<page number="1" name="&quot;Costs&quot;">\n1\t2\n</page>' in told


def test_no_words_of_a_document_end_it_or_a_page() -> None:
    told = telling.document("a.pdf", 3, TEXT, Way(PAGES, "2"))
    assert told.count("</document>") == 1
    assert told.lower().count("</page>") == 1
    assert told.count("<document") == 1


def test_where_it_is_not_known_what_was_found_its_beginning_is_told() -> None:
    assert "first\n</page>\n<page number=" in telling.document("a.pdf", 3, TEXT, Way(SEARCH))


@pytest.mark.parametrize(
    ("context", "documents", "each"),
    [(None, 1, 8_000), (1_000_000, 1, 8_000), (16_000, 1, 4_000), (16_000, 4, 1_000), (16_000, 10, 800), (512, 1, 800)],
)
def test_passages_have_a_share_of_what_a_model_reads(context: int | None, documents: int, each: int) -> None:
    assert telling.budget(context, documents) == each


@pytest.mark.parametrize("signs", ["字", "ก", "ع", "😀"])
def test_the_least_that_a_document_has_is_enough_for_a_passage(signs: str) -> None:
    text = "[page 1]\n" + signs * 5_000
    assert passages.first(text, telling.budget(1, 10))


def test_a_page_without_words_is_told_as_such() -> None:
    text = "[page 1]\nfirst\n[page 2: no words]\n[page 3]\nthird"
    told = telling.document("a.pdf", 3, text, Way(PAGES, "2-3"))
    assert told.endswith(
        '<page number="2">\n[page 2: no words]\n</page>\n<page number="3">\nthird\n</page>\n</document>'
    )


def test_what_is_found_is_written_down_and_read_again() -> None:
    found = passages.best([TEXT], "third", 500)
    way = telling.known(SEARCH, telling.places(found))
    assert way == Way(SEARCH, f"{THIRD}-{len(TEXT)}")


@pytest.mark.parametrize(
    ("name", "parts", "way"),
    [
        (WHOLE, "1-2", Way()),
        ("other", "1", Way()),
        (PAGES, "7, 3", Way(PAGES, "3, 7")),
        (PAGES, "nonsense", Way()),
        (PAGES, "", Way()),
        (SEARCH, "", Way(SEARCH)),
        (SEARCH, "5-10 0-3 x 12-11 10-12", Way(SEARCH, "5-10 10-12")),
        (SEARCH, "1-2 " * 20_000, Way()),
    ],
)
def test_what_a_file_says_is_taken_as_far_as_it_could_be_said_here(name: str, parts: str, way: Way) -> None:
    assert telling.known(name, parts) == way
