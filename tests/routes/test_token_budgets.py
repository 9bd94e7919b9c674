"""PUT and DELETE /api/tokens/…/budget, and what a token's budget does to its program."""

import json
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from flask_app.database import reading, transaction, utc_now
from flask_app.domain import budget
from flask_app.models import AccessToken, AuditEntry, SpentDaily, TokenUsage, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.ledger import refund_service, usage_check_service
from flask_app.services.tokens import token_service
from flask_app.services.tokens.token_service import Made
from tests.support import ledger
from tests.support.clients import PageClient
from tests.support.gateway import Program, made
from tests.support.limits import ask, limit
from tests.support.scripted_upstream import Answer, ScriptedUpstream, Usage
from tests.support.together import at_once
from tests.support.token_limits import CAP, TOKENS, path, shown, stored

ADMIN = "/api/admin/budgets"
LEAST = budget.prompt_bound(["hello"]) + budget.MIN_ANSWER


@pytest.fixture
def token(member: User) -> Made:
    return made(member)


@pytest.fixture
def program(app: Flask, token: Made) -> Program:
    return Program(app, token.secret)


def acts() -> list[tuple[str, dict[str, Any]]]:
    with reading() as session:
        of_budgets = select(AuditEntry).where(AuditEntry.action.startswith("budget."))
        found = session.scalars(of_budgets.order_by(AuditEntry.created_at, AuditEntry.id))
        return [(entry.action, json.loads(entry.details)) for entry in found]


def test_a_token_has_one_limit_which_its_person_sets_changes_and_takes_away(
    member_client: PageClient, token: Made
) -> None:
    assert shown(member_client) == {"editor": None}
    first = member_client.put(path(token), json=CAP)
    assert first.status_code == 200
    told = first.get_json()
    assert (told["scope"], told["unit"], told["period"], told["hard"]) == ("token", "tokens", "day", True)
    assert (told["limit"], told["used"], told["left"], told["state"]) == (10_000, 0, 10_000, "open")
    assert shown(member_client) == {"editor": first.get_json()}

    second = member_client.put(path(token), json=CAP | {"limit": 20_000}).get_json()
    assert (second["id"], second["limit"]) == (first.get_json()["id"], 20_000)
    assert member_client.put(path(token), json=CAP | {"limit": 20_000}).status_code == 200
    money = {"unit": "CNY", "period": "month", "limit": 5_000_000}
    assert member_client.put(path(token), json=money).status_code == 200
    assert stored() == [(token.token.id, "CNY", "month", 5_000_000)]

    assert member_client.delete(path(token)).status_code == 204
    assert member_client.delete(path(token)).status_code == 204
    assert (stored(), shown(member_client)) == ([], {"editor": None})
    named = {"scope": "token", "name": "member", "token": "editor"}
    day, month = named | {"unit": "tokens", "period": "day"}, named | {"unit": "CNY", "period": "month"}
    assert acts() == [
        ("budget.add", day | {"limit": 10_000, "hard": True}),
        ("budget.change", day | {"before": {"limit": 10_000}, "after": {"limit": 20_000}}),
        ("budget.delete", day | {"limit": 20_000, "hard": True}),
        ("budget.add", month | {"limit": 5_000_000, "hard": True}),
        ("budget.delete", month | {"limit": 5_000_000, "hard": True}),
    ]


def test_a_tokens_limit_may_only_warn(member_client: PageClient, token: Made) -> None:
    """Made so, changed, and changed back; what is asked without a word about it holds."""
    for hard in (False, True, False):
        assert member_client.put(path(token), json=CAP | {"hard": hard}).get_json()["hard"] is hard
    member_client.delete(path(token))
    assert member_client.put(path(token), json=CAP).get_json()["hard"] is True


def test_a_token_is_made_with_its_limit(app: Flask, member_client: PageClient, upstream: ScriptedUpstream) -> None:
    response = member_client.post(TOKENS, json={"name": "script", "budget": CAP | {"limit": LEAST - 1}}).get_json()
    assert response["token"]["budget"]["limit"] == LEAST - 1
    assert shown(member_client) == {"script": response["token"]["budget"]}
    assert Program(app, response["secret"]).complete().status_code == 429


def test_a_program_at_its_limit_is_told_so_by_the_tokens_name_and_nobody_else_is(
    app: Flask, member: User, member_client: PageClient, token: Made, program: Program, upstream: ScriptedUpstream
) -> None:
    limit(900_000, scope="user", scope_id=member.id)
    member_client.put(path(token), json=CAP | {"limit": LEAST - 1})
    response = program.complete()
    error = response.get_json()["error"]
    assert (response.status_code, error["code"], error["type"]) == (429, "insufficient_quota", "insufficient_quota")
    assert "“editor”" in error["message"]
    assert f"{LEAST - 1}" in error["message"]
    assert response.headers["x-should-retry"] == "false"
    assert 0 < int(response.headers["retry-after"]) <= 86_400
    assert upstream.journal.chats == []

    assert Program(app, made(member, "other").secret).complete().status_code == 200
    assert ask(member_client).status_code == 200
    assert [each["scope"] for each in member_client.get("/api/budgets").get_json()["budgets"]] == ["user"]


def test_of_two_that_are_used_up_the_tokens_own_is_told(
    member: User, member_client: PageClient, token: Made, program: Program
) -> None:
    limit(100)
    limit(100, scope="user", scope_id=member.id)
    assert "editor" not in program.complete().get_json()["error"]["message"]
    member_client.put(path(token), json=CAP | {"limit": 100})
    assert "editor" in program.complete().get_json()["error"]["message"]


def test_an_answer_is_as_long_as_the_limit_has_room_for_and_counts_against_it(
    member: User, member_client: PageClient, token: Made, program: Program, upstream: ScriptedUpstream
) -> None:
    member_client.put(path(token), json=CAP | {"limit": LEAST + 44})
    upstream.script(Answer("hi", usage=Usage(prompt=20, completion=30)))
    assert program.complete().status_code == 200
    assert budget.MIN_ANSWER <= upstream.journal.last.body["max_tokens"] < budget.MIN_ANSWER + 44
    assert shown(member_client)["editor"]["used"] == 50
    assert program.complete().status_code == 429
    with reading() as session:
        (entry,) = session.scalars(select(TokenUsage))
        of_token = select(SpentDaily.unit, SpentDaily.amount).where(SpentDaily.scope_id == token.token.id)
        used = {row.unit: row.amount for row in session.execute(of_token)}
    assert used == {"tokens": 50, "CNY": entry.cost_micros}
    assert entry.token_id == token.token.id
    refund_service.refund(Actor(None), entry.id, "it was wrong")
    assert shown(member_client)["editor"]["used"] == 0
    assert ledger.unsound() == []


def test_what_was_used_before_the_limit_counts_and_what_others_used_does_not(
    app: Flask, member: User, member_client: PageClient, token: Made, program: Program, upstream: ScriptedUpstream
) -> None:
    upstream.default = Answer("hi", usage=Usage(prompt=20, completion=30))
    program.complete()
    Program(app, made(member, "other").secret).complete()
    ask(member_client)
    assert member_client.put(path(token), json=CAP).get_json()["used"] == 50


def test_what_an_older_version_answered_counts_against_the_limit_once_the_totals_are_rebuilt(
    member_client: PageClient, token: Made, program: Program, upstream: ScriptedUpstream
) -> None:
    upstream.default = Answer("hi", usage=Usage(prompt=20, completion=30))
    member_client.put(path(token), json=CAP | {"limit": LEAST + 44})
    assert program.complete().status_code == 200
    with transaction() as session:
        session.execute(update(TokenUsage).values(token_id=None))
        session.execute(delete(SpentDaily).where(SpentDaily.scope == "token"))
    assert shown(member_client)["editor"]["used"] == 0
    usage_check_service.rebuild(Actor(None))
    assert shown(member_client)["editor"]["used"] == 50
    assert program.complete().status_code == 429


def test_a_limit_in_money_holds_too(
    member_client: PageClient, token: Made, program: Program, upstream: ScriptedUpstream
) -> None:
    member_client.put(path(token), json={"unit": "CNY", "period": "month", "limit": 10})
    assert "editor" in program.complete().get_json()["error"]["message"]
    assert upstream.journal.chats == []


def test_a_request_asks_the_database_as_often_with_a_limit_of_the_token_as_with_another(
    member: User, member_client: PageClient, token: Made, program: Program, upstream: ScriptedUpstream, query_count: Any
) -> None:
    limit(900_000, scope="user", scope_id=member.id)
    assert program.complete().status_code == 200
    with query_count() as without:
        program.complete()
    member_client.put(path(token), json=CAP)
    with query_count() as limited:
        program.complete()
    assert len(limited) == len(without)


def test_the_list_asks_as_often_however_many_have_a_limit(
    member: User, member_client: PageClient, token: Made, query_count: Any
) -> None:
    member_client.put(path(token), json=CAP)
    with query_count() as few:
        member_client.get(TOKENS)
    for number in range(5):
        member_client.put(path(made(member, f"token {number}")), json=CAP)
    with query_count() as many:
        assert len(shown(member_client)) == 6
    assert len(many) == len(few)


def test_a_limit_goes_with_its_token_and_stays_where_that_only_expires(
    member: User, member_client: PageClient, token: Made
) -> None:
    other = made(member, "other")
    for each in (token, other):
        member_client.put(path(each), json=CAP)
    assert member_client.delete(f"{TOKENS}/{other.token.id}").status_code == 204
    assert stored() == [(token.token.id, "tokens", "day", 10_000)]
    assert member_client.put(path(other), json=CAP).status_code == 404
    with transaction() as session:
        session.execute(update(AccessToken).values(expires_at=utc_now() - timedelta(seconds=1)))
    assert shown(member_client)["editor"]["limit"] == 10_000
    assert member_client.delete(path(token)).status_code == 204


def test_a_token_that_is_revoked_while_it_is_limited_leaves_no_limit(member_client: PageClient, member: User) -> None:
    tokens = [made(member, f"token {number}") for number in range(6)]

    def act(number: int) -> None:
        each = tokens[number // 2]
        if number % 2:
            token_service.revoke_own(Actor(member), each.token.id)
        else:
            member_client.put(path(each), json=CAP)

    assert [outcome for outcome in at_once(12, act) if outcome] == []
    assert stored() == []


def test_administrators_see_whose_it_is_and_take_it_away(
    admin_client: PageClient, member: User, member_client: PageClient, token: Made, program: Program
) -> None:
    member_client.put(path(token), json=CAP | {"limit": 100})
    limit(900_000)
    site, of_token = admin_client.get(ADMIN).get_json()["budgets"]
    assert (site["name"], site["token"]) == (None, None)
    assert (of_token["scope"], of_token["scope_id"]) == ("token", token.token.id)
    assert (of_token["name"], of_token["token"], of_token["limit"]) == ("member", "editor", 100)
    place = {"scope": "token", "scope_id": token.token.id, "period": "week", "limit": 5}
    assert admin_client.post(ADMIN, json=place).status_code == 422, "it is its person's to make"
    assert program.complete().status_code == 429
    assert admin_client.delete(f"{ADMIN}/{of_token['id']}").status_code == 204
    assert shown(member_client) == {"editor": None}
    action, details = acts()[-1]
    assert (action, details["name"], details["token"]) == ("budget.delete", "member", "editor")


def test_the_page_offers_a_limit_in_tokens_and_in_what_models_are_billed_in(
    member_client: PageClient, token: Made, upstream: ScriptedUpstream
) -> None:
    member_client.put(path(token), json=CAP)
    page = member_client.get("/tokens").text
    assert '"limit":10000' in page
    assert page.count('<option value="CNY">') == 2
