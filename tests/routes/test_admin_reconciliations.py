"""Balances against the ledger: the administrators' API."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from flask_app.database import new_id, reading, transaction, utc_now
from flask_app.models import Attempt, AuditEntry, Provider, Reconciliation, Tariff, User
from tests.support import drifts, ledger, storage
from tests.support.clients import PageClient
from tests.support.drifts import NOON
from tests.support.entrance import error_code
from tests.support.keys import change_key, keep_key, keep_provider

URL = "/api/admin/reconciliations"


@pytest.fixture
def day(member: User) -> Reconciliation:
    provider_id = keep_provider("Elsewhere", "http://127.0.0.1:1", models=["m"])
    keep_key(provider_id, "k1", account="ours")
    keep_key(provider_id, "k2", account="ours")
    return drifts.kept(f"{provider_id}/ours", booked_by_key='{"k1": 750000, "k2": 250000}')


def listed(client: PageClient, query: str = "?from=2026-11-20&to=2026-11-26") -> dict[str, Any]:
    response = client.get(f"{URL}{query}")
    assert response.status_code == 200, response.json
    return dict(response.json)  # type: ignore[arg-type]


def acknowledge(client: PageClient, row_id: str, note: Any = "a colleague uses the key too") -> Any:
    return client.put(f"{URL}/{row_id}/acknowledgement", json={"note": note})


def clues(client: PageClient, row_id: str) -> dict[str, dict[str, Any]]:
    response = client.get(f"{URL}/{row_id}")
    assert response.status_code == 200, response.json
    return {clue["kind"]: clue for clue in response.json["clues"]}  # type: ignore[index]


def test_a_day_says_what_fell_what_was_booked_and_on_which_keys(admin_client: PageClient, day: Reconciliation) -> None:
    reply = listed(admin_client)
    assert (reply["timezone"], reply["threshold"]) == ("Asia/Shanghai", {"absolute": 100_000, "permille": 10})
    (found,) = reply["days"]
    assert (found["day"], found["account"], found["provider"]) == ("2026-11-25", "ours", "Elsewhere")
    assert found["start"] - found["end"] == found["booked"] + found["drift"] == 1_500_000
    assert (found["state"], found["readings"], found["aside"]) == ("drift", 2, {})
    assert found["keys"] == [
        {"key_id": "k1", "label": "k1", "micros": 750_000},
        {"key_id": "k2", "label": "k2", "micros": 250_000},
    ]


def test_an_alarm_is_listed_whatever_days_are_asked_for_until_it_is_acknowledged(
    admin_client: PageClient, day: Reconciliation
) -> None:
    assert len(listed(admin_client, "?from=2026-01-01&to=2026-01-02")["days"]) == 1
    assert acknowledge(admin_client, day.id).status_code == 200
    assert listed(admin_client, "?from=2026-01-01&to=2026-01-02")["days"] == []
    assert len(listed(admin_client)["days"]) == 1


def test_an_account_that_is_not_read_any_more_is_named(admin_client: PageClient, day: Reconciliation) -> None:
    now = utc_now()
    late, read = now - timedelta(hours=3), now - timedelta(hours=1)
    with transaction() as session:
        for provider in session.scalars(select(Provider)):
            provider.balance_offered = provider.name == "Elsewhere"
        provider_id = session.scalars(select(Provider.id).where(Provider.name == "Elsewhere")).one()
    keys: dict[str, dict[str, Any]] = {
        "late": {"balance_at": late},
        "read": {"balance_at": read},
        "never": {},
        "off": {"balance_at": late, "disabled": True},
        "one of two": {"balance_at": late, "account": "shared"},
        "other of two": {"balance_at": read, "account": "shared"},
    }
    for key_id, fields in keys.items():
        keep_key(provider_id, key_id, **fields)
    change_key("k1", balance_at=late - timedelta(minutes=1))
    change_key("k2", balance_at=late - timedelta(hours=1))
    assert [(each["account"], each["provider"]) for each in listed(admin_client)["unread"]] == [
        ("ours", "Elsewhere"),
        ("late", "Elsewhere"),
    ]


def test_acknowledging_says_by_whom_and_why_and_is_logged(
    admin: User, admin_client: PageClient, day: Reconciliation
) -> None:
    reply = acknowledge(admin_client, day.id, " a colleague uses the key too ").json
    assert (reply["state"], reply["note"], reply["known_by"]) == ("known", "a colleague uses the key too", "admin")
    assert reply["known_at"]
    with reading() as session:
        (logged,) = session.scalars(select(AuditEntry).where(AuditEntry.action == "reconciliation.acknowledge"))
    assert (logged.actor_id, logged.target) == (admin.id, day.id)
    assert '"drift": 500000' in logged.details
    again = acknowledge(admin_client, day.id)
    assert (again.status_code, error_code(again)) == (409, "no_drift")


@pytest.mark.parametrize("note", ["", "   ", "x" * 201, "a\nb"])
def test_a_note_says_something(admin_client: PageClient, day: Reconciliation, note: str) -> None:
    response = acknowledge(admin_client, day.id, note)
    assert (response.status_code, error_code(response)) == (422, "bad_reason")


def test_days_are_judged_anew_by_another_threshold(admin_client: PageClient, day: Reconciliation) -> None:
    quiet: dict[str, Any] = {"account": "k1", "drift": 90_000, "end_total": 8_910_000, "stands": False}
    drifts.kept(**quiet)
    known: dict[str, Any] = {"account": "k2", "known_drift": 500_000, "known_at": NOON, "stands": False}
    drifts.kept(**known)
    for terms, states in (
        ({"absolute": 600_000, "permille": 0}, ["even", "even", "even"]),
        ({"absolute": 0, "permille": 600}, ["even", "even", "even"]),
        ({"absolute": 80_000, "permille": 0}, ["drift", "drift", "known"]),
    ):
        response = admin_client.put(f"{URL}/threshold?from=2026-11-20&to=2026-11-26", json=terms)
        assert response.status_code == 200
        assert response.json["threshold"] == terms  # type: ignore[index]
        found = {each["account"]: each["state"] for each in response.json["days"]}  # type: ignore[index]
        assert [found[name] for name in ("ours", "k1", "k2")] == states
    with reading() as session:
        logged = list(session.scalars(select(AuditEntry.action).where(AuditEntry.target == "reconciliation")))
    assert logged == ["reconciliation.threshold"] * 3


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"absolute": -1, "permille": 1},
        {"absolute": 1, "permille": 1001},
        {"absolute": 10**13, "permille": 1},
        {"absolute": 1.5, "permille": 1},
        {"absolute": 1, "permille": 1, "more": 1},
    ],
)
def test_a_threshold_makes_sense(admin_client: PageClient, body: Any) -> None:
    response = admin_client.put(f"{URL}/threshold", json=body)
    assert (response.status_code, error_code(response)) == (422, "invalid_field")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("?from=2026-11-26&to=2026-11-25", "backwards_range"),
        ("?from=2020-01-01&to=2026-11-25", "range_too_long"),
        ("?from=yesterday", "bad_date"),
    ],
)
def test_a_range_makes_sense(admin_client: PageClient, query: str, code: str) -> None:
    response = admin_client.get(f"{URL}{query}")
    assert (response.status_code, error_code(response)) == (400, code)


def test_a_day_that_is_not_there_is_not_found(admin_client: PageClient) -> None:
    assert admin_client.get(f"{URL}/nothing").status_code == 404
    assert acknowledge(admin_client, "nothing").status_code == 404


def test_only_administrators_are_told(client: PageClient, member_client: PageClient, day: Reconciliation) -> None:
    for path in (URL, f"{URL}/{day.id}"):
        assert client.get(path).status_code == 401
        assert member_client.get(path).status_code == 403
    assert acknowledge(client, day.id).status_code == 401
    assert acknowledge(member_client, day.id).status_code == 403
    assert member_client.put(f"{URL}/threshold", json={"absolute": 1, "permille": 1}).status_code == 403


@pytest.mark.unsound_ledger
def test_what_could_explain_a_drift_is_named_with_its_records(
    admin_client: PageClient, member: User, day: Reconciliation
) -> None:
    at = NOON - timedelta(minutes=10)
    with transaction() as session:
        prices = {"input_hit": 1, "input_miss": 1, "output": 1}
        session.add(Tariff(model="deepseek-flash", currency="CNY", starts_at=at, **prices))
        peak = session.scalars(select(Tariff.id).where(Tariff.calendar.is_not(None))).first()
    entries: dict[str, dict[str, Any]] = {
        "estimated": {"source": "estimated"},
        "partial": {"source": "estimated", "outcome": "interrupted"},
        "unpriced": {"cost_micros": None, "currency": None},
        "peak_edge": {"tariff_id": peak, "duration_ms": 1000, "created_at": NOON - timedelta(seconds=30)},
        "refunded": {"kind": "refund"},
        "elsewhere": {"key_id": "k3", "source": "estimated"},
        "too early": {"source": "estimated", "created_at": NOON - timedelta(hours=3)},
        "too late": {"source": "estimated", "created_at": NOON + timedelta(minutes=6)},
        "nothing odd": {},
    }
    made = {
        name: ledger.entry(member.id, fields.pop("created_at", at), **({"key_id": "k1"} | fields))
        for name, fields in entries.items()
    }
    ledger.write(made.values())
    attempts: dict[str, dict[str, Any]] = {
        "unbooked": {"state": "settled"},
        "released": {"state": "released", "status_code": 200},
        "refused": {"state": "released", "status_code": 401},
        "open": {"state": "dispatched"},
    }
    ids = {name: attempt(member, at, **fields) for name, fields in attempts.items()}

    found = clues(admin_client, day.id)
    records = {kind: [item["id"] for item in clue["items"]] for kind, clue in found.items() if kind != "price_change"}
    expected = {name: [made[name].id] for name in ("estimated", "partial", "unpriced", "peak_edge", "refunded")}
    assert records == expected | {name: [ids[name]] for name in ("unbooked", "released", "open")}
    assert [item["model"] for item in found["price_change"]["items"]] == ["deepseek-flash"]
    assert (found["unbooked"]["count"], found["unbooked"]["micros"]) == (1, 7)
    (item,) = found["estimated"]["items"]
    assert (item["username"], item["key_id"], item["micros"], item["currency"]) == ("member", "k1", 1000, "CNY")


def attempt(person: User, at: Any, **fields: Any) -> str:
    usual = {
        "id": new_id(),
        "request_id": "r",
        "user_id": person.id,
        "provider_id": "p",
        "key_id": "k2",
        "channel": "chat",
        "model": "m",
        "prompt_estimate": 1,
        "address": "",
        "reserved_micros": 7,
        "currency": "CNY",
        "created_at": at,
    }
    with transaction() as session:
        session.add(made := Attempt(**(usual | fields)))
    return made.id


def test_queries_do_not_grow_with_days_and_records(
    admin_client: PageClient,
    member: User,
    day: Reconciliation,
    query_count: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    def counts() -> tuple[int, int]:
        with query_count() as for_list:
            listed(admin_client)
        with query_count() as for_clues:
            clues(admin_client, day.id)
        return len(for_list), len(for_clues)

    listed(admin_client)
    before = counts()
    for number in range(20):
        drifts.kept(f"k-{number}")
        ledger.write([ledger.entry(member.id, NOON, key_id="k1", source="estimated")])
    assert counts() == before
    found = clues(admin_client, day.id)["estimated"]
    assert (found["count"], len(found["items"])) == (20, 10)


@pytest.mark.unsound_ledger
def test_rows_fetched_do_not_grow_with_records(admin_client: PageClient, member: User, day: Reconciliation) -> None:
    def book(count: int) -> None:
        with reading() as session:
            peak = session.scalars(select(Tariff.id).where(Tariff.calendar.is_not(None))).first()
        kinds: tuple[dict[str, Any], ...] = (
            {},
            {"source": "estimated"},
            {"source": "estimated", "outcome": "interrupted"},
            {"cost_micros": None, "currency": None},
            {"kind": "refund"},
            {"tariff_id": peak, "duration_ms": 200_000},
        )
        ledger.write(ledger.entry(member.id, NOON, key_id="k1", **kind) for kind in kinds for _ in range(count))
        for state in ("dispatched", "released", "settled"):
            for _ in range(count):
                attempt(member, NOON, state=state)

    def most() -> int:
        with storage.counted_rows() as found:
            clues(admin_client, day.id)
        return max(found)

    book(12)
    before = most()
    book(24)
    assert most() == before
    found = clues(admin_client, day.id)
    counted = ("estimated", "partial", "unpriced", "peak_edge", "refunded", "open", "released", "unbooked")
    assert {kind: (found[kind]["count"], len(found[kind]["items"])) for kind in counted} == dict.fromkeys(
        counted, (36, 10)
    )


@pytest.mark.unsound_ledger
def test_the_dearest_are_shown_and_all_of_the_currency_added_up(
    admin_client: PageClient, member: User, day: Reconciliation
) -> None:
    costs = [*range(1, 13), -20]
    made = [ledger.entry(member.id, NOON, key_id="k1", source="estimated", cost_micros=cost) for cost in costs]
    foreign = ledger.entry(member.id, NOON, key_id="k1", source="estimated", cost_micros=9, currency="USD")
    ledger.write([*made, foreign])
    found = clues(admin_client, day.id)["estimated"]
    assert (found["count"], found["micros"]) == (14, sum(costs))
    assert [item["micros"] for item in found["items"]] == [-20, 12, 11, 10, 9, 9, 8, 7, 6, 5]


@pytest.mark.parametrize(
    ("begun", "seconds", "is_near"),
    [(-200, 139, False), (-200, 141, True), (-61, 2, True), (-3000, 3100, True), (59, 1, True), (61, 1, False)],
)
def test_an_answer_at_the_edge_of_peak_hours_is_named(
    admin_client: PageClient, member: User, day: Reconciliation, begun: int, seconds: int, *, is_near: bool
) -> None:
    with reading() as session:
        peak = session.scalars(select(Tariff.id).where(Tariff.calendar.is_not(None))).first()
    moment, terms = NOON + timedelta(seconds=begun), {"tariff_id": peak, "duration_ms": seconds * 1000}
    ledger.write([ledger.entry(member.id, moment, key_id="k1", **terms)])
    assert ("peak_edge" in clues(admin_client, day.id)) is is_near


@pytest.mark.parametrize(("seconds", "is_within"), [(1799, False), (1801, True)])
def test_an_answer_asked_for_before_the_window_counts_where_it_ended_within(
    admin_client: PageClient, member: User, day: Reconciliation, seconds: int, *, is_within: bool
) -> None:
    begun = day.since - timedelta(minutes=35)  # the window begins five minutes before the first reading
    terms: dict[str, Any] = {"source": "estimated", "duration_ms": seconds * 1000}
    ledger.write([ledger.entry(member.id, begun, key_id="k1", **terms)])
    assert ("estimated" in clues(admin_client, day.id)) is is_within


def test_far_from_peak_hours_no_answer_is_at_their_edge(admin_client: PageClient, member: User) -> None:
    night = datetime(2026, 11, 24, 19, tzinfo=UTC)  # three o'clock in Shanghai
    keep_key(keep_provider("Elsewhere", "http://127.0.0.1:1"), "k1")
    day = drifts.kept("k1", until=night)
    with reading() as session:
        peak = session.scalars(select(Tariff.id).where(Tariff.calendar.is_not(None))).first()
    near = night - timedelta(seconds=30)
    terms: dict[str, Any] = {"tariff_id": peak, "duration_ms": 1000, "source": "estimated"}
    (made,) = ledger.write([ledger.entry(member.id, near, key_id="k1", **terms)])
    found = clues(admin_client, day.id)
    assert {kind: [item["id"] for item in clue["items"]] for kind, clue in found.items()} == {"estimated": [made.id]}
