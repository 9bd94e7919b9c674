"""A base URL that lacks /v1, or has it twice: its program is told which is right."""

import pytest
from flask import Flask

from flask_app.models import User
from tests.support.gateway import made

RIGHT = "http://localhost/v1"
ASK = {"model": "deepseek-flash", "messages": [{"role": "user", "content": "Hello"}]}
NOTHING = ["/chat/nothing", "/v1/nothing", "/v1/v1/nothing", "/v1/v1/v1/messages", "/v2/messages"]


@pytest.fixture
def headers(member: User) -> dict[str, str]:
    return {"Authorization": f"Bearer {made(member).secret}", "Accept": "application/json"}


@pytest.mark.parametrize("begins", ["", "/v1/v1"])
@pytest.mark.parametrize("call", ["chat/completions", "completions", "responses", "embeddings", "messages"])
def test_the_right_one_is_told(app: Flask, headers: dict[str, str], begins: str, call: str) -> None:
    reply = app.test_client().post(f"{begins}/{call}", json=ASK, headers=headers)
    assert reply.status_code == 404
    assert RIGHT in reply.get_json()["error"]["message"]


def test_whoever_has_no_token_is_told_too(app: Flask) -> None:
    reply = app.test_client().post("/chat/completions", json=ASK)
    assert (reply.status_code, RIGHT in reply.get_data(as_text=True)) == (404, True)


@pytest.mark.parametrize("path", NOTHING)
def test_elsewhere_there_is_just_nothing(app: Flask, headers: dict[str, str], path: str) -> None:
    reply = app.test_client().post(path, json=ASK, headers=headers)
    assert (reply.status_code, RIGHT in reply.get_data(as_text=True)) == (404, False)
