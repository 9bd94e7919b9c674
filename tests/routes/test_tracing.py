"""Traces and error reports, by setting: what a collector and a Sentry get, and what they do not."""

import dataclasses
import json
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from flask import Flask
from sqlalchemy import update

from flask_app import config, error_reports, tracing
from flask_app.database import transaction
from flask_app.errors import ConfigError
from flask_app.models import Tariff
from flask_app.services.providers import model_service
from tests.support.brokers import wait_until
from tests.support.clients import PageClient
from tests.support.ingest import Ingest, attributes
from tests.support.scripted_upstream import Answer, ScriptedUpstream, Status

ASKED = {"Accept": "application/json"}


@pytest.fixture
def ingest() -> Iterator[Ingest]:
    with Ingest() as running:
        yield running


@pytest.fixture
def traced(app: Flask, ingest: Ingest) -> Iterator[Ingest]:
    tracing.set_up(dataclasses.replace(config.current(), otlp_endpoint=ingest.collector))
    yield ingest
    tracing.close()


@pytest.fixture
def reported(app: Flask, ingest: Ingest) -> Iterator[Ingest]:
    before = config.current()
    error_reports.set_up(dataclasses.replace(before, sentry_dsn=ingest.dsn))
    yield ingest
    error_reports.set_up(before)


def ask(client: PageClient, message: str = "Hello") -> Any:
    return client.post("/api/chat", json={"message": message}, headers=ASKED)


def test_a_request_and_its_attempt_are_one_trace(
    traced: Ingest, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    reply = ask(member_client)
    tracing.close()
    by_name = {span.name: span for span in traced.spans}
    request, attempt = by_name["POST /api/chat"], by_name["chat DeepSeek"]
    assert (attempt.trace_id, attempt.parent_span_id) == (request.trace_id, request.span_id)
    assert [event.name for event in attempt.events] == ["first_token"]
    assert attempt.start_time_unix_nano < attempt.events[0].time_unix_nano <= attempt.end_time_unix_nano
    told = attributes(request)
    assert (told["http.route"], told["http.response.status_code"]) == ("/api/chat", 200)
    assert told["mingchat.request_id"] == reply.headers["X-Request-ID"]
    told = attributes(attempt)
    assert told["mingchat.request_id"] == reply.headers["X-Request-ID"]
    assert told["mingchat.attempt_id"] == upstream.journal.chats[0].headers["x-request-id"]
    assert (told["gen_ai.request.model"], told["http.response.status_code"]) == (upstream.journal.chats[0].model, 200)


def test_an_attempt_that_fails_says_how(traced: Ingest, member_client: PageClient, upstream: ScriptedUpstream) -> None:
    model_service.available()
    upstream.default = Status(503, retry_after=30)
    ask(member_client)
    tracing.close()
    (attempt,) = [span for span in traced.spans if span.name == "chat DeepSeek"]
    assert attempt.status.message == "upstream_overloaded"
    assert attributes(attempt)["http.response.status_code"] == 503
    assert not attempt.events


def test_each_request_is_a_trace_of_its_own(traced: Ingest, member_client: PageClient) -> None:
    for _ in range(3):
        member_client.get("/api/models")
    member_client.get("/made/up/by/somebody")
    tracing.close()
    assert [span.name for span in traced.spans].count("GET /api/models") == 3
    assert len({span.trace_id for span in traced.spans}) == len(traced.spans)
    assert all(b"made" not in body for _, body in traced.posts)


def test_no_span_holds_words_secrets_or_people(
    traced: Ingest, member: Any, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    upstream.script(Answer("canary of the model"))
    ask(member_client, "canary of the person")
    tracing.close()
    assert traced.spans
    sent = b"".join(body for _, body in traced.posts)
    for hidden in ("canary", "test-key", member.id, member_client.session_token):
        assert hidden.encode() not in sent


def test_without_the_setting_nothing_is_made(app: Flask, member_client: PageClient) -> None:
    assert tracing.begin_request("GET /") is tracing.NOTHING
    assert tracing.begin_call("chat", tracing.NOTHING) is tracing.NOTHING


def break_prices() -> None:
    """A fault of ours that a request meets with a person's words in its hands."""
    with transaction() as session:
        session.execute(update(Tariff).values(calendar="{"))


def test_an_error_is_reported_without_anybodys_words(
    reported: Ingest, member: Any, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    model_service.available()
    break_prices()
    reply = ask(member_client, "canary of the person")
    assert reply.status_code == 500
    wait_until(lambda: reported.errors)
    (error,) = reported.errors
    assert error["tags"] == {"event": "unexpected_failure", "request": reply.headers["X-Request-ID"]}
    assert error["release"].startswith("mingchat@")
    thrown = error["exception"]["values"][-1]
    assert thrown["type"] == "DecodeError"
    assert thrown["value"] == ""
    frames = [frame for each in error["exception"]["values"] for frame in each["stacktrace"]["frames"]]
    assert any(frame["filename"].endswith("chat_service.py") for frame in frames)
    assert all("vars" not in frame for frame in frames)
    assert not {"request", "user"} & set(error)
    assert not error.get("breadcrumbs", {}).get("values")
    sent = json.dumps(error)
    for hidden in ("canary", "test-key", member.id, member_client.session_token, "Cookie"):
        assert hidden not in sent


def test_what_is_no_dsn_stops_the_start_and_is_not_repeated(app: Flask) -> None:
    with pytest.raises(ConfigError, match="SENTRY_DSN cannot be read") as complaint:
        error_reports.set_up(dataclasses.replace(config.current(), sentry_dsn="https://canary"))
    assert "canary" not in str(complaint.value)


def fail(words: str) -> None:
    raise KeyError(words)


def test_what_an_exception_says_and_holds_stays_here(reported: Ingest) -> None:
    words = " ".join(["canary", "of", "a", "person"])  # not as it stands in this line, which is sent
    try:
        try:
            fail(words)
        except KeyError as cause:
            raise ValueError(words) from cause
    except ValueError:
        structlog.get_logger().exception("settlement_failed", run="01run", attempt="01attempt", text=words)
    wait_until(lambda: reported.errors)
    (error,) = reported.errors
    assert error["tags"] == {"event": "settlement_failed", "run": "01run", "attempt": "01attempt"}
    assert [each["type"] for each in error["exception"]["values"]] == ["KeyError", "ValueError"]
    assert words not in json.dumps(error)


def test_an_error_without_an_exception_is_reported_and_a_warning_is_not(reported: Ingest) -> None:
    structlog.get_logger().warning("attempt_failed")
    structlog.get_logger().error("reservation_exceeded", attempt="01attempt", tokens=5)
    wait_until(lambda: reported.errors)
    (error,) = reported.errors
    assert (error["message"], error["level"]) == ("reservation_exceeded", "error")
    assert error["tags"] == {"event": "reservation_exceeded", "attempt": "01attempt"}
