"""Prepaid balances: topped up by administrators, spent by answers, never renewed."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from flask_app.database import new_id, reading, transaction
from flask_app.domain.budget import MIN_ANSWER
from flask_app.models import AuditEntry, Budget, TokenUsage, TopUp, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.completion.attempts import Bounds
from flask_app.services.ledger import refund_service
from tests.conftest import MakeUser, SignIn
from tests.support import calls
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.limits import LEAST, ask, own
from tests.support.scripted_upstream import Answer, ScriptedUpstream, Usage

BUDGETS = "/api/admin/budgets"


@pytest.fixture
def balance(admin_client: PageClient, member: User) -> dict[str, Any]:
    """The member's, of 1,000 tokens."""
    return made(admin_client, scope="user", scope_id=member.id, limit=1000)


def made(client: PageClient, **fields: Any) -> dict[str, Any]:
    response = client.post(BUDGETS, json={"period": "prepaid", "reason": "paid in cash"} | fields)
    assert response.status_code == 201, response.json
    return dict(response.json)  # type: ignore[arg-type]


def top_up(client: PageClient, balance: dict[str, Any], amount: Any, reason: Any = "paid in cash", **more: Any) -> Any:
    return client.post(f"{BUDGETS}/{balance['id']}/top-ups", json={"amount": amount, "reason": reason} | more)


def the_entry() -> TokenUsage:
    with reading() as session:
        return session.scalars(select(TokenUsage)).one()


def use(person: User, tokens: int) -> None:
    calls.settle(calls.dispatch(calls.call_of(person.id), Bounds(prompt=0, answer=MIN_ANSWER)), 0, tokens)


def test_a_balance_counts_what_is_used_after_it_was_made_and_never_renews(
    admin_client: PageClient, member: User, member_client: PageClient
) -> None:
    use(member, 100)
    balance = made(admin_client, scope="user", scope_id=member.id, limit=1000)
    use(member, 30)
    (listed,) = own(member_client)
    figures = {"limit": 1000, "full": 1000, "used": 30, "reserved": 0, "left": 970, "renews_at": None}
    assert listed == listed | figures | {"id": balance["id"], "period": "prepaid", "hard": True, "state": "open"}


def test_a_top_up_is_added_with_a_trace(admin_client: PageClient, admin: User, balance: dict[str, Any]) -> None:
    topped_up = top_up(admin_client, balance, 500, " a gift ")
    assert topped_up.status_code == 201
    assert topped_up.json == balance | {"limit": 1500, "full": 1500, "left": 1500}
    listed = admin_client.get(f"{BUDGETS}/{balance['id']}/top-ups").json
    assert listed
    assert [(each["amount"], each["reason"], each["by"]) for each in listed["top_ups"]] == [
        (500, "a gift", admin.username),
        (1000, "paid in cash", admin.username),
    ]
    assert listed["next"] is None
    with reading() as session:
        entries = session.scalars(
            select(AuditEntry).where(AuditEntry.target == balance["id"]).order_by(AuditEntry.created_at, AuditEntry.id)
        )
        named = {"scope": "user", "name": "member", "unit": "tokens", "period": "prepaid"}
        assert sorted((entry.action, json.loads(entry.details)) for entry in entries) == [
            ("budget.add", named | {"limit": 1000, "hard": True, "reason": "paid in cash"}),
            ("budget.top_up", named | {"amount": 500, "reason": "a gift"}),
        ]


def test_what_is_used_or_reserved_cannot_be_taken_back(
    admin_client: PageClient, member: User, balance: dict[str, Any]
) -> None:
    use(member, 100)
    calls.dispatch(calls.call_of(member.id), Bounds(prompt=44, answer=MIN_ANSWER))
    refused = top_up(admin_client, balance, -601)
    assert (refused.status_code, error_code(refused)) == (409, "balance_in_use")
    taken = top_up(admin_client, balance, -600).json
    assert (taken["limit"], taken["used"], taken["reserved"], taken["left"]) == (400, 100, 300, 0)
    assert error_code(top_up(admin_client, balance, -1)) == "balance_in_use"


def test_little_is_left_of_what_the_last_top_up_made(
    admin_client: PageClient, member: User, member_client: PageClient, balance: dict[str, Any]
) -> None:
    top_up(admin_client, balance, 9_000)
    use(member, 9_000)
    assert [(each["left"], each["state"]) for each in own(member_client)] == [(1_000, "low")]
    top_up(admin_client, balance, 1_000)
    assert [(each["full"], each["left"], each["state"]) for each in own(member_client)] == [(2_000, 2_000, "open")]
    assert top_up(admin_client, balance, -1_500).json["full"] == 500
    use(member, 256)
    assert [(each["left"], each["state"]) for each in own(member_client)] == [(244, "exhausted")]


def test_a_message_that_a_balance_cannot_pay_is_refused_without_a_time_to_wait_for(
    admin_client: PageClient, member: User, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    balance = made(admin_client, scope="user", scope_id=member.id, limit=LEAST - 1)
    refused = ask(member_client)
    assert (refused.status_code, error_code(refused)) == (429, "balance_exhausted")
    assert "Retry-After" not in refused.headers
    assert refused.json["error"]["message"].startswith("Your balance has too little left")
    assert ask(member_client, language="zh").json["error"]["message"].startswith("你的余额不够再回答一次")
    assert upstream.journal.chats == []
    top_up(admin_client, balance, 1)
    assert ask(member_client).status_code == 200
    assert upstream.journal.last.body["max_tokens"] == MIN_ANSWER


def test_what_answers_under_way_hold_of_a_balance_is_said_as_such(
    admin_client: PageClient, member: User, member_client: PageClient
) -> None:
    made(admin_client, scope="user", scope_id=member.id, limit=LEAST)
    calls.dispatch(calls.call_of(member.id), Bounds(prompt=44, answer=MIN_ANSWER))
    refused = ask(member_client)
    assert (error_code(refused), refused.headers["Retry-After"]) == ("balance_held", "5")


def test_money_is_paid_from_a_balance_of_its_currency(
    admin_client: PageClient, member: User, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    made(admin_client, scope="user", scope_id=member.id, unit="CNY", limit=12_300_000)
    made(admin_client, scope="user", scope_id=member.id, unit="USD", limit=0)
    upstream.default = Answer("hi", usage=Usage(prompt=1000, cached=0, completion=2000))
    assert ask(member_client).status_code == 200
    cost = the_entry().cost_micros
    assert cost
    assert [(each["unit"], each["left"]) for each in own(member_client)] == [("CNY", 12_300_000 - cost), ("USD", 0)]


def test_the_site_and_a_group_pay_for_everybody_of_theirs(
    admin_client: PageClient, member: User, member_client: PageClient, make_user: MakeUser, sign_in: SignIn
) -> None:
    other = make_user("other")
    for scope, scope_id in (("site", ""), ("group", member.group_id)):
        made(admin_client, scope=scope, scope_id=scope_id, limit=1000)
    use(member, 10)
    use(other, 20)
    for client in (member_client, sign_in(other)):
        assert [(each["scope"], each["left"]) for each in own(client)] == [("group", 970), ("site", 970)]


def test_a_refund_comes_back_to_the_balance(member: User, member_client: PageClient, balance: dict[str, Any]) -> None:
    use(member, 100)
    refund_service.refund(Actor(None), the_entry().id, "it was wrong")
    assert [each["left"] for each in own(member_client)] == [1000]


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"scope": "member"}, 422, "bad_balance"),
        ({"hard": False}, 422, "bad_balance"),
        ({"reason": ""}, 422, "bad_reason"),
        ({"reason": "  "}, 422, "bad_reason"),
        ({"reason": "a\nb"}, 422, "bad_reason"),
        ({"reason": "x" * 201}, 422, "invalid_field"),
        ({"limit": -1}, 422, "invalid_field"),
        ({"limit": 10**15 + 1}, 422, "invalid_field"),
    ],
)
def test_a_balance_that_makes_no_sense_is_refused(
    admin_client: PageClient, member: User, fields: dict[str, Any], status: int, code: str
) -> None:
    scope_id = member.group_id if "scope" in fields else member.id
    body = {"scope": "user", "scope_id": scope_id, "period": "prepaid", "limit": 10, "reason": "paid"} | fields
    response = admin_client.post(BUDGETS, json=body)
    assert (response.status_code, error_code(response)) == (status, code)
    with reading() as session:
        assert session.scalars(select(Budget)).all() == []


@pytest.mark.parametrize(
    ("amount", "reason", "code"),
    [
        (0, "x", "bad_top_up"),
        (10**15, "x", "bad_top_up"),
        (10**15 + 1, "x", "invalid_field"),
        (1.5, "x", "invalid_field"),
        (True, "x", "invalid_field"),
        ("1", "x", "invalid_field"),
        (1, "", "bad_reason"),
        (1, None, "invalid_field"),
        (1, "a\u202eb", "bad_reason"),
        (1, "x" * 201, "invalid_field"),
    ],
)
def test_a_top_up_that_makes_no_sense_is_refused(
    admin_client: PageClient, balance: dict[str, Any], amount: Any, reason: Any, code: str
) -> None:
    response = top_up(admin_client, balance, amount, reason)
    assert (response.status_code, error_code(response)) == (422, code)
    assert [each["limit"] for each in admin_client.get(BUDGETS).json["budgets"]] == [1000]  # type: ignore[index]


def test_a_balance_is_topped_up_and_a_limit_is_changed(admin_client: PageClient, balance: dict[str, Any]) -> None:
    for body in ({"limit": 5000}, {"hard": False}):
        refused = admin_client.patch(f"{BUDGETS}/{balance['id']}", json=body)
        assert (refused.status_code, error_code(refused)) == (409, "balance_is_fixed")
    daily = made(admin_client, scope="site", period="day", limit=10)
    refused = top_up(admin_client, daily, 5)
    assert (refused.status_code, error_code(refused)) == (409, "not_a_balance")
    assert admin_client.get(f"{BUDGETS}/{daily['id']}/top-ups").status_code == 404


def test_there_is_one_balance_of_each_unit_and_a_new_one_begins_anew(
    admin_client: PageClient, member: User, balance: dict[str, Any]
) -> None:
    body = {"scope": "user", "scope_id": member.id, "period": "prepaid", "limit": 10, "reason": "again"}
    assert error_code(admin_client.post(BUDGETS, json=body)) == "budget_exists"
    use(member, 100)
    assert admin_client.delete(f"{BUDGETS}/{balance['id']}").status_code == 204
    anew = made(admin_client, scope="user", scope_id=member.id, limit=0, reason="")
    assert (anew["limit"], anew["used"], anew["left"]) == (0, 0, 0)
    with reading() as session:
        assert [top_up.amount for top_up in session.scalars(select(TopUp))] == [1000], "what was paid in stays known"


def test_a_top_up_that_is_sent_twice_is_added_once(admin_client: PageClient, balance: dict[str, Any]) -> None:
    key = {"idempotency_key": "of-one-press"}
    replies = [top_up(admin_client, balance, 500, **key) for _ in range(2)]
    assert [(reply.status_code, reply.json["left"]) for reply in replies] == [(201, 1500)] * 2
    for amount, reason in ((501, "paid in cash"), (500, "paid by card")):
        assert error_code(top_up(admin_client, balance, amount, reason, **key)) == "top_up_key_reused"
    assert top_up(admin_client, balance, 500, idempotency_key="of-another").json["left"] == 2000
    assert error_code(top_up(admin_client, balance, 1, idempotency_key="钥匙")) == "invalid_field"


def test_top_ups_are_paged_with_as_many_statements_however_many(
    admin_client: PageClient,
    balance: dict[str, Any],
    query_count: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    path = f"{BUDGETS}/{balance['id']}/top-ups"

    def count() -> int:
        with query_count() as statements:
            assert admin_client.get(path).status_code == 200
        return len(statements)

    few = count()
    for amount in range(1, 6):
        top_up(admin_client, balance, amount)
    assert count() == few
    first = admin_client.get(f"{path}?limit=4").json
    assert first
    rest = admin_client.get(f"{path}?limit=4&before={first['next']}").json
    assert rest
    amounts = [each["amount"] for each in [*first["top_ups"], *rest["top_ups"]]]
    assert (amounts, rest["next"]) == ([5, 4, 3, 2, 1, 1000], None)
    for query in ("?limit=0", "?limit=101", "?limit=x", "?before=x", "?before=" + "%27" * 26):
        assert admin_client.get(path + query).status_code == 400, query


def test_a_balance_that_is_not_there_is_not_found(admin_client: PageClient) -> None:
    for budget_id in (new_id(), "x", "编号", "%00"):
        assert admin_client.get(f"{BUDGETS}/{budget_id}/top-ups").status_code == 404
        assert top_up(admin_client, {"id": budget_id}, 1).status_code == 404


def test_only_administrators_top_up(client: PageClient, member_client: PageClient, balance: dict[str, Any]) -> None:
    for asker, code in ((member_client, "forbidden"), (client, "sign_in_required")):
        assert error_code(top_up(asker, balance, 1)) == code
        assert error_code(asker.get(f"{BUDGETS}/{balance['id']}/top-ups")) == code


def test_verify_finds_a_balance_that_is_not_its_top_ups_and_rebuild_mends_it(
    app: Flask, balance: dict[str, Any], admin_client: PageClient
) -> None:
    with transaction() as session:
        session.execute(update(Budget).values(amount=1_000_000))
    said = app.test_cli_runner().invoke(args=["usage", "verify"])
    assert said.exit_code == 1
    assert f"balance that is not its top-ups: {balance['id']}" in said.output
    assert app.test_cli_runner().invoke(args=["usage", "rebuild"]).exit_code == 0
    assert app.test_cli_runner().invoke(args=["usage", "verify"]).exit_code == 0
    assert [each["limit"] for each in admin_client.get(BUDGETS).json["budgets"]] == [1000]  # type: ignore[index]


def test_a_balance_of_nothing_is_used_up(admin_client: PageClient, member: User, member_client: PageClient) -> None:
    made(admin_client, scope="user", scope_id=member.id, limit=0, reason="")
    assert [(each["left"], each["state"]) for each in own(member_client)] == [(0, "exhausted")]
