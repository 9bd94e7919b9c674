"""Records searched by what people quote or choose: a channel, an access token, an id."""

import json
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from flask_app.database import engine, fetching, new_id, transaction, utc_now
from flask_app.models import AccessToken, Attempt, TokenUsage, User
from flask_app.services.usage import record_lookups
from tests.conftest import MakeUser, SignIn
from tests.support import ledger
from tests.support.clients import PageClient

RECORDS = "/api/usage/records"


def get(client: PageClient, url: str) -> Any:
    response = client.get(url)
    assert response.status_code == 200, response.text
    return response.json


@pytest.fixture
def of_programs(member: User) -> dict[str, str]:
    """Ids of entries: of the chat, of a token's answer, of one that left its token to the attempt, of another token."""
    now = utc_now()
    with transaction() as session:
        for name in ("t1", "t2"):
            made = AccessToken(id=name, user_id=member.id, name=name, digest=name, hint="", created_at=now)
            session.add(made)
        terms: dict[str, Any] = {"state": "settled", "prompt_estimate": 1, "address": "", "provider_id": "provider"}
        attempt = Attempt(
            id="a" * 26, request_id="r", user_id=member.id, channel="api", token_id="t1", model="m", **terms
        )
        session.add(attempt)
    entries = {
        "chat": ledger.entry(member.id, now),
        "named": ledger.entry(member.id, now, channel="api", token_id="t1"),
        "older": ledger.entry(member.id, now, channel="api", attempt_id=attempt.id),
        "other": ledger.entry(member.id, now, channel="api", token_id="t2"),
    }
    ledger.write(entries.values())
    return {name: each.id for name, each in entries.items()}


@pytest.mark.unsound_ledger("use of a token that no counter has")
def test_records_are_searched_by_channel_token_and_id(
    member_client: PageClient, admin_client: PageClient, of_programs: dict[str, str]
) -> None:
    attempt_id = {each["id"]: each["attempt_id"] for each in get(member_client, RECORDS)["records"]}
    names = {record_id: name for name, record_id in of_programs.items()}

    def found(query: str) -> set[str]:
        pages = [get(member_client, f"{RECORDS}?{query}"), get(admin_client, f"/api/admin/records?{query}")]
        own, everybodys = ({names[each["id"]] for each in page["records"]} for page in pages)
        assert own == everybodys
        return own

    assert found("channel=chat") == {"chat"}
    assert found("channel=api") == {"named", "older", "other"}
    assert found("token=t1") == {"named", "older"}
    assert found("token=t1&channel=chat") == found("token=nobodys") == found("id=nothing") == set()
    for name, record_id in of_programs.items():
        assert found(f"id={record_id}") == found(f"id={attempt_id[record_id]}") == {name}
    assert found(f"id={of_programs['chat']}&channel=api") == set()
    for never in ("channel=title", "token=nobodys", "model=nothing&outcome=complete"):
        assert found(f"provenance=refunded&{never}") == set()


@pytest.mark.unsound_ledger("use of a token that no counter has")
def test_neither_an_id_nor_a_token_opens_somebody_elses_records(
    make_user: MakeUser, sign_in: SignIn, of_programs: dict[str, str]
) -> None:
    other = sign_in(make_user("other"))
    for query in (f"id={of_programs['chat']}", "token=t1", "channel=api"):
        assert get(other, f"{RECORDS}?{query}")["records"] == []


@pytest.mark.parametrize(
    ("query", "code"), [("channel=fax", "unknown_channel"), ("id=" + "x" * 129, "search_too_long")]
)
def test_a_search_of_ones_own_without_sense_is_refused(member_client: PageClient, query: str, code: str) -> None:
    response = member_client.get(f"{RECORDS}?{query}")
    assert (response.status_code, response.json["error"]["code"]) == (400, code)  # type: ignore[index]


@pytest.mark.parametrize("zone", ["Etc/GMT+12", "Pacific/Kiritimati"])
def test_what_was_refunded_is_searched_up_to_the_last_day_there_is(
    member_client: PageClient, admin_client: PageClient, zone: str
) -> None:
    for client, url in ((member_client, "/api/usage/records"), (admin_client, "/api/admin/records")):
        assert client.patch("/api/me", json={"timezone": zone}).status_code == 200
        assert get(client, f"{url}?provenance=refunded&to=9999-12-30")["records"] == []


def test_the_dashboard_finds_an_id_of_any_day(member: User, member_client: PageClient) -> None:
    old, _ = ledger.write(ledger.entry(member.id, utc_now() - timedelta(days=days)) for days in (90, 0))

    def begun_with(query: str) -> list[str]:
        page = member_client.get(f"/dashboard?{query}").text
        found = re.search(r'<script type="application/json" id="dashboard-state">(.*?)</script>', page, re.S)
        assert found
        return [each["id"] for each in json.loads(found[1])["records"]]

    assert begun_with(f"id={old.id}") == [old.id]
    assert old.id not in begun_with("channel=chat")
    assert begun_with("channel=api") == []


@pytest.mark.unsound_ledger("attempts of another time than their entries")
def test_the_id_of_a_request_finds_what_it_took(member: User, member_client: PageClient) -> None:
    made = utc_now() - timedelta(days=90)
    request_id = new_id(made)
    times = {"first": made, "second": made + timedelta(minutes=9), "much later": made + timedelta(days=1)}
    assert _found_by(request_id, times, member, member_client) == {"first", "second"}


@pytest.mark.unsound_ledger("attempts of another time than their entries")
def test_the_id_that_a_proxy_gave_a_request_finds_what_it_took_lately(member: User, member_client: PageClient) -> None:
    now = utc_now()
    times = {"first": now, "second": now - timedelta(days=2), "old": now - timedelta(days=4)}
    assert _found_by("8f0c2a51d6f84c0fb6e0d1a7c3b95e12", times, member, member_client) == {"first", "second"}


def _found_by(request_id: str, times: dict[str, datetime], person: User, client: PageClient) -> set[str]:
    """Which attempts of the request, by the names of their times; one of another request is there too."""
    terms: dict[str, Any] = {"prompt_estimate": 1, "address": "", "provider_id": "p", "channel": "chat", "model": "m"}
    ids = {new_id(moment): name for name, moment in times.items()} | {new_id(times["first"]): "other"}
    with transaction() as session:
        for attempt_id, name in ids.items():
            asked = "another" if name == "other" else request_id
            session.add(Attempt(id=attempt_id, request_id=asked, user_id=person.id, state="settled", **terms))
    ledger.write(ledger.entry(person.id, times["first"], attempt_id=attempt_id) for attempt_id in ids)
    return {ids[each["attempt_id"]] for each in get(client, f"{RECORDS}?id={request_id}")["records"]}


def test_a_channel_is_searched_on_the_days_of_its_model_alone(member: User, member_client: PageClient) -> None:
    now = utc_now()
    days = {"newest": 0, "programs": 40, "oldest": 400}
    entries = {
        name: ledger.entry(member.id, now - timedelta(days=age), channel="api" if name != "oldest" else "chat")
        for name, age in days.items()
    }
    entries["newest"].model = "another"
    ledger.write(entries.values())
    query = "channel=api&model=deepseek-flash"
    assert [each["id"] for each in get(member_client, f"{RECORDS}?{query}")["records"]] == [entries["programs"].id]
    assert get(member_client, f"{RECORDS}?channel=chat&model=another")["records"] == []
    assert get(member_client, f"{RECORDS}?provenance=estimated&{query}")["records"] == []
    named = {"model": "deepseek-flash", "key_id": None, "channel": "api"}
    day = entries["programs"].created_at.replace(hour=0, minute=0, second=0, microsecond=0)
    for user_id in (None, member.id):
        begin, end = record_lookups.on_its_days(named, user_id, estimated=False)
        assert begin.compare(TokenUsage.created_at >= day)
        assert end.compare(TokenUsage.created_at < day + timedelta(days=1))
        assert record_lookups.on_its_days(named, user_id, estimated=True) is record_lookups.NOTHING


def test_a_person_seeks_a_model_on_its_days_alone(member: User, member_client: PageClient) -> None:
    """Whoever has used others since would read all of that first."""
    now = utc_now()
    rare = ledger.entry(member.id, now - timedelta(days=40))
    rare.model = "rare"
    ledger.write([rare, ledger.entry(member.id, now)])
    page, statement, _ = _asked(member_client, f"{RECORDS}?model=rare")
    assert [each["id"] for each in page["records"]] == [rare.id]
    assert "token_usage.created_at >= " in statement
    assert "token_usage.created_at < " in statement


@pytest.mark.unsound_ledger("use of a token that no counter has")
def test_a_tokens_entries_are_found_by_its_own_index(
    member: User, member_client: PageClient, of_programs: dict[str, str]
) -> None:
    now = utc_now()
    ledger.write(ledger.entry(member.id, now, channel="api", token_id="t2") for _ in range(50))
    ledger.write(ledger.entry(member.id, now) for _ in range(200))
    page, statement, values = _asked(member_client, f"{RECORDS}?token=t1&model=deepseek-flash")
    assert {each["id"] for each in page["records"]} == {of_programs["named"], of_programs["older"]}
    with fetching() as connection:
        if connection.dialect.name == "sqlite":
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
            used = [step.detail for step in plan if "ix_token_usage_newest_of_token (token_id=?" in step.detail]
        else:
            plan = connection.exec_driver_sql(f"EXPLAIN {statement}", values).all()
            used = [step for step in plan if step.key == "ix_token_usage_newest_of_token"]
    assert len(used) == 2, plan


def _asked(client: PageClient, url: str) -> tuple[Any, str, Any]:
    """The page, and the statement that searched the ledger."""
    seen: list[tuple[str, Any]] = []

    def keep(_: object, __: object, statement: str, values: Any, *___: object) -> None:
        if "FROM token_usage" in statement and "username" not in statement and "LIMIT" in statement:
            seen.append((statement, values))

    event.listen(engine(), "before_cursor_execute", keep)
    page = get(client, url)
    event.remove(engine(), "before_cursor_execute", keep)
    ((statement, values),) = seen
    return page, statement, values
