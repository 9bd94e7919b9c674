"""What a search of the web has found, as it is read where no script draws it: in files, and on the page of a link."""

import re
from collections.abc import Callable

from flask_app.domain.web_sources import FAILED, FOUND, OPENED, RUNNING, STOPPED, Search, Source

Translate = Callable[..., str]

_SIGNS = re.compile(r"[\\\[\]<>*_`]|&(?=#?\w+;)")
_OUTSIDE = re.compile(r"[\s<>()]")
_NAMED = re.compile(r"&(?=#?\w+;)")  # what Markdown would read as another sign, such as &copy;
_WENT = {OPENED, FAILED, STOPPED}
_DAY = re.compile(r"^(\d{4}-\d\d-\d\d)[T ].*$")


def words(t: Translate, search: Search | None) -> str:
    """What came of it, in a line; empty without one."""
    if search is None or search.status == RUNNING:
        return ""
    if not search.query and all(source.fetched for source in search.sources):
        opened = sum(source.fetched == OPENED for source in search.sources)
        return t("js.web_opened", count=opened, all=len(search.sources))
    return t(f"js.web_{search.status}", query=search.query, count=len(search.sources))


def about(t: Translate, source: Source) -> str:
    """Whose page it is, of which day, as far as its engine says so, and how opening it went."""
    went = t(f"js.web_link_{source.fetched}") if source.fetched in _WENT else ""
    return " · ".join(part for part in (went, source.site, _DAY.sub(r"\1", source.published)) if part)


def markdown(t: Translate, search: Search | None) -> str:
    """The same with a list of the pages."""
    said = words(t, search)
    if search is None or not said:
        return ""
    if search.status != FOUND and not search.sources:
        return f"*{_escaped(said)}*"
    return "\n".join([f"**{_escaped(said)}**", "", *(_line(t, source) for source in search.sources)])


def _line(t: Translate, source: Source) -> str:
    address = _OUTSIDE.sub(lambda sign: "".join(f"%{each:02X}" for each in sign[0].encode()), source.url)
    address = _NAMED.sub("&amp;", address)
    told = _escaped(about(t, source))
    return f"{source.number}. [{_escaped(source.title or source.url)}]({address}){f' · {told}' if told else ''}"


def _escaped(text: str) -> str:
    return _SIGNS.sub(r"\\\g<0>", text)
