"""The metered door, where no route can reach: a stop before the provider is asked, or before it says anything."""

import dataclasses
import json
import threading
import time

import pytest
from sqlalchemy import select

from flask_app import config
from flask_app.database import in_writing, reading
from flask_app.domain import events
from flask_app.domain.events import Finished
from flask_app.domain.serving import LOCAL, ServedModel
from flask_app.errors import Unavailable
from flask_app.models import Attempt, TokenUsage, User
from flask_app.services.chat.prompts import Request, Turn
from flask_app.services.completion import dispatching, failover
from flask_app.services.completion.attempts import Entry
from flask_app.services.completion.completion_service import Completion
from flask_app.services.completion.settling import settle
from flask_app.services.providers import model_service
from flask_app.services.providers.key_service import Candidate, UsableKey
from flask_app.services.runs.stop_signal import StopSignal
from tests.support import proxies
from tests.support.brokers import wait_until
from tests.support.keys import change_key, keep_key, keep_provider
from tests.support.limits import limit
from tests.support.scripted_upstream import Received, ScriptedUpstream, Usage
from tests.support.upstream_answers import chunk
from tests.support.upstream_reply import EVENT_STREAM, Reply


class _Mute:
    """Takes a request and says nothing."""

    def play(self, reply: Reply, request: Received) -> None:
        reply.pause(60)


def asked_for(member: User, model: ServedModel) -> Request:
    return Request(
        user_id=member.id,
        model=model,
        turns=[Turn("user", "hello")],
        thinking=False,
        channel="chat",
        request_id="r",
        address="127.0.0.1",
    )


def begun(member: User) -> tuple[Completion, StopSignal]:
    model = model_service.find(None)
    request = asked_for(member, model)
    candidates, stop = failover.candidates_for(model), StopSignal()
    ticket = in_writing(lambda connection: dispatching.dispatch(connection, request, candidates))
    return Completion(ticket, stop), stop


def stop_once_asked(stop: StopSignal, upstream: ScriptedUpstream) -> None:
    """From another thread, a moment after the provider has the request, and its first bytes are on their way back."""

    def wait_and_stop() -> None:
        upstream.journal.wait_for(1)
        time.sleep(0.5)
        stop.stop("stopped")

    threading.Thread(target=wait_and_stop).start()


def test_what_this_machine_answers_takes_no_money(member: User) -> None:
    """Not even where the budget in money is used up: there is no bill that could pass it."""
    limit(0, unit="CNY")
    request = asked_for(member, dataclasses.replace(model_service.find(None), kind=LOCAL))
    candidate = Candidate(UsableKey(None, "http://127.0.0.1:1", "key"), request.model)
    ticket = in_writing(lambda connection: dispatching.dispatch(connection, request, [candidate]))
    assert (ticket.sent.hold.micros, ticket.sent.hold.currency) == (None, None)
    assert ticket.sent.hold.tokens


def test_a_stop_before_the_provider_is_asked_costs_nothing(member: User, upstream: ScriptedUpstream) -> None:
    completion, stop = begun(member)
    stop.stop("stopped")
    completion.ask(lambda event: pytest.fail("nothing was said"))
    assert settle(completion, lambda *_, **__: ()) is None
    assert completion.outcome.status == "stopped"
    assert not upstream.journal.chats
    with reading() as session:
        assert session.scalars(select(Attempt.state)).all() == ["released"]
        assert session.scalars(select(TokenUsage)).all() == []


def test_a_stop_while_nobody_takes_the_connection_costs_nothing(member: User, upstream: ScriptedUpstream) -> None:
    with proxies.before(upstream.port) as deaf:
        keep_key(keep_provider("Deaf", f"http://127.0.0.1:{deaf.port}", models=["deepseek-flash"], priority=-1), "deaf")
        deaf.ignore()
        completion, stop = begun(member)
        started = time.monotonic()
        threading.Timer(0.3, stop.stop, ["stopped"]).start()
        completion.ask(lambda event: pytest.fail("nothing was said"))
        assert 0.3 <= time.monotonic() - started < config.current().upstream_connect_seconds / 2
        assert settle(completion, lambda *_, **__: ()) is None
        assert completion.outcome.status == "stopped"
        deaf.mend()
    assert not upstream.journal.chats
    with reading() as session:
        assert session.execute(select(Attempt.key_id, Attempt.state)).all() == [("deaf", "released")]
        assert session.scalars(select(TokenUsage)).all() == []


def test_a_stop_before_the_provider_replies_ends_the_wait_and_is_booked(
    member: User, upstream: ScriptedUpstream
) -> None:
    completion, stop = begun(member)
    upstream.script(_Mute())
    stop_once_asked(stop, upstream)
    started = time.monotonic()
    completion.ask(lambda event: pytest.fail("nothing was said"))
    assert time.monotonic() - started < 30
    entry = settle(completion, lambda *_, **__: ())
    assert entry is not None
    assert (entry.source, entry.usage.completion_tokens) == ("estimated", 0)
    assert completion.outcome.status == "stopped"
    upstream.journal.wait_until_idle()
    assert len(upstream.journal.chats) == 1
    with reading() as session:
        assert session.scalars(select(Attempt.state)).all() == ["settled"]


class SlowRefusal:
    """401, and a body that comes late."""

    def play(self, reply: Reply, request: Received) -> None:
        reply._head(401, {"Content-Type": "application/json", "Content-Length": "100"})
        reply._write(b'{"error":')
        reply.pause(60)


def test_a_refusal_that_somebody_stops_waiting_for_costs_nothing(member: User, upstream: ScriptedUpstream) -> None:
    completion, stop = begun(member)
    upstream.script(SlowRefusal())

    def stop_once_refused() -> None:
        wait_until(lambda: stop._stream and stop._stream._connection and stop._stream._connection.response.has_head)
        stop.stop("stopped")

    threading.Thread(target=stop_once_refused).start()
    completion.ask(lambda _: None)
    assert settle(completion, lambda *_, **__: ()) is None
    assert completion.outcome.status == "stopped"


class WholeInOnePiece:
    """An answer whose words, end and count arrive together."""

    def play(self, reply: Reply, request: Received) -> None:
        usage = Usage(prompt=100, cached=60, completion=7, reasoning=2).deepseek()
        parts = (chunk("m", 1, {"content": "one two"}), chunk("m", 1, {}, "stop"), {"choices": [], "usage": usage})
        body = "".join(f"data: {json.dumps(part)}\n\n" for part in parts) + "data: [DONE]\n\n"
        reply.whole(200, body.encode(), content_type=EVENT_STREAM)


def test_a_stop_at_the_last_word_is_how_the_answer_ended_and_the_providers_count_holds(
    member: User, upstream: ScriptedUpstream
) -> None:
    completion, stop = begun(member)
    upstream.script(WholeInOnePiece())
    completion.ask(lambda told: stop.stop("stopped") if any(isinstance(each, Finished) for each in told) else None)
    entry = settle(completion, lambda *_, **__: ())
    assert entry == Entry(events.Usage(100, 60, 7, 2), "reported")
    assert (completion.outcome.status, completion.outcome.error_code) == ("stopped", None)
    with reading() as session:
        assert session.scalars(select(TokenUsage.outcome)).all() == ["stopped"]


def test_a_model_whose_keys_went_meanwhile_is_not_asked(member: User, upstream: ScriptedUpstream) -> None:
    model = model_service.find(None)
    assert failover.candidates_for(model)
    change_key("environment", disabled=True)
    with pytest.raises(Unavailable, match="no_model"):
        failover.candidates_for(model)
