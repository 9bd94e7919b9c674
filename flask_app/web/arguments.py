"""Query parameters as what they stand for. One that is empty, as forms send them, is absent."""

from dataclasses import replace
from datetime import date
from typing import TypedDict

from flask import request

from flask_app.errors import BadRequest
from flask_app.services.audit import audit_search
from flask_app.services.gateway import request_search
from flask_app.services.usage.record_search import Filter
from flask_app.services.usage.stats_service import DateRange

MAX_DIGITS = 9


def word(name: str) -> str | None:
    """Text on one line; raises BadRequest("bad_word") for control characters, which databases read differently."""
    raw = request.args.get(name, "").strip()
    if not raw.isprintable():
        raise BadRequest("bad_word", name=name)
    return raw or None


def number(name: str, default: int) -> int:
    """A whole number; raises BadRequest("bad_number")."""
    raw = word(name)
    if raw is None:
        return default
    if not (raw.isascii() and raw.isdigit() and len(raw) <= MAX_DIGITS):
        raise BadRequest("bad_number", name=name)
    return int(raw)


def day(name: str) -> date | None:
    """A day such as 2026-11-25; raises BadRequest("bad_date")."""
    raw = word(name)
    if raw is None:
        return None
    try:
        found = date.fromisoformat(raw)
    except ValueError as error:
        raise BadRequest("bad_date", name=name) from error
    if found.isoformat() != raw or not date(1970, 1, 2) <= found <= date(9999, 12, 30):
        raise BadRequest("bad_date", name=name)
    return found


def dates() -> DateRange:
    """The days `from` and `to`."""
    return DateRange(day("from"), day("to"))


def record_filter() -> Filter:
    """What the ledger is searched for."""
    return replace(own_record_filter(), user=word("user"), group=word("group"), key=word("key"))


def own_record_filter() -> Filter:
    """What one's own part of it is searched for."""
    return Filter(
        model=word("model"),
        outcome=word("outcome"),
        provenance=word("provenance"),
        channel=word("channel"),
        token=word("token"),
        id=word("id"),
        dates=dates(),
    )


def request_filter() -> request_search.Filter:
    """What the log of programs' requests is searched for."""
    words = {name: word(name) for name in ("user", "token", "model", "status", "error", "id")}
    return request_search.Filter(dates=dates(), **words)


class PeopleFilter(TypedDict):
    search: str
    group_id: str | None
    state: str | None


def people_filter() -> PeopleFilter:
    return {"search": request.args.get("q", ""), "group_id": word("group"), "state": word("state")}


def audit_filter() -> audit_search.Filter:
    """What the audit log is searched for."""
    return audit_search.Filter(who=word("who"), action=word("action"), about=word("about"), dates=dates())
