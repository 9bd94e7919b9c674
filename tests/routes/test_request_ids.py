"""A request's id: from the browser's reply to the log, the attempt, the provider and the record."""

from typing import Any

import pytest
from sqlalchemy import select

from flask_app.database import reading
from flask_app.models import Attempt, User
from flask_app.services.providers import model_service
from tests.support.clients import PageClient
from tests.support.scripted_upstream import Answer, ScriptedUpstream, Status

ASKED = {"Accept": "application/json"}


def attempts() -> list[Attempt]:
    with reading() as session:
        return list(session.scalars(select(Attempt).order_by(Attempt.created_at)))


def ask(client: PageClient, message: str = "Hello") -> Any:
    return client.post("/api/chat", json={"message": message}, headers=ASKED)


def test_the_attempt_the_provider_and_the_record_have_it(
    member_client: PageClient, admin_client: PageClient, upstream: ScriptedUpstream
) -> None:
    reply = ask(member_client)
    (attempt,) = attempts()
    assert attempt.request_id == reply.headers["X-Request-ID"]
    (asked,) = upstream.journal.chats
    assert asked.headers["x-request-id"] == attempt.id
    for client, path in ((member_client, "/api/usage/records"), (admin_client, "/api/admin/records")):
        (record,) = client.get(path).json["records"]  # type: ignore[index]
        assert (record["request_id"], record["attempt_id"]) == (attempt.request_id, attempt.id)


def test_each_attempt_is_a_request_of_its_own_to_the_provider(
    member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    for _ in range(2):
        ask(member_client)
    told = [request.headers["x-request-id"] for request in upstream.journal.chats]
    assert told == [attempt.id for attempt in attempts()]
    assert len(set(told)) == 2


def test_what_the_answers_own_thread_logs_names_the_request(
    member_client: PageClient, upstream: ScriptedUpstream, capfd: pytest.CaptureFixture[str]
) -> None:
    model_service.available()
    upstream.default = Status(503, retry_after=30)
    reply = ask(member_client)
    (line,) = [line for line in capfd.readouterr().err.splitlines() if "attempt_failed" in line]
    assert f"request={reply.headers['X-Request-ID']}" in line


def test_no_log_holds_what_people_and_models_say(
    member: User, member_client: PageClient, upstream: ScriptedUpstream, capfd: pytest.CaptureFixture[str]
) -> None:
    said = ("canary of the person", "canary of the model")
    for answer in (
        Answer(said[1]),
        Answer(said[1], cut_at=400),
        Answer(said[1], says_done=False, finish_reason=""),
        Status(400),
        Status(500),
        Status(401),
    ):
        upstream.script(answer)
        ask(member_client, said[0])
    member_client.post("/api/chat", json={"message": said[0], "unknown": said[0]})
    member_client.post("/api/chat", data=b'{"message": "canary of the person')
    assert len(attempts()) >= 4
    err = capfd.readouterr().err
    assert "attempt_failed" in err
    assert "canary" not in err
