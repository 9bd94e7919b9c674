"""The scripted provider fails as providers do, and notices when its client goes."""

import time

import pytest
import urllib3

from tests.support.scripted_upstream import (
    HOSTILE_MARKDOWN,
    Answer,
    Drip,
    ErrorEvent,
    GzipBomb,
    HugeLine,
    Raw,
    Redirect,
    Script,
    ScriptedUpstream,
    Stall,
    Status,
    Whole,
    pieces,
)
from tests.support.upstream_caller import Caller, text_of


def test_a_wrong_or_missing_key_is_refused(upstream: ScriptedUpstream, caller: Caller) -> None:
    upstream.keys = {"sk-good"}
    upstream.script(Answer("kept for the good key"))

    assert caller.open(key="sk-bad").status == 401
    assert caller.get("/models", key="").status == 401
    assert text_of(caller.ask(key="sk-good")) == "kept for the good key"


def test_what_a_provider_would_not_take_is_refused(caller: Caller) -> None:
    assert caller.open(model="deepseek-chat").status == 400
    assert caller.open(messages="hello").status == 422
    assert caller.get("/nowhere").status == 404


@pytest.mark.parametrize("status", [400, 401, 402, 422, 429, 500, 503])
def test_error_statuses(upstream: ScriptedUpstream, caller: Caller, status: int) -> None:
    upstream.script(Status(status, "no", retry_after=7))

    response = caller.open()

    assert (response.status, response.headers["Retry-After"]) == (status, "7")
    assert response.json()["error"]["message"] == "no"
    upstream.journal.wait_until_idle()
    assert upstream.journal.last.outcome == "refused"
    assert upstream.journal.last.billed is None


def test_cut_at_a_byte(upstream: ScriptedUpstream, caller: Caller) -> None:
    whole = caller.open().read()
    for at in (0, 1, 300, len(whole) - 1):
        upstream.script(Answer(cut_at=at))
        with pytest.raises(urllib3.exceptions.ProtocolError):
            _ = caller.open().read()
        upstream.journal.wait_until_idle()
        assert upstream.journal.last.outcome == "cut"


def test_a_client_that_goes_is_noticed_while_tokens_flow(upstream: ScriptedUpstream, caller: Caller) -> None:
    upstream.script(Answer("word " * 6000, tokens_per_second=200))
    response = caller.open()
    response.read1(64)
    response.close()
    upstream.journal.wait_until_idle()

    assert upstream.journal.last.closed_early
    assert len(pieces(upstream.journal.last.text_sent)) < 6000


@pytest.mark.parametrize("before_head", [True, False])
def test_a_client_that_goes_is_noticed_in_a_stall(
    upstream: ScriptedUpstream, caller: Caller, before_head: bool
) -> None:
    upstream.script(Stall(seconds=30, before_head=before_head))
    with pytest.raises(urllib3.exceptions.ReadTimeoutError):
        ask_impatiently(caller)
    upstream.journal.wait_for(1)
    upstream.journal.wait_until_idle()

    assert upstream.journal.last.closed_early


def ask_impatiently(caller: Caller) -> None:
    response = caller.client.request(
        "POST",
        caller.upstream.base_url + "/chat/completions",
        json={"model": "deepseek-flash", "messages": [], "stream": True},
        headers={"Authorization": "Bearer sk"},
        preload_content=False,
        timeout=0.2,
    )
    try:
        response.read()
    finally:
        response.close()


def test_a_stall_may_keep_saying_that_it_is_alive(upstream: ScriptedUpstream, caller: Caller) -> None:
    upstream.script(Stall("so far", seconds=0.1, comment_every=0.02))
    response = caller.open()

    with pytest.raises(urllib3.exceptions.ProtocolError):
        response.read()
    upstream.journal.wait_until_idle()
    assert upstream.journal.last.text_sent == "so far"


@pytest.mark.parametrize("name", ["", "error"])
def test_an_error_event_after_200(upstream: ScriptedUpstream, caller: Caller, name: str) -> None:
    upstream.script(ErrorEvent("so far", name=name))

    *tokens, failure = caller.ask()

    assert text_of(tokens) == "so far"
    assert failure["error"]["message"] == "scripted overload"


def test_drip_is_a_correct_answer(upstream: ScriptedUpstream, caller: Caller) -> None:
    upstream.script(Drip("slow", seconds_per_byte=0))

    assert text_of(caller.ask()) == "slow"


def test_hostile_bodies_come_as_scripted(upstream: ScriptedUpstream, caller: Caller) -> None:
    upstream.script(Whole(), Raw(), HugeLine(1 << 20), GzipBomb(4 << 20))
    upstream.script(Answer(HOSTILE_MARKDOWN, unknown_events=True))

    assert caller.open().read().startswith(b"<!doctype html>")
    assert b"data: {not json\n\n" in caller.open().read()
    assert len(caller.open().read()) > 1 << 20
    bomb = caller.open()
    assert bomb.headers["Content-Encoding"] == "gzip"
    assert len(bomb.read()) < 20_000
    body = caller.open().read()
    assert b"event: execute\n" in body
    upstream.journal.wait_until_idle()
    assert upstream.journal.last.text_sent == HOSTILE_MARKDOWN


def test_a_redirect_carries_the_client_elsewhere(upstream: ScriptedUpstream, caller: Caller) -> None:
    upstream.script(Redirect("https://evil.invalid/steal"))

    response = caller.open()

    assert (response.status, response.headers["Location"]) == (307, "https://evil.invalid/steal")


@pytest.mark.parametrize("script", [Stall("so far"), Answer("word " * 999, tokens_per_second=9)])
def test_stopping_breaks_what_is_open(client: urllib3.PoolManager, script: Script) -> None:
    upstream = ScriptedUpstream().start()
    upstream.script(script)
    response = Caller(upstream, client).open()
    started = time.monotonic()
    upstream.stop()

    with pytest.raises(urllib3.exceptions.ProtocolError):
        response.read()
    assert time.monotonic() - started < 20
    assert upstream.journal.last.outcome == "stopped"
