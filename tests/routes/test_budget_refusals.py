"""What a message that no budget has room for is told, and that it leaves nothing."""

import re
from datetime import datetime

import pytest
from flask import Flask
from sqlalchemy import func, select

from flask_app.database import new_id, reading, utc_now
from flask_app.domain import budget
from flask_app.models import DEFAULT_GROUP_ID, Attempt, Conversation, Message, Run, TokenUsage, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_admin_service
from flask_app.services.completion.attempts import Bounds
from tests.conftest import MakeUser, SignIn
from tests.support import calls
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.gateway import Program, made
from tests.support.limits import LEAST, PROMPT, ask, limit, own
from tests.support.scripted_upstream import ScriptedUpstream


def rows() -> list[int]:
    with reading() as session:
        kinds = (Attempt, TokenUsage, Conversation, Message, Run)
        return [session.scalar(select(func.count()).select_from(kind)) or 0 for kind in kinds]


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


@pytest.mark.parametrize("locale", ["en", "zh", "zh-Hant", "ja"])
def test_a_program_is_told_the_time_zone_in_any_case(app: Flask, make_user: MakeUser, locale: str) -> None:
    """Its person's own, which whoever reads a program's output does not know."""
    person = make_user("person", timezone="America/New_York", locale=locale)
    limit(1, scope="user", scope_id=person.id)
    program = Program(app, made(person).secret)
    zone = " (America/New_York)" if locale == "en" else "（America/New_York）"
    for refused in (program.complete(), program.respond(), program.message()):
        assert refused.status_code == 429
        assert re.search(rf"1[12]:00( [AP]M)?{re.escape(zone)}", refused.get_json()["error"]["message"])


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
