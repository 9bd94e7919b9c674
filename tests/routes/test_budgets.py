"""GET /api/budgets, and what a budget does to a message."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from flask_app.database import new_id, reading, transaction, utc_now
from flask_app.domain import budget
from flask_app.errors import BudgetExhausted
from flask_app.models import DEFAULT_GROUP_ID, Attempt, Budget, Conversation, Message, Run, TokenUsage, User
from flask_app.services import budget_admin_service, budget_service, group_service, user_admin_service
from flask_app.services.attempts import Bounds
from flask_app.services.audit_service import Actor
from flask_app.services.budget_admin_service import Place
from flask_app.services.group_service import Choices
from tests.conftest import MakeUser, SignIn
from tests.support import calls, prices
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.scripted_upstream import Answer, ScriptedUpstream, Status, Usage
from tests.support.warned import use

BUDGETS = "/api/budgets"
PROMPT = budget.prompt_bound(["hello"])
LEAST = PROMPT + budget.MIN_ANSWER
JSON = {"Accept": "application/json"}


def limit(amount: int, *, scope: str = "site", scope_id: str = "", period: str = "day", **fields: Any) -> str:
    unit, hard = fields.get("unit", "tokens"), fields.get("hard", True)
    place = Place(scope=scope, scope_id=scope_id, unit=unit, period=period)
    made = budget_admin_service.add(Actor(None), place, max(amount, 1), hard=hard).standing.id
    if amount == 0:  # there may be such rows of earlier versions
        with transaction() as session:
            session.execute(update(Budget).where(Budget.id == made).values(amount=0))
    return made


def ask(client: PageClient, message: str = "hello", language: str = "en", **fields: Any) -> Any:
    headers = {**JSON, "Accept-Language": language}
    return client.post("/api/chat", json={"message": message, **fields}, headers=headers)


def own(client: PageClient) -> list[dict[str, Any]]:
    return list(client.get(BUDGETS).json["budgets"])  # type: ignore[index]


def rows() -> list[int]:
    with reading() as session:
        kinds = (Attempt, TokenUsage, Conversation, Message, Run)
        return [session.scalar(select(func.count()).select_from(kind)) or 0 for kind in kinds]


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


def test_money_is_used_up_when_it_pays_no_message(
    member: User, member_client: PageClient, admin_client: PageClient, upstream: ScriptedUpstream
) -> None:
    assert ask(admin_client).status_code == 200
    prices.put("deepseek-flash", 1)
    limit(2_000, scope="user", scope_id=member.id, unit="CNY")
    for used, state in ((2_000 - budget.LEAST_TOKENS, "low"), (1, "exhausted")):
        use(member, 1, cost_micros=used)
        assert [each["state"] for each in own(member_client)] == [state]
        (listed,) = admin_client.get("/api/admin/budgets").json["budgets"]  # type: ignore[index]
        assert listed["state"] == state
    assert error_code(ask(member_client, "x")) == "budget_exhausted"


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


def test_money_shortens_an_answer_too(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    limit(10_000, unit="CNY")  # a fen: at most 2,500 tokens of an answer, at peak hours half of it
    assert ask(member_client).status_code == 200
    sent = upstream.journal.last.body["max_tokens"]
    with reading() as session:
        attempt = session.scalars(select(Attempt)).one()
    assert budget.MIN_ANSWER < sent < 2_500
    assert attempt.max_tokens == sent
    assert attempt.reserved_tokens == PROMPT + sent
    assert attempt.currency == "CNY"
    assert attempt.reserved_micros
    assert 9_990 < attempt.reserved_micros <= 10_000


@pytest.mark.parametrize("scope", ["site", "group", "member", "user"])
def test_a_message_without_room_is_refused_before_anything_is_written(
    member: User, member_client: PageClient, upstream: ScriptedUpstream, scope: str
) -> None:
    ids = {"site": "", "user": member.id}
    limit(LEAST - 1, scope=scope, scope_id=ids.get(scope, DEFAULT_GROUP_ID))
    ask(member_client, language="en")
    refused = ask(member_client)
    assert (refused.status_code, error_code(refused)) == (429, "budget_exhausted")
    assert upstream.journal.chats == []
    assert rows() == [0, 0, 0, 0, 0]
    params = refused.json["error"]["params"]
    assert (params["scope"], params["period"], params["limit"], params["left"]) == (
        scope,
        "day",
        LEAST - 1,
        LEAST - 1,
    )
    renews_at = datetime.fromisoformat(params["renews_at"])
    assert 0 < int(refused.headers["Retry-After"]) <= 86_400
    assert abs((renews_at - utc_now()).total_seconds() - int(refused.headers["Retry-After"])) < 5


def test_the_refusal_says_in_both_languages_what_is_used_up_and_when_it_renews(
    make_user: MakeUser, sign_in: SignIn
) -> None:
    person = make_user("person", timezone="America/New_York")
    limit(100, scope="user", scope_id=person.id, period="month")
    client = sign_in(person)
    english = ask(client).json["error"]["message"]
    assert english.startswith("Your monthly budget (100 tokens) has too little left for another answer. It renews on ")
    assert re.search(r"on [A-Z][a-z]{2} \d+, \d{4}, 1[12]:00 [AP]M\. Your administrator can", english), (
        "New York's time"
    )
    chinese = ask(client, language="zh").json["error"]["message"]
    assert chinese.startswith("你的每月额度（共 100 个 token）")
    assert re.search(r"\d{4}年\d+月\d+日 \d\d:00 重新计算。急用的话", chinese)


def test_the_refusal_names_a_time_zone_that_is_not_the_readers_and_leads_administrators_to_the_page(
    admin_client: PageClient, member_client: PageClient
) -> None:
    limit(1)
    assert "12:00 AM (Asia/Shanghai). Your administrator" in ask(member_client).json["error"]["message"]
    assert ask(admin_client).json["error"]["message"].endswith("You can give it more on the budgets page.")


def test_what_answers_under_way_hold_is_said_as_such(member: User, member_client: PageClient) -> None:
    limit(LEAST + 100, scope="user", scope_id=member.id)
    bounds = Bounds(prompt=PROMPT, answer=budget.MIN_ANSWER)
    sent = calls.dispatch(calls.call_of(member.id), bounds)
    refused = ask(member_client)
    assert (refused.status_code, error_code(refused), refused.headers["Retry-After"]) == (429, "budget_held", "5")
    assert own(member_client)[0]["reserved"] == LEAST
    calls.settle(sent, 10, 20)
    assert ask(member_client).status_code == 200


def test_a_message_that_was_refused_can_be_sent_again_under_the_same_key(
    member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    budget_id = limit(0)
    key = new_id()
    assert ask(member_client, idempotency_key=key).status_code == 429
    budget_admin_service.delete(Actor(None), budget_id)
    assert ask(member_client, idempotency_key=key).status_code == 200
    assert len(upstream.journal.chats) == 1


def test_a_soft_budget_refuses_nothing(member_client: PageClient) -> None:
    limit(0, hard=False)
    assert ask(member_client).status_code == 200
    (listed,) = own(member_client)
    assert (listed["hard"], listed["left"]) == (False, 0)
    assert listed["used"] > 0


def test_money_of_another_currency_is_not_concerned(member_client: PageClient) -> None:
    limit(0, unit="USD")
    assert ask(member_client).status_code == 200
    limit(0, unit="CNY")
    assert ask(member_client).status_code == 429


def test_a_model_without_a_price_holds_no_money_and_is_not_asked_once_none_is_left(member: User) -> None:
    asked = budget_service.Asked(
        user_id=new_id(), model="without-a-price", currency="CNY", prompt=PROMPT, answer=budget.MIN_ANSWER
    )
    limit(1, unit="CNY")
    with reading() as session:
        hold = budget_service.reserve(session.connection(), asked, utc_now()).hold
    assert (hold.tokens, hold.micros, hold.currency) == (LEAST, None, None)
    limit(0, unit="CNY", period="week")
    with reading() as session, pytest.raises(BudgetExhausted):
        budget_service.reserve(session.connection(), asked, utc_now())


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
