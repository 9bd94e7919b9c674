"""The client against a provider that takes its time: nothing is waited for beyond its limit."""

import dataclasses
import time
from collections.abc import Iterator

import pytest

from flask_app import config
from flask_app.errors import UpstreamError
from flask_app.upstream import client, refusals, short_replies
from flask_app.upstream.client import ChatStream
from flask_app.upstream.short_replies import list_models
from tests.support import scripted_upstream as twin
from tests.support.chat_streams import BODY, ask
from tests.support.peers import raw_peer
from tests.support.scripted_upstream import Answer, ScriptedUpstream
from tests.support.upstream_answers import chunk
from tests.support.upstream_reply import Reply


@pytest.fixture
def provider() -> Iterator[ScriptedUpstream]:
    with ScriptedUpstream() as running:
        yield running


def test_silence_ends_in_a_time_out(provider: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch) -> None:
    config.install(dataclasses.replace(config.current(), upstream_idle_seconds=0.3))
    provider.script(twin.Stall(after="begun"))
    with pytest.raises(UpstreamError) as caught:
        ask(provider)
    assert caught.value.code == "upstream_timeout"


class _RoleThenComments:
    """Begins as providers do, without a word, and then only keeps the line alive."""

    def play(self, reply: Reply, request: twin.Received) -> None:
        reply.open_stream()
        reply.event(chunk(request.model, 1, {"role": "assistant", "content": ""}))
        for _ in range(2000):
            reply.comment()
            reply.pause(0.05)
        reply.reset()


@pytest.mark.parametrize("script", [twin.Stall(comment_every=0.05), _RoleThenComments()])
def test_keep_alives_do_not_put_off_the_first_token_deadline(
    provider: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch, script: twin.Script
) -> None:
    config.install(dataclasses.replace(config.current(), upstream_first_token_seconds=0.3))
    provider.script(script)
    started = time.monotonic()
    with pytest.raises(UpstreamError) as caught:
        ask(provider)
    assert caught.value.code == "upstream_timeout"
    assert time.monotonic() - started < 30


def test_no_answer_goes_on_for_ever(provider: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch) -> None:
    config.install(dataclasses.replace(config.current(), upstream_total_seconds=0.3))
    provider.script(Answer("word " * 2000, tokens_per_second=50))
    with pytest.raises(UpstreamError) as caught:
        ask(provider)
    assert caught.value.code == "upstream_timeout"


class _SilentAfterDone:
    """Says `[DONE]` and then keeps the body open."""

    def play(self, reply: Reply, request: twin.Received) -> None:
        reply.open_stream()
        reply.event(b"[DONE]")
        reply.pause(60)
        reply.finish()


def test_silence_after_done_does_not_hold_the_answer(
    provider: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "END_SECONDS", 0.1)
    provider.script(_SilentAfterDone())
    began = time.monotonic()
    ask(provider)
    assert time.monotonic() - began < 30


def test_trailers_that_drip_after_done_do_not_hold_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else ends them: the deadlines are off by then, and a stop finds no connection."""
    monkeypatch.setattr(client, "END_SECONDS", 0.3)
    chunked = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    with raw_peer(chunked + b"e\r\ndata: [DONE]\n\n\r\n0\r\nX-Filler: ", drips=b"x" * 600) as endpoint:
        stream = ChatStream(endpoint, BODY, "r")
        stream.open()
        began = time.monotonic()
        stream.deliver(lambda events: pytest.fail("nothing was said"))
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (b"HTTP/1.1 200 OK\r\nX-Filler: ", "upstream_timeout"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;", "upstream_timeout"),
        (b"HTTP/1.1 401 No\r\nTransfer-Encoding: chunked\r\n\r\n5;", "upstream_key_refused"),
    ],
)
def test_a_list_that_drips_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, said: bytes, code: str) -> None:
    monkeypatch.setattr(short_replies, "WHOLE_LIST_SECONDS", 2)
    with raw_peer(said, drips=b"x" * 1000) as endpoint:
        began = time.monotonic()
        with pytest.raises(UpstreamError) as caught:
            list_models(endpoint)
    assert caught.value.code == code
    assert time.monotonic() - began < 20


def test_a_refusal_whose_body_drips_is_told_as_what_it_is_and_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refusals, "BODY_SECONDS", 0.3)
    config.install(dataclasses.replace(config.current(), upstream_first_token_seconds=60))
    busy = b"HTTP/1.1 429 Slow down\r\nRetry-After: 7\r\nTransfer-Encoding: chunked\r\n\r\n5;"
    with raw_peer(busy, drips=b"x" * 600) as endpoint:
        began = time.monotonic()
        with pytest.raises(UpstreamError) as caught:
            ChatStream(endpoint, BODY, "r").open()
    assert (caught.value.code, caught.value.retry_after) == ("upstream_busy", 7)
    assert time.monotonic() - began < 30
