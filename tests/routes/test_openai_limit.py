"""OpenAI's own API wants another name for the limit of a chat's answer than those that are compatible with it."""

from typing import Any

import pytest
from flask import Flask

from flask_app.models import User
from flask_app.services.completion import openai
from tests.support.gateway import Program, made
from tests.support.scripted_upstream import Answer, ScriptedUpstream


@pytest.fixture
def program(app: Flask, member: User, upstream: ScriptedUpstream) -> Program:
    return Program(app, made(member).secret)


@pytest.mark.parametrize("asked", [{"max_tokens": 70}, {"max_completion_tokens": 70}])
def test_openai_is_told_its_own(
    program: Program, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch, asked: dict[str, Any]
) -> None:
    monkeypatch.setattr(openai, "HOSTS", ("127.0.0.1",))
    assert program.complete(**asked).status_code == 200
    body = upstream.journal.last.body
    assert (body.get("max_completion_tokens"), body.get("max_tokens")) == (70, None)


@pytest.mark.parametrize("asked", [{"max_tokens": 70}, {"max_completion_tokens": 70}])
def test_others_are_told_what_all_know(program: Program, upstream: ScriptedUpstream, asked: dict[str, Any]) -> None:
    assert program.complete(**asked).status_code == 200
    body = upstream.journal.last.body
    assert (body.get("max_completion_tokens"), body.get("max_tokens")) == (None, 70)


def test_an_answer_without_end_is_cut_at_that_limit_too(
    program: Program, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openai, "HOSTS", ("127.0.0.1",))
    upstream.script(Answer("word " * 20_000))
    choice = program.complete(max_tokens=10).get_json()["choices"][0]
    assert choice["finish_reason"] == "length"
    assert len(choice["message"]["content"]) < 50_000


@pytest.mark.parametrize(
    ("base_url", "name"),
    [
        ("https://api.openai.com/v1", "max_completion_tokens"),
        ("https://our-own.openai.azure.com/openai/v1", "max_completion_tokens"),
        ("https://api.openai.com.example.net/v1", "max_tokens"),
        ("https://api.deepseek.com", "max_tokens"),
    ],
)
def test_it_goes_by_the_host(base_url: str, name: str) -> None:
    assert openai.worded({"messages": [], "max_tokens": 9}, base_url) == {"messages": [], name: 9}


def test_its_call_for_texts_has_the_name_that_all_know() -> None:
    text: dict[str, object] = {"prompt": "It was a", "max_tokens": 9}
    assert openai.worded(text, "https://api.openai.com/v1") == text
