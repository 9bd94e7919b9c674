"""The client against a scripted provider: answers, refusals, faults."""

import contextlib
import resource
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from flask_app.domain.events import Event, Failed, Finished, Token, Usage
from flask_app.errors import Unavailable, UpstreamError
from flask_app.upstream import client
from flask_app.upstream.client import ChatStream, Endpoint
from flask_app.upstream.short_replies import list_models
from tests.support import scripted_upstream as twin
from tests.support.brokers import PATIENCE
from tests.support.chat_streams import BODY, ask, open_stream
from tests.support.peers import raw_peer
from tests.support.scripted_upstream import Answer, ScriptedUpstream


@pytest.fixture
def provider() -> Iterator[ScriptedUpstream]:
    with ScriptedUpstream() as running:
        yield running


def text_of(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Token))


def test_an_answer_arrives_whole_with_its_usage(provider: ScriptedUpstream) -> None:
    provider.script(Answer("你好, world", usage=twin.Usage(prompt=9, cached=4, completion=5)))
    events = ask(provider)
    assert text_of(events) == "你好, world"
    assert Usage(9, 4, 5, 0) in events
    assert Finished("stop") in events


def test_a_finished_answer_leaves_its_connection_for_the_next(
    provider: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "END_SECONDS", PATIENCE)
    client._idle.close()  # another provider may have had the same port
    ask(provider)
    ask(provider)
    assert len(client._idle) == 1


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


def test_what_is_no_event_stream_is_refused(provider: ScriptedUpstream) -> None:
    provider.script(twin.Whole())
    with pytest.raises(UpstreamError) as caught:
        ask(provider)
    assert caught.value.code == "upstream_garbage"


@pytest.mark.security("providers-addresses", "key-to-its-own-host")
def test_redirects_are_not_followed_and_the_key_stays_home(provider: ScriptedUpstream) -> None:
    with ScriptedUpstream() as elsewhere:
        provider.script(twin.Redirect(elsewhere.base_url + "/chat/completions"))
        with pytest.raises(UpstreamError):
            open_stream(provider)
        assert not list(elsewhere.journal)


@pytest.mark.security("providers-addresses")
@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"])
def test_proxies_of_the_environment_are_not_asked(
    provider: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    with ScriptedUpstream() as elsewhere:
        monkeypatch.setenv(name, elsewhere.base_url)
        assert text_of(ask(provider))
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


@pytest.mark.security("output-untrusted")
@pytest.mark.parametrize("name", ["", "error"])
def test_an_error_event_is_a_failure_without_its_words(provider: ScriptedUpstream, name: str) -> None:
    provider.script(twin.ErrorEvent(after="begun", message="internal 10.0.0.1 sk-secret", name=name))
    events = ask(provider)
    assert text_of(events) == "begun"
    assert Failed("upstream_failed") in events
    assert "secret" not in repr(events)


@pytest.mark.security("output-untrusted", "provider-events")
def test_unknown_events_are_dropped(provider: ScriptedUpstream) -> None:
    provider.script(Answer("plain", unknown_events=True))
    assert text_of(ask(provider)) == "plain"


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


def test_where_no_more_files_may_be_opened_the_provider_is_not_blamed(provider: ScriptedUpstream) -> None:
    """Its key would be benched for every instance."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    endpoint = Endpoint(provider.base_url, "sk-a", allow_insecure=True)
    lowest = max(int(each.name) for each in Path("/proc/self/fd").iterdir()) + 1
    with ExitStack() as filled:
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
        filled.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        with contextlib.suppress(OSError):
            while True:
                filled.enter_context(Path("/dev/null").open())
        with pytest.raises(Unavailable) as caught:
            ChatStream(endpoint, BODY, "r").open()
    assert caught.value.code == "out_of_files"


def test_models_are_listed(provider: ScriptedUpstream) -> None:
    assert list_models(Endpoint(provider.base_url, "sk-a", allow_insecure=True)) == [
        "deepseek-flash",
        "deepseek-v4-pro",
    ]


def test_a_secret_does_not_show_in_a_representation() -> None:
    assert "sk-secret" not in repr(Endpoint("https://api.example", "sk-secret"))


def test_json_nested_too_deeply_is_garbage(provider: ScriptedUpstream) -> None:
    provider.script(twin.Raw((b'data: {"usage":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n\n",)))
    with pytest.raises(UpstreamError) as caught:
        ask(provider)
    assert caught.value.code == "upstream_garbage"


def test_a_connection_on_which_more_came_than_was_asked_for_is_given_up() -> None:
    said = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 14\r\n\r\ndata: [DONE]\n\n"
    before = len(client._idle)
    with raw_peer(said + b"HTTP/1.1 200 OK\r\n") as endpoint:
        stream = ChatStream(endpoint, BODY, "r")
        stream.open()
        stream.deliver(lambda events: pytest.fail("nothing was said"))
    assert len(client._idle) == before
