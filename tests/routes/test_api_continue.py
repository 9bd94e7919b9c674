"""Going on with an answer that broke off: the same message, another run, an entry of its own."""

from typing import Any

import pytest
from sqlalchemy import select, update

from flask_app.database import reading, transaction
from flask_app.models import Message, Run, TokenUsage
from flask_app.services.runs import run_service
from tests.conftest import MakeUser, SignIn
from tests.support.brokers import wait_until
from tests.support.clients import PageClient
from tests.support.continued import HALF, JSON, LONG, REST, ask, go_on
from tests.support.events import events_of, text_of
from tests.support.scripted_upstream import Answer, ScriptedUpstream, Status, Usage
from tests.support.storage import counted_statements
from tests.support.together import at_once

MORE = Answer(REST, usage=Usage(prompt=16, cached=8, completion=2))
ENDLESS = Answer("word " * 2000, tokens_per_second=50)


def run_of(client: PageClient, answer: Any) -> str:
    thread: Any = client.get(f"/api/conversations/{answer['conversation_id']}").json
    run_id: str = thread["messages"][-1]["run_id"]
    return run_id


def code(reply: Any) -> Any:
    return reply.json["error"]["code"]


@pytest.fixture
def broken(member_client: PageClient, upstream: ScriptedUpstream) -> Any:
    """An answer that was cut at its length."""
    upstream.script(LONG)
    return ask(member_client)


def message(message_id: str) -> Message:
    with reading() as session:
        return session.get_one(Message, message_id)


def test_a_run_that_is_being_made_is_told_although_the_clock_of_its_instance_is_behind(
    member_client: PageClient, upstream: ScriptedUpstream, broken: Any
) -> None:
    upstream.script(ENDLESS)
    reply = member_client.post(f"/api/runs/{run_of(member_client, broken)}/continue", json={}, buffered=False)
    wait_until(lambda: len(run_service.live_runs()) == 1)  # the first one's thread has ended too
    (live,) = run_service.live_runs()
    with transaction() as session:  # as an instance gives it whose clock is an hour ahead
        session.execute(update(Run).where(Run.id != live.begun.run_id).values(id="7zzzzzzzzzzzzzzzzzzzzzzzzz"))
    assert run_of(member_client, broken) == live.begun.run_id
    live.stop.stop("stopped")
    reply.close()


def entries() -> list[TokenUsage]:
    with reading() as session:
        return list(session.scalars(select(TokenUsage).order_by(TokenUsage.id)))


def test_the_text_grows_from_where_it_was(member_client: PageClient, upstream: ScriptedUpstream, broken: Any) -> None:
    upstream.script(MORE)
    reply = go_on(member_client, broken["run_id"])
    assert reply.status_code == 200
    assert (reply.json["id"], reply.json["text"], reply.json["status"]) == (broken["id"], HALF + REST, "complete")
    assert reply.json["run_id"] not in (None, broken["run_id"])
    assert (reply.json["reasoning"], reply.json["finish_reason"]) == ("let me count", "stop")
    assert run_of(member_client, broken) == reply.json["run_id"]
    stored = message(broken["id"])
    assert (stored.text, stored.reasoning, stored.error_code) == (HALF + REST, "let me count", None)


def test_each_run_has_its_entry_and_the_message_shows_their_sum(
    member_client: PageClient, upstream: ScriptedUpstream, broken: Any
) -> None:
    upstream.script(MORE)
    usage = go_on(member_client, broken["run_id"]).json["usage"]
    assert [(entry.prompt_tokens, entry.completion_tokens) for entry in entries()] == [(10, 6), (16, 2)]
    assert {entry.message_id for entry in entries()} == {broken["id"]}
    told = {name: usage[name] for name in ("prompt_tokens", "cached_tokens", "completion_tokens", "total_tokens")}
    assert told == {"prompt_tokens": 26, "cached_tokens": 8, "completion_tokens": 8, "total_tokens": 34}
    assert (usage["reasoning_tokens"], usage["source"]) == (3, "reported")
    assert len(upstream.journal.chats) == 2


def test_what_everybody_is_counted_in_is_written_last(
    member_client: PageClient, upstream: ScriptedUpstream, broken: Any
) -> None:
    """On a server whoever writes it keeps all others waiting, and may not wait for what one of them holds."""
    upstream.script(MORE)
    with counted_statements() as statements:
        go_on(member_client, broken["run_id"])
        wait_until(lambda: not run_service.live_runs())
    written = [each.split()[1:3] for each in statements if each.startswith(("INSERT", "UPDATE", "DELETE"))]
    booked = written.index(["INTO", "token_usage"])
    assert ["conversations", "SET"] in written[:booked]
    assert {table for _, table in written[booked:]} == {"token_usage", "spent_daily", "usage_hourly"}


def test_the_stream_begins_with_what_there_was(
    member_client: PageClient, upstream: ScriptedUpstream, broken: Any
) -> None:
    upstream.script(MORE)
    told = events_of(member_client.post(f"/api/runs/{broken['run_id']}/continue", json={}).data)
    assert [event.name for event in told[:4]] == ["start", "reasoning", "thought", "token"]
    assert told[0].data["message_id"] == broken["id"]
    assert (told[1].data["text"], told[3].data["text"]) == ("let me count", HALF)
    assert (text_of(told), text_of(told, "reasoning")) == (HALF + REST, "let me count")
    assert [event.name for event in told[-2:]] == ["usage", "done"]
    assert told[-2].data["total_tokens"] == 34
    run_id = told[0].data["run_id"]
    for seen in range(len(told) + 1):
        rest = member_client.get(f"/api/runs/{run_id}/events", headers={"Last-Event-ID": str(seen)})
        assert events_of(rest.data) == told[seen:]


def test_an_answer_that_was_stopped_goes_on_with_the_whole_conversation_before_it(
    member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    upstream.script(Answer("first"), ENDLESS)
    first = ask(member_client)
    sent = {"message": "and", "conversation_id": first["conversation_id"]}
    member_client.post("/api/chat", json=sent, buffered=False).close()
    upstream.journal.wait_for(2)
    wait_until(lambda: len(run_service.live_runs()) == 1)  # the first one's thread has ended too
    (live,) = run_service.live_runs()
    wait_until(lambda: live.completion.outcome.text)
    assert code(go_on(member_client, live.begun.run_id)) == "answer_running"
    member_client.post(f"/api/runs/{live.begun.run_id}/stop", json={})
    wait_until(lambda: not run_service.live_runs())
    half = message(live.begun.message_id or "").text
    reply = go_on(member_client, live.begun.run_id).json
    assert reply["text"].startswith(half)
    assert len(reply["text"]) > len(half)
    turns = [(turn["role"], turn["content"]) for turn in upstream.journal.last.body["messages"]]
    assert turns == [("user", "count"), ("assistant", "first"), ("user", "and"), ("assistant", half)]


def test_an_answer_whose_reader_left_goes_on(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    upstream.script(ENDLESS, MORE)
    member_client.post("/api/chat", json={"message": "go"}, buffered=False).close()
    wait_until(lambda: upstream.journal.chats and upstream.journal.last.text_sent)
    (live,) = run_service.live_runs()
    wait_until(lambda: live.completion.outcome.text)
    live.stop.stop("left")
    wait_until(lambda: not run_service.live_runs())
    half = message(live.begun.message_id or "")
    assert half.status == "left"
    assert go_on(member_client, live.begun.run_id).json["text"] == half.text + REST
    assert [entry.outcome for entry in entries()] == ["left", "complete"]


def test_signed_out(client: PageClient, broken: Any) -> None:
    assert go_on(client, broken["run_id"]).status_code == 401


def test_somebody_elses_looks_absent(make_user: MakeUser, sign_in: SignIn, broken: Any) -> None:
    other = sign_in(make_user("other"))
    foreign, absent = go_on(other, broken["run_id"]), go_on(other, "0" * 26)
    assert (foreign.status_code, code(foreign)) == (absent.status_code, code(absent)) == (404, "not_found")


@pytest.mark.parametrize("body", [{"idempotency_key": ""}, {"idempotency_key": "a b"}, {"text": "x"}, [], "x"])
def test_bad_input(member_client: PageClient, upstream: ScriptedUpstream, broken: Any, body: Any) -> None:
    reply = member_client.post(f"/api/runs/{broken['run_id']}/continue", json=body, headers=JSON)
    assert reply.status_code in {400, 422}
    assert len(upstream.journal.chats) == 1


def test_a_complete_answer_cannot_be_continued(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    reply = go_on(member_client, ask(member_client)["run_id"])
    assert (reply.status_code, code(reply)) == (409, "cannot_continue")
    assert len(upstream.journal.chats) == 1


def test_an_answer_without_a_word_cannot_be_continued(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer("", thinking="only thoughts", finish_reason="length"))
    assert code(go_on(member_client, ask(member_client)["run_id"])) == "cannot_continue"


def test_an_answer_that_is_followed_by_another_message_stays_as_it_is(
    member_client: PageClient, upstream: ScriptedUpstream, broken: Any
) -> None:
    ask(member_client, conversation_id=broken["conversation_id"])
    assert code(go_on(member_client, broken["run_id"])) == "cannot_continue"
    assert message(broken["id"]).status == "complete"


def test_two_presses_are_one_run(member_client: PageClient, upstream: ScriptedUpstream, broken: Any) -> None:
    upstream.script(Answer(REST, tokens_per_second=20))
    replies: list[Any] = at_once(2, lambda _: go_on(member_client, broken["run_id"], idempotency_key="k"))
    assert [reply.json["text"] for reply in replies] == [HALF + REST] * 2
    assert len({reply.json["run_id"] for reply in replies}) == 1
    assert len(upstream.journal.chats) == len(entries()) == 2


def test_two_presses_without_a_key_are_one_run_and_one_refusal(
    member_client: PageClient, upstream: ScriptedUpstream, broken: Any
) -> None:
    upstream.script(Answer(REST, tokens_per_second=20))
    replies: list[Any] = at_once(2, lambda _: go_on(member_client, broken["run_id"]))
    assert sorted(reply.status_code for reply in replies) == [200, 409]
    assert len(upstream.journal.chats) == len(entries()) == 2


def test_a_key_that_came_with_a_message_is_refused(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    upstream.script(LONG)
    answer = ask(member_client, idempotency_key="k")
    assert code(go_on(member_client, answer["run_id"], idempotency_key="k")) == "idempotency_key_reused"


def test_a_continuation_of_a_continuation(member_client: PageClient, upstream: ScriptedUpstream, broken: Any) -> None:
    upstream.script(Answer(REST, finish_reason="length"), Answer(" six"))
    second = go_on(member_client, broken["run_id"]).json
    third = go_on(member_client, second["run_id"]).json
    assert third["text"] == HALF + REST + " six"
    assert upstream.journal.last.prefix == HALF + REST
    assert len(entries()) == 3


def test_one_that_brings_nothing_leaves_what_there_was(
    member_client: PageClient, upstream: ScriptedUpstream, broken: Any
) -> None:
    upstream.script(Status(400))
    failed = go_on(member_client, broken["run_id"]).json
    assert (failed["text"], failed["status"], failed["error"]["code"]) == (HALF, "interrupted", "upstream_rejected")
    assert len(entries()) == 1, "a refusal costs nothing"
    upstream.script(MORE)
    assert go_on(member_client, failed["run_id"]).json["text"] == HALF + REST


def test_a_model_that_is_gone_has_a_successor(
    member_client: PageClient, upstream: ScriptedUpstream, broken: Any
) -> None:
    with transaction() as session:
        session.execute(update(Message).values(model="a-model-of-old"))
    upstream.script(MORE)
    assert go_on(member_client, broken["run_id"]).json["text"] == HALF + REST
