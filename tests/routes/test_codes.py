"""Redeem codes over HTTP: made and revoked by administrators, redeemed by people."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from flask_app.database import new_id, reading, utc_now
from flask_app.models import AuditEntry, CodeBatch, User
from tests.conftest import MakeUser, SignIn
from tests.support import limits
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.limits import own

BATCHES, CODES, REDEMPTIONS = "/api/admin/code-batches", "/api/admin/codes", "/api/redemptions"
TWO = {"label": "flyers", "count": 2, "amount": 1000}


def make(client: PageClient, **fields: Any) -> dict[str, Any]:
    response = client.post(BATCHES, json=TWO | fields)
    assert response.status_code == 201, response.json
    return dict(response.json)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _balances(member: User) -> None:
    limits.balance(member)
    limits.balance(member, "CNY")


def redeem(client: PageClient, code: Any) -> Any:
    return client.post(REDEMPTIONS, json={"code": code})


def batches(client: PageClient, query: str = "") -> list[dict[str, Any]]:
    return list(client.get(BATCHES + query).json["batches"])  # type: ignore[index]


def codes_of(client: PageClient, batch: dict[str, Any], query: str = "") -> list[dict[str, Any]]:
    return list(client.get(f"{BATCHES}/{batch['id']}/codes{query}").json["codes"])  # type: ignore[index]


def test_a_code_tops_up_ones_own_balance_once(
    admin_client: PageClient, admin: User, member_client: PageClient, make_user: MakeUser, sign_in: SignIn
) -> None:
    made = make(admin_client, unit="CNY", amount=12_300_000)
    first, second = made["codes"]
    assert made["batch"] == made["batch"] | {"open": 2, "redeemed": 0, "by": admin.username, "expires_at": None}
    redeemed = redeem(member_client, first.lower().replace("-", " "))
    assert redeemed.status_code == 201
    assert redeemed.json["amount"] == 12_300_000
    assert redeemed.json["balance"] in own(member_client)
    assert (redeemed.json["balance"]["left"], redeemed.json["balance"]["unit"]) == (12_300_000, "CNY")
    for client in (member_client, sign_in(make_user("other"))):
        again = redeem(client, first)
        assert (again.status_code, error_code(again)) == (409, "code_redeemed")
    assert redeem(member_client, second).json["balance"]["left"] == 24_600_000
    (batch,) = batches(admin_client)
    assert (batch["open"], batch["redeemed"]) == (0, 2)
    assert {(code["hint"], code["state"], code["redeemed_by"]) for code in codes_of(admin_client, batch)} == {
        (code[:4], "redeemed", "member") for code in made["codes"]
    }
    balance = redeemed.json["balance"]["id"]
    top_ups = admin_client.get(f"/api/admin/budgets/{balance}/top-ups").json["top_ups"]  # type: ignore[index]
    assert [(each["amount"], each["reason"], each["by"]) for each in top_ups] == [(12_300_000, "flyers", "member")] * 2


def test_who_is_limited_by_no_balance_is_told_to_keep_the_code(
    admin_client: PageClient, make_user: MakeUser, sign_in: SignIn
) -> None:
    """As somebody whose account has no end would begin to have one."""
    (code, _) = make(admin_client)["codes"]
    other = make_user("other")
    client = sign_in(other)
    refused = redeem(client, code)
    assert (refused.status_code, error_code(refused)) == (409, "code_without_balance")
    assert own(client) == []
    assert batches(admin_client)[0]["open"] == 2
    assert b'"codes":false' in client.get("/dashboard").data
    limits.balance(other)
    assert b'"codes":true' in client.get("/dashboard").data
    assert redeem(client, code).status_code == 201


@pytest.mark.parametrize("code", ["0000-0000-0000-0000", "", "x", "中" * 16, "0" * 1000])
def test_a_code_that_nobody_made_is_unknown(member_client: PageClient, code: str) -> None:
    refused = redeem(member_client, code)
    assert (refused.status_code, error_code(refused)) == (422, "code_unknown")


@pytest.mark.parametrize("code", [None, 5, ["x"], True])
def test_what_is_no_text_is_refused(member_client: PageClient, code: Any) -> None:
    assert (redeem(member_client, code).status_code, error_code(redeem(member_client, code))) == (422, "invalid_field")


def test_who_guesses_is_told_when_to_come_back(member_client: PageClient) -> None:
    for _ in range(10):
        redeem(member_client, "0000-0000-0000-0000")
    refused = redeem(member_client, "0000-0000-0000-0000")
    assert (refused.status_code, error_code(refused)) == (429, "too_many_attempts")
    assert 0 < int(refused.headers["Retry-After"]) <= 900


def test_a_batch_and_a_code_are_revoked_with_a_trace(admin_client: PageClient, member_client: PageClient) -> None:
    made = make(admin_client, count=3)
    batch = made["batch"]
    redeem(member_client, made["codes"][0])
    one = next(code for code in codes_of(admin_client, batch) if code["hint"] == made["codes"][1][:4])
    for _ in range(2):
        revoked = admin_client.delete(f"{CODES}/{one['id']}")
        assert (revoked.json["open"], revoked.json["redeemed"], revoked.json["revoked"]) == (1, 1, 1)  # type: ignore[index]
    assert error_code(redeem(member_client, made["codes"][1])) == "code_revoked"
    for _ in range(2):
        revoked = admin_client.delete(f"{BATCHES}/{batch['id']}")
        assert (revoked.json["open"], revoked.json["redeemed"], revoked.json["revoked"]) == (0, 1, 2)  # type: ignore[index]
    assert {each["unit"]: each["left"] for each in own(member_client)} == {"tokens": 1000, "CNY": 0}
    with reading() as session:
        entries = session.scalars(
            select(AuditEntry).where(AuditEntry.action.like("code%")).order_by(AuditEntry.created_at, AuditEntry.id)
        )
        said = sorted((entry.action, json.loads(entry.details).get("count")) for entry in entries)
    assert said == [("code.redeem", None), ("codes.make", 3), ("codes.revoke", 1), ("codes.revoke", 1)]


def test_codes_hold_to_the_end_of_their_last_day(admin_client: PageClient) -> None:
    today = (utc_now() + timedelta(hours=8)).date()  # in Shanghai
    batch = make(admin_client, expires_on=today.isoformat())["batch"]
    with reading() as session:
        expires_at = session.scalars(select(CodeBatch.expires_at)).one()
    assert expires_at
    assert (expires_at + timedelta(hours=8)).date() == today + timedelta(days=1)
    assert (batch["open"], batch["expired"]) == (2, 0)
    yesterday = admin_client.post(BATCHES, json=TWO | {"expires_on": (today - timedelta(days=1)).isoformat()})
    assert (yesterday.status_code, error_code(yesterday)) == (422, "bad_expiry")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"count": 0}, "invalid_field"),
        ({"count": 1001}, "invalid_field"),
        ({"count": True}, "invalid_field"),
        ({"amount": 0}, "bad_code_amount"),
        ({"amount": -5}, "invalid_field"),
        ({"amount": 10**15 + 1}, "invalid_field"),
        ({"amount": 1.5}, "invalid_field"),
        ({"unit": "cny"}, "bad_currency"),
        ({"unit": "¥"}, "bad_currency"),
        ({"label": ""}, "bad_reason"),
        ({"label": "a\nb"}, "bad_reason"),
        ({"label": "x" * 201}, "invalid_field"),
        ({"expires_on": "2020-01-01"}, "bad_expiry"),
        ({"expires_on": "9999-12-31"}, "bad_expiry"),
        ({"expires_on": "tomorrow"}, "invalid_field"),
        ({"expires_on": 5}, "invalid_field"),
    ],
)
def test_a_batch_that_makes_no_sense_is_refused(admin_client: PageClient, fields: dict[str, Any], code: str) -> None:
    response = admin_client.post(BATCHES, json=TWO | fields)
    assert (response.status_code, error_code(response)) == (422, code)
    assert batches(admin_client) == []


def test_a_batch_of_a_thousand_is_made_and_read_in_pages(admin_client: PageClient) -> None:
    made = make(admin_client, count=1000)
    assert len(set(made["codes"])) == 1000
    path = f"{BATCHES}/{made['batch']['id']}/codes?limit=100"
    page: Any = admin_client.get(path).json
    hints = [code["hint"] for code in page["codes"]]
    while page["next"]:
        page = admin_client.get(f"{path}&after={page['next']}").json
        hints += [code["hint"] for code in page["codes"]]
    assert sorted(hints) == sorted(code[:4] for code in made["codes"])


def test_lists_take_as_many_statements_however_long_they_are(
    admin_client: PageClient, query_count: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    batch = make(admin_client)["batch"]

    def count(path: str) -> int:
        with query_count() as statements:
            assert admin_client.get(path).status_code == 200
        return len(statements)

    paths = (BATCHES, f"{BATCHES}/{batch['id']}/codes")
    few = [count(path) for path in paths]
    ids = {batch["id"]} | {make(admin_client, count=5)["batch"]["id"] for _ in range(4)}
    assert [count(path) for path in paths] == few
    first = admin_client.get(f"{BATCHES}?limit=3").json
    assert first
    rest = batches(admin_client, f"?limit=3&before={first['next']}")
    assert {each["id"] for each in [*first["batches"], *rest]} == ids
    for query in ("?limit=0", "?limit=101", "?limit=x", "?before=x", "?before=" + "%27" * 26):
        assert admin_client.get(BATCHES + query).status_code == 400, query
        assert admin_client.get(f"{paths[1]}{query.replace('before', 'after')}").status_code == 400, query


def test_what_is_not_there_is_not_found(admin_client: PageClient) -> None:
    for absent in (new_id(), "x", "编号", "%00"):
        assert admin_client.delete(f"{BATCHES}/{absent}").status_code == 404
        assert admin_client.delete(f"{CODES}/{absent}").status_code == 404
        assert admin_client.get(f"{BATCHES}/{absent}/codes").status_code == 404


def test_only_administrators_make_codes_and_only_people_redeem_them(
    client: PageClient, member_client: PageClient, admin_client: PageClient
) -> None:
    batch = make(admin_client)["batch"]
    one = codes_of(admin_client, batch)[0]["id"]
    asked: list[Callable[[PageClient], Any]] = [
        lambda asker: asker.get(BATCHES),
        lambda asker: asker.post(BATCHES, json=TWO),
        lambda asker: asker.delete(f"{BATCHES}/{batch['id']}"),
        lambda asker: asker.get(f"{BATCHES}/{batch['id']}/codes"),
        lambda asker: asker.delete(f"{CODES}/{one}"),
    ]
    for ask in asked:
        assert error_code(ask(member_client)) == "forbidden"
        assert error_code(ask(client)) == "sign_in_required"
    assert error_code(redeem(client, "0000-0000-0000-0000")) == "sign_in_required"
    assert batches(admin_client)[0]["open"] == 2
