"""Titles: the first words of a question, and what is left of a model's reply."""

import pytest

from flask_app.domain import titles
from flask_app.domain.titles import LENGTH


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("What is compound interest?", "What is compound interest?"),
        ("  two\n\n lines ", "two lines"),
        ("字" * 300, "字" * 59 + "…"),
        ("x" * LENGTH, "x" * LENGTH),
    ],
)
def test_the_first_words_are_one_line_of_bounded_length(text: str, title: str) -> None:
    assert titles.first_words(text) == title


@pytest.mark.parametrize(
    ("reply", "title"),
    [
        ("Compound interest", "Compound interest"),
        ("复利的计算方法", "复利的计算方法"),
        ("  \n\nCompound interest\nand a second line", "Compound interest"),
        ("Compound interest.", "Compound interest"),
        ("复利是什么。", "复利是什么"),
        ("Is it true?", "Is it true?"),
        ('"Compound interest"', "Compound interest"),
        ('"Compound interest."', "Compound interest"),
        ("“复利”", "复利"),
        ("《复利》", "复利"),
        ("《红楼梦》的主题", "《红楼梦》的主题"),
        ("「複利」", "複利"),
        ("„Zinseszins“", "Zinseszins"),
        ("«Intérêts composés»", "Intérêts composés"),
        ('"This" and "that"', '"This" and "that"'),
        ("# Compound interest", "Compound interest"),
        ("**Compound interest**", "Compound interest"),
        ("__Compound interest__", "Compound interest"),
        ("- *Compound* interest", "Compound interest"),
        ("Title: Compound interest", "Compound interest"),
        ("**Title:** Compound interest", "Compound interest"),
        ("**标题：**《复利》", "复利"),
        ("The `strlen` function", "The strlen function"),
        ("What is __init__ for?", "What is __init__ for?"),
        ("Learning C#", "Learning C#"),
        ("2 * 3 * 4", "2 * 3 * 4"),
        ("1984, a novel", "1984, a novel"),
        ("a\tb\x00c\x1bd", "a b c d"),
        ("\u202eevil\u202c \u2066title\u2069\ufeff\u200b", "evil title"),
        ("half \ud800 a character", "half a character"),
        ("Family 👨\u200d👩\u200d👧 and flags 🇨🇳", "Family 👨\u200d👩\u200d👧 and flags 🇨🇳"),
        ("<b>bold</b>", "<b>bold</b>"),
        ("<think>\nThe user wants a title\n</think>\n\nCompound interest", "Compound interest"),
        ("word " * 40, ("word " * 12).strip()[:59].rstrip() + "…"),
    ],
)
def test_a_reply_becomes_one_plain_line(reply: str, title: str) -> None:
    assert titles.cleaned(reply) == title


@pytest.mark.parametrize(
    "reply", ["", " \n ", "…", '""', "**", "---", "🎉", "\u202e\u200b", "<think>\nThe user wants", "#" * 10_000]
)
def test_a_reply_without_a_word_is_no_title(reply: str) -> None:
    assert titles.cleaned(reply) is None


@pytest.mark.parametrize("piece", ["*a", "**a* ", "`a", "\"'", "# > ", "Title: ", "_", "《", "</think>"])
def test_whatever_a_model_writes_is_read_quickly(piece: str) -> None:
    title = titles.cleaned(piece * 20_000)
    assert title is None or 0 < len(title) <= LENGTH
