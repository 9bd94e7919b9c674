"""The client against a scripted provider: answers, refusals, faults, limits."""

import contextlib
import dataclasses
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from flask_app import config
from flask_app.domain.events import Event, Failed, Finished, Token, Usage
from flask_app.errors import UpstreamError
from flask_app.upstream import client, refusals, short_replies
from flask_app.upstream.client import ChatStream, Endpoint
from flask_app.upstream.short_replies import list_models
from tests.support import scripted_upstream as twin
from tests.support.scripted_upstream import Answer, ScriptedUpstream
from tests.support.upstream_answers import chunk
from tests.support.upstream_reply import Reply

BODY = {
    "model": "deepseek-flash",
    "messages": [{"role": "user", "content": "hi"}],
    "stream": True,
    "stream_options": {"include_usage": True},
}


@pytest.fixture
def provider() -> Iterator[ScriptedUpstream]:
    with ScriptedUpstream() as running:
        yield running


def open_stream(provider: ScriptedUpstream) -> ChatStream:
    stream = ChatStream(Endpoint(provider.base_url, "sk-a", allow_insecure=True), BODY, "r")
    stream.open()
    return stream


def ask(provider: ScriptedUpstream) -> list[Event]:
    events: list[Event] = []
    open_stream(provider).deliver(events.extend)
    return events


def text_of(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Token))


def test_an_answer_arrives_whole_with_its_usage(provider: ScriptedUpstream) -> None:
    provider.script(Answer("你好, world", usage=twin.Usage(prompt=9, cached=4, completion=5)))
    events = ask(provider)
    assert text_of(events) == "你好, world"
    assert Usage(9, 4, 5, 0) in events
    assert Finished("stop") in events


def test_a_finished_answer_leaves_its_connection_for_the_next(provider: ScriptedUpstream) -> None:
    before = len(client._idle)
    ask(provider)
    ask(provider)
    assert len(client._idle) == before + 1


@pytest.mark.parametrize(
    ("status", "code", "retryable"),
    [
        (400, "upstream_rejected", False),
        (401, "upstream_key_refused", True),
        (402, "upstream_no_balance", True),
        (422, "upstream_rejected", False),
        (429, "upstream_busy", True),
        (500, "upstream_failed", True),
        (503, "upstream_overloaded", True),
    ],
)
def test_a_refusal_is_told_by_its_status(provider: ScriptedUpstream, status: int, code: str, retryable: bool) -> None:
    provider.script(twin.Status(status, "the key sk-secret is wrong"))
    with pytest.raises(UpstreamError) as caught:
        open_stream(provider)
    assert (caught.value.code, caught.value.retryable) == (code, retryable)
    assert "sk-secret" not in repr(vars(caught.value))
    assert caught.value.upstream_status == status


@pytest.mark.parametrize("script", [twin.Whole(), twin.GzipBomb(size=1 << 20)])
def test_what_is_no_event_stream_is_refused(provider: ScriptedUpstream, script: twin.Script) -> None:
    provider.script(script)
    with pytest.raises(UpstreamError) as caught:
        ask(provider)
    assert caught.value.code == "upstream_garbage"


def test_redirects_are_not_followed_and_the_key_stays_home(provider: ScriptedUpstream) -> None:
    with ScriptedUpstream() as elsewhere:
        provider.script(twin.Redirect(elsewhere.base_url + "/chat/completions"))
        with pytest.raises(UpstreamError):
            open_stream(provider)
        assert not list(elsewhere.journal)


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (twin.Raw(after="some text"), "upstream_garbage"),
        (twin.HugeLine(after="some text", size=3 << 20), "upstream_garbage"),
        (twin.Raw(parts=(), after="some text", resets=True), "upstream_cut"),
        (Answer("some text that is cut", cut_at=700), "upstream_cut"),
    ],
)
def test_a_broken_stream_raises_after_the_text_that_came(
    provider: ScriptedUpstream, script: twin.Script, code: str
) -> None:
    provider.script(script)
    seen: list[Event] = []
    with pytest.raises(UpstreamError) as caught:
        open_stream(provider).deliver(seen.extend)
    assert caught.value.code == code
    assert text_of(seen).startswith("some")


@pytest.mark.parametrize("name", ["", "error"])
def test_an_error_event_is_a_failure_without_its_words(provider: ScriptedUpstream, name: str) -> None:
    provider.script(twin.ErrorEvent(after="begun", message="internal 10.0.0.1 sk-secret", name=name))
    events = ask(provider)
    assert text_of(events) == "begun"
    assert Failed("upstream_failed") in events
    assert "secret" not in repr(events)


def test_unknown_events_are_dropped(provider: ScriptedUpstream) -> None:
    provider.script(Answer("plain", unknown_events=True))
    assert text_of(ask(provider)) == "plain"


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


def test_shutdown_from_another_thread_wakes_the_reader(provider: ScriptedUpstream) -> None:
    provider.script(twin.Stall(after="begun"))
    stream = open_stream(provider)
    threading.Timer(0.2, stream.shutdown).start()
    started = time.monotonic()
    with contextlib.suppress(UpstreamError):  # some systems end the read, others break it
        stream.deliver(lambda events: None)
    assert time.monotonic() - started < 30
    provider.journal.wait_until_idle()


def test_nobody_there_is_a_clear_error() -> None:
    with pytest.raises(UpstreamError) as caught:
        ChatStream(Endpoint("http://127.0.0.1:9", "sk-a", allow_insecure=True), BODY, "r").open()
    assert caught.value.code == "upstream_unreachable"


def test_nothing_compressed_is_asked_for(provider: ScriptedUpstream) -> None:
    """What need not be unpacked cannot grow."""
    endpoint = Endpoint(provider.base_url, "sk-a", allow_insecure=True)
    list_models(endpoint)
    ask(provider)
    asked = list(provider.journal)
    assert len(asked) == 2
    assert {one.headers.get("accept-encoding") for one in asked} == {"identity"}


def test_models_are_listed(provider: ScriptedUpstream) -> None:
    assert list_models(Endpoint(provider.base_url, "sk-a", allow_insecure=True)) == [
        "deepseek-flash",
        "deepseek-v4-pro",
    ]


def test_a_secret_does_not_show_in_a_representation() -> None:
    assert "sk-secret" not in repr(Endpoint("https://api.example", "sk-secret"))


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


def test_json_nested_too_deeply_is_garbage(provider: ScriptedUpstream) -> None:
    provider.script(twin.Raw((b'data: {"usage":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n\n",)))
    with pytest.raises(UpstreamError) as caught:
        ask(provider)
    assert caught.value.code == "upstream_garbage"


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


def test_a_connection_on_which_more_came_than_was_asked_for_is_given_up() -> None:
    said = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 14\r\n\r\ndata: [DONE]\n\n"
    before = len(client._idle)
    with raw_peer(said + b"HTTP/1.1 200 OK\r\n") as endpoint:
        stream = ChatStream(endpoint, BODY, "r")
        stream.open()
        stream.deliver(lambda events: pytest.fail("nothing was said"))
    assert len(client._idle) == before


@contextlib.contextmanager
def raw_peer(said: bytes, drips: bytes = b"") -> Iterator[Endpoint]:
    """Answers one request with what is `said`, and then a byte of `drips` every tenth of a second."""

    def talk() -> None:
        opened, _ = listener.accept()
        with opened, contextlib.suppress(OSError):
            opened.recv(65536)
            opened.sendall(said)
            for byte in drips:
                time.sleep(0.1)
                opened.sendall(bytes([byte]))
            opened.recv(1)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=talk, daemon=True).start()
        yield Endpoint(f"http://127.0.0.1:{listener.getsockname()[1]}", "sk-a", allow_insecure=True)


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
