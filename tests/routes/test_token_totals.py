"""What a program may use with its access token in all, however long that takes."""

import json
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from flask_app.database import transaction
from flask_app.domain import budget
from flask_app.models import SpentDaily, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.tokens import token_budget_service
from flask_app.services.tokens.token_budget_service import Cap
from flask_app.services.tokens.token_service import Made
from flask_app.services.warnings import notice_words
from flask_app.services.warnings.warning_service import look
from tests.conftest import MakeUser
from tests.support import ledger
from tests.support.clients import PageClient
from tests.support.gateway import Program, made
from tests.support.scripted_upstream import Answer, ScriptedUpstream, Usage
from tests.support.warned import notices, use, use_mail

LEAST = budget.prompt_bound(["hello"]) + budget.MIN_ANSWER


@pytest.fixture
def token(member: User) -> Made:
    return made(member)


def let_days_pass(days: int) -> None:
    """What tokens have used until now was used so long ago."""
    with transaction() as session:
        for row in session.scalars(select(SpentDaily).where(SpentDaily.scope == "token")):
            row.day -= timedelta(days=days)


def put(client: PageClient, token: Made, amount: int, period: str = "total") -> dict[str, object]:
    response = client.put(f"/api/tokens/{token.token.id}/budget", json={"period": period, "limit": amount})
    assert response.status_code == 200
    return dict(response.get_json())


@pytest.mark.unsound_ledger("moves days of tokens without their entries")
def test_a_limit_in_all_counts_every_day_and_never_renews(
    app: Flask, member_client: PageClient, token: Made, upstream: ScriptedUpstream
) -> None:
    program = Program(app, token.secret)
    upstream.default = Answer("hi", usage=Usage(prompt=20, completion=30))
    assert program.complete().status_code == 200
    assert ledger.unsound() == []
    let_days_pass(400)
    assert put(member_client, token, LEAST + 49, "month")["used"] == 0
    told = put(member_client, token, LEAST + 49)
    assert (told["period"], told["used"], told["left"], told["renews_at"]) == ("total", 50, LEAST - 1, None)

    response = program.complete()
    error = response.get_json()["error"]
    assert (response.status_code, error["code"]) == (429, "insufficient_quota")
    assert "“editor”" in error["message"]
    assert f"{LEAST - 1}" in error["message"]
    assert "retry-after" not in response.headers
    assert response.headers["x-should-retry"] == "false"

    assert put(member_client, token, LEAST + 94)["left"] == LEAST + 44
    assert program.complete().status_code == 200
    assert program.complete().status_code == 429


@pytest.mark.unsound_ledger("moves days of tokens without their entries")
def test_its_person_is_warned_of_it_once_whatever_the_day(make_user: MakeUser) -> None:
    use_mail()
    ada = make_user("ada", email="ada@example.com")
    token = made(ada, "nightly").token
    token_budget_service.put(Actor(ada), token.id, Cap(unit="tokens", period="total", limit=10_000))
    use(ada, 8_500, token_id=token.id)
    look()
    let_days_pass(40)
    look()
    (notice,) = notices()
    facts = json.loads(notice.facts)
    ada.locale = "en"
    letter = notice_words.letter(notice.kind, notice.share, facts, ada)
    assert letter.subject == "The “nightly” token's limit in all: 85% used"
    assert "renews" not in letter.text
    assert notice_words.headline(notice.kind, notice.share, facts, "en").endswith("10,000 tokens in all, 85% used")
