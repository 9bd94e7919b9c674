"""PUT and DELETE /api/tokens/…/budget: who may not limit a token, and what is no limit."""

from typing import Any

import pytest

from flask_app.database import new_id
from flask_app.errors import NotFound
from flask_app.models import User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.tokens import token_budget_service
from flask_app.services.tokens.token_service import Made
from tests.conftest import MakeUser, SignIn
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.gateway import made
from tests.support.scripted_upstream import ScriptedUpstream
from tests.support.token_limits import CAP, TOKENS, path, shown, stored


@pytest.fixture
def token(member: User) -> Made:
    return made(member)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"limit": 0}, "invalid_field"),
        ({"limit": 10**15 + 1}, "invalid_field"),
        ({"limit": "much"}, "invalid_field"),
        ({"period": "prepaid"}, "invalid_field"),
        ({"period": "year"}, "invalid_field"),
        ({"unit": "€"}, "bad_currency"),
        ({"unit": "cny"}, "bad_currency"),
        ({"scope": "site"}, "invalid_field"),
        ({"hard": "no"}, "invalid_field"),
    ],
)
def test_what_makes_no_sense_is_refused_and_the_old_limit_stays(
    member_client: PageClient, token: Made, upstream: ScriptedUpstream, fields: dict[str, Any], code: str
) -> None:
    member_client.put(path(token), json=CAP)
    response = member_client.put(path(token), json=CAP | fields)
    assert (response.status_code, error_code(response)) == (422, code)
    assert stored() == [(token.token.id, "tokens", "day", 10_000)]
    response = member_client.post(TOKENS, json={"name": "another", "budget": CAP | fields})
    assert (response.status_code, error_code(response)) == (422, code)
    assert shown(member_client).keys() == {"editor"}, "no token without the limit that was wanted for it"


def test_only_its_person_limits_a_token_that_can_be_used(
    client: PageClient, member_client: PageClient, token: Made, make_user: MakeUser, sign_in: SignIn
) -> None:
    assert client.put(path(token), json=CAP).status_code == client.delete(path(token)).status_code == 401
    member_client.put(path(token), json=CAP)
    for stranger in (sign_in(make_user("stranger")), sign_in(make_user("root", "admin"))):
        assert stranger.put(path(token), json=CAP | {"limit": 1}).status_code == 404
        assert stranger.delete(path(token)).status_code == 404
    assert member_client.put(f"{TOKENS}/{new_id()}/budget", json=CAP).status_code == 404
    assert stored() == [(token.token.id, "tokens", "day", 10_000)]


def test_whoever_is_nobody_limits_no_token(member_client: PageClient, token: Made) -> None:
    member_client.put(path(token), json=CAP)
    nobody, cap = Actor(None), token_budget_service.Cap(unit="tokens", period="day", limit=1)
    with pytest.raises(NotFound):
        token_budget_service.put(nobody, token.token.id, cap)
    with pytest.raises(NotFound):
        token_budget_service.remove(nobody, token.token.id)
    assert stored() == [(token.token.id, "tokens", "day", 10_000)]
