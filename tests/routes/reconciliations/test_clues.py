"""What could explain that a provider's balance and the ledger differ, with its records."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from flask_app.database import new_id, reading, transaction
from flask_app.models import Attempt, Reconciliation, Tariff, User
from tests.support import drifts, ledger, storage
from tests.support.clients import PageClient
from tests.support.drifts import NOON, URL
from tests.support.keys import keep_key, keep_provider


def clues(client: PageClient, row_id: str) -> dict[str, dict[str, Any]]:
    response = client.get(f"{URL}/{row_id}")
    assert response.status_code == 200, response.json
    return {clue["kind"]: clue for clue in response.json["clues"]}  # type: ignore[index]


@pytest.mark.unsound_ledger("settled attempts and refunds without their entries")
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
            admin_client.get(f"{URL}?from=2026-11-20&to=2026-11-26")
        with query_count() as for_clues:
            clues(admin_client, day.id)
        return len(for_list), len(for_clues)

    counts()
    before = counts()
    for number in range(20):
        drifts.kept(f"k-{number}")
        ledger.write([ledger.entry(member.id, NOON, key_id="k1", source="estimated")])
    assert counts() == before
    found = clues(admin_client, day.id)["estimated"]
    assert (found["count"], len(found["items"])) == (20, 10)


@pytest.mark.unsound_ledger("settled attempts and refunds without their entries")
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


@pytest.mark.unsound_ledger("a cost below nothing")
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
