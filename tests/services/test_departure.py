"""What becomes of an answer whose reader leaves: its group's policy, after a while, wherever the reader may be."""

import dataclasses
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from flask_app.database import reading, transaction, utc_now
from flask_app.domain.events import estimate_tokens
from flask_app.models import DEFAULT_GROUP_ID, Attempt, Group, Message, Run, TokenUsage, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.ledger import metering_service
from flask_app.services.people import group_service, user_admin_service
from flask_app.services.people.group_service import Choices
from flask_app.services.runs import departure, followers, run_service, stop_service
from flask_app.services.runs.run_service import LiveRun
from flask_app.services.usage import records_service
from tests.support.brokers import wait_until
from tests.support.clients import PageClient
from tests.support.looking import look_for, look_until
from tests.support.scripted_upstream import Answer, Gate, ScriptedUpstream

GRACE = 1.0
ENDLESS = Answer("word " * 2000, tokens_per_second=50)
SHORT = Answer("word " * 100, tokens_per_second=50)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(departure, "GRACE_SECONDS", GRACE)
    yield
    run_service.shutdown()


def left_alone(client: PageClient, upstream: ScriptedUpstream) -> Gate:
    """An answer that nobody has read for as long as a departure takes, and ends once it is let go."""
    gate = Gate(99)
    live, reader = begin(client, upstream, dataclasses.replace(SHORT, gate=gate))
    reader.close()
    wait_until(lambda: time.monotonic() - (live.answer.unread_since or time.monotonic()) > GRACE)
    return gate


def set_policy(on_disconnect: str, tokens: int | None = None) -> None:
    group_service.change(Actor(None), DEFAULT_GROUP_ID, Choices(on_disconnect=on_disconnect, tokens=tokens))


def begin(client: PageClient, upstream: ScriptedUpstream, answer: Answer = ENDLESS) -> tuple[LiveRun, Any]:
    """An answer of which something has come, and its reader."""
    upstream.script(answer)
    reader = client.post("/api/chat", json={"message": "go"}, buffered=False)
    next(iter(reader.response))
    (live,) = run_service.live_runs()
    wait_until(lambda: live.completion.outcome.text)
    return live, reader


def ended() -> tuple[str, str, TokenUsage]:
    """How the answer stands, its text, and its entry in the ledger."""
    look_until(lambda: not run_service.live_runs())
    with reading() as session:
        message = session.scalars(select(Message).where(Message.role == "assistant")).one()
        assert session.scalars(select(Run.status)).one() == message.status
        assert session.scalars(select(Attempt.state)).one() == "settled"
        return message.status, message.text, session.scalars(select(TokenUsage)).one()


def test_stop_closes_the_provider_once_the_reader_has_been_away_for_a_while(
    member_client: PageClient, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(departure, "GRACE_SECONDS", 4 * GRACE)
    set_policy("stop")
    live, reader = begin(member_client, upstream)
    reader.close()
    look_for(GRACE)
    assert live.stop.status is None, "a reload is no departure"
    status, text, entry = ended()
    upstream.journal.wait_until_idle()
    assert upstream.journal.last.closed_early
    assert status == "left"
    assert text.startswith("word word")
    assert (entry.outcome, entry.source, entry.completion_tokens) == ("left", "estimated", estimate_tokens(text))


def test_limit_goes_on_for_a_number_of_tokens(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    set_policy("limit", 200)
    gate = Gate(50, 200)
    live, reader = begin(member_client, upstream, dataclasses.replace(ENDLESS, gate=gate))
    stop_service.look()
    had = live.completion.outcome.text
    reader.close()
    look_for(1.5 * GRACE)
    assert live.stop.status is None, "it has not come to its limit"
    gate.let_go()
    status, text, entry = ended()
    assert (status, entry.outcome) == ("left", "left")
    assert 200 <= estimate_tokens(text[len(had) :]) < 400
    assert entry.completion_tokens == estimate_tokens(text)


def test_continue_goes_on_to_the_end(member: User, member_client: PageClient, upstream: ScriptedUpstream) -> None:
    left_alone(member_client, upstream).open()
    status, text, entry = ended()
    assert entry.duration_ms > GRACE * 1000, "nobody read for long enough"
    assert (status, text, entry.outcome, entry.source) == ("complete", SHORT.text, "complete", "reported")
    assert [record.unread for record in records_service.own(member).records] == [True]


def test_an_answer_that_was_read_to_its_end_is_recorded_as_that(
    member: User, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    _, reader = begin(member_client, upstream, SHORT)
    look_until(lambda: not run_service.live_runs())
    reader.close()
    assert [record.unread for record in records_service.own(member).records] == [False]


@pytest.mark.parametrize(("ago", "unread"), [(1, False), (3600, True)])
def test_the_record_counts_who_reads_elsewhere(
    ago: int, unread: bool, member: User, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    gate = left_alone(member_client, upstream)
    note_followed(utc_now() - timedelta(seconds=ago))
    gate.open()
    ended()
    assert [record.unread for record in records_service.own(member).records] == [unread]


def is_followed() -> bool:
    with reading() as session:
        return session.scalars(select(Run.followed_at)).one() is not None


@pytest.mark.parametrize("minutes", [-10, 10])
@pytest.mark.parametrize("settling_here", [False, True])
def test_an_instance_with_a_wrong_clock_records_it_all_the_same(
    minutes: int,
    settling_here: bool,
    member: User,
    member_client: PageClient,
    upstream: ScriptedUpstream,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate = Gate(99)
    _, reader = begin(member_client, upstream, dataclasses.replace(SHORT, gate=gate))
    reader.close()
    wrong = metering_service if settling_here else followers
    with monkeypatch.context() as patched:
        patched.setattr(wrong, "utc_now", lambda: utc_now() + timedelta(minutes=minutes), raising=False)
        with reading() as session, followers.following(session.scalars(select(Run)).one()):
            wait_until(is_followed)
            gate.open()
            ended()
    assert [record.unread for record in records_service.own(member).records] == [False]


@pytest.mark.parametrize("minutes", [-10, 10])
def test_one_who_left_long_ago_is_not_counted_by_a_wrong_clock(
    minutes: int,
    member: User,
    member_client: PageClient,
    upstream: ScriptedUpstream,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate = left_alone(member_client, upstream)
    note_followed(utc_now() - timedelta(minutes=5))
    gate.open()
    with monkeypatch.context() as patched:
        patched.setattr(metering_service, "utc_now", lambda: utc_now() + timedelta(minutes=minutes))
        ended()
    assert [record.unread for record in records_service.own(member).records] == [True]


def test_an_answer_that_is_read_goes_on(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    set_policy("stop")
    live, reader = begin(member_client, upstream)
    look_for(2 * GRACE)
    assert live.stop.status is None
    reader.close()


def test_one_who_comes_back_in_time_has_not_left(
    member_client: PageClient, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(departure, "GRACE_SECONDS", 3 * GRACE)
    set_policy("stop")
    live, reader = begin(member_client, upstream)
    for _ in range(4):
        reader.close()
        look_for(GRACE)
        reader = member_client.get(f"/api/runs/{live.begun.run_id}/events", buffered=False)
        next(iter(reader.response))
    assert live.stop.status is None
    reader.close()


def test_one_who_comes_back_before_the_limit_is_reached_begins_it_anew(
    member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    set_policy("limit", 200)
    gate = Gate(100, 1999)
    live, reader = begin(member_client, upstream, dataclasses.replace(ENDLESS, gate=gate))
    reader.close()
    look_until(lambda: estimate_tokens(live.completion.outcome.text) > 100)
    again = member_client.get(f"/api/runs/{live.begun.run_id}/events", buffered=False)
    next(iter(again.response))
    stop_service.look()
    had = live.completion.outcome.text
    again.close()
    gate.let_go()
    status, text, _ = ended()
    assert status == "left"
    assert estimate_tokens(text[len(had) :]) >= 200


def test_an_answer_that_nobody_ever_read_is_left_too(member_client: PageClient, upstream: ScriptedUpstream) -> None:
    set_policy("stop")
    upstream.script(ENDLESS)
    member_client.post("/api/chat", json={"message": "go"}, buffered=False).close()
    wait_until(run_service.live_runs)
    assert ended()[0] == "left"


def note_followed(at: datetime) -> None:
    with transaction() as session:
        session.execute(update(Run).values(followed_at=at))


def test_a_reader_elsewhere_counts_whatever_the_clock_there_says(
    member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    set_policy("stop")
    live, reader = begin(member_client, upstream)
    reader.close()
    look_for(2 * GRACE, lambda: note_followed(utc_now() - timedelta(hours=1)))
    assert live.stop.status is None
    note_followed(utc_now() + timedelta(hours=1))
    assert ended()[0] == "left", "nothing was heard of it since"


def test_a_worker_that_could_not_look_gives_readers_time_to_be_noticed(
    member_client: PageClient, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_policy("stop")
    monkeypatch.setattr(departure, "UNSURE_SECONDS", GRACE)
    live, reader = begin(member_client, upstream)
    reader.close()
    stop_service.look()
    time.sleep(2 * GRACE)  # as when the database is away
    stop_service.look()
    assert live.stop.status is None
    assert ended()[0] == "left"


def test_an_answer_that_is_all_there_is_not_cut_at_its_last_breath(
    member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    set_policy("stop")
    live, reader = begin(member_client, upstream)
    reader.close()
    live.completion.outcome.finish_reason = "stop"
    look_for(2 * GRACE)
    assert live.stop.status is None


def test_what_is_set_holds_at_once_and_for_the_group_one_is_in(
    member_client: PageClient, member: User, upstream: ScriptedUpstream
) -> None:
    live, reader = begin(member_client, upstream)
    reader.close()
    look_for(2 * GRACE)
    assert live.stop.status is None
    strict = group_service.add(Actor(None), Choices(name="Strict", on_disconnect="stop")).group
    user_admin_service.change(Actor(None), member.id, group_id=strict.id)
    stop_service.look()
    assert ended()[0] == "left"
    with reading() as session:
        assert session.get_one(Group, DEFAULT_GROUP_ID).on_disconnect == "continue"


def test_a_look_is_one_query_however_many_answers_there_are(
    member_client: PageClient, upstream: ScriptedUpstream, query_count: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    upstream.script(ENDLESS, ENDLESS)
    for _ in range(2):
        member_client.post("/api/chat", json={"message": "go"}, buffered=False).close()
    wait_until(lambda: len(run_service.live_runs()) == 2)
    wait_until(lambda: all(live.completion.outcome.text for live in run_service.live_runs()))
    with query_count() as statements:
        stop_service.look()
    assert len(statements) == 1
