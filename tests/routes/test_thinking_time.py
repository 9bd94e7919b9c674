"""How long was thought is told with the answer, stored with it, and the same for whoever reads it later."""

import time
from typing import Any

import pytest

from flask_app.models import User
from flask_app.services.runs import lease_service, run_service
from flask_app.services.runs.run_service import LiveRun
from flask_app.streams.memory import MemoryBroker
from tests.routes.journal.answers import message
from tests.routes.test_continue_thoughts import end, go_on, live_run, reap, thinking_run
from tests.support.another_worker import Following, Other
from tests.support.brokers import wait_until
from tests.support.clients import PageClient
from tests.support.events import ServerEvent, events_of
from tests.support.scripted_upstream import Answer, Gate, ScriptedUpstream
from tests.support.temporary import ask, heard

PAUSE = 0.2  # seconds; what was measured is never less
QUESTION = {"message": "why?", "thinking": True}


def held(text: str = "so", **script: Any) -> tuple[Answer, Gate]:
    """An answer that thinks until it is let go."""
    gate = Gate(1)
    return Answer(text, thinking="hm", gate=gate, **script), gate


def think(live: LiveRun, gate: Gate) -> None:
    wait_until(lambda: live.completion.outcome.reasoning_parts)
    time.sleep(PAUSE)
    gate.let_go()


def begin(client: PageClient, upstream: ScriptedUpstream, **script: Any) -> LiveRun:
    """A run that has thought for a while and ended."""
    answer, gate = held(**script)
    upstream.script(answer)
    client.post("/api/chat", json=QUESTION, buffered=False).close()
    live = thinking_run()
    think(live, gate)
    live.thread.join()
    return live


def times_of(events: list[ServerEvent]) -> list[int | None]:
    return [event.data["thinking_ms"] for event in events if event.name == "thought"]


def shown(client: PageClient) -> Any:
    """What a page that is opened now shows of the answer."""
    thread: Any = client.get(f"/api/conversations/{message().conversation_id}").json
    return thread["messages"][-1]["thinking_ms"]


def test_it_is_told_before_the_text_stored_and_told_again(
    member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    live = begin(member_client, upstream)
    time_stored = message().thinking_ms
    assert time_stored is not None
    assert PAUSE * 1000 <= time_stored <= live.completion.outcome.duration_ms
    again = events_of(member_client.get(f"/api/runs/{live.begun.run_id}/events").data)
    assert [event.name for event in again] == ["start", "reasoning", "thought", "token", "usage", "done"]
    assert times_of(again) == [time_stored] == [shown(member_client)]


def test_an_answer_without_thoughts_has_none(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer("at once"))
    told = events_of(member_client.post("/api/chat", json={"message": "why?"}).data)
    assert (times_of(told), message().thinking_ms, shown(member_client)) == ([], None, None)


def test_the_whole_answer_says_it(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer("so", thinking="hm"))
    answer: Any = member_client.post("/api/chat", json=QUESTION, headers={"Accept": "application/json"}).json
    assert answer["thinking_ms"] == message().thinking_ms is not None


def test_one_that_is_stopped_in_its_thoughts_says_how_long_they_took(
    member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    upstream.script(held()[0])
    member_client.post("/api/chat", json=QUESTION, buffered=False).close()
    live = thinking_run()
    time.sleep(PAUSE)
    end(live, "stopped")
    told = events_of(member_client.get(f"/api/runs/{live.begun.run_id}/events").data)
    assert [event.name for event in told] == ["start", "reasoning", "thought", "usage", "done"]
    (said,) = times_of(told)
    assert said == message().thinking_ms
    assert said is not None
    assert said >= PAUSE * 1000


def test_going_on_keeps_the_time_of_thoughts_that_stand(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    live = begin(member_client, upstream, text="half", finish_reason="length")
    before = message().thinking_ms
    upstream.script(Answer(" and half"))
    again = go_on(member_client, live.begun.run_id)
    assert (again["text"], again["thinking_ms"]) == ("half and half", before)
    told = events_of(member_client.get(f"/api/runs/{again['run_id']}/events").data)
    assert times_of(told) == [before]


def test_a_provider_that_thinks_again_adds_to_it(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    live = begin(member_client, upstream, text="half", finish_reason="length")
    before = message().thinking_ms or 0
    answer, gate = held(" and half")
    upstream.script(answer)
    member_client.post(f"/api/runs/{live.begun.run_id}/continue", json={}, buffered=False).close()
    second = live_run()
    think(second, gate)
    second.thread.join()
    assert (message().thinking_ms or 0) >= before + PAUSE * 1000
    told = events_of(member_client.get(f"/api/runs/{second.begun.run_id}/events").data)
    assert times_of(told) == [before, message().thinking_ms]


def test_another_answer_has_its_own(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    begin(member_client, upstream)
    upstream.script(Answer("at once"))
    path = f"/api/messages/{message().parent_id}/answers"
    again: Any = member_client.post(path, json={}, headers={"Accept": "application/json"}).json
    assert (again["text"], again["thinking_ms"]) == ("at once", None)


def test_a_worker_that_dies_leaves_what_it_kept(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    upstream.script(Answer("never", thinking="hm " * 1000, tokens_per_second=50))
    member_client.post("/api/chat", json=QUESTION, buffered=False).close()
    live = thinking_run()
    wait_until(lambda: len(live.completion.outcome.reasoning_parts) > 3)
    lease_service.keep()
    kept = message().thinking_ms
    assert kept
    reap(live)
    assert (message().thinking_ms, message().status) == (kept, "interrupted")
    end(live)
    assert message().thinking_ms == kept, "what a reaper has ended stays"


@pytest.mark.parametrize("thinks", [True, False])
def test_so_does_one_that_dies_while_it_goes_on(
    member_client: PageClient, upstream: ScriptedUpstream, *, thinks: bool
) -> None:
    live = begin(member_client, upstream, text="half", finish_reason="length")
    before = message().thinking_ms or 0
    upstream.script(Answer("on " * 1000, thinking="hm " * 1000 if thinks else "", tokens_per_second=50))
    member_client.post(f"/api/runs/{live.begun.run_id}/continue", json={}, buffered=False).close()
    second = live_run()
    outcome = second.completion.outcome
    wait_until(lambda: len(outcome.reasoning_parts + outcome.text_parts) > 3)
    lease_service.keep()
    kept = message().thinking_ms or 0
    assert (kept > before) if thinks else (kept == before)
    reap(second)
    assert message().thinking_ms == kept
    end(second)


def test_readers_of_another_worker_hear_it_once_its_text_has_begun(member: User, member_client: PageClient) -> None:
    other = Other(MemoryBroker())
    other.begin(member)
    reader = Following(member_client, other.run_id, after=7)
    other.keep("", "hm", thinking_ms=2000)
    wait_until(lambda: len(reader.events) == 2)
    other.keep("so ", "hm", thinking_ms=3000)
    wait_until(lambda: len(reader.events) == 4)
    other.end(text="so it is")
    told = reader.wait()
    assert [event.name for event in told] == ["start", "reasoning", "thought", "token", "token", "done"]
    assert times_of(told) == [3000]


def test_a_temporary_chat_is_told_and_nothing_of_it_is_stored(
    member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    upstream.script(Answer("so", thinking="hm"))
    told = heard(ask(member_client, thinking=True))
    assert [event.name for event in told] == ["start", "reasoning", "thought", "token", "usage", "done"]
    assert times_of(told)[0] is not None
    wait_until(lambda: not run_service.live_runs())
