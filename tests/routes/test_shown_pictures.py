"""Who is shown the pictures of a conversation, how many, and what becomes of an answer that cannot show them."""

import base64
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from sqlalchemy import select, update

from flask_app.database import reading, transaction
from flask_app.domain import files as bounds
from flask_app.models import ApiKey, Attempt, ChatModel, Provider
from tests.support import files
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.keys import keep_key, keep_provider
from tests.support.scripted_upstream import Answer, ScriptedUpstream, Status

JSON = {"Accept": "application/json", "Accept-Language": "en"}
MODEL = "deepseek-flash"


def ask(client: PageClient, message: str = "what is it?", **fields: Any) -> Any:
    return client.post("/api/chat", json={"message": message, "model": MODEL} | fields, headers=JSON)


def contents(upstream: ScriptedUpstream) -> list[Any]:
    """What the provider was told last."""
    return [message["content"] for message in upstream.journal.last.body["messages"]]


def kinds(content: list[dict[str, Any]]) -> list[str]:
    return [part["type"] for part in content]


@pytest.fixture
def shown(member_client: PageClient, upstream: ScriptedUpstream) -> dict[str, Any]:
    """A picture, where the model sees."""
    member_client.get("/api/models")
    return files.kept(member_client, files.picture(), "cat.png")


@pytest.fixture
def blind(shown: dict[str, Any], upstream: ScriptedUpstream) -> str:
    """A provider that is asked first, lists the same name, and does not see; gives its key."""
    provider = keep_provider("Blind", upstream.base_url, models=[MODEL], priority=0)
    with transaction() as session:
        session.execute(update(Provider).where(Provider.id != provider).values(priority=5))
        assert set(session.scalars(select(ChatModel.sees).where(ChatModel.name == MODEL))) == {True, False}
    return keep_key(provider, "blind")


def asked_keys(upstream: ScriptedUpstream) -> list[str]:
    """Whose each request for an answer was."""
    return [request.headers["authorization"].removeprefix("Bearer ") for request in upstream.journal.chats]


def seer_id() -> str:
    with reading() as session:
        return session.scalars(select(ChatModel.id).where(ChatModel.name == MODEL, ChatModel.sees)).one()


def test_pictures_go_to_providers_that_see(
    member_client: PageClient, upstream: ScriptedUpstream, shown: dict[str, Any], blind: str
) -> None:
    """With the question, when it is answered again, and with a later turn."""
    first = ask(member_client, model=seer_id(), files=[shown["id"]]).json
    member_client.post(f"/api/messages/{first['user_message_id']}/answers", json={"model": seer_id()}, headers=JSON)
    ask(member_client, "why?", model=seer_id(), conversation_id=first["conversation_id"])
    assert asked_keys(upstream) == ["test-key"] * 3
    ask(member_client, "without a picture", model=seer_id())
    assert asked_keys(upstream)[-1] == f"secret of {blind}"


def test_who_goes_on_with_an_answer_and_does_not_see_is_told_the_names(
    member_client: PageClient, upstream: ScriptedUpstream, shown: dict[str, Any], blind: str
) -> None:
    """An answer knows its model by its name alone."""
    upstream.script(Answer("half", finish_reason="length"))
    first = ask(member_client, model=seer_id(), files=[shown["id"]]).json
    member_client.post(f"/api/runs/{first['run_id']}/continue", json={}, headers=JSON)
    assert asked_keys(upstream) == ["test-key", f"secret of {blind}"]
    assert contents(upstream)[0] == "[picture: cat.png]\n\nwhat is it?"


def test_after_a_failure_no_provider_that_does_not_see_is_asked(
    member_client: PageClient, upstream: ScriptedUpstream, shown: dict[str, Any], blind: str
) -> None:
    with transaction() as session:
        session.execute(update(Provider).where(Provider.name == "Blind").values(priority=9))
    upstream.script(Status(402))
    reply = ask(member_client, model=seer_id(), files=[shown["id"]]).json
    assert (asked_keys(upstream), reply["status"]) == (["test-key"], "failed")


def test_where_nobody_is_left_who_sees(
    member_client: PageClient, upstream: ScriptedUpstream, shown: dict[str, Any], blind: str
) -> None:
    """A new picture is refused, what stands for an older one is its name."""
    model = seer_id()
    first = ask(member_client, model=model, files=[shown["id"]]).json
    with transaction() as session:
        session.execute(update(ChatModel).values(sees=False))
    refused = ask(member_client, model=model, files=[shown["id"]])
    assert (refused.status_code, error_code(refused)) == (422, "model_cannot_see")
    ask(member_client, "why?", model=model, conversation_id=first["conversation_id"])
    assert contents(upstream)[0] == "[picture: cat.png]\n\nwhat is it?"


def test_no_more_pictures_are_shown_than_a_process_can_hold(
    member_client: PageClient, upstream: ScriptedUpstream, shown: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (bounds.MOST_PICTURES, bounds.MOST_PICTURES_BYTES) == (20, 12 << 20)
    monkeypatch.setattr(bounds, "MOST_PICTURES", 3)
    others = [files.kept(member_client, files.picture(size=(60, 40 + number)), f"{number}.png") for number in range(2)]
    first = ask(member_client, files=[shown["id"], *(each["id"] for each in others)]).json
    ask(member_client, "and now?", conversation_id=first["conversation_id"], files=[shown["id"]])
    before, _, now = contents(upstream)
    assert (kinds(before), kinds(now)) == (["text", "image_url", "image_url"], ["text", "image_url"])
    assert before[0]["text"] == "[picture: 1.png]\n\nwhat is it?"


def test_a_picture_is_read_by_one_statement(
    member_client: PageClient,
    upstream: ScriptedUpstream,
    shown: dict[str, Any],
    query_count: Callable[[], AbstractContextManager[list[str]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bounds, "PIECE_BYTES", 100_000)
    large = files.kept(member_client, files.picture(size=(500, 500)), "large.png")
    assert large["bytes"] > 2 * bounds.PIECE_BYTES
    with query_count() as statements:
        ask(member_client, files=[large["id"]])
    assert len([each for each in statements if "FROM file_pieces" in each]) == 1
    address = contents(upstream)[0][1]["image_url"]["url"]
    content = member_client.get(f"/api/files/{large['id']}").data
    assert address == f"data:image/png;base64,{base64.b64encode(content).decode()}"


def test_an_answer_whose_pictures_cannot_be_read_fails_and_costs_nothing(
    member_client: PageClient, upstream: ScriptedUpstream, shown: dict[str, Any]
) -> None:
    with transaction() as session:
        session.connection().exec_driver_sql("ALTER TABLE file_pieces RENAME TO away")
    try:
        reply = ask(member_client, files=[shown["id"]]).json
    finally:
        with transaction() as session:
            session.connection().exec_driver_sql("ALTER TABLE away RENAME TO file_pieces")
    assert (reply["status"], reply["error"]["code"]) == ("failed", "database_unavailable")
    assert upstream.journal.chats == []
    with reading() as session:
        assert session.scalars(select(Attempt.state)).all() == ["released"]
        assert session.scalars(select(ApiKey.benched_until)).all() == [None]
