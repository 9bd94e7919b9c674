"""GET /api/budgets, and what a budget does to a message."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

from flask import Flask

from flask_app.database import reading, utc_now
from flask_app.domain import budget
from flask_app.models import DEFAULT_GROUP_ID, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_admin_service, budget_service
from flask_app.services.completion.attempts import Bounds
from flask_app.services.people import group_service, user_admin_service
from flask_app.services.people.group_service import Choices
from tests.conftest import MakeUser, SignIn
from tests.support import calls
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.limits import BUDGETS, LEAST, PROMPT, ask, limit, own
from tests.support.scripted_upstream import Answer, ScriptedUpstream, Status, Usage


def test_without_budgets_nothing_is_listed_and_nothing_is_refused(
    member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    assert member_client.get(BUDGETS).json == {"timezone": "Asia/Shanghai", "budgets": []}
    assert ask(member_client).status_code == 200
    assert upstream.journal.last.body["max_tokens"] == 32_768, "the longest answer is always said"


def test_an_answer_counts_against_every_budget_that_concerns_its_person(
    member: User, member_client: PageClient, make_user: MakeUser, sign_in: SignIn, upstream: ScriptedUpstream
) -> None:
    limit(900_000, period="month")
    limit(800_000, scope="group", scope_id=DEFAULT_GROUP_ID, period="week")
    limit(700_000, scope="member", scope_id=DEFAULT_GROUP_ID)
    limit(600_000, scope="user", scope_id=member.id)
    limit(5_000_000, scope="user", scope_id=member.id, unit="CNY", hard=False)
    limit(100, scope="user", scope_id=make_user("another").id)
    upstream.default = Answer("hi", usage=Usage(prompt=10, cached=0, completion=20))
    assert ask(member_client).status_code == 200
    listed = own(member_client)
    assert [(each["scope"], each["period"], each["unit"]) for each in listed] == [
        ("user", "day", "CNY"),
        ("user", "day", "tokens"),
        ("member", "day", "tokens"),
        ("group", "week", "tokens"),
        ("site", "month", "tokens"),
    ]
    money, *tokens = listed
    assert [(each["used"], each["reserved"], each["left"]) for each in tokens] == [
        (30, 0, each["limit"] - 30) for each in tokens
    ]
    assert 0 < money["used"] < 1000
    assert not money["hard"]

    other = sign_in(make_user("other"))
    assert ask(other).status_code == 200
    assert [each["used"] for each in own(member_client)[1:]] == [30, 30, 60, 60]
    assert [(each["scope"], each["used"]) for each in own(other)] == [("member", 30), ("group", 60), ("site", 60)]


def test_a_budget_says_when_little_is_left_and_when_no_message_fits(
    member: User, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    limit(10_000)
    for used, state in ((8_000, "open"), (1, "low"), (1_999 - budget.LEAST_TOKENS, "low"), (1, "exhausted")):
        upstream.script(Answer("hi", usage=Usage(prompt=0, completion=used)))
        assert ask(member_client, "x").status_code == 200
        assert [each["state"] for each in own(member_client)] == [state]
    assert error_code(ask(member_client, "x")) == "budget_exhausted"


def test_what_is_reserved_uses_nothing_up(member: User, member_client: PageClient) -> None:
    limit(LEAST, scope="user", scope_id=member.id)
    calls.dispatch(calls.call_of(member.id), Bounds(prompt=PROMPT, answer=budget.MIN_ANSWER))
    assert [(each["left"], each["state"]) for each in own(member_client)] == [(0, "low")]


def test_what_only_warns_is_used_up_when_nothing_is_left(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    limit(100, hard=False)
    limit(1_000_000, unit="CNY", hard=False)
    limit(0, unit="USD")
    assert [each["state"] for each in own(member_client)] == ["open", "exhausted", "open"]
    upstream.script(Answer("hi", usage=Usage(prompt=10, completion=90)))
    assert ask(member_client).status_code == 200
    assert [each["state"] for each in own(member_client)] == ["open", "exhausted", "exhausted"]


def test_a_person_who_moves_takes_nothing_out_of_the_group_they_leave(
    member: User, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    limit(800_000, scope="group", scope_id=DEFAULT_GROUP_ID)
    ask(member_client)
    used = own(member_client)[0]["used"]
    assert used > 0
    group = new_group()
    limit(800_000, scope="group", scope_id=group)
    user_admin_service.change(Actor(None), member.id, group_id=group)
    assert [each["used"] for each in own(member_client)] == [0]
    ask(member_client)
    assert [each["used"] for each in own(member_client)] == [used]


def test_the_answer_is_as_long_as_there_is_left(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    limit(LEAST + 44)
    assert ask(member_client).status_code == 200
    assert upstream.journal.last.body["max_tokens"] == budget.MIN_ANSWER + 44


def test_a_soft_budget_refuses_nothing(member_client: PageClient) -> None:
    limit(0, hard=False)
    assert ask(member_client).status_code == 200
    (listed,) = own(member_client)
    assert (listed["hard"], listed["left"]) == (False, 0)
    assert listed["used"] > 0


def test_a_failed_attempt_frees_what_it_held_and_the_next_reserves_anew(
    member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    limit(LEAST, period="day")
    upstream.script(Status(500, retry_after=30))
    answer = ask(member_client)
    assert answer.status_code == 200
    assert answer.json["status"] == "failed"
    (listed,) = own(member_client)
    assert (listed["used"], listed["reserved"], listed["left"]) == (0, 0, LEAST)


def test_a_bill_above_what_was_reserved_is_booked_and_said(
    app: Flask, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    limit(LEAST)
    upstream.default = Answer("hi", usage=Usage(prompt=10_000, completion=20))
    assert ask(member_client).status_code == 200
    (listed,) = own(member_client)
    assert (listed["used"], listed["left"]) == (10_020, 0)
    said = app.test_cli_runner().invoke(args=["usage", "verify"])
    assert said.exit_code == 0
    assert said.output.splitlines()[0].startswith("Of 1 entries the provider counted more than it was asked for.")


def test_a_change_holds_from_the_next_request(member_client: PageClient) -> None:
    budget_id = limit(0)
    assert ask(member_client).status_code == 429
    budget_admin_service.change(Actor(None), budget_id, limit=100_000)
    assert ask(member_client).status_code == 200
    budget_admin_service.change(Actor(None), budget_id, limit=1)
    assert ask(member_client).status_code == 429
    budget_admin_service.change(Actor(None), budget_id, hard=False)
    assert ask(member_client).status_code == 200


def test_what_is_reserved_counts_in_the_period_it_began_in(member: User) -> None:
    yesterday = utc_now() - timedelta(days=1)
    budget_id = limit(LEAST)
    sent = calls.dispatch(calls.call_of(member.id), Bounds(prompt=PROMPT, answer=budget.MIN_ANSWER), yesterday)
    assert figures(budget_id, yesterday) == (0, LEAST)
    assert figures(budget_id, utc_now()) == (0, 0)
    calls.settle(sent, 10, 20)
    assert figures(budget_id, yesterday) == (30, 0)
    assert figures(budget_id, utc_now()) == (0, 0)


def test_a_dispatch_costs_one_statement_without_budgets_and_three_with_any_number(
    member: User, database_url: str, query_count: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    def count() -> int:
        with query_count() as statements:
            calls.dispatch(calls.call_of(member.id), Bounds(prompt=1, answer=budget.MIN_ANSWER))
        return len(statements)

    lock, terms, insert = int(not database_url.startswith("sqlite")), 1, 1  # who writes to SQLite is alone
    assert count() == lock + terms + insert
    limit(10**9)
    assert count() == lock + terms + insert + 2
    for period in ("week", "month"):
        limit(10**9, period=period)
        limit(10**9, scope="user", scope_id=member.id, period=period)
        limit(10**9, scope="member", scope_id=DEFAULT_GROUP_ID, period=period, unit="CNY")
    assert count() == lock + terms + insert + 2


def test_nobody_sees_budgets_without_signing_in(client: PageClient) -> None:
    assert (client.get(BUDGETS).status_code, error_code(client.get(BUDGETS))) == (401, "sign_in_required")


def figures(budget_id: str, moment: datetime) -> tuple[int, int]:
    with reading() as session:
        standing = budget_service.standings(session.connection(), [budget_id], moment)[budget_id]
    return standing.spent, standing.reserved


def new_group() -> str:
    return group_service.add(Actor(None), Choices(name="Club")).group.id
