"""Words of a text, what a query asks for, and where a text has it."""

import dataclasses
import re
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flask_app.domain import search_terms
from flask_app.domain.search_terms import PIECE, SNIPPET_LENGTH, WORD_LENGTH, query_of, snippet_of, words_of

# Letters of many scripts, signs of query languages, pictures, accents on their own, letters that fold to several.
LETTERS = st.text(
    st.sampled_from("aAbé e\u0301ßﬁ你好吗漢字カかが\u3099ﾊﾟ한글กำ🎉👩\u200d💻+*\"-#_'()，。１\n\t\u3000"), max_size=60
)


def is_found(text: str, typed: str) -> bool:
    """As the index and the proof by the text together say."""
    query = query_of(typed)
    if query is None:
        return False
    words = words_of(text)
    begun = all(any(word.startswith(beginning) for word in words) for beginning in query.beginnings)
    found = snippet_of(text, query) is not None
    indexed = query.words <= words and begun
    assert indexed or not found, "whatever the text has the index must lead to"
    return found


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("他说：你好吗？", "你好"),
        ("他说：你好", "好"),
        ("我的猫", "猫"),
        ("一只猫很大", "猫"),
        ("東京タワーへ行きます", "タワー"),
        ("ﾀﾜｰ", "タワー"),
        ("ﾃﾞｰﾀのﾊﾞｯｸｱｯﾌﾟ", "データ"),
        ("データ", "ﾃﾞｰﾀ"),
        ("ﾊﾞｯｸｱｯﾌﾟ", "バックアップ"),
        ("ﾃﾞｰﾀ", "ﾃﾞｰﾀ"),
        ("Aﾟ", "Aﾟ"),
        ("サーバーが動く", "が"),
        ("か\u3099", "が"),
        ("한국어 공부", "한국"),
        ("ภาษาไทย", "ภาษา"),
        ("使用Python编程", "python"),
        ("使用Python编程", "编程 使用"),
        ("用 Python 编程吧", "Python编程"),
        ("Compound interest", "compound INT"),
        ("Un café", "cafe"),
        ("Un cafe", "café"),
        ("Cafe\u0301", "café"),
        ("die Straße", "strasse"),
        ("ＡＢＣ１２３", "abc123"),
        ("the ﬁrst", "first"),
        ("well done 🎉", "🎉"),
        ("I like C++ and C#", "c++"),
        ("I like C++ and C#", "c#"),
        ("C++20 and C#12", "c++ c#"),
        ("C#入門とC++入門", "c# c++"),
        ("see docs#install of it", "docs it"),
        ("see docs#install", "install"),
        ("see docs#install", "docs#install"),
        ("rated ⭐", "⭐"),
        ("due ⏰ ▶\ufe0f", "⏰ ▶"),
        ("flask_app.domain", "flask_app"),
        ("see flask_app/domain", "app.dom"),
        ("don't", "don't"),
        ("Москва", "МОСК"),
        ("NEAR the harbour OR not", '"near" OR'),
        ("a*b", "a*b"),
        ("wait..... what", "wait.....what"),
        ("x" * 500, "x" * 500),
        ("x" * 500, "x" * 20),
        ("复利😀是什么", "是什么"),
    ],
)
def test_it_is_found(text: str, typed: str) -> None:
    assert is_found(text, typed)


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("你们好", "你好"),
        ("你好吗 好久", "你好久"),
        ("start of it", "art"),
        ("interesting", "interest it"),
        ("two words", "two words more"),
        ("a cat", "c"),
        ("I like C++ and C#", "c"),
        ("カス", "ガス"),
        ("ｶｽ", "ガス"),
        ("NEAR", "near AND harbour"),
        ("deep sea", "deepsea"),
        ("x" * 500, "x" * 499 + "y"),
        ("", "a"),
    ],
)
def test_it_is_not_found(text: str, typed: str) -> None:
    assert not is_found(text, typed)


@pytest.mark.parametrize("typed", ["", "  \n\u3000", "!?", "***", '""', "+-", "，。", "\u0301", "_"])
def test_there_is_nothing_to_look_for(typed: str) -> None:
    assert query_of(typed) is None


@pytest.mark.security("searches-literal")
@pytest.mark.parametrize("sign", ['"', "*", "+", "-", "(", ")", "~", "<", ">", "@", "^", "%", "\\", "'", ":", "{", "["])
def test_signs_of_query_languages_mean_nothing(sign: str) -> None:
    assert is_found("the harbour lights", f"{sign}harbour{sign} {sign} lights")
    assert not is_found("the harbour lights", f"{sign}boat")


def test_words_are_as_long_as_the_column_holds() -> None:
    assert max(map(len, words_of("a" * 1000 + " 很长" * 100))) <= WORD_LENGTH


def test_a_snippet_is_the_line_around_the_first_match() -> None:
    query = query_of("harbour")
    assert query
    text = "before\n\n" * 60 + "the   old\tharbour is here " + "after " * 60 + "harbour"
    snippet = snippet_of(text, query)
    assert snippet
    assert snippet.text.startswith("…")
    assert snippet.text.endswith("…")
    assert len(snippet.text) <= SNIPPET_LENGTH + 2
    assert "the old harbour is here" in snippet.text
    assert [snippet.text[left:right] for left, right in snippet.marks] == ["harbour"]


def test_marks_are_where_the_original_has_them() -> None:
    query = query_of("strasse ﬁrst")
    assert query
    snippet = snippet_of("ﬁrst Straße, last straße and STRASSE", query)
    assert snippet
    marked = [snippet.text[left:right] for left, right in snippet.marks]
    assert marked == ["ﬁrst", "Straße", "straße", "STRASSE"]


def test_half_width_kana_are_marked_with_their_signs() -> None:
    query = query_of("データ パ")
    assert query
    snippet = snippet_of("ｺﾞﾐ ﾃﾞｰﾀ ﾊﾟ", query)
    assert snippet
    assert [snippet.text[left:right] for left, right in snippet.marks] == ["ﾃﾞｰﾀ", "ﾊﾟ"]


def test_what_overlaps_is_marked_once() -> None:
    query = query_of("harb harbour")
    assert query is not None
    snippet = snippet_of("harb harbour", query)
    assert snippet
    assert snippet.marks == [(0, 4), (5, 12)]


@given(LETTERS, LETTERS)
@example("A#", "A")
@example("a++", "a")
def test_nothing_raises_and_marks_lie_inside(text: str, typed: str) -> None:
    is_found(text, typed)
    query = query_of(typed)
    snippet = snippet_of(text, query) if query else None
    if snippet:
        assert snippet.marks
        assert all(0 <= left < right <= len(snippet.text) for left, right in snippet.marks)
        assert len(snippet.text) <= SNIPPET_LENGTH + 2


@given(LETTERS, st.data())
def test_every_piece_of_a_text_between_blanks_is_found(text: str, data: st.DataObject) -> None:
    pieces = [piece for piece in text.split() if query_of(piece)]
    if pieces:
        assert is_found(text, data.draw(st.sampled_from(pieces)))


@given(LETTERS)
def test_words_are_folded_already(text: str) -> None:
    for word in words_of(text):
        assert word == word.casefold()
        assert word
        assert len(word) <= WORD_LENGTH


def test_a_long_text_takes_no_time_that_grows_with_its_square() -> None:
    query = query_of("a b c d e")
    assert query
    assert snippet_of("a " * 200_000, query) is None
    assert search_terms.words_of("a " * 200_000) == {"a"}


@pytest.mark.parametrize("part", ["🎉", "c++", "a.", "好+", "_a_"])
def test_no_query_makes_the_proof_try_without_end(part: str) -> None:
    query = query_of(part * 6 + "x")
    assert query
    assert snippet_of(part * 5_000, query) is None


@pytest.mark.parametrize("typed", ["a-" * 99 + "b", "a " * 99 + "b", " ".join(f"{at}-" * 9 for at in range(20))])
def test_a_query_is_so_many_words_and_so_many_of_them_together(typed: str) -> None:
    query = query_of(typed)
    assert query
    tokens = [phrase.pattern.pattern.count("{0,") + 1 for phrase in query.phrases]
    assert max(tokens) <= 8
    assert sum(tokens) <= 32
    assert len(query.words | query.beginnings) <= 32


def test_a_phrase_is_looked_for_in_bounded_pieces() -> None:
    query = query_of("a-" * 7 + "b")
    assert query
    looked = _Looks(query.phrases[0].pattern)
    phrase = dataclasses.replace(query.phrases[0], pattern=looked)  # type: ignore[arg-type]
    assert phrase.first("a-" * 100_000) is None
    assert sum(looked.sizes) < 2 * 200_000
    assert max(looked.sizes) < 10_000


@pytest.mark.parametrize("place", [PIECE - 10, PIECE - 2, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE - 3])
def test_a_match_at_the_end_of_a_piece_is_found(place: int) -> None:
    query = query_of("harbour, lights on")
    assert query
    text = "x" * (place - 1) + " harbour,lights only " + "y" * PIECE
    assert snippet_of(text, query) is not None
    whole = query_of("harbour, lights on.")
    assert whole
    assert snippet_of(text, whole) is None


def test_only_a_snippet_is_looked_through_for_marks() -> None:
    query = query_of("a")
    assert query
    looked = _Looks(query.phrases[0].pattern)
    phrase = dataclasses.replace(query.phrases[0], pattern=looked)  # type: ignore[arg-type]
    snippet = snippet_of("a b " * 50_000, dataclasses.replace(query, phrases=(phrase,)))
    assert snippet
    assert len(snippet.marks) == SNIPPET_LENGTH // 4
    assert sum(looked.sizes) < 10_000


def test_all_of_unicode_may_be_met_and_little_of_it_is_kept() -> None:
    for first in range(0, 0x110000, 4096):
        words_of("".join(map(chr, range(first, first + 4096))))
        assert len(search_terms._fold) <= 10_000


class _Looks:
    """A pattern that notes how many characters it was given to look at."""

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self._pattern = pattern
        self.sizes: list[int] = []

    def search(self, text: str, begin: int, end: int) -> re.Match[str] | None:
        self.sizes.append(min(end, len(text)) - begin)
        return self._pattern.search(text, begin, end)

    def finditer(self, text: str, begin: int, end: int) -> Iterator[re.Match[str]]:
        self.sizes.append(min(end, len(text)) - begin)
        return self._pattern.finditer(text, begin, end)
