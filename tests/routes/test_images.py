"""Images that programs show to models: passed on as they are, and counted by a bound of their own."""

import dataclasses
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from flask_app import config
from flask_app.database import reading
from flask_app.domain.serving import BUNDLED_NAME
from flask_app.errors import BadRequest
from flask_app.models import Attempt, TokenUsage, User
from flask_app.services.chat.prompts import MOST_IMAGE_TOKENS
from flask_app.web import images
from tests.support.gateway import Program, made
from tests.support.limits import limit
from tests.support.scripted_upstream import Answer, ScriptedUpstream, Usage

DATA = f"data:image/png;base64,{'A' * 60_000}"
SHOWN = {"type": "image_url", "image_url": {"url": DATA}}
WORDS = {"type": "text", "text": "What is this?"}
SOURCE = {"type": "base64", "media_type": "image/png", "data": "A" * 60_000}
ADDRESS = "https://pictures.example/cat.png"


@pytest.fixture
def program(app: Flask, member: User, upstream: ScriptedUpstream) -> Program:
    upstream.default = Answer("A cat.", usage=Usage(prompt=1200, completion=3))
    return Program(app, made(member).secret)


def asked(upstream: ScriptedUpstream) -> list[dict[str, Any]]:
    """The messages that the provider got."""
    return list(upstream.journal.last.body["messages"])


def attempt() -> Attempt:
    with reading() as session:
        return session.scalars(select(Attempt).order_by(Attempt.id.desc())).first() or Attempt()


def test_a_completion_passes_them_as_they_are(program: Program, upstream: ScriptedUpstream) -> None:
    shown = {"type": "image_url", "image_url": {"url": DATA, "detail": "low"}}
    response = program.complete(messages=[{"role": "user", "content": [WORDS, shown, WORDS]}])
    assert response.status_code == 200, response.text
    assert asked(upstream) == [{"role": "user", "content": [WORDS, shown, WORDS]}]
    with reading() as session:
        assert session.scalars(select(TokenUsage)).one().prompt_tokens == 1200


def test_a_message_has_them_translated_in_their_order(program: Program, upstream: ScriptedUpstream) -> None:
    result = {"type": "tool_result", "tool_use_id": "call_1", "content": "done"}
    content = [result, {"type": "image", "source": SOURCE}, WORDS, {"type": "image", "source": SOURCE}]
    response = program.message(messages=[{"role": "user", "content": content}])
    assert response.status_code == 200, response.text
    assert asked(upstream) == [
        {"role": "tool", "content": "done", "tool_call_id": "call_1"},
        {"role": "user", "content": [SHOWN, WORDS, SHOWN]},
    ]


def test_a_response_has_them_translated_in_their_order(program: Program, upstream: ScriptedUpstream) -> None:
    words = {"type": "input_text", "text": "What is this?"}
    content = [words, {"type": "input_image", "image_url": DATA, "detail": "high"}, words]
    response = program.respond(input=[{"role": "user", "content": content}])
    assert response.status_code == 200, response.text
    shown = {"type": "image_url", "image_url": {"url": DATA, "detail": "high"}}
    assert asked(upstream) == [{"role": "user", "content": [WORDS, shown, WORDS]}]


def test_an_image_reserves_what_no_image_takes_and_not_its_bytes(program: Program) -> None:
    program.complete(messages=[{"role": "user", "content": [WORDS, SHOWN, SHOWN]}], max_tokens=10)
    reserved = attempt().reserved_tokens or 0
    assert 2 * MOST_IMAGE_TOKENS < reserved < 2 * MOST_IMAGE_TOKENS + 500
    assert attempt().prompt_estimate < 3000
    limit(MOST_IMAGE_TOKENS + 3000)
    assert program.complete(messages=[{"role": "user", "content": [WORDS, SHOWN]}]).status_code == 200
    assert program.complete(messages=[{"role": "user", "content": [WORDS, SHOWN, SHOWN]}]).status_code == 429


def test_a_prompt_with_an_image_is_counted(program: Program) -> None:
    body = {"model": "deepseek-flash", "messages": [{"role": "user", "content": [{"type": "image", "source": SOURCE}]}]}
    assert 1000 <= program.post("/v1/messages/count_tokens", body).get_json()["input_tokens"] < 1100


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("data:image/svg+xml;base64,AAAA", "bad_image"),
        ("data:text/html;base64,AAAA", "bad_image"),
        ("data:image/png;base64,", "bad_image"),
        ("data:image/png;base64,A\nA", "bad_image"),
        ("data:image/png,AAAA", "bad_image"),
        ("http://pictures.example/cat.png", "bad_image"),
        ("file:///etc/passwd", "bad_image"),
        ("https://pictures.example/a b", "bad_image"),
        ("https://" + "x" * 2100, "bad_image"),
        (ADDRESS, "image_by_address"),
    ],
)
def test_what_is_no_image_is_refused_by_name(program: Program, upstream: ScriptedUpstream, url: str, code: str) -> None:
    """The tests' provider is in this network: it could be made to fetch what only this network can."""
    parts = [WORDS, {"type": "image_url", "image_url": {"url": url}}]
    error = program.complete(messages=[{"role": "user", "content": parts}]).get_json()["error"]
    assert (error["code"], error["param"]) == (code, "messages[0].content[1]")
    of_message = [WORDS, {"type": "image", "source": {"type": "url", "url": url}}]
    told = program.message(messages=[{"role": "user", "content": of_message}]).get_json()["error"]
    assert "messages[0].content[1]" in told["message"]
    of_response = [{"type": "input_image", "image_url": url}]
    error = program.respond(input=[{"role": "user", "content": of_response}]).get_json()["error"]
    assert (error["code"], error["param"]) == (code, "input[0].content[0]")
    assert upstream.journal.chats == []


def test_an_address_goes_to_providers_elsewhere(app: Flask) -> None:
    config.install(dataclasses.replace(config.current(), allow_insecure_upstreams=False))
    assert images.part(ADDRESS, "here", "auto") == {
        "type": "image_url",
        "image_url": {"url": ADDRESS, "detail": "auto"},
    }
    with pytest.raises(BadRequest, match="bad_image"):
        images.part("http://169.254.169.254/latest", "here")


@pytest.mark.parametrize("role", ["system", "assistant", "tool", "developer"])
def test_only_a_person_shows_them(program: Program, upstream: ScriptedUpstream, role: str) -> None:
    error = program.complete(messages=[{"role": role, "content": [SHOWN]}]).get_json()["error"]
    assert (error["code"], error["param"]) == ("images_not_taken", "messages[0].content[0]")
    assert upstream.journal.chats == []


@pytest.mark.parametrize(
    "part", [{"type": "input_image", "file_id": "file-1"}, {"type": "input_image"}, {"type": "input_file"}]
)
def test_a_file_that_is_kept_elsewhere_is_none(program: Program, part: dict[str, Any]) -> None:
    error = program.respond(input=[{"role": "user", "content": [part]}]).get_json()["error"]
    assert (error["code"], error["param"]) == ("images_not_taken", "input[0].content[0]")


def test_the_model_of_this_machine_sees_none(program: Program) -> None:
    """It would fail of them, and may fetch what it is shown."""
    config.install(dataclasses.replace(config.current(), deepseek_api_key=None))
    shown = [{"role": "user", "content": [WORDS, SHOWN]}]
    error = program.complete(model=BUNDLED_NAME, messages=shown).get_json()["error"]
    assert (error["code"], error["param"]) == ("images_not_taken", "messages")
