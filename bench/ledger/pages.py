"""What is asked of the site: every page that shows use, with every range, grouping and filter that it offers."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations
from random import Random
from urllib.parse import urlencode

from flask_app.domain import ranges
from flask_app.domain.outcomes import OUTCOMES
from flask_app.routes.managed import SPANS
from flask_app.services.usage import breakdown_service
from flask_app.services.usage.record_lookups import CHANNELS
from flask_app.services.usage.record_search import PROVENANCES

_PAGES = (
    *("users", "groups", "limits", "budgets", "codes", "tokens", "shares", "keys", "models", "prices", "warnings"),
    *("prompts", "assistants", "tools", "reconciliation", "audit", "requests", "settings", "system"),
)

Choices = Mapping[str, list[dict[str, str]]]  # by field; each choice is a part of the query


@dataclass(frozen=True, slots=True)
class Page:
    """An address, and what kind of page it is."""

    kind: str
    path: str

    @property
    def is_search(self) -> bool:
        """For records, with one filter or none."""
        return "/records" in self.path and self.kind.endswith(("no filter", "one filter")) and "/api/" in self.path

    @property
    def is_of_days(self) -> bool:
        """Are its figures of the reader's own days? Those of tokens are of the site's."""
        return not any(words in self.kind for words in ("records", "page of", "by token"))


@dataclass(frozen=True, slots=True)
class Known:
    """What there is to search for: ids, common and rare."""

    since: date
    today: date
    person: str
    quiet_person: str
    groups: list[str]
    managed: str
    keys: list[str]
    drifts: list[str]
    tokens: list[str]
    ids: list[str]


def own(known: Known) -> Iterator[Page]:
    """A person's own pages."""
    yield Page("own page", "/dashboard")
    yield Page("own summary", "/api/usage/summary")
    yield Page("page of own tokens", "/tokens")
    yield Page("page of own requests", "/tokens/requests")
    yield Page("page of the composer's budgets", "/api/budgets")
    for days in _ranges(known):
        yield Page("own page", _path("/dashboard", days))
        yield Page("own report", _path("/api/usage/report", days))
        for by in breakdown_service.OWN:
            yield Page(f"own use by {by}", _path("/api/usage/groups", {"by": by} | days))
            yield Page("own use as CSV", _path("/api/usage/groups/export", {"by": by} | days))
    yield from _by_token("own", "/api/usage/tokens", known)
    for year in _years(known):
        yield Page("own heat map", _path("/api/usage/groups", {"by": "day"} | year))
    yield from searches("own records", "/api/usage/records", _own_fields(known))
    yield from _of_three("own records", "/api/usage/records", _own_fields(known))
    yield from searches("page of own records", "/dashboard", _own_fields(known))


def managed(known: Known) -> Iterator[Page]:
    """What the manager of a group sees."""
    page, api = f"/managed/{known.managed}", f"/api/managed/{known.managed}"
    for span in SPANS:
        yield Page("page of a managed group", _path(page, {"range": span}))
    for name in ("people", "invitations", "budgets"):
        yield Page("page of a managed group", f"{api}/{name}")
    for days in ({}, *_ranges(known)):
        yield Page("use of a managed group", _path(f"{api}/use", days))


def site(known: Known) -> Iterator[Page]:
    """The administrators' pages."""
    for name in ("", *(f"/{page}" for page in _PAGES)):
        yield Page("site page" if not name else f"page of {name[1:]}", f"/admin{name}")
    yield Page("site overview", "/api/admin/overview")
    yield Page("page of reconciliation", "/api/admin/reconciliations")
    for drift in known.drifts:
        yield Page("page of a day's explanation", f"/api/admin/reconciliations/{drift}")
    for days in _ranges(known):
        yield Page("site page", _path("/admin", days))
        yield Page("site report", _path("/api/admin/report", days))
        for by in breakdown_service.SITE:
            yield Page(f"site use by {by}", _path("/api/admin/usage", {"by": by} | days))
            yield Page("site use as CSV", _path("/api/admin/usage/export", {"by": by} | days))
    yield from _by_token("site", "/api/admin/usage/tokens", known)
    for year in _years(known):
        yield Page("site heat map", _path("/api/admin/usage", {"by": "day"} | year))
    yield from searches("site records", "/api/admin/records", _site_fields(known))
    yield from _of_three("site records", "/api/admin/records", _site_fields(known))
    yield from (
        Page("page of records", page.path) for page in searches("", "/admin/records", _site_fields(known), most=1)
    )


def _by_token(whose: str, path: str, known: Known) -> Iterator[Page]:
    for days in ({}, *_ranges(known)):
        yield Page(f"{whose} use by token", _path(path, days))
        yield Page(f"{whose} use by token as CSV", _path(f"{path}/export", days))


def searches(kind: str, path: str, fields: Choices, *, most: int = 2) -> Iterator[Page]:
    """Without a filter, with each choice of each field, with each pair of choices of two fields."""
    yield Page(f"{kind}, no filter", path)
    for count, name in ((1, "one filter"), (2, "two filters"))[:most]:
        for together in combinations(fields.values(), count):
            for query in _products(together):
                yield Page(f"{kind}, {name}", _path(path, query))


def _of_three(kind: str, path: str, fields: Choices) -> Iterator[Page]:
    """With each three fields at once, and of each a choice that is drawn: the same in every run."""
    random = Random(path)
    for together in combinations(fields.values(), 3):
        yield Page(f"{kind}, three filters", _path(path, random.choice(list(_products(together)))))


def _products(fields: tuple[list[dict[str, str]], ...]) -> Iterator[dict[str, str]]:
    if not fields:
        yield {}
        return
    for choice in fields[0]:
        for rest in _products(fields[1:]):
            yield choice | rest


def _own_fields(known: Known) -> Choices:
    return {
        "model": _each("model", "deepseek-flash", "qwen-rare", "glm-old", "no-such-model"),
        "outcome": _each("outcome", *OUTCOMES),
        "provenance": _each("provenance", *PROVENANCES),
        "channel": _each("channel", *CHANNELS),
        "token": _each("token", *known.tokens, "no-such-token"),
        "id": _each("id", *known.ids, "no-such-id", "8f0c2a51d6f84c0fb6e0d1a7c3b95e12"),
        "days": _days_searched(known),
    }


def _site_fields(known: Known) -> Choices:
    return {
        "user": _each("user", known.person, known.quiet_person, "chen", "nobody of this name"),
        "group": _each("group", *known.groups),
        "key": _each("key", *known.keys, "no-such-key"),
        **_own_fields(known),
    }


def _each(name: str, *values: str) -> list[dict[str, str]]:
    return [{name: value} for value in values]


def _days_searched(known: Known) -> list[dict[str, str]]:
    """Lately, long ago, for long, and before there was anything."""
    long_ago, before = known.today - timedelta(days=500), known.since - timedelta(days=30)
    spans = ((known.today, known.today), (long_ago, long_ago), (known.since, long_ago), (before, before))
    return [_between(first, last) for first, last in spans]


def _ranges(known: Known) -> list[dict[str, str]]:
    """All that the pages offer; "all" is two years. And a single day and a year of long ago."""
    offered = ranges.presets(known.today, known.since).values()
    long_ago = known.since + timedelta(days=100)
    chosen = [ranges.Days(long_ago, long_ago), ranges.ending(known.today - timedelta(days=200), 365)]
    return [_between(days.first, days.last) for days in (*offered, *chosen)]


def _years(known: Known) -> list[dict[str, str]]:
    return [_between(date(year, 1, 1), date(year, 12, 31)) for year in range(known.since.year, known.today.year + 1)]


def _between(first: date, last: date) -> dict[str, str]:
    return {"from": first.isoformat(), "to": last.isoformat()}


def _path(path: str, query: Mapping[str, str]) -> str:
    return f"{path}?{urlencode(query)}"
