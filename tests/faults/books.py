"""Whether the money is right, whatever is going on: what each person paid in, less what the ledger took, is what is
left; and what `flask usage verify` looks at is in order."""

import csv
import json
import time
from collections.abc import Callable
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
    """The records of each person, as they are downloaded, must add up to what the ledger took."""
    found = []
    for user in range(1, len(site.people)):
        rows = site.rows(_TAKEN, user=site.ids[user])
        taken = (sum(int(row.tokens) for row in rows), sum(int(row.micros) for row in rows))
        for kind in ("jsonl", "csv"):
            if (told := _in_file(site.people[user], kind)) != taken:
                words = f"{kind} file of person {user}: {told}, the ledger took {taken}"
                found.append(Difference("ledger", None, words))
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


def _in_file(person: Visitor, kind: str) -> tuple[int, int]:
    """Tokens and money of all records as they are downloaded."""
    lines = person.get(f"/api/usage/records/export?format={kind}").data.decode("utf-8-sig").splitlines()
    records = csv.DictReader(lines) if kind == "csv" else map(json.loads, lines)
    sums = [(int(each["total_tokens"]), int(each["cost_micros"] or 0)) for each in records]
    return sum(tokens for tokens, _ in sums), sum(micros for _, micros in sums)
