"""Conversations: listed by page, read, renamed, deleted; each one's own."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, insert, select, update

from flask_app.database import new_id, reading, transaction, utc_now
from flask_app.models import Conversation, Message, Run, TokenUsage, User
from tests.support.events import events_of
from tests.support.scripted_upstream import Answer, ScriptedUpstream

ABSENT = "0" * 26
QueryCount = Callable[[], AbstractContextManager[list[str]]]


def fill(user: User, count: int) -> None:
    with transaction() as session:
        now = utc_now()
        for number in range(count):
            moment = now - timedelta(minutes=number // 3)  # some share a moment
            session.add(Conversation(user_id=user.id, title=f"第 {number} 次", created_at=moment, updated_at=moment))


def talk(client: FlaskClient, message: str = "hello") -> dict[str, Any]:
    return events_of(client.post("/api/chat", json={"message": message}).data)[0].data


def test_pages_follow_each_other_without_gap_or_repeat(member_client: FlaskClient, member: User) -> None:
    fill(member, 95)
    seen: list[str] = []
    cursor = None
    while True:
        page = member_client.get("/api/conversations", query_string={"limit": 20, "before": cursor} if cursor else {})
        assert page.json is not None
        seen += [item["id"] for item in page.json["conversations"]]
        cursor = page.json["next"]
        if not cursor:
            break
    assert len(seen) == len(set(seen)) == 95


def test_the_number_of_queries_does_not_grow(member_client: FlaskClient, member: User, query_count: QueryCount) -> None:
    fill(member, 3)
    with query_count() as few:
        member_client.get("/api/conversations")
    fill(member, 60)
    with query_count() as many:
        member_client.get("/api/conversations?limit=60")
    assert few
    assert len(many) == len(few)


@pytest.mark.parametrize("query", ["limit=0", "limit=-1", "limit=x", "limit=101", "limit=99999999999", "before=zzz"])
def test_bad_paging_is_refused(member_client: FlaskClient, query: str) -> None:
    response = member_client.get(f"/api/conversations?{query}")
    assert response.status_code == 400
    assert response.json is not None
    assert response.json["error"]["message"]


def test_one_thread_has_its_messages_in_order_with_usage(
    member_client: FlaskClient, upstream: ScriptedUpstream, query_count: QueryCount
) -> None:
    upstream.script(Answer("answer 一"), Answer("answer 二"))
    start = talk(member_client, "question 一")
    events_of(
        member_client.post(
            "/api/chat", json={"message": "question 二", "conversation_id": start["conversation_id"]}
        ).data
    )
    with query_count() as queries:
        thread = member_client.get(f"/api/conversations/{start['conversation_id']}").json
    assert thread is not None
    assert [m["text"] for m in thread["messages"]] == ["question 一", "answer 一", "question 二", "answer 二"]
    assert [m["role"] for m in thread["messages"]] == ["user", "assistant"] * 2
    assert thread["messages"][1]["usage"]["total_tokens"] > 0
    assert thread["messages"][1]["run_id"] == start["run_id"]
    assert len(queries) <= 6


def test_the_title_is_the_beginning_of_the_first_message(
    member_client: FlaskClient, upstream: ScriptedUpstream
) -> None:
    long = talk(member_client, "字" * 300)
    spread = talk(member_client, "  two\n\n lines ")
    assert long["title"] == "字" * 59 + "…"
    assert spread["title"] == "two lines"


def test_rename(member_client: FlaskClient, member: User) -> None:
    fill(member, 1)
    own = member_client.get("/api/conversations").json["conversations"][0]["id"]  # type: ignore[index]
    renamed = member_client.patch(f"/api/conversations/{own}", json={"title": " 新的  title 🎉 "})
    assert renamed.json is not None
    assert renamed.json["title"] == "新的 title 🎉"


@pytest.mark.parametrize("title", ["", "   ", "\u200b \u2060\ufeff", "x" * 201, None, 7])
def test_a_title_that_is_none_is_refused(member_client: FlaskClient, member: User, title: object) -> None:
    fill(member, 1)
    own = member_client.get("/api/conversations").json["conversations"][0]["id"]  # type: ignore[index]
    assert member_client.patch(f"/api/conversations/{own}", json={"title": title}).status_code == 422


@pytest.mark.security("deleted-is-gone")
def test_deleting_removes_the_words_and_keeps_the_count(member_client: FlaskClient, upstream: ScriptedUpstream) -> None:
    start = talk(member_client)
    assert member_client.delete(f"/api/conversations/{start['conversation_id']}").status_code == 204
    assert member_client.get(f"/api/conversations/{start['conversation_id']}").status_code == 404
    with reading() as session:
        counts = [session.scalar(select(func.count()).select_from(model)) for model in (Message, Run, TokenUsage)]
    assert counts == [0, 0, 1]


def test_a_conversation_of_any_length_can_be_deleted(member_client: FlaskClient, member: User) -> None:
    """Each message hangs on the one before: databases do not follow such a chain for long by themselves."""
    with transaction() as session:
        session.add(conversation := Conversation(user_id=member.id, title="long"))
        session.flush()
        ids = [new_id() for _ in range(1200)]
        shared: dict[str, str | None] = {"conversation_id": conversation.id, "role": "user"}
        rows = [shared | {"id": own, "parent_id": parent} for own, parent in zip(ids, [None, *ids], strict=False)]
        session.execute(insert(Message), rows)
    assert member_client.delete(f"/api/conversations/{conversation.id}").status_code == 204
    with reading() as session:
        assert session.scalar(select(func.count()).select_from(Message)) == 0


def test_deleting_stops_the_answer_in_the_making(member_client: FlaskClient, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer("word " * 2000, tokens_per_second=50))
    response = member_client.post("/api/chat", json={"message": "go"}, buffered=False)
    start = events_of(next(iter(response.response)))[0].data  # type: ignore[arg-type]
    response.close()
    upstream.journal.wait_for(1)  # the provider was asked: there is something to stop
    upstream.journal.wait_for(1)
    assert member_client.delete(f"/api/conversations/{start['conversation_id']}").status_code == 204
    upstream.journal.wait_until_idle()
    assert upstream.journal.last.closed_early


def test_what_was_asked_since_a_deletion_was_decided_has_undone_it(
    member_client: FlaskClient, upstream: ScriptedUpstream
) -> None:
    own = talk(member_client)["conversation_id"]
    with transaction() as session:
        session.execute(update(Run).values(created_at=utc_now() - timedelta(hours=1)))
    decided = time.monotonic()
    upstream.script(Answer("word " * 2000, tokens_per_second=50))
    response = member_client.post("/api/chat", json={"message": "go on", "conversation_id": own}, buffered=False)
    response.close()
    upstream.journal.wait_for(2)
    ago = int((time.monotonic() - decided) * 1000) + 60_000  # however late it comes, it was decided before the question
    refused = member_client.delete(f"/api/conversations/{own}?decided_ms_ago={ago}")
    assert refused.status_code == 409
    assert refused.get_json()["error"]["code"] == "asked_meanwhile"
    with reading() as session:
        assert session.scalars(select(Run.stop_requested).where(Run.status == "running")).all() == [None]
    assert len(member_client.get(f"/api/conversations/{own}").get_json()["messages"]) == 4
    assert member_client.delete(f"/api/conversations/{own}").status_code == 204, "what is decided now is done"


def test_what_was_asked_before_a_deletion_was_decided_does_not_undo_it(
    member_client: FlaskClient, upstream: ScriptedUpstream
) -> None:
    own = talk(member_client)["conversation_id"]
    time.sleep(0.3)
    assert member_client.delete(f"/api/conversations/{own}?decided_ms_ago=200").status_code == 204


@pytest.mark.parametrize("ago", ["-1", "1.5", "soon", "1" * 10])
def test_how_long_ago_a_deletion_was_decided_is_a_number(member_client: FlaskClient, member: User, ago: str) -> None:
    fill(member, 1)
    own = member_client.get("/api/conversations").json["conversations"][0]["id"]  # type: ignore[index]
    refused = member_client.delete(f"/api/conversations/{own}?decided_ms_ago={ago}")
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (400, "bad_number")
    assert member_client.get(f"/api/conversations/{own}").status_code == 200


@pytest.mark.parametrize("method", ["get", "patch", "delete"])
def test_somebody_elses_conversation_looks_absent_and_stays(
    member_client: FlaskClient,
    member: User,
    client: FlaskClient,
    sign_in: Callable[..., FlaskClient],
    make_user: Callable[..., User],
    method: str,
) -> None:
    fill(member, 1)
    own = member_client.get("/api/conversations").json["conversations"][0]["id"]  # type: ignore[index]
    body = {"json": {"title": "mine now"}} if method == "patch" else {}
    other = sign_in(make_user("other"))
    foreign = getattr(other, method)(f"/api/conversations/{own}", **body)
    absent = getattr(other, method)(f"/api/conversations/{ABSENT}", **body)
    assert foreign.status_code == absent.status_code == 404
    assert foreign.json["error"]["code"] == absent.json["error"]["code"] == "not_found"
    assert getattr(client, method)(f"/api/conversations/{own}", **body).status_code == 401
    assert member_client.get(f"/api/conversations/{own}").json["title"] == "第 0 次"  # type: ignore[index]


def test_pages_of_the_chat(member_client: FlaskClient, client: FlaskClient, member: User) -> None:
    fill(member, 1)
    own = member_client.get("/api/conversations").json["conversations"][0]["id"]  # type: ignore[index]
    assert member_client.get("/").status_code == 200
    assert own in member_client.get(f"/c/{own}").get_data(as_text=True)
    assert member_client.get(f"/c/{ABSENT}").status_code == 404
    assert client.get("/").status_code == 302
    assert client.get(f"/c/{own}").headers["Location"].startswith("/login?next=/c/")


def test_a_title_cannot_leave_its_script_element(member_client: FlaskClient, member: User) -> None:
    with transaction() as session:
        session.add(Conversation(user_id=member.id, title="</script><script>alert(1)</script>"))
    page = member_client.get("/").get_data(as_text=True)
    assert "<script>alert(1)" not in page


def test_models_are_listed_for_people_who_are_signed_in(
    member_client: FlaskClient, client: FlaskClient, upstream: ScriptedUpstream
) -> None:
    models = member_client.get("/api/models").json
    assert models is not None
    assert models["default"] in {model["name"] for model in models["models"]}
    assert client.get("/api/models").status_code == 401
