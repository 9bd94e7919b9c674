"""The passages that fit a question are found in long texts, in English and in Chinese, and the same ones each time."""

import random
from itertools import pairwise

import pytest

from flask_app.domain import passages, telling
from flask_app.domain.events import estimate_tokens
from flask_app.domain.passages import LONGEST, Passage, best, first, pieces_of

BUDGET = 8_000
_ENGLISH = ("the", "river", "runs", "past", "old", "mills", "quiet", "gardens", "count", "boats", "wooden", "bridge")
_CHINESE = "他们沿着河边慢慢走过旧磨坊看见许多小船在桥下停靠天色渐晚街上灯火通明"


@pytest.fixture(scope="module")
def manual() -> str:
    """2,000 pages of a PDF, and near the limit of 2 MB."""
    chance = random.Random(1)
    pages = {number: [" ".join(chance.choices(_ENGLISH, k=12)) + "." for _ in range(12)] for number in range(1, 2001)}
    pages[1234].insert(5, "Warranties for the centrifugal pump end after three winters.")
    pages[777].insert(2, "The centrifugal pump is painted green.")
    return "\n".join(f"[page {number}]\n" + "\n".join(lines) for number, lines in pages.items())


@pytest.fixture(scope="module")
def book() -> str:
    chance = random.Random(2)
    pages = {number: ["".join(chance.choices(_CHINESE, k=30)) + "，" for _ in range(30)] for number in range(1, 601)}
    pages[321].insert(7, "离心水泵的保\n修期在三个冬天之后结束。")
    return "\n".join(f"[page {number}]\n" + "\n".join(lines) for number, lines in pages.items())


def _pages(text: str, question: str) -> list[int | None]:
    return [passage.page for passage in best([text], question, BUDGET)]


def test_the_page_is_found_among_two_thousand(manual: str) -> None:
    assert len(manual) > 1_500_000
    found = best([manual], "When does the warranty of the centrifugal pumps end?", BUDGET)
    assert [passage.page for passage in found] == [777, 1234]
    assert "after three winters" in manual[found[1].begin : found[1].end]


def test_the_page_is_found_in_a_chinese_book_across_the_end_of_a_line(book: str) -> None:
    assert len(book.encode()) > 1_500_000
    assert _pages(book, "水泵的保修期什么时候结束？") == [321]
    assert 321 in _pages(book, "離心 or 离心?")


def test_the_same_is_found_each_time_and_fits(manual: str) -> None:
    question = "a wooden bridge, the quiet mills, pump"
    found = best([manual], question, 2_000)
    assert found == best([manual], question, 2_000)
    assert found == sorted(found)
    assert 0 < sum(estimate_tokens(manual[each.begin : each.end]) for each in found) <= 2_000


def test_a_word_is_found_with_its_ending_and_not_within_another() -> None:
    texts = ["Contracts end in May.", "He was contracting it.", "A subcontract.", "The contractually bound.", "cont"]
    assert [each.text for each in best(texts, "contract", BUDGET)] == [0, 1]
    assert [each.text for each in best(["C++ is one", "C is another", "objective-c#"], "c", BUDGET)] == [1]
    assert [each.text for each in best(["the tax of 2019", "taxi", "20190"], "tax 2019", BUDGET)] == [0]


def test_one_character_is_found_wherever_it_stands() -> None:
    assert [each.text for each in best(["关于税的说明", "没有这个字"], "税?", BUDGET)] == [0]


def test_nothing_is_found_where_no_word_is_there_or_all_are_everywhere(manual: str) -> None:
    assert best([manual], "xylophone", BUDGET) == []
    assert best([manual], "", BUDGET) == []
    assert best([], "pump", BUDGET) == []
    assert best([""], "pump", BUDGET) == []
    assert best([manual], "the river", BUDGET) == []


def test_a_faint_likeness_is_left_out() -> None:
    """A word in many places tells little beside words in one."""
    texts = ["zinc zinc copper and tin alloy river", *(f"the river {number}" for number in range(12)), *["no"] * 20]
    assert [each.text for each in best(texts, "zinc copper tin alloy river", BUDGET)] == [0]


def test_the_beginning_is_as_much_as_fits(manual: str) -> None:
    found = first(manual, 1_000)
    assert [each.page for each in found] == list(range(1, len(found) + 1))
    assert 600 < sum(estimate_tokens(manual[each.begin : each.end]) for each in found) <= 1_000
    assert first(manual, 0) == []


def test_pieces_overlap_within_a_page_and_miss_nothing() -> None:
    text = "[page 1]\n" + " ".join(f"Sentence number {n}." for n in range(300)) + "\n[page 2]\nShort."
    pieces = list(pieces_of(text))
    assert pieces[-1].page == 2
    assert all(each.end - each.begin <= LONGEST for each in pieces)
    for before, after in pairwise(pieces[:-1]):
        assert before.begin < after.begin < before.end
    said = "".join(text[each.begin : each.end] for each in pieces)
    assert all(f"Sentence number {n}." in said for n in range(300))
    assert text[pieces[3].begin :].startswith("Sentence")


def test_what_overlaps_comes_once() -> None:
    text = "\n".join(f"Copper line {n}." for n in range(200)) + "zinc " * 5_000
    found = best([text], "copper", BUDGET)
    assert all(before.end < after.begin for before, after in pairwise(found))
    assert found[0].end - found[0].begin > LONGEST


def test_a_text_of_one_unbroken_line_is_cut() -> None:
    assert [each.end - each.begin for each in pieces_of("x" * 3_000)] == [1_200, 1_200, 750]
    assert list(pieces_of(" \n\t ")) == []


@pytest.mark.parametrize("number", [0, 3])
def test_a_piece_says_which_text_it_is_of(number: int) -> None:
    assert list(pieces_of(" abc ", number)) == [Passage(number, None, 1, 4)]


def test_of_a_long_question_its_ends_count() -> None:
    words = [f"word{n}x" for n in range(200)]
    texts = [f"{word} here" for word in words]
    found = {each.text for each in best(texts, " ".join(words), BUDGET)}
    assert len(found) == passages.MOST_TERMS
    assert {0, 31, 168, 199} <= found
    assert not {32, 167} & found


def test_of_a_question_of_many_kilobytes_only_its_ends_are_looked_at() -> None:
    much = "pump " * 20_000
    assert best(["harbour here"], f"{much}harbour {much}", BUDGET) == []
    assert best(["harbour here"], f"harbour {much}", BUDGET) == best(["harbour here"], f"{much}harbour", BUDGET) != []


def test_a_line_that_is_no_name_of_a_sheet_is_words_of_which_few_are_told() -> None:
    text = f"[sheet {'costs ' * 100_000}]"
    found = best([text], "costs?", BUDGET) or first(text, BUDGET)
    told = telling.document("a.txt", None, text, telling.Way(telling.SEARCH, telling.places(found)))
    assert "costs" in told
    assert estimate_tokens(told) < BUDGET + 200


def test_what_is_high_up_in_words_and_in_meaning_comes_first() -> None:
    text = "\n\n".join(f"{'a harbour ' if number in {3, 9} else ''}{'river and boats. ' * 60}" for number in range(20))
    pieces = list(passages.pieces_of(text))
    having = [at for at, each in enumerate(pieces) if "harbour" in text[each.begin : each.end]]
    (found,) = passages.best([text], "harbour", 400, [0, having[1], *range(1, 5)])
    assert found == pieces[having[1]]


def test_where_no_word_is_there_meaning_alone_finds() -> None:
    text = "\n\n".join(f"Part {number}. {'river and boats. ' * 60}" for number in range(20))
    pieces = list(passages.pieces_of(text))
    assert passages.best([text], "warranty", 400) == []
    assert passages.best([text], "warranty", 400, [7]) == [pieces[7]]
    many = passages.best([text], "warranty", 50_000, list(range(len(pieces))))
    assert many[0].begin == 0
    assert many[-1].end <= pieces[passages.MOST_NEAR - 1].end, "of meaning no more than the nearest count"
