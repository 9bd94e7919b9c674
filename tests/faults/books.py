"""Whether the money is right, whatever is going on: what each person paid in, less what the ledger took, is what is
left; and what `flask usage verify` looks at is in order."""

import csv
import json
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

from flask_app.database import utc_now
from flask_app.domain import periods
from flask_app.services.ledger import usage_check_service
from tests.faults.oracle import Difference
from tests.faults.site import CREDIT, DAILY, PEOPLE, ZONE, Site
from tests.support.served import Visitor

TRIES = 40
PAUSE_SECONDS = 0.05

_TAKEN = (
    "SELECT day, coalesce(sum(prompt_tokens + completion_tokens), 0) AS tokens, coalesce(sum(cost_micros), 0) AS micros"
    " FROM token_usage WHERE user_id = :user GROUP BY day"
)
_BOOKED = (
    "SELECT user_id, currency, coalesce(sum(prompt_tokens + completion_tokens), 0) AS tokens,"
    " coalesce(sum(cost_micros), 0) AS micros FROM token_usage GROUP BY user_id, currency"
)
_HELD = (
    "SELECT day, coalesce(sum(reserved_tokens), 0) AS tokens, coalesce(sum(reserved_micros), 0) AS micros"
    " FROM proxy_logs WHERE user_id = :user AND state = 'dispatched' GROUP BY day"
)

Books = dict[str, dict[str, int]]


def today() -> date:
    """The site's."""
    return periods.local_day(utc_now(), ZONE)


def unbalanced(site: Site, *, least: int = 0) -> list[Difference]:
    """Compare the budgets of everybody with the ledger and with what is under way, while both go on.

    Each of those who keep asking must have spent more than `least` micro-units.
    """
    found = []
    for user in range(1, len(site.people)):
        shown, kept = compared(site, user, site.people[user])
        if shown != kept or (user <= PEOPLE and kept["prepaid"]["used"] < least):
            found.append(Difference("ledger", None, f"money of person {user}: shown {shown}, the ledger has {kept}"))
    return found


def compared(site: Site, user: int, reader: Visitor, day: Callable[[], date] = today) -> tuple[Books, Books]:
    """The person's budgets as `reader` is shown them, and as they follow from the ledger for the reader's `day`.

    Where the ledger moved meanwhile it is looked at again.
    """
    shown: Books = {}
    before = _kept(site, user, day())
    for _ in range(TRIES):
        shown = _shown(reader)
        after = _kept(site, user, day())
        if before == after:
            break
        before = after
        time.sleep(PAUSE_SECONDS)
    return shown, before


def differing_files(site: Site) -> list[Difference]:
    """The records of each person, as they are downloaded, must add up to what the ledger took, and those of everybody,
    as the administrator downloads them, to what it took of each.
    """
    taken = _booked(site)
    found = []
    for kind in ("jsonl", "csv"):
        for user in range(1, len(site.people)):
            told, of_person = _in_file(site.people[user], f"/api/usage/records/export?format={kind}"), site.ids[user]
            if told != ({"": taken[of_person]} if of_person in taken else {}):
                words = f"{kind} file of person {user}: {told}, the ledger took {taken.get(of_person)}"
                found.append(Difference("ledger", None, words))
        if (told := _in_file(site.admin, f"/api/admin/records/export?format={kind}")) != taken:
            found.append(Difference("ledger", None, f"{kind} file of everybody: {told}, the ledger took {taken}"))
    return found


def unverified() -> list[Difference]:
    """What `flask usage verify` finds: it compares entries, roll-up and the days' counters, each in one statement."""
    found = usage_check_service.verify()
    return [Difference("ledger", None, f"verify: {each.what}: {each.where}") for each in found]


def _kept(site: Site, user: int, day: date) -> Books:
    taken, held = (site.rows(query, user=site.ids[user]) for query in (_TAKEN, _HELD))
    money = _standing(CREDIT, sum(int(row.micros) for row in taken), sum(int(row.micros) for row in held))
    tokens = [sum(int(row.tokens) for row in rows if row.day == day) for rows in (taken, held)]
    return {"prepaid": money, "day": _standing(DAILY, *tokens)}


def _standing(limit: int, used: int, reserved: int) -> dict[str, int]:
    return {"limit": limit, "used": used, "reserved": reserved, "left": limit - used - reserved}


def _shown(reader: Visitor) -> Books:
    budgets: list[dict[str, Any]] = reader.get("/api/budgets").json()["budgets"]
    names = _standing(0, 0, 0)
    return {budget["period"]: {name: budget[name] for name in names} for budget in budgets}


def _booked(site: Site) -> dict[str, Counter[str]]:
    """Of each person by id: tokens, and micro-units of each currency."""
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in site.rows(_BOOKED):
        found[row.user_id].update({"tokens": int(row.tokens), row.currency or "": int(row.micros)})
    return dict(found)


def _in_file(reader: Visitor, path: str) -> dict[str, Counter[str]]:
    """The same of all records as they are downloaded; a file of one person names nobody."""
    lines = reader.get(path).data.decode("utf-8-sig").splitlines()
    records: Iterable[dict[str, Any]] = csv.DictReader(lines) if "csv" in path else map(json.loads, lines)
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for each in records:
        whose = each.get("user_id") or each.get("user", {}).get("id", "")
        found[whose].update(tokens=int(each["total_tokens"]))
        found[whose].update({each["currency"] or "": int(each["cost_micros"] or 0)})
    return dict(found)
