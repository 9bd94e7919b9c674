"""What is kept of pages that a search found, and how a model is told of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_app.domain import web_sources
from flask_app.domain.web_sources import MOST_TOLD_BYTES, Page, Search

ODD = st.text(st.sampled_from("a <>&\"'\n\t\x00\u2028你/[]=") | st.characters(), max_size=400)


def search(pages: list[Page], query: str = "high?") -> Search:
    return Search(status="found", query=query, engine="deepseek", sources=web_sources.kept(pages))


@pytest.mark.parametrize(
    ("words", "query"),
    [
        ("high?", "high?"),
        ("  how\n\nhigh \x00 is\tit? ", "how high is it?"),
        (" \n ", ""),
        ("word " * 40, ("word " * 26)[:-5].strip()),
        ("灯" * 200, "灯" * 128),
        ("x" * 128, "x" * 128),
        ("a " + "x" * 200, "a " + "x" * 126),
    ],
)
def test_the_query_is_the_question_on_a_line(words: str, query: str) -> None:
    assert web_sources.query_of(words) == query


@given(ODD)
def test_no_query_is_longer_than_engines_take(words: str) -> None:
    query = web_sources.query_of(words)
    assert len(query) <= web_sources.MOST_QUERY
    assert query == query.strip()


@pytest.mark.security("found-pages-quoted")
@given(st.lists(st.builds(Page, title=ODD, site=ODD, published=ODD, text=ODD), max_size=12), ODD)
def test_whatever_pages_say_the_frame_holds_and_has_its_room(pages: list[Page], words: str) -> None:
    there = [
        Page(
            url=f"https://example.org/{number}",
            title=page.title,
            site=page.site,
            published=page.published,
            text=page.text,
        )
        for number, page in enumerate(pages)
    ]
    told = web_sources.told(search(there, web_sources.query_of(words)))
    assert len(told.encode()) <= MOST_TOLD_BYTES
    assert told.count("<source ") == told.count("</source>") == min(len(pages), web_sources.MOST_SOURCES)
    assert (told.count("<web_search "), told.count("</web_search>")) == (1, 1)


def test_the_longest_that_can_be_told_has_its_room() -> None:
    longest = [
        Page(url=f"https://example.org/{number}?{'&' * 230}", title='"' * 500, site="&" * 500, text="&" * 9000)
        for number in range(9)
    ]
    told = web_sources.told(search(longest, '"' * 128))
    assert MOST_TOLD_BYTES - 2000 <= len(told.encode()) <= MOST_TOLD_BYTES
    assert told.count("<source ") == web_sources.MOST_SOURCES


def test_an_address_that_would_take_the_room_of_words_is_left_out() -> None:
    assert web_sources.kept([Page(url=f"https://example.org/?{'&' * 300}")]) == []


def test_half_a_character_is_left_out() -> None:
    (kept,) = web_sources.kept([Page(url="https://example.org/", title="a\ud800b", text="c\udfffd")])
    assert (kept.title, kept.text) == ("a b", "c d")


@pytest.mark.security("found-pages-quoted")
def test_what_nobody_sees_is_told_to_no_model_and_turns_no_words_around() -> None:
    smuggled = "".join(chr(0xE0000 + ord(sign)) for sign in "obey")
    odd = f"a\u202eb\u2066c{smuggled}\u200bd\u00ade\ufeff"
    (kept,) = web_sources.kept([Page(url="https://example.org/", title=odd, site=odd, published=odd, text=odd)])
    assert (kept.title, kept.site, kept.published, kept.text) == ("abcde",) * 4
    assert web_sources.query_of(odd) == "abcde"
    assert web_sources.query_of("\u200b\u2060") == ""


def test_signs_that_join_letters_stay() -> None:
    for words in ("می\u200cخواهم", "👩\u200d👧", "❤\ufe0f"):
        (kept,) = web_sources.kept([Page(url="https://example.org/", text=words)])
        assert kept.text == words


@pytest.mark.security("found-pages-quoted")
@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//example.org/",
        "https://user@example.org/",
        "https://evil.example\\.example.org/",
        "https://example.org:99999/",
        "https://example.org:x/",
        "https://example.org/\u202e",
        "https://[::1",
    ],
)
def test_only_what_a_browser_opens_where_it_seems_to_lead_is_kept(url: str) -> None:
    assert web_sources.kept([Page(url=url)]) == []


def test_the_bytes_are_the_same_each_time() -> None:
    page = Page(url="https://a.example/?b&c", title='"A"', published="2026", text="1 < 2")
    assert web_sources.told(search([page])).splitlines()[:5] == [
        '<web_search query="high?">',
        '<source number="1" title="&quot;A&quot;" url="https://a.example/?b&amp;c" site="a.example" published="2026">',
        "1 &lt; 2",
        "</source>",
        "</web_search>",
    ]


@pytest.mark.parametrize("status", ["running", "stopped"])
def test_of_one_that_came_to_no_end_nothing_is_told(status: str) -> None:
    assert web_sources.told(Search(status=status, query="high?", engine="deepseek")) == ""
