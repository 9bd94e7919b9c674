"""A limit of an access token that only warns."""

from typing import Any

import pytest
from flask import Flask

from flask_app.domain import budget
from flask_app.models import User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.tokens import token_budget_service
from flask_app.services.tokens.token_budget_service import Cap
from flask_app.services.warnings.warning_service import look
from tests.conftest import MakeUser
from tests.support.clients import PageClient
from tests.support.gateway import Program, made
from tests.support.scripted_upstream import Answer, ScriptedUpstream, Usage
from tests.support.warned import notices, use, use_mail

LEAST = budget.prompt_bound(["hello"]) + budget.MIN_ANSWER


@pytest.mark.parametrize("period", ["day", "total"])
def test_a_program_goes_on_beyond_a_limit_that_only_warns_until_it_is_hard(
    app: Flask, member: User, member_client: PageClient, upstream: ScriptedUpstream, period: str
) -> None:
    token = made(member)
    program, path = Program(app, token.secret), f"/api/tokens/{token.token.id}/budget"
    upstream.default = Answer("hi", usage=Usage(prompt=20, completion=30))
    cap: dict[str, Any] = {"period": period, "limit": LEAST - 1, "hard": False}
    told = member_client.put(path, json=cap).get_json()
    assert (told["hard"], told["state"]) == (False, "open")
    assert program.complete().status_code == 200
    assert member_client.put(path, json=cap | {"limit": 40}).get_json()["state"] == "exhausted"
    assert program.complete().status_code == 200

    hard = member_client.put(path, json=cap | {"hard": True}).get_json()
    assert (hard["id"], hard["hard"], hard["used"]) == (told["id"], True, 100)
    assert program.complete().status_code == 429


def test_its_person_is_told_by_mail_once(make_user: MakeUser) -> None:
    use_mail()
    ada = make_user("ada", email="ada@example.com")
    token = made(ada, "nightly").token
    cap = Cap(unit="tokens", period="day", limit=10_000, hard=False)
    token_budget_service.put(Actor(ada), token.id, cap)
    use(ada, 9_990, token_id=token.id)
    look()
    look()
    use(ada, 20, token_id=token.id)
    look()
    look()
    assert [notice.share for notice in notices()] == [80, 100]
