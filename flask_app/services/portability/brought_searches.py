"""What was looked up on the web for questions that are imported, and by models, as far as it can be kept."""

from collections.abc import Iterable

from msgspec.structs import asdict, replace

from flask_app import i18n
from flask_app.domain import web_links, web_sources
from flask_app.domain.web_sources import (
    EMPTY,
    FAILED,
    FOUND,
    MOST_NUMBER,
    MOST_PAGE_BYTES,
    MOST_SOURCE_BYTES,
    OPENED,
    RUNNING,
    STOPPED,
    Page,
    Search,
    Source,
)
from flask_app.services.portability.message_tree import Placed, short

_ENGINE_LENGTH = 16


def of(placed: Iterable[Placed]) -> dict[str, Search]:
    """By the ids that the messages get here."""
    found = {
        row["id"]: _kept(said.search) if said.role == "user" else _of_answer(said.search)
        for row, said in placed
        if said.search
    }
    return {message_id: search for message_id, search in found.items() if search.query or search.sources}


def bytes_in(searches: Iterable[Search]) -> int:
    """How much of text they are."""
    return sum(len(_words(source).encode()) for search in searches for source in search.sources)


def _kept(search: Search) -> Search:
    """What it says of itself is as little to be believed as all else in a file."""
    links = web_links.brought((each.fetched, _code(each.fetch_error), _page(each)) for each in search.sources)
    pages = [_page(each) for each in search.sources if not each.fetched] if search.status == FOUND else []
    sources = web_links.numbered([*links, *web_sources.kept(pages)])
    return replace(
        search,
        engine=short(search.engine, _ENGINE_LENGTH) or "",
        query=web_sources.query_of(search.query),
        status=_status(search, sources),
        error_code=_code(search.error_code),
        sources=sources,
    )


def _of_answer(search: Search) -> Search:
    """What a model found itself: each page with the number that it is cited by; nothing where a query is told."""
    found: dict[int, Source] = {}
    for each in search.sources if not search.query else ():
        url, is_opened = each.url.strip(), each.fetched == OPENED
        if 0 < each.number <= MOST_NUMBER and each.number not in found and web_sources.is_open(url):
            most = MOST_PAGE_BYTES if is_opened else MOST_SOURCE_BYTES
            kept = web_sources.source_of(url, _page(each), most, OPENED if is_opened else "")
            found[each.number] = replace(kept, number=each.number)
    engine = short(search.engine, _ENGINE_LENGTH) or ""
    return Search(status=FOUND, query="", engine=engine, sources=list(found.values()))


def _status(search: Search, sources: list[Source]) -> str:
    if search.status == FOUND:
        return FOUND if sources else EMPTY
    if search.status == RUNNING:
        return STOPPED
    return search.status if search.status in {EMPTY, STOPPED} else FAILED


def _page(source: Source) -> Page:
    return Page(**{name: value for name, value in asdict(source).items() if name in Page.__struct_fields__})


def _code(told: str | None) -> str | None:
    """One that there is here."""
    return told if told and f"error.{told}" in i18n.catalogue(i18n.DEFAULT_LOCALE) else None


def _words(source: Source) -> str:
    return source.title + source.url + source.site + source.published + source.text
