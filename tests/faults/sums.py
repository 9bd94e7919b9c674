"""Whether everybody is shown the same sums, tokens and money of each currency: a person, the administrator, and whoever
adds up the ledger."""

import time
from typing import Any

from tests.faults.oracle import Difference
from tests.faults.site import Site

TRIES = 20
FIELDS = ("requests", "prompt_tokens", "cached_tokens", "completion_tokens", "reasoning_tokens")

Sums = dict[str, int]  # of FIELDS, and micro-units of each currency

_NOTHING: dict[str, Any] = {**dict.fromkeys(FIELDS, 0), "costs": []}
_LEDGER = (
    "SELECT count(*) AS requests, coalesce(sum(prompt_tokens), 0) AS prompt_tokens,"
    " coalesce(sum(cached_tokens), 0) AS cached_tokens, coalesce(sum(completion_tokens), 0) AS completion_tokens,"
    " coalesce(sum(reasoning_tokens), 0) AS reasoning_tokens FROM token_usage WHERE user_id = :user"
)
_COSTS = (
    "SELECT currency, sum(cost_micros) AS micros FROM token_usage WHERE user_id = :user AND currency IS NOT NULL"
    " GROUP BY currency"
)
_UNSOUND = {
    "attempts that never ended": "SELECT count(*) AS number FROM proxy_logs WHERE state = 'dispatched'",
    "settled attempts without exactly one entry": (
        "SELECT count(*) AS number FROM (SELECT a.id FROM proxy_logs a LEFT JOIN token_usage t ON t.attempt_id = a.id"
        " WHERE a.state = 'settled' GROUP BY a.id HAVING count(t.id) <> 1) AS wrong"
    ),
    "entries without a settled attempt": (
        "SELECT count(*) AS number FROM token_usage t LEFT JOIN proxy_logs a ON a.id = t.attempt_id"
        " WHERE a.state IS NULL OR a.state <> 'settled'"
    ),
    "runs that never ended": "SELECT count(*) AS number FROM runs WHERE status = 'running'",
    "answers that never ended": "SELECT count(*) AS number FROM messages WHERE status = 'running'",
}


def compare(site: Site) -> list[Difference]:
    """Compare the sums of everybody. While somebody's ledger grows it is looked at again."""
    return [difference for user in range(1, len(site.people)) for difference in _compare(site, user)]


def unsound(site: Site) -> list[Difference]:
    """What must be true of the whole ledger once nothing is going on."""
    counts = {words: site.rows(query)[0].number for words, query in _UNSOUND.items()}
    return [Difference("ledger", None, f"{count} {words}") for words, count in counts.items() if count]


def _compare(site: Site, user: int) -> list[Difference]:
    shown: Any = {}
    for _ in range(TRIES):
        before = _ledger(site, user)
        own = site.people[user].get("/api/usage/summary").json()["total"]
        rows = site.admin.get("/api/admin/usage?by=user").json()["rows"]
        group = next((row for row in rows if row["key"] == site.ids[user]), _NOTHING)
        shown = {"ledger": before, "own": _fields(own), "admin": _fields(group)}
        if before == _ledger(site, user):
            break
        time.sleep(0.05)
    same = shown["ledger"] == shown["own"] == shown["admin"]
    return [] if same else [Difference("ledger", None, f"sums of person {user}: {shown}")]


def _ledger(site: Site, user: int) -> Sums:
    (row,) = site.rows(_LEDGER, user=site.ids[user])
    costs = {each.currency: int(each.micros) for each in site.rows(_COSTS, user=site.ids[user]) if each.micros}
    return {name: int(getattr(row, name)) for name in FIELDS} | costs


def _fields(shown: dict[str, Any]) -> Sums:
    costs = {each["currency"]: each["micros"] for each in shown["costs"] if each["micros"]}
    return {name: shown[name] for name in FIELDS} | costs
