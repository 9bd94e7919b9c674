"""How providers are asked to go on: DeepSeek with the beginning as a prefix, others in words."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from flask_app.database import reading
from flask_app.models import Attempt
from flask_app.services.providers import model_service
from flask_app.upstream.client import beta_of
from tests.support.clients import PageClient
from tests.support.continued import HALF, LONG, REST, ask, go_on
from tests.support.keys import keep_key, keep_provider, stored_key
from tests.support.scripted_upstream import Answer, ScriptedUpstream, Status


@pytest.fixture
def broken(member_client: PageClient, upstream: ScriptedUpstream) -> Any:
    """An answer that was cut at its length."""
    upstream.script(LONG)
    return ask(member_client)


def test_deepseek_gets_the_beginning_as_a_prefix(
    member_client: PageClient, upstream: ScriptedUpstream, broken: Any
) -> None:
    go_on(member_client, broken["run_id"])
    asked = upstream.journal.last
    assert asked.beta
    assert asked.body["messages"] == [
        {"role": "user", "content": "count"},
        {"role": "assistant", "content": HALF, "prefix": True},
    ]
    assert asked.body["thinking"] == {"type": "disabled"}


def test_who_stands_at_deepseeks_place_and_knows_no_prefixes_is_asked_in_words(
    member_client: PageClient, upstream: ScriptedUpstream, broken: Any
) -> None:
    upstream.script(Status(404))
    assert go_on(member_client, broken["run_id"]).json["text"] == HALF + Answer().text
    refused, asked = upstream.journal.chats[-2:]
    assert (refused.beta, asked.beta) == (True, False)
    assert [turn["role"] for turn in asked.body["messages"]] == ["user", "assistant", "user"]
    with reading() as session:
        states = session.scalars(select(Attempt.state).order_by(Attempt.id)).all()
    assert states == ["settled", "released", "settled"]
    key = stored_key("environment")
    assert (key.benched_until, key.last_error_code) == (None, None)


@pytest.mark.parametrize(
    ("base", "beta"),
    [
        ("https://api.deepseek.com", "https://api.deepseek.com/beta"),
        ("https://api.deepseek.com/v1/", "https://api.deepseek.com/beta"),
    ],
)
def test_the_beta_stands_beside_the_version(base: str, beta: str) -> None:
    assert beta_of(base) == beta


@pytest.fixture
def elsewhere(upstream: ScriptedUpstream) -> Iterator[ScriptedUpstream]:
    """A provider that is not DeepSeek, with a model of its own."""
    model_service.available()
    with ScriptedUpstream() as running:
        running.models = ["glm"]
        keep_key(keep_provider("Elsewhere", f"{running.base_url}/v1", models=["glm"]), "elsewhere")
        yield running


@pytest.mark.parametrize(
    ("question", "half", "words"),
    [("count", HALF, "broke off"), ("数一数", "one two", "中断"), ("count in Chinese", "一二三", "中断")],
)
def test_others_are_asked_in_words_that_are_stored_nowhere(
    member_client: PageClient, elsewhere: ScriptedUpstream, question: str, half: str, words: str
) -> None:
    elsewhere.script(Answer(half, finish_reason="length"), Answer(REST))
    answer = ask(member_client, message=question, model="glm")
    reply = go_on(member_client, answer["run_id"]).json
    assert reply["text"] == half + REST
    asked = elsewhere.journal.last
    assert not asked.beta
    assert [turn["role"] for turn in asked.body["messages"]] == ["user", "assistant", "user"]
    assert asked.body["messages"][1] == {"role": "assistant", "content": half}
    assert words in asked.body["messages"][2]["content"]
    thread: Any = member_client.get(f"/api/conversations/{answer['conversation_id']}").json
    assert [stored["text"] for stored in thread["messages"]] == [question, half + REST]
