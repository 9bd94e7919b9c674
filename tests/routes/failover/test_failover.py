"""Providers that refuse, end to end: who answers instead, who is benched, what is told, and what is booked."""

import dataclasses
import time
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from flask_app import config
from flask_app.database import transaction, utc_now
from flask_app.models import ApiKey, Tariff
from flask_app.services.completion import completion_service
from flask_app.services.runs import run_service
from tests.routes.failover.asking import FIRST, OTHER, REFUSALS, ROLE, SECOND, ask, asked, attempts, code_of, entries
from tests.support import scripted_upstream as twin
from tests.support.brokers import wait_until
from tests.support.clients import PageClient
from tests.support.keys import change_key, keep_key, keep_provider, rest_longer, stored_key
from tests.support.scripted_upstream import Answer, ScriptedUpstream, Usage


@pytest.mark.parametrize(("status", "code"), REFUSALS)
def test_a_key_that_is_refused_is_benched_and_another_answers(
    member_client: PageClient, upstream: ScriptedUpstream, first: str, second: str, status: int, code: str
) -> None:
    upstream.script(twin.Status(status, f"no, not with {upstream.base_url}"), key="test-key")
    assert ask(member_client).json["status"] == "complete"
    assert attempts() == [(first, "released", status), (second, "settled", 200)]
    assert [request.key for request in upstream.journal.chats] == ["test-key", f"secret of {second}"]
    assert stored_key(first).bench_code == stored_key(first).last_error_code == code
    assert stored_key(second).bench_code is None
    assert [entry.key_id for entry in entries()] == [second], "the person pays for one answer"
    rest_longer(first)
    ask(member_client)
    assert upstream.journal.last.key == f"secret of {second}", "the benched key is left alone"
    page: Any = member_client.get("/api/usage/records").json
    newest, oldest = page["records"]
    assert (newest["attempts"], oldest["attempts"]) == (1, 2)


def test_another_key_answers_for_a_reader_who_has_left_too(
    member_client: PageClient, upstream: ScriptedUpstream, first: str, second: str
) -> None:
    upstream.script(twin.Status(401), Answer("from the other key"))
    response = member_client.post("/api/chat", json={"message": "hello"}, buffered=False)
    next(iter(response.response))
    response.close()
    wait_until(lambda: not run_service.live_runs())
    assert attempts() == [(first, "released", 401), (second, "settled", 200)]
    assert [entry.outcome for entry in entries()] == ["complete"]


@pytest.mark.parametrize(("status", "code"), REFUSALS)
def test_the_only_keys_refusal_is_told(
    member_client: PageClient, upstream: ScriptedUpstream, first: str, status: int, code: str
) -> None:
    upstream.script(twin.Status(status, retry_after=30))
    assert code_of(ask(member_client)) == code
    assert attempts() == [(first, "released", status)]
    assert entries() == []


@pytest.mark.parametrize(
    "script",
    [twin.Status(500), twin.Status(502), twin.Status(503), twin.Raw(parts=(), resets=True)],
)
def test_the_only_key_is_asked_again_where_its_provider_was_out_of_order_for_a_moment(
    member_client: PageClient, upstream: ScriptedUpstream, first: str, script: twin.Script
) -> None:
    upstream.script(script)
    assert ask(member_client).json["status"] == "complete"
    assert [(key, state) for key, state, _ in attempts()] == [(first, "released"), (first, "settled")]
    before, after = upstream.journal.chats
    assert after.received_at - before.received_at >= 0.25
    assert (stored_key(first).benched_until, stored_key(first).strikes) == (None, 0)
    assert len(entries()) == 1


def test_the_only_key_is_not_pressed(member_client: PageClient, upstream: ScriptedUpstream, first: str) -> None:
    upstream.script(twin.Status(503), always=True)
    assert code_of(ask(member_client)) == "upstream_overloaded"
    rest_longer(first)
    assert code_of(ask(member_client)) == "upstream_resting"
    assert len(upstream.journal.chats) == len(attempts()) == 2


def test_an_answer_that_broke_off_is_noted_on_its_key_which_does_not_rest(
    member_client: PageClient, upstream: ScriptedUpstream, first: str
) -> None:
    upstream.script(twin.ErrorEvent(after="begun"))
    ask(member_client)
    key = stored_key(first)
    assert (key.last_error_code, key.benched_until, key.strikes) == ("upstream_failed", None, 0)
    ask(member_client)
    assert stored_key(first).last_error_code is None


@pytest.mark.parametrize("status", [400, 422])
def test_a_wrong_request_is_told_and_neither_retried_nor_blamed_on_the_key(
    member_client: PageClient, upstream: ScriptedUpstream, first: str, second: str, status: int
) -> None:
    upstream.script(twin.Status(status, "messages[0]: secret words of the provider"))
    response = ask(member_client)
    assert code_of(response) == "upstream_rejected"
    assert "secret words" not in response.text
    assert attempts() == [(first, "released", status)]
    assert (stored_key(first).benched_until, stored_key(first).last_error_code) == (None, None)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (404, "The model does not exist or you do not have access to it."),
        (403, "Your input was flagged."),
    ],
)
def test_what_one_account_does_not_answer_is_asked_of_another(
    member_client: PageClient, upstream: ScriptedUpstream, first: str, second: str, status: int, words: str
) -> None:
    """Neither a model that it has not nor a prompt that it does not like is its key's fault."""
    upstream.script(twin.Status(status, words))
    assert ask(member_client).json["status"] == "complete"
    assert attempts() == [(first, "released", status), (second, "settled", 200)]
    assert (stored_key(first).benched_until, stored_key(first).last_error_code) == (None, None)


@pytest.mark.parametrize("script", [twin.Status(403, "Your account is suspended"), twin.Whole(status=403)])
def test_a_403_that_is_about_the_account_or_says_nothing_rests_its_key(
    member_client: PageClient, upstream: ScriptedUpstream, first: str, second: str, script: twin.Script
) -> None:
    upstream.script(script)
    assert ask(member_client).json["status"] == "complete"
    assert attempts() == [(first, "released", 403), (second, "settled", 200)]
    assert stored_key(first).bench_code == "upstream_key_refused"


def test_a_model_that_no_account_has_is_told(
    member_client: PageClient, upstream: ScriptedUpstream, first: str, second: str
) -> None:
    upstream.script(twin.Status(404), always=True)
    assert code_of(ask(member_client)) == "upstream_rejected"
    assert [state for _, state, _ in attempts()] == ["released", "released"]


@pytest.mark.parametrize(
    "script",
    [
        twin.Raw(parts=(), resets=True),
        twin.Raw(parts=()),
        twin.ErrorEvent(),
        twin.Whole(),
        twin.Raw(parts=(b"data: {not json\n\n",)),
        twin.Redirect("https://example.com/", status=503),
        twin.Redirect("https://example.com/", status=302),
        twin.Status(408),
        twin.Status(409),
        twin.Status(425),
        twin.Raw(parts=(ROLE,), resets=True),
        twin.Raw(parts=(ROLE, b'data: {"error":{"message":"overloaded"}}\n\n')),
    ],
)
def test_what_breaks_before_the_first_word_is_tried_with_another_key(
    member_client: PageClient, upstream: ScriptedUpstream, first: str, second: str, script: twin.Script
) -> None:
    upstream.script(script)
    assert ask(member_client).json["text"] == Answer().text
    assert [(key, state) for key, state, _ in attempts()] == [(first, "released"), (second, "settled")]
    assert stored_key(first).benched_until
    assert len(entries()) == 1


def test_a_first_word_that_does_not_come_is_tried_elsewhere(
    member_client: PageClient,
    upstream: ScriptedUpstream,
    first: str,
    second: str,
) -> None:
    config.install(dataclasses.replace(config.current(), upstream_first_token_seconds=2))
    upstream.script(twin.Stall(seconds=60, comment_every=0.05), key="test-key")
    assert ask(member_client).json["status"] == "complete"
    assert stored_key(first).bench_code == "upstream_timeout"
    assert [state for _, state, _ in attempts()] == ["released", "settled"]


def test_nothing_is_tried_again_after_the_first_word(
    member_client: PageClient, upstream: ScriptedUpstream, first: str, second: str
) -> None:
    upstream.script(twin.ErrorEvent(after="begun"))
    answer = ask(member_client).json
    assert (answer["status"], answer["text"]) == ("interrupted", "begun")
    assert [(key, state) for key, state, _ in attempts()] == [(first, "settled")]
    assert stored_key(first).benched_until is None


def test_an_unreachable_provider_is_a_fault_of_its_own(
    member_client: PageClient, upstream: ScriptedUpstream, first: str
) -> None:
    dead = keep_provider("Dead", "http://127.0.0.1:1", models=["deepseek-flash"], priority=-1)
    keep_key(dead, "dead")
    assert ask(member_client).json["status"] == "complete"
    assert stored_key("dead").bench_code == "upstream_unreachable"
    assert [key for key, _, _ in attempts()] == ["dead", first]


def test_another_provider_answers_and_is_booked_in_its_own_currency(
    member_client: PageClient, upstream: ScriptedUpstream, elsewhere: ScriptedUpstream, first: str, other: str
) -> None:
    prices = {"input_hit": 0, "input_miss": 5_000_000, "output": 7_000_000}
    with transaction() as session:
        session.add(
            Tariff(model="DeepSeek-Flash", currency="USD", starts_at=utc_now() - timedelta(minutes=1), **prices)
        )
    upstream.script(twin.Status(503))
    elsewhere.models = ["DeepSeek-Flash"]
    elsewhere.default = Answer("from elsewhere", usage=Usage(prompt=10, completion=3))
    assert ask(member_client).json["text"] == "from elsewhere"
    (entry,) = entries()
    assert (entry.provider_id, entry.key_id) == (stored_key(other).provider_id, other)
    assert (entry.model, entry.currency, entry.cost_micros) == ("DeepSeek-Flash", "USD", 10 * 5 + 3 * 7)
    assert elsewhere.journal.last.key == f"secret of {other}"
    assert upstream.journal.last.key == "test-key", "no key goes to another provider's address"
    assert len(attempts()) == asked(upstream, elsewhere) == 2


def test_a_providers_fault_goes_past_its_other_keys(
    member_client: PageClient, upstream: ScriptedUpstream, elsewhere: ScriptedUpstream, second: str, other: str
) -> None:
    elsewhere.models = ["DeepSeek-Flash"]
    upstream.script(twin.Status(500))
    ask(member_client)
    assert [key for key, _, _ in attempts()] == [FIRST, OTHER]


def test_an_answer_is_tried_three_times_and_no_more(
    member_client: PageClient, upstream: ScriptedUpstream, first: str, second: str
) -> None:
    provider_id = stored_key(first).provider_id
    for name in ("third", "fourth"):
        keep_key(provider_id, name, priority=1)
    upstream.script(twin.Status(500), always=True)
    assert code_of(ask(member_client)) == "upstream_failed"
    assert len(attempts()) == len(upstream.journal.chats) == completion_service.MAX_ATTEMPTS == 3


def test_a_key_takes_as_many_answers_as_it_may(
    member_client: PageClient, upstream: ScriptedUpstream, first: str
) -> None:
    change_key(first, max_concurrent=1)
    upstream.script(Answer("word " * 2000, tokens_per_second=40))
    with member_client.post("/api/chat", json={"message": "long"}) as running:
        upstream.journal.wait_for(1)
        refused = ask(member_client)
        assert (refused.status_code, code_of(refused)) == (503, "upstream_full")
        assert refused.headers["Retry-After"]
        second = keep_key(stored_key(first).provider_id, SECOND)
        assert ask(member_client).json["status"] == "complete"
        stream = running.iter_encoded()
        run_id = next(stream).decode().partition('"run_id":"')[2].partition('"')[0]
        assert member_client.post(f"/api/runs/{run_id}/stop").status_code < 300
        assert list(stream)
    assert [key for key, _, _ in attempts()] == [first, second]
    assert ask(member_client).json["status"] == "complete"


def test_every_request_has_its_attempt_whatever_was_played(
    member_client: PageClient, upstream: ScriptedUpstream, elsewhere: ScriptedUpstream, second: str, other: str
) -> None:
    elsewhere.models = ["DeepSeek-Flash"]
    scripts: list[twin.Script] = [twin.Status(status) for status, _ in REFUSALS]
    scripts += [twin.Status(400), twin.ErrorEvent(), Answer()]
    for script in scripts:
        upstream.script(script)
        elsewhere.script(twin.Status(500))
        ask(member_client)
        upstream.forget_scripts()
        elsewhere.forget_scripts()
        with transaction() as session:
            for key in session.scalars(select(ApiKey)):
                key.benched_until = key.probe_until = None
    assert len(attempts()) == asked(upstream, elsewhere) > len(scripts)
    assert {state for _, state, _ in attempts()} == {"released", "settled"}
    told = [request for provider in (upstream, elsewhere) for request in provider.journal.chats if request.usage_sent]
    assert len(entries()) == len(told)
    assert sum(entry.completion_tokens for entry in entries()) == sum(
        request.usage_sent.completion for request in told if request.usage_sent
    )


def test_the_attempts_time_is_its_own(
    member_client: PageClient, upstream: ScriptedUpstream, first: str, second: str
) -> None:
    upstream.script(twin.Stall(seconds=3, before_head=True))
    began = time.monotonic()
    ask(member_client)
    assert time.monotonic() - began > 3
    (entry,) = entries()
    assert entry.duration_ms < 2900, "the second key is not slow because the first one was"
