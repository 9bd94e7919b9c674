"""The pages of a document's words, and those that somebody chooses."""

import time
import timeit

import pytest

from flask_app.domain import files
from flask_app.domain.document_pages import LONGEST_CHOICE, LONGEST_WRITTEN, Page, chosen, pages_of, written


def _words(text: str) -> list[tuple[int | None, str, str]]:
    return [(page.number, page.name, text[page.begin : page.end]) for page in pages_of(text)]


@pytest.mark.parametrize(
    ("text", "pages"),
    [
        ("no marks", [(None, "", "no marks")]),
        ("", [(None, "", "")]),
        ("[page 1]\none\n[page 2]\n\n[page 3]\nthree", [(1, "", "one\n"), (2, "", "\n"), (3, "", "three")]),
        ("[slide 1]\none\n[slide 2]\ntwo", [(1, "", "one\n"), (2, "", "two")]),
        ("[sheet Costs]\na\tb\n[sheet 税]\nc", [(1, "Costs", "a\tb\n"), (2, "税", "c")]),
        ("[page 1]", [(1, "", "")]),
        ("[page 1: no words]\n[page 2]\ntwo", [(1, "", ""), (2, "", "two")]),
        ("[page 1]\none\n[page 2: no words]\n[page 3]\nthree", [(1, "", "one\n"), (2, "", ""), (3, "", "three")]),
        ("[slide 1]\n[slide 2: no words]\ntwo", [(1, "", "[slide 2: no words]\ntwo")]),
        ("see\n[page 1]\none", [(None, "", "see\n[page 1]\none")]),
        ("[page 1]\n[page 7]\n[sheet x]\none\n[page 2]\ntwo", [(1, "", "[page 7]\n[sheet x]\none\n"), (2, "", "two")]),
    ],
)
def test_pages_are_what_stands_between_their_marks(text: str, pages: list[tuple[int | None, str, str]]) -> None:
    assert _words(text) == pages


def test_a_text_without_pages_is_one() -> None:
    assert pages_of("abc") == [Page(None, 0, 3)]


@pytest.mark.parametrize(
    ("words", "means"),
    [
        ("3-7, 12", "3-7, 12"),
        ("12,3–7", "3-7, 12"),
        ("3 - 7；12", "3-7, 12"),
        ("1、2、3", "1-3"),
        ("5 5 5", "5"),
        ("1-4, 2-3, 5", "1-5"),
        (" 20 ,", "20"),
        ("１-３", "1-3"),
    ],
)
def test_pages_are_chosen_as_people_write_them(words: str, means: str) -> None:
    assert written(chosen(words, 20)) == means


@pytest.mark.parametrize("words", ["", " ", ",", "0", "21", "7-3", "1-21", "one", "1-", "-1", "1-2-3", "9" * 300])
def test_what_is_no_page_is_refused(words: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        chosen(words, 20)


def test_what_is_written_down_of_a_long_choice_can_be_read_again() -> None:
    every_other = ",".join(map(str, range(1, 123, 2)))
    assert len(every_other) <= LONGEST_CHOICE < len(written(chosen(every_other, 200))) <= LONGEST_WRITTEN
    assert chosen(written(chosen(every_other, 200)), 200) == chosen(every_other, 200)


@pytest.mark.parametrize("lines", ["[\n" * 900_000, "[sheet a]\nx\n" * 130_000, "no mark at all\n" * 140_000])
def test_a_text_that_is_made_to_look_like_pages_is_no_more_of_them_and_soon_looked_at(lines: str) -> None:
    text = lines if lines.startswith(("[sheet", "no")) else f"[page 1]\n{lines}"
    found = pages_of(text)
    assert len(found) <= files.MOST_PAGES
    assert found[-1].end == len(text)
    lines_alone = min(timeit.repeat(text.splitlines, number=5, timer=time.process_time))
    pages = min(timeit.repeat(lambda: pages_of(text), number=5, timer=time.process_time))
    assert pages < 8 * lines_alone, "twice as long is usual"
