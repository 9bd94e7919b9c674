"""Which links of a question are opened, what it asks beside them, and what is kept of where they lead."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_app.domain import web_links, web_sources
from flask_app.domain.web_sources import FAILED, FOUND, MOST_PAGE_BYTES, OPENED, RUNNING, STOPPED, Page, Search

ODD = st.text(st.sampled_from("a <>&\"'\n\t\x00\u2028你/[]=#") | st.characters(), max_size=400)


@pytest.mark.parametrize(
    ("words", "links"),
    [
        ("Read https://example.org/a?b=1&c=2#d.", ["https://example.org/a?b=1&c=2#d"]),
        ("看https://example.org/a这篇文章", ["https://example.org/a"]),
        ("看（https://example.org/a）。", ["https://example.org/a"]),
        (
            "[one](https://example.org/a_(b)) and <http://example.net>",
            ["https://example.org/a_(b)", "http://example.net"],
        ),
        ("https://example.org https://example.org", ["https://example.org"]),
        ("HTTPS://EXAMPLE.ORG/A", ["HTTPS://EXAMPLE.ORG/A"]),
        (" ".join(f"https://{number}.example" for number in range(5)), [f"https://{n}.example" for n in range(3)]),
        ("ftp://example.org javascript:alert(1) www.example.org https:// https://a:b@example.org", []),
        (f"https://example.org/{'x' * 1000}", []),
        ("xhttps://example.org", []),
        ("how high?", []),
    ],
)
def test_the_first_that_a_browser_opens_are_opened(words: str, links: list[str]) -> None:
    assert web_links.links_in(words) == links


@pytest.mark.parametrize(
    ("words", "rest"),
    [
        ("https://example.org", ""),
        (" (https://example.org) ... https://example.net!", ""),
        ("How high is it? https://example.org.", "How high is it?  ."),
        ("ftp://example.org https://example.org", "ftp://example.org  "),
        ("https://a:b@example.org https://example.org", "https://a:b@example.org  "),
    ],
)
def test_what_is_said_beside_them_is_searched_for(words: str, rest: str) -> None:
    assert web_links.without(words) == rest


@given(st.text(st.sampled_from("htps:/.@[]() \n\\你") | st.characters()))
def test_whatever_is_written_they_can_be_opened(words: str) -> None:
    for text in (words, f"https://{words}"):
        links = web_links.links_in(text)
        assert len(links) <= web_links.MOST_LINKS
        assert all(web_sources.is_open(link) and link in text for link in links)
        web_links.without(text)


def came(status: str, text: str = "", **fields: str) -> Search:
    sources = web_links.opened("https://one.example/", [Page(text=text)]) if text else []
    return Search(status=status, query="", engine="deepseek", sources=sources, **fields)


@given(ODD, ODD, ODD)
@pytest.mark.security("found-pages-quoted")
def test_whatever_a_page_says_the_frame_holds_and_has_its_room(title: str, text: str, link: str) -> None:
    page = Page(title=title, site=title, published=title, text=text * 100)
    links = [url for url in ("https://one.example/", f"https://two.example/{link}") if web_sources.is_open(url)]
    opened = {url: came(FOUND) for url in links}
    opened = {
        url: Search(status=FOUND, query="", engine="deepseek", sources=web_links.opened(url, [page])) for url in opened
    }
    told = web_sources.told(web_links.together("", "deepseek", opened, None))
    assert len(told.encode()) <= web_links.room_of(links) + web_sources.FRAME_BYTES
    assert told.count("<source ") == told.count("</source>") == len(links)
    assert (told.count("<opened_links>"), told.count("</opened_links>")) == (1, 1)


def test_a_page_keeps_its_lines() -> None:
    text = "# A\r\n\r\n\r\n\r\n| a | b |  \n|---|---|\x00\n\u200bend\n"
    (source,) = web_links.opened("https://one.example/a", [Page(text=text)])
    assert source.text == "# A\n\n| a | b |\n|---|---|\nend"
    assert (source.site, source.fetched) == ("one.example", OPENED)
    (long,) = web_links.opened("https://one.example/a", [Page(text="<" * 100_000)])
    assert MOST_PAGE_BYTES - 300 < 4 * len(long.text) < MOST_PAGE_BYTES


def test_a_page_without_words_is_none() -> None:
    assert web_links.opened("https://one.example/", [Page(title="a", text=" \n\u200b")]) == []
    assert web_links.opened("https://one.example/", []) == []


def test_links_are_counted_before_what_was_found_and_none_twice() -> None:
    pages = [Page(url=f"https://{name}.example/", text=name) for name in ("one", "three")]
    search = Search(status=FOUND, query="high?", engine="deepseek", sources=web_sources.kept(pages))
    links = {
        "https://one.example/": came(FOUND, "whole"),
        "https://two.example/": came(FAILED, error_code="upstream_busy"),
    }
    both = web_links.together("high?", "deepseek", links, search)
    assert (both.status, both.query, both.error_code) == (FOUND, "high?", None)
    assert [(each.number, each.url[8:11], each.text, each.fetched, each.fetch_error) for each in both.sources] == [
        (1, "one", "whole", OPENED, None),
        (2, "two", "", FAILED, "upstream_busy"),
        (3, "thr", "three", "", None),
    ]
    told = web_sources.told(both)
    assert "[This link could not be opened.]" in told
    assert told.index("</opened_links>") < told.index('<web_search query="high?">') < told.index("not instructions")


@pytest.mark.parametrize(
    ("statuses", "how"),
    [
        ((RUNNING, FOUND), (RUNNING, None, 1)),
        ((FAILED, FOUND), (FOUND, None, 2)),
        ((FAILED, STOPPED), (STOPPED, None, 2)),
        (("empty", FAILED), (FAILED, "upstream_busy", 2)),
        (("empty", "empty"), (FAILED, "page_empty", 2)),
    ],
)
def test_without_a_search_it_went_as_the_links_did(statuses: tuple[str, str], how: tuple[str, str | None, int]) -> None:
    links = {
        f"https://{number}.example/": came(
            status, "words" if status == FOUND else "", **({"error_code": "upstream_busy"} if status == FAILED else {})
        )
        for number, status in enumerate(statuses)
    }
    whole = web_links.together("", "deepseek", links, None)
    assert (whole.status, whole.error_code, len(whole.sources)) == how


def test_a_search_that_failed_says_so_beside_a_link_that_was_opened() -> None:
    search = Search(status=FAILED, query="high?", engine="deepseek", error_code="upstream_busy")
    both = web_links.together("high?", "deepseek", {"https://one.example/": came(FOUND, "words")}, search)
    assert (both.status, both.error_code, len(both.sources)) == (FAILED, "upstream_busy", 1)
    told = web_sources.told(both)
    assert told.endswith("\n[The web was to be searched for what follows, and the search failed.]")
    assert "<web_search" not in told
