"""Readers of another worker's answer while Redis is away: the words come from the database, as far as it has them."""

import pytest

from flask_app.models import User
from flask_app.services.runs import closing, lease_service, run_service
from flask_app.services.runs.run_following import REPLAYED
from flask_app.streams.memory import MemoryBroker
from tests.support.another_worker import Following, Other
from tests.support.brokers import wait_until
from tests.support.clients import PageClient
from tests.support.events import ServerEvent, text_of
from tests.support.scripted_upstream import ScriptedUpstream
from tests.support.upstream_paused import Paused


@pytest.fixture
def other(app: object) -> Other:
    """Another worker, with no Redis between."""
    return Other(MemoryBroker())


def told(events: list[ServerEvent]) -> list[tuple[int, str, str]]:
    return [(event.id - REPLAYED, event.name, event.data.get("text", "")) for event in events]


def test_words_come_as_they_are_kept_without_a_gap_or_a_repeat(
    member: User, member_client: PageClient, other: Other
) -> None:
    other.begin(member)
    reader = Following(member_client, other.run_id, after=7)
    other.keep("", "hm")
    wait_until(lambda: len(reader.events) == 2)
    other.keep("one ", "hmm")
    wait_until(lambda: len(reader.events) == 4)
    other.keep("one two ", "hmm")
    wait_until(lambda: len(reader.events) == 5)
    other.end(text="one two three")
    events = reader.wait()
    thoughts = [(1, "start", ""), (2, "reasoning", "hm"), (3, "reasoning", "m")]
    assert told(events) == [
        *thoughts,
        (4, "token", "one "),
        (5, "token", "two "),
        (6, "token", "three"),
        (7, "done", ""),
    ]
    assert events[-1].data["status"] == "complete"


def test_nothing_is_begun_anew_before_there_is_something_to_tell(
    member: User, member_client: PageClient, other: Other, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flask_app.services.runs.run_following.POLL_SECONDS", 0.05)
    other.begin(member)
    reader = Following(member_client, other.run_id, after=7)
    wait_until(lambda: reader.body.count(b": ping") > 40)
    assert not reader.events
    other.end(text="whole")
    assert text_of(reader.wait()) == "whole"


def test_who_comes_back_is_told_anew_and_no_end_while_there_is_none(
    member: User, member_client: PageClient, other: Other
) -> None:
    other.begin(member)
    other.keep("one ")
    reader = Following(member_client, other.run_id, after=REPLAYED + 4)
    wait_until(lambda: len(reader.events) == 2)
    other.end(text="one two")
    assert told(reader.wait()) == [(5, "start", ""), (6, "token", "one "), (7, "token", "two"), (8, "done", "")]


def test_an_answer_that_lost_words_is_told_anew(member: User, member_client: PageClient, other: Other) -> None:
    other.begin(member)
    other.keep("", "old thoughts")
    reader = Following(member_client, other.run_id, after=REPLAYED + 4)
    wait_until(lambda: len(reader.events) == 2)
    other.keep("new")
    other.end(text="new")
    again = [(7, "start", ""), (8, "token", "new"), (9, "done", "")]
    assert told(reader.wait()) == [(5, "start", ""), (6, "reasoning", "old thoughts"), *again]


def test_a_run_made_here_goes_on_for_who_has_been_told_the_stored_one(
    member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    answer = Paused("word word word", " word word")
    upstream.script(answer)
    member_client.post("/api/chat", json={"message": "go"}, buffered=False).close()
    (live,) = run_service.live_runs()
    wait_until(lambda: live.completion.outcome.text)
    lease_service.keep()
    reader = Following(member_client, live.begun.run_id, after=REPLAYED + 4)
    wait_until(lambda: text_of(reader.events))
    assert live.completion.outcome.finish_reason is None, "it goes on"
    answer.go_on()
    events = reader.wait()
    assert [event.id - REPLAYED for event in events] == list(range(5, 5 + len(events)))
    assert text_of(events) == live.completion.outcome.text == answer.text
    assert events[-1].name == "done"


def test_a_process_that_leaves_lets_its_reader_go(
    member: User, member_client: PageClient, other: Other, monkeypatch: pytest.MonkeyPatch
) -> None:
    other.begin(member)
    other.keep("one ")
    reader = Following(member_client, other.run_id, after=REPLAYED + 4)
    wait_until(lambda: len(reader.events) == 2)
    monkeypatch.setattr(closing, "_is_leaving", True)
    assert [event.name for event in reader.wait()] == ["start", "token"]
