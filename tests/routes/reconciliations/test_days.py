"""Balances against the ledger: the administrators' API."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from flask_app.database import reading, transaction, utc_now
from flask_app.models import AuditEntry, Provider, Reconciliation, User
from tests.support import drifts
from tests.support.clients import PageClient
from tests.support.drifts import NOON, URL
from tests.support.entrance import error_code
from tests.support.keys import change_key, keep_key


def listed(client: PageClient, query: str = "?from=2026-11-20&to=2026-11-26") -> dict[str, Any]:
    response = client.get(f"{URL}{query}")
    assert response.status_code == 200, response.json
    return dict(response.json)  # type: ignore[arg-type]


def acknowledge(client: PageClient, row_id: str, note: Any = "a colleague uses the key too") -> Any:
    return client.put(f"{URL}/{row_id}/acknowledgement", json={"note": note})


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
