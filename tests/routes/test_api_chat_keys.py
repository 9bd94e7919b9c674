"""POST /api/chat under an idempotency key: the same message again is the same run, another one is refused."""

from typing import Any

import pytest
from sqlalchemy import func, select, update

from flask_app.database import reading, transaction
from flask_app.models import Message, Run, User
from tests.conftest import MakeUser, SignIn
from tests.support.clients import PageClient
from tests.support.entrance import error_code
from tests.support.events import events_of
from tests.support.scripted_upstream import Answer, ScriptedUpstream

KEY = "abc-123"
JSON = {"Accept": "application/json"}


def send(client: PageClient, headers: dict[str, str] | None = None, **body: Any) -> Any:
    return client.post("/api/chat", json={"message": "hello", "idempotency_key": KEY} | body, headers=headers)


def run_of(response: Any) -> str:
    assert response.status_code == 200, response.get_data(as_text=True)
    return str(response.json["run_id"] if response.is_json else events_of(response.data)[0].data["run_id"])


def count(kind: type) -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(kind)) or 0


@pytest.fixture
def place(member_client: PageClient, upstream: ScriptedUpstream) -> dict[str, Any]:
    """A conversation of two answers, and a third message sent under the key after the newest."""
    upstream.default = Answer("an answer")
    first = send(member_client, JSON, idempotency_key=None).json
    second = send(member_client, JSON, idempotency_key=None, conversation_id=first["conversation_id"]).json
    body = {"conversation_id": first["conversation_id"], "parent_id": second["id"], "model": "deepseek-flash"}
    run_of(send(member_client, **body))
    return {"body": body, "earlier": first["id"]}


@pytest.mark.parametrize("headers", [{}, JSON])
@pytest.mark.parametrize(
    "change",
    [
        {"message": "hello!"},
        {"model": "deepseek-v4-pro"},
        {"model": None},
        {"conversation_id": None, "parent_id": None},
        {"parent_id": None},
        {"parent_id": "an earlier one"},
        {"thinking": True},
    ],
)
def test_a_key_that_came_with_another_message_is_refused(
    member_client: PageClient,
    upstream: ScriptedUpstream,
    place: dict[str, Any],
    change: dict[str, Any],
    headers: dict[str, str],
) -> None:
    if change.get("parent_id"):
        change = {"parent_id": place["earlier"]}
    asked, written = len(upstream.journal.chats), count(Message)
    refused = send(member_client, headers, **place["body"] | change)
    assert (refused.status_code, error_code(refused)) == (409, "idempotency_key_reused")
    assert (len(upstream.journal.chats), count(Message)) == (asked, written)


@pytest.mark.parametrize("headers", [{}, JSON])
def test_the_same_message_again_is_the_same_run(
    member_client: PageClient, upstream: ScriptedUpstream, place: dict[str, Any], headers: dict[str, str]
) -> None:
    asked, runs = len(upstream.journal.chats), count(Run)
    with reading() as session:
        (run_id,) = session.scalars(select(Run.id).where(Run.idempotency_key == KEY))
    assert run_of(send(member_client, headers, **place["body"])) == run_id
    assert (len(upstream.journal.chats), count(Run)) == (asked, runs)


def test_the_conversation_tells_what_each_answer_was_asked_for_under(
    member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    """Also where another key went on with it, or asked for another answer."""
    upstream.script(Answer("half", finish_reason="length"), Answer(" and half"), Answer("anew"), Answer("keyless"))
    first = send(member_client, JSON).json
    path = f"/api/runs/{first['run_id']}/continue"
    assert member_client.post(path, json={"idempotency_key": "going-on"}, headers=JSON).status_code == 200
    path = f"/api/messages/{first['user_message_id']}/answers"
    member_client.post(path, json={"idempotency_key": "again"}, headers=JSON)
    send(member_client, JSON, idempotency_key=None, conversation_id=first["conversation_id"])
    stored: Any = member_client.get(f"/api/conversations/{first['conversation_id']}").json
    answers = [each for each in stored["messages"] if each["role"] == "assistant"]
    assert [(each["text"], each["idempotency_key"]) for each in answers] == [
        ("half and half", KEY),
        ("anew", "again"),
        ("keyless", None),
    ]
    assert {each["idempotency_key"] for each in stored["messages"] if each["role"] == "user"} == {None}
    assert first["idempotency_key"] == KEY


def test_the_refusal_is_told_in_both_languages(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    run_of(send(member_client))
    sentences = {
        locale: send(member_client, {"Accept-Language": locale}, message="other").json["error"]["message"]
        for locale in ("en", "zh")
    }
    assert sentences["en"].startswith("Nothing was sent")
    assert sentences["zh"].startswith("没有发送")


def test_another_persons_key_is_their_own(
    member_client: PageClient, upstream: ScriptedUpstream, make_user: MakeUser, sign_in: SignIn
) -> None:
    first = run_of(send(member_client))
    somebody: User = make_user("somebody")
    assert run_of(send(sign_in(somebody), message="other")) != first


def test_a_run_of_before_digests_were_kept_still_answers_to_its_key(
    member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    first = run_of(send(member_client))
    with transaction() as session:
        session.execute(update(Run).values(draft_digest=None))
    assert run_of(send(member_client)) == first
