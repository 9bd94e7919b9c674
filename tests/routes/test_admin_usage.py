"""/api/admin/overview, usage, records: everybody's use, for administrators only."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from flask_app.database import new_id, transaction, utc_now
from flask_app.models import ApiKey, Provider, User
from tests.conftest import MakeUser, SignIn
from tests.support import ledger
from tests.support.clients import PageClient
from tests.support.scripted_upstream import ScriptedUpstream

OVERVIEW, USAGE, RECORDS = "/api/admin/overview", "/api/admin/usage", "/api/admin/records"


def get(client: PageClient, url: str, **query: str) -> Any:
    response = client.get(f"{url}?{urlencode(query)}")
    assert response.status_code == 200, response.text
    return response.json


def found(client: PageClient, **query: str) -> set[str]:
    return {record["id"] for record in get(client, RECORDS, **query)["records"]}


@pytest.fixture
def key(upstream: ScriptedUpstream) -> ApiKey:
    with transaction() as session:
        provider = Provider(name="Example", base_url="https://api.example.com")
        session.add(provider)
        session.flush()
        key = ApiKey(id=new_id(), provider_id=provider.id, label="团队 key", hint="")
        session.add(key)
    return key


@pytest.mark.parametrize("url", [OVERVIEW, USAGE, RECORDS])
def test_only_administrators_may_look(client: PageClient, member_client: PageClient, url: str) -> None:
    assert client.get(url).status_code == 401
    response = member_client.get(url)
    assert response.status_code == 403
    assert response.json is not None
    assert response.json["error"]["code"] == "forbidden"


def test_the_overview_counts_people_keys_and_use(
    admin_client: PageClient, member: User, make_user: MakeUser, upstream: ScriptedUpstream
) -> None:
    make_user("gone", disabled=True)
    ledger.write([ledger.entry(member.id, utc_now())])
    overview = get(admin_client, OVERVIEW)
    assert {name: overview[name] for name in ("users", "online", "keys", "demo", "keys_fail")} == {
        "users": 2,
        "online": 1,
        "keys": 1,
        "demo": False,
        "keys_fail": False,
    }
    assert overview["today"]["requests"] == overview["month"]["requests"] == 1
    assert len(overview["days"]) == 30


def test_use_by_user_model_key_and_day(
    admin: User, admin_client: PageClient, member: User, member_client: PageClient, key: ApiKey
) -> None:
    moment = datetime(2026, 11, 24, 16, tzinfo=UTC)  # the 25th in Beijing
    ledger.write(
        [
            ledger.entry(member.id, moment, key_id=key.id),
            ledger.entry(member.id, moment, key_id=key.id, model="deepseek-v4-pro"),
            ledger.entry(admin.id, moment),
        ]
    )

    def rows(by: str, **query: str) -> list[tuple[str, str, int]]:
        return [(row["key"], row["label"], row["requests"]) for row in get(admin_client, USAGE, by=by, **query)["rows"]]

    assert rows("user") == [(member.id, "member", 2), (admin.id, "admin", 1)]
    assert sorted(rows("model")) == [("deepseek-flash", "deepseek-flash", 2), ("deepseek-v4-pro", "deepseek-v4-pro", 1)]
    assert rows("key") == [(key.id, "团队 key", 2), ("", "", 1)]
    days = {"from": "2026-11-24", "to": "2026-11-26"}
    expected = [("2026-11-24", 0), ("2026-11-25", 3), ("2026-11-26", 0)]
    assert [(day, count) for day, _, count in rows("day", **days)] == expected
    assert rows("user", **{"from": "2026-11-26"}) == rows("user", to="2026-11-24") == []
    (own,) = [row for row in get(admin_client, USAGE, by="user")["rows"] if row["key"] == member.id]
    total = get(member_client, "/api/usage/summary")["total"]
    assert {name: own[name] for name in total} == total, "the admin's page and the person's own say the same"


def test_days_are_those_of_the_administrators_time_zone(make_user: MakeUser, sign_in: SignIn) -> None:
    reader = make_user("nepali admin", "admin", timezone="Asia/Kathmandu")
    ledger.write([ledger.entry(reader.id, datetime(2026, 11, 24, 18, 14, 59, tzinfo=UTC))])
    client = sign_in(reader)
    assert found(client, **{"from": "2026-11-24", "to": "2026-11-24"})
    assert not found(client, **{"from": "2026-11-25"})


def test_records_are_searched_by_user_model_key_time_and_outcome(
    admin: User, admin_client: PageClient, member: User, key: ApiKey
) -> None:
    early, late = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 20, tzinfo=UTC)
    a, b, c = ledger.write(
        [
            ledger.entry(member.id, early, key_id=key.id),
            ledger.entry(member.id, late, model="deepseek-v4-pro", outcome="stopped"),
            ledger.entry(admin.id, late, outcome="interrupted"),
        ]
    )
    assert found(admin_client) == {a.id, b.id, c.id}
    assert found(admin_client, user=member.id) == found(admin_client, user="MEMB") == {a.id, b.id}
    assert found(admin_client, model="deepseek-v4-pro") == found(admin_client, outcome="stopped") == {b.id}
    assert found(admin_client, key=key.id) == {a.id}
    assert found(admin_client, **{"from": "2026-11-02"}) == {b.id, c.id}
    assert found(admin_client, to="2026-11-02") == {a.id}
    assert found(admin_client, user="member", **{"from": "2026-11-02"}, outcome="interrupted") == set()
    assert found(admin_client, user="", model="", key="", outcome="", to="") == {a.id, b.id, c.id}
    (record,) = get(admin_client, RECORDS, key=key.id)["records"]
    assert record["user"] == {"id": member.id, "username": "member"}
    assert record["key_label"] == "团队 key"


def test_pages_of_a_search_hold_every_record_once(admin_client: PageClient, admin: User, member: User) -> None:
    written = ledger.write(ledger.entry(member.id, utc_now()) for _ in range(5))
    ledger.write(ledger.entry(admin.id, utc_now()) for _ in range(5))
    seen: list[str] = []
    before: str | None = ""
    while before is not None:
        page = get(admin_client, RECORDS, user="member", limit="2", before=before)
        seen += [record["id"] for record in page["records"]]
        before = page["next"]
    assert seen == ledger.newest_first(written)


@pytest.mark.security("searches-literal")
@pytest.mark.each_case
@pytest.mark.parametrize(("search", "hits"), [("%", {"100%"}), ("_", {"a_b"}), ("/", {"x/y"}), ("%" * 100, set())])
def test_a_search_takes_what_is_typed_literally(
    admin_client: PageClient, make_user: MakeUser, search: str, hits: set[str]
) -> None:
    for name in ("100%", "a_b", "x/y", "plain"):
        ledger.write([ledger.entry(make_user(name).id, utc_now())])
    records = get(admin_client, RECORDS, user=search)["records"]
    assert {record["user"]["username"] for record in records} == hits


@pytest.mark.security("like-bounded")
@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("outcome=lost", "unknown_outcome"),
        ("from=yesterday", "bad_date"),
        ("from=20261125", "bad_date"),
        ("from=2026-W48-3", "bad_date"),
        ("from=2026-02-30", "bad_date"),
        ("to=9999-12-31", "bad_date"),
        ("to=0001-01-01", "bad_date"),
        ("from=2026-11-25&to=2026-11-24", "backwards_range"),
        ("before=x", "bad_cursor"),
        ("limit=201", "bad_limit"),
        ("user=" + "%" * 1000, "search_too_long"),
        ("model=" + "x" * 129, "search_too_long"),
        ("user=%00", "bad_word"),
        ("user=a%0Ab", "bad_word"),
    ],
)
def test_a_search_without_sense_is_refused(admin_client: PageClient, query: str, code: str) -> None:
    response = admin_client.get(f"{RECORDS}?{query}")
    assert response.status_code == 400
    assert response.json is not None
    assert response.json["error"]["code"] == code


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("by=colour", "unknown_grouping"),
        ("by=day&from=2010-01-01&to=2026-01-01", "range_too_long"),
        ("by=day&from=2026-11-25&to=2026-11-24", "backwards_range"),
        ("to=x", "bad_date"),
    ],
)
def test_a_grouping_without_sense_is_refused(admin_client: PageClient, query: str, code: str) -> None:
    response = admin_client.get(f"{USAGE}?{query}")
    assert response.status_code == 400
    assert response.json is not None
    assert response.json["error"]["code"] == code


def test_nothing_typed_into_a_search_is_sql(admin_client: PageClient, member: User) -> None:
    ledger.write([ledger.entry(member.id, utc_now())])
    for hostile in ("' OR '1'='1", '" OR 1=1 --', "\\", "'; DROP TABLE users; --", "𠮷'"):
        for name in ("user", "model", "key"):
            assert found(admin_client, **{name: hostile}) == set()


def test_the_number_of_queries_does_not_grow(
    admin_client: PageClient, make_user: MakeUser, upstream: ScriptedUpstream, query_count: Callable[[], Any]
) -> None:
    def ask() -> None:
        get(admin_client, OVERVIEW)
        get(admin_client, RECORDS)
        for by in ("user", "day"):
            get(admin_client, USAGE, by=by)

    ask()
    with query_count() as few:
        ask()
    people = [make_user(f"person {number}") for number in range(12)]
    ledger.write(ledger.entry(person.id, utc_now() - timedelta(hours=n)) for person in people for n in range(5))
    with query_count() as many:
        ask()
    assert len(many) == len(few)
