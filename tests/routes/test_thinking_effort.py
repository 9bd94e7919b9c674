"""How much an answer is thought about: asked for with each message, told to the provider, told of the answer."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from flask_app.database import new_id, reading, transaction
from flask_app.models import Attempt, ChatModel, Message, User
from flask_app.services.chat.chat_service import Draft
from flask_app.services.providers import model_service
from tests.conftest import MakeUser, SignIn
from tests.routes.failover.asking import attempts
from tests.routes.test_continue_thoughts import end, go_on, thinking_run
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.gateway import Program, made
from tests.support.keys import keep_key, keep_provider
from tests.support.scripted_upstream import Answer, ScriptedUpstream, Status
from tests.support.temporary import ask as ask_temporarily
from tests.support.temporary import heard

JSON = {"Accept": "application/json"}
EFFORTS = ["low", "high", "max"]
WAYS = [(False, "disabled", None), (True, "enabled", None), *((effort, "enabled", effort) for effort in EFFORTS)]


def ask(client: PageClient, thinking: object, **fields: Any) -> Any:
    return client.post("/api/chat", json={"message": "why?", "thinking": thinking} | fields, headers=JSON)


def told(upstream: ScriptedUpstream) -> tuple[str, str | None]:
    """How the provider was told to think."""
    body = upstream.journal.last.body
    return body["thinking"]["type"], body.get("reasoning_effort")


def effort_of(client: PageClient, answer: Any) -> str | None:
    """What an answer's details say."""
    took: Any = client.get(f"/api/messages/{answer['id']}/usage").json
    effort: str | None = took["effort"]
    return effort


@pytest.fixture
def other(upstream: ScriptedUpstream) -> Iterator[ScriptedUpstream]:
    """Another provider, one of whose models DeepSeek has too; they think, and know no efforts."""
    model_service.available()
    with ScriptedUpstream() as provider:
        provider_id = keep_provider("Other", provider.base_url, models=["deepseek-flash", "own-thinker"])
        keep_key(provider_id, new_id())
        with transaction() as session:
            of_it = ChatModel.provider_id == provider_id
            session.execute(update(ChatModel).where(of_it).values(thinking=True))
        yield provider


@pytest.mark.parametrize(("thinking", "kind", "effort"), WAYS)
def test_the_provider_is_told_and_the_answers_details_say_it(
    member_client: PageClient, upstream: ScriptedUpstream, thinking: object, kind: str, effort: str | None
) -> None:
    answer = ask(member_client, thinking).json
    assert told(upstream) == (kind, effort)
    assert effort_of(member_client, answer) == effort


def test_models_say_which_efforts_they_know(
    member_client: PageClient, upstream: ScriptedUpstream, other: ScriptedUpstream
) -> None:
    listed: Any = member_client.get("/api/models").json
    known = {(model["name"], model["provider"]): (model["thinking"], model["efforts"]) for model in listed["models"]}
    assert known["deepseek-v4-pro", "DeepSeek"] == (True, EFFORTS)
    assert known["own-thinker", "Other"] == (True, [])


def test_a_model_that_knows_none_thinks_as_it_likes(
    member_client: PageClient, upstream: ScriptedUpstream, other: ScriptedUpstream
) -> None:
    answer = ask(member_client, "max", model="own-thinker").json
    assert told(other) == ("enabled", None)
    assert effort_of(member_client, answer) is None


def test_another_provider_is_told_what_it_knows(
    member_client: PageClient, upstream: ScriptedUpstream, other: ScriptedUpstream
) -> None:
    upstream.script(Status(401))
    answer = ask(member_client, "max", model="deepseek-flash").json
    assert answer["status"] == "complete"
    assert (told(upstream), told(other)) == (("enabled", "max"), ("enabled", None))
    assert len(attempts()) == 2
    assert effort_of(member_client, answer) is None


def test_another_answer_is_thought_about_as_it_is_asked_for(
    member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    first = ask(member_client, "low").json
    path = f"/api/messages/{first['user_message_id']}/answers"
    again: Any = member_client.post(path, json={"thinking": "max"}, headers=JSON).json
    assert told(upstream) == ("enabled", "max")
    assert (effort_of(member_client, first), effort_of(member_client, again)) == ("low", "max")


def test_what_broke_off_in_its_thoughts_thinks_anew_as_hard(
    member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    upstream.script(Answer("never", thinking="hm " * 1000, tokens_per_second=50), Answer("so", thinking="hm"))
    body = {"message": "why?", "thinking": "low"}
    member_client.post("/api/chat", json=body, buffered=False).close()
    live = thinking_run()
    end(live)
    assert go_on(member_client, live.begun.run_id)["text"] == "so"
    assert told(upstream) == ("enabled", "low")


def test_a_temporary_chat_is_thought_about_alike(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    run_id = heard(ask_temporarily(member_client, thinking="high"))[0].data["run_id"]
    assert told(upstream) == ("enabled", "high")
    took: Any = member_client.get(f"/api/runs/{run_id}/usage").json
    assert took["effort"] == "high"


def test_a_key_belongs_to_one_effort(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    first = ask(member_client, "low", idempotency_key="once")
    assert ask(member_client, "low", idempotency_key="once").json["run_id"] == first.json["run_id"]
    assert len(upstream.journal.chats) == 1
    for other_way in (True, False, "high"):
        refused = ask(member_client, other_way, idempotency_key="once")
        assert (refused.status_code, error_code(refused)) == (409, "idempotency_key_reused")


def test_keys_of_the_version_before_stay_good() -> None:
    """Its digests are of on and off: a message sent before an upgrade and again after it is the same one."""
    whole = Draft(text="why?", thinking=True).digest
    assert whole == "216f2a6d01adce9e69da91f65bdb9372d1e8b1854fddb6f7bc866b5c6d57ec06"


@pytest.mark.parametrize("thinking", ["ultra", "off", "on", "", 1, None, [], {"type": "enabled"}])
@pytest.mark.parametrize(("language", "words"), [("en", "not as expected"), ("zh", "不符合要求")])
def test_what_is_no_effort_is_refused(
    member_client: PageClient, upstream: ScriptedUpstream, thinking: object, language: str, words: str
) -> None:
    first = ask(member_client, "low").json
    bodies: dict[str, dict[str, Any]] = {
        "/api/chat": {"message": "why?"},
        f"/api/messages/{first['user_message_id']}/answers": {},
        "/api/temporary/answers": {"messages": [{"role": "user", "content": "why?"}], "idempotency_key": "once"},
    }
    for path, body in bodies.items():
        refused: Any = member_client.post(
            path, json=body | {"thinking": thinking}, headers={"Accept-Language": language}
        )
        assert (refused.status_code, error_code(refused)) == (422, "invalid_field")
        assert "thinking" in refused.json["error"]["message"]
        assert words in refused.json["error"]["message"]
    assert len(upstream.journal.chats) == 1


def test_signed_out_and_somebody_elses(
    client: PageClient, member_client: PageClient, make_user: MakeUser, sign_in: SignIn, upstream: ScriptedUpstream
) -> None:
    first = ask(member_client, "low").json
    path = f"/api/messages/{first['user_message_id']}/answers"
    assert ask(client, "max").status_code == client.post(path, json={"thinking": "max"}).status_code == 401
    other = sign_in(make_user("other"))
    assert other.post(path, json={"thinking": "max"}).status_code == 404
    assert other.get(f"/api/messages/{first['id']}/usage").status_code == 404
    with reading() as session:
        assert len(session.scalars(select(Message.id)).all()) == 2
    assert len(upstream.journal.chats) == 1


def test_what_a_program_says_is_noted_as_it_said_it(app: Flask, member: User, upstream: ScriptedUpstream) -> None:
    reply = Program(app, made(member).secret).complete(reasoning_effort="medium")
    assert reply.status_code == 200
    assert upstream.journal.last.body["reasoning_effort"] == "medium"
    with reading() as session:
        assert session.scalars(select(Attempt.effort)).all() == ["medium"]
