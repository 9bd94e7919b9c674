"""A link to choose a password asks for the second step as well."""

from typing import Any

import pytest

from flask_app.database import transaction
from flask_app.models import User
from flask_app.services.people import password_links
from tests.support import authenticator
from tests.support.clients import PageClient
from tests.support.entrance import STRONG, error_code, stored


@pytest.fixture
def secret(member: User) -> str:
    return authenticator.turn_on(member)[0]


def outcome(response: Any) -> tuple[int, str]:
    return response.status_code, error_code(response)


def link_for(user: User) -> str:
    with transaction() as session:
        return password_links.issue(session, user.id).token


def reset(client: PageClient, token: str, **more: str) -> Any:
    return client.post("/api/password-reset", json={"token": token, "password": STRONG} | more)


def test_a_password_link_does_not_get_round_it(
    client: PageClient, member: User, member_client: PageClient, secret: str
) -> None:
    token, before = link_for(member), stored(member).password_hash
    assert outcome(reset(client, token)) == (401, "second_step_needed")
    assert outcome(reset(client, token, code=authenticator.wrong(secret))) == (403, "wrong_second_step_code")
    assert stored(member).password_hash == before
    assert client.session_token == ""
    assert member_client.get("/api/me").status_code == 200
    code = authenticator.code(secret)
    assert reset(client, token, code=code).status_code == 200
    assert client.get("/api/me").status_code == 200
    assert member_client.get("/api/me").status_code == 401
    assert outcome(reset(client, token, code=authenticator.code(secret, steps=1))) == (403, "reset_link_invalid")


def test_guesses_at_codes_with_a_password_link_are_limited(client: PageClient, member: User, secret: str) -> None:
    token, wrong = link_for(member), authenticator.wrong(secret)
    assert [reset(client, token, code=wrong).status_code for _ in range(11)] == [403] * 10 + [429]


def test_a_link_of_somebody_without_a_second_step_needs_no_code(client: PageClient, member: User) -> None:
    assert reset(client, link_for(member), code="123456").status_code == 200
