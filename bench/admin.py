"""How quick a large site's pages of people and of the audit log are: ``python -m bench.admin``.

5,000 people in 100 groups, each with an open session, every tenth with an access token, and a million entries of the
audit log, written as the server writes them, on SQLite and on MariaDB. Every combination of what the audit log is
filtered by, at its first page, its second and one far back; every kind of search for people, at its first page, its
second and its last; and the pages themselves: each several times, whole requests as the server sees them. Status 1
where the 95th percentile of all, or the median of one, is over 100 ms.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product
from pathlib import Path
from random import Random
from statistics import median
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import insert
from sqlalchemy.orm import Session

from bench.report import p95
from bench.search import database_url
from flask_app import create_app, database
from flask_app.config import Config
from flask_app.database import first_id, new_id, table_of, transaction, utc_now, writing
from flask_app.models import AccessToken, AuditEntry, Group, LoginSession, User
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import COMMAND_LINE, Actor
from flask_app.services.people import people_search
from flask_app.services.secrets.signing import digest
from flask_app.services.site import rate_admin_service
from tests.support import clients, storage
from tests.support.clients import PageClient

ROWS, PEOPLE, GROUPS, ADMINS, TIMES, MOST_MILLISECONDS = 1_000_000, 5_000, 100, 12, 3, 100
AT_ONCE = 5_000  # rows in a transaction: the server writes each in that of its act
SPREAD = timedelta(days=365)
AUDIT, USERS = "/api/admin/audit", "/api/admin/users"
# How often what is done, of a hundred; the rest is anything. What is done to people falls on all of them, more or less.
COMMON = {"user.change": 35, "group.change": 15, "budget.top_up": 15, "user.add": 10}
RARE, NEVER = "ownership.give", "database.move"
ANYTHING = tuple(action for action in audit_service.ACTIONS if action not in {RARE, NEVER})
DETAILS = {"before": {"group": "Class 3b"}, "after": {"group": "Class 4b"}, "username": "somebody"}


@dataclass(frozen=True)
class Cast:
    """`busy` has four in ten of the entries; `quiet` a few."""

    admins: list[User]
    members: list[User]

    @property
    def busy(self) -> User:
        return self.admins[0]

    @property
    def quiet(self) -> User:
        return self.members[7]

    def actor(self, random: Random, number: int) -> User | None:
        if number % 100_000 == 7:
            return self.quiet
        if random.random() < 0.03:
            return None
        return self.busy if random.random() < 0.4 else random.choice(self.admins[1:])

    def target(self, random: Random) -> str:
        """Half of what is done falls on a hundredth of the people."""
        few = self.members[: len(self.members) // 100]
        return random.choice(few if random.random() < 0.5 else self.members).id


def main() -> None:
    """Print a table; status 1 where something took too long."""
    parser = argparse.ArgumentParser(prog="bench.admin", description="How quick a large site's pages are.")
    parser.add_argument("--rows", type=int, default=ROWS, help="of the audit log")
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--database", choices=["sqlite", "mariadb"], help="only on this one")
    arguments = parser.parse_args()
    slow = False
    for name in [arguments.database] if arguments.database else ["sqlite", "mariadb"]:
        with tempfile.TemporaryDirectory() as folder, database_url(name, Path(folder)) as url:
            slow |= _measure(name, url, Path(folder), arguments)
            database.disconnect()
    sys.exit(slow)


def _measure(name: str, url: str, folder: Path, arguments: argparse.Namespace) -> bool:
    storage.migrate(url)
    secret = "the key that only this bench knows, long enough"
    app = create_app(Config(instance_dir=folder, secret_key=secret, encryption_key=secret, database_url=url))
    rate_admin_service.set_site(Actor(None), {"requests": None})
    cast = _people(arguments.people)
    began = time.perf_counter()
    _fill(cast, arguments.rows)
    print(f"{name}: {arguments.rows} entries were written in {time.perf_counter() - began:.0f} s", flush=True)
    asker = clients.signed_in(app, cast.admins[1])
    kinds = {
        "the audit log": _audit_searches(cast),
        "people": _searches_for_people(cast),
        "pages": ((path, {}) for path in ("/admin/users", "/admin/groups", "/admin/tokens", "/admin/audit", "/admin")),
    }
    slow = [kind for kind, searches in kinds.items() if _told(f"{name}: {kind}", asker, searches)]
    return bool(slow)


def _people(count: int) -> Cast:
    random, now = Random(1), utc_now()
    groups = [Group(id=new_id(), name=f"Class {number}", name_key=f"class {number}") for number in range(GROUPS)]
    people = [
        User(
            id=new_id(now - SPREAD * (1 - number / count)),
            username=f"person {number}",
            username_key=f"person {number}",
            email=f"Person.{number}@school.example.org",
            role="admin" if number < ADMINS else "member",
            is_owner=number == 1,
            group_id=random.choice(groups).id,
            last_seen_at=now,
        )
        for number in range(count)
    ]
    for made in (groups, people, [_session(person, now) for person in people], [_token(each) for each in people[::10]]):
        with transaction() as session:
            session.add_all(made)
    return Cast(people[:ADMINS], people[ADMINS:])


def _session(person: User, now: datetime) -> LoginSession:
    ends = {"expires_at": now + timedelta(days=9)}
    return LoginSession(id=digest(person.id), user_id=person.id, address="192.0.2.1", user_agent="a browser", **ends)


def _token(person: User) -> AccessToken:
    return AccessToken(user_id=person.id, name="a program", digest=digest(f"token of {person.id}"), hint="abcd")


class Written(Session):
    """Takes what the audit log adds, so that many rows can be written at once."""

    def __init__(self) -> None:
        super().__init__()
        self.entries: list[AuditEntry] = []

    def add(self, instance: object, **_: Any) -> None:
        assert isinstance(instance, AuditEntry)
        self.entries.append(instance)


def _fill(cast: Cast, rows: int) -> None:
    """Each entry is made as an act makes it, and as old as it shall be."""
    random, now = Random(1), utc_now()
    names = [column.name for column in table_of(AuditEntry).columns if column.name not in {"id", "created_at"}]
    for first in range(0, rows, AT_ONCE):
        written = Written()
        for number in range(first, min(first + AT_ONCE, rows)):
            _act(written, cast, random, number)
        moments = [now - SPREAD * (1 - number / rows) for number in range(first, first + len(written.entries))]
        values = [
            {"id": new_id(moment), "created_at": moment} | {name: getattr(entry, name) for name in names}
            for entry, moment in zip(written.entries, moments, strict=True)
        ]
        with writing() as connection:
            connection.execute(insert(AuditEntry), values)


def _act(written: Session, cast: Cast, random: Random, number: int) -> None:
    (drawn,) = random.choices([*COMMON, ""], [*COMMON.values(), 100 - sum(COMMON.values())])
    action = RARE if number % 200_000 == 9 else drawn or random.choice(ANYTHING)
    audit_service.record(written, cast.actor(random, number), action, cast.target(random), DETAILS, "192.0.2.1")


def _audit_searches(cast: Cast) -> Iterator[tuple[str, dict[str, str]]]:
    today = utc_now().date()
    days = {name: (today - timedelta(days=age)).isoformat() for name, age in (("new", 1), ("old", 200), ("older", 230))}
    choices: dict[str, list[dict[str, str]]] = {
        "who": _each("who", cast.busy.username, cast.admins[5].username, cast.quiet.username, COMMAND_LINE, "nobody"),
        "action": _each("action", "user.change", "passkey.rename", RARE, NEVER),
        "about": _each("about", cast.members[0].id, cast.members[-1].id, "nothing"),
        "dates": [
            {},
            {"from": days["new"]},
            {"from": days["older"], "to": days["old"]},
            {"to": (today - timedelta(days=364)).isoformat()},
            {"to": (today - timedelta(days=999)).isoformat()},
        ],
    }
    for drawn in product(*choices.values()):
        query = {name: value for each in drawn for name, value in each.items()}
        yield AUDIT, query
        yield AUDIT, query | {"before": "second"}
        yield AUDIT, query | {"before": first_id(utc_now() - timedelta(days=300))}


def _searches_for_people(cast: Cast) -> Iterator[tuple[str, dict[str, str]]]:
    last = {"before": cast.members[10].id}
    for search in (
        "",
        "person",
        "47",
        "person.47@school.example.org",
        "class 7",
        cast.members[-1].username,
        "nobody",
        "%",
        "x" * 64,
    ):
        for page in ({}, {"before": "second"}, last):
            for limit in ({}, {"limit": "100"}):
                yield USERS, {"q": search} | page | limit
        for narrowed in [*_each("state", *people_search.STATES)[1:], {"group": cast.members[0].group_id}]:
            yield USERS, {"q": search} | narrowed


def _each(name: str, *values: str) -> list[dict[str, str]]:
    return [{}, *({name: value} for value in values)]


def _told(kind: str, asker: PageClient, searches: Iterator[tuple[str, dict[str, str]]]) -> bool:
    """Say how long they took; was it too long?"""
    taken: list[tuple[float, str]] = []
    every: list[float] = []
    warm: set[str] = set()
    for path, query in searches:
        if path not in warm:  # whoever asks first after a start waits for its template
            warm.add(path)
            asker.get(path)
        if (wanted := _paged(asker, path, query)) is not None:
            times = [_milliseconds(asker, f"{path}?{urlencode(wanted)}") for _ in range(TIMES)]
            taken.append((median(times), f"{path} {query}"))
            every += times
    taken.sort(reverse=True)
    print(f"{kind}: {len(taken)} requests, {TIMES} times each: {median(every):.1f} ms in the median, ", end="")
    print(f"{p95(every):.1f} ms in the 95th percentile; by their medians the slowest:", flush=True)
    for milliseconds, search in taken[:5]:
        print(f"  {milliseconds:6.1f} ms  {search}", flush=True)
    return max(p95(every), taken[0][0]) > MOST_MILLISECONDS


def _paged(asker: PageClient, path: str, query: Mapping[str, str]) -> dict[str, str] | None:
    """The query with the cursor of its second page in the place of that word; None where there is none."""
    if query.get("before") != "second":
        return dict(query)
    first = {name: value for name, value in query.items() if name != "before"}
    told: dict[str, Any] = asker.get(f"{path}?{urlencode(first)}").json or {}
    return first | {"before": told["next"]} if told["next"] else None


def _milliseconds(asker: PageClient, path: str) -> float:
    began = time.perf_counter()
    assert asker.get(path).status_code == 200, path
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
