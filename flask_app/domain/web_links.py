"""The links in a question, each of which may be opened before it is answered, and what came of that."""

import re
from collections.abc import Iterable, Sequence

import msgspec

from flask_app.domain import web_sources
from flask_app.domain.web_sources import FAILED, FOUND, MOST_PAGE_BYTES, OPENED, RUNNING, STOPPED, Page, Search, Source

MOST_LINKS = 3  # of a question

# What is not of ASCII ends one: Chinese follows an address without a space, and browsers copy addresses escaped.
_LINK = re.compile(r"\bhttps?://[!#-;=?-Z\[\]_a-z|~]+", re.IGNORECASE | re.ASCII)
_AT_END = ".,;:!?'*_~|"
_PAIRS = {")": "(", "]": "["}
EMPTY_PAGE = "page_empty"


def links_in(words: str) -> list[str]:
    """The first of them that a browser would open, each once."""
    found = dict.fromkeys(link for link in map(_trimmed, _LINK.findall(words)) if web_sources.is_open(link))
    return list(found)[:MOST_LINKS]


def without(words: str) -> str:
    """The words beside the links; empty where nothing is said beside them."""
    rest = _LINK.sub(lambda found: _rest(found[0]), words)
    return rest if any(sign.isalnum() for sign in rest) else ""


def opened(link: str, pages: Sequence[Page]) -> list[Source]:
    """What is kept of the page that a link led to; nothing of one without words."""
    made = [web_sources.source_of(link, page, MOST_PAGE_BYTES, OPENED) for page in pages[:1]]
    return [each for each in made if each.text]


def together(query: str, engine: str, links: dict[str, Search], search: Search | None) -> Search:
    """What was opened, by its link, and found, as one: the links are counted first, those that led nowhere too.

    It went as the search did; without one, as the links did, of which one is enough.
    """
    pages = [_page(link, each) for link, each in links.items() if each.status != RUNNING]
    opened = {page.url for page in pages if page.fetched == OPENED}
    found = [each for each in search.sources if each.url not in opened] if search else []
    how, sources = search or _of_links(list(links.values())), numbered([*pages, *found])
    return Search(status=how.status, query=query, engine=engine, error_code=how.error_code, sources=sources)


def brought(told: Iterable[tuple[str, str | None, Page]]) -> list[Source]:
    """What is kept of links by how they went, which somebody else says, with the code of a failure."""
    made: dict[str, Source] = {}
    for how, code, page in told:
        url = page.url.strip()
        if how and len(made) < MOST_LINKS and web_sources.is_open(url):
            known = how if how in {OPENED, STOPPED} else FAILED
            kept = web_sources.source_of(url, page if known == OPENED else Page(), MOST_PAGE_BYTES, known)
            made[url] = msgspec.structs.replace(kept, fetch_error=code if known == FAILED else None)
    return list(made.values())


def numbered(sources: Iterable[Source]) -> list[Source]:
    """The same, counted from 1."""
    return [msgspec.structs.replace(each, number=number) for number, each in enumerate(sources, 1)]


def room_of(links: Sequence[str]) -> int:
    """How many bytes what they lead to may take in the prompt."""
    return len(links) * MOST_PAGE_BYTES


def _page(link: str, came: Search) -> Source:
    if came.sources:
        return came.sources[0]
    nothing = web_sources.source_of(link, Page(), MOST_PAGE_BYTES, STOPPED if came.status == STOPPED else FAILED)
    return msgspec.structs.replace(
        nothing, fetch_error=None if came.status == STOPPED else came.error_code or EMPTY_PAGE
    )


def _of_links(came: Sequence[Search]) -> Search:
    """The one that says how all of them went."""
    for status in (RUNNING, FOUND, STOPPED, FAILED):
        if like := [each for each in came if each.status == status]:
            return like[0]
    return msgspec.structs.replace(came[0], status=FAILED, error_code=EMPTY_PAGE)


def _trimmed(link: str) -> str:
    """Without the signs that end a sentence, and brackets that were opened before it."""
    while link:
        last = link[-1]
        unpaired = last in _PAIRS and link.count(last) > link.count(_PAIRS[last])
        if last not in _AT_END and not unpaired:
            return link
        link = link[:-1]
    return link


def _rest(found: str) -> str:
    """What stays of it: all where it is none that can be opened."""
    link = _trimmed(found)
    return found if not web_sources.is_open(link) else f" {found[len(link) :]}"
