"""Searches for what LIKE takes for something else: the rows that have it, at once, or a word that it is too long."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from flask_app.database import first_id, new_id, transaction, utc_now
from flask_app.models import DEFAULT_GROUP_ID, AuditEntry, User
from flask_app.services.search import search_index
from tests.support import ledger
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.searching import say

ROWS = 3000
INDEXED = 300  # messages: it takes its time
SECONDS = 5
LETTERS = ("%", "_", "\\")
CALLED = "%_" * 25


def people() -> None:
    """As many as names can be long, of what is looked for and another letter in the end."""
    names = [f"{CALLED}{number:05}x" for number in range(ROWS)] + [f"one {letter} alone" for letter in LETTERS]
    rows = [{"username": name, "username_key": name, "group_id": DEFAULT_GROUP_ID, "role": "member"} for name in names]
    with transaction() as session:
        session.execute(insert(User), rows)


def acts() -> None:
    """Each the end of an account, by its person or by an administrator, who acted before it too."""
    now, rows = utc_now(), list[dict[str, Any]]()
    for number in range(ROWS):
        gone, action = new_id(), ("account.delete", "user.delete")[number % 2]
        told = {"actor_id": gone, "target": gone, "actor_name": CALLED, "details": f'{{"username": "{CALLED}"}}'}
        rows.append({"id": first_id(now - timedelta(seconds=number)), "action": action, "address": ""} | told)
    with transaction() as session:
        session.execute(insert(AuditEntry), rows)


# Who asks, where, by which parameter, how much of it is let in, where it says what is found; what finds something.
ASKED: dict[str, tuple[str, str, str, int, str, str]] = {
    "people": ("admin", "/api/admin/users", "q", 254, "users", CALLED),
    "records": ("admin", "/api/admin/records", "user", 128, "records", "member"),
    "conversations": ("member", "/api/conversations/search", "q", 200, "hits", "plain % words"),
    "acts": ("admin", "/api/admin/audit", "who", 128, "entries", CALLED),
}


@pytest.mark.security("searches-literal", "like-bounded")
@pytest.mark.each_case
@pytest.mark.parametrize("what", ASKED)
def test_a_search_for_a_thousand_of_them_ends_at_once(
    admin_client: PageClient, member_client: PageClient, member: User, what: str
) -> None:
    fill: dict[str, Callable[[], Any]] = {
        "people": people,
        "records": lambda: ledger.write(ledger.entry(member.id, utc_now()) for _ in range(ROWS)),
        "conversations": lambda: say(member, *["plain %% words"] * INDEXED),
        "acts": acts,
    }
    fill[what]()
    if what == "conversations":
        search_index.catch_up()
    who, path, name, most, found, there = ASKED[what]
    client = {"admin": admin_client, "member": member_client}[who]
    assert client.get(path, query_string={name: there}).get_json()[found]
    asked = [letter * times for letter in LETTERS for times in (1000, most)]
    for words in [*asked, *(f"plain {letter * (most - 6)}" for letter in LETTERS)]:
        began = time.monotonic()
        reply = client.get(path, query_string={name: words})
        assert time.monotonic() - began < SECONDS
        if len(words) > most and what != "people":
            assert (reply.status_code, error_code(reply)) == (400, "search_too_long")
        elif what != "conversations":
            assert reply.get_json()[found] == [], "nobody has so many"
        elif words.startswith("plain"):
            assert reply.get_json()[found], "found by the word"
        else:
            assert (reply.status_code, error_code(reply)) == (400, "search_empty")


@pytest.mark.security("searches-literal")
@pytest.mark.parametrize("letter", LETTERS)
def test_people_are_found_by_it_as_by_any_letter(admin_client: PageClient, letter: str) -> None:
    people()
    found = admin_client.get("/api/admin/users", query_string={"q": f"e {letter} a"}).get_json()["users"]
    assert [each["username"] for each in found] == [f"one {letter} alone"]
