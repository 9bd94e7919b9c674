"""A provider that is out of order for a moment is asked again where its other keys cannot answer."""

import socket
from datetime import timedelta

import pytest

from flask_app.database import utc_now
from tests.routes.failover.asking import ask, attempts, code_of
from tests.support import scripted_upstream as twin
from tests.support.clients import PageClient
from tests.support.keys import change_key, keep_key, keep_provider, stored_key
from tests.support.peers import CHUNKED, Peer
from tests.support.scripted_upstream import ScriptedUpstream
from tests.support.upstream_paused import Paused

EVENTS = (
    b'data: {"model":"kept","choices":[{"index":0,"delta":{"content":"here"},"finish_reason":"stop"}],'
    b'"usage":{"prompt_tokens":3,"completion_tokens":1,"total_tokens":4}}\n\ndata: [DONE]\n\n'
)
ANSWER = CHUNKED.replace(b"\r\n\r\n", b"\r\nContent-Type: text/event-stream\r\n\r\n") + (
    b"%x\r\n%b\r\n0\r\n\r\n" % (len(EVENTS), EVENTS)
)


@pytest.fixture
def refused(second: str) -> str:
    """The other key, which its provider has refused a while ago."""
    refuse(second, until=timedelta(minutes=5))
    return second


@pytest.fixture
def due(second: str) -> str:
    """The other key, refused so long ago that it may be tried again."""
    refuse(second, until=-timedelta(seconds=1))
    return second


def refuse(key: str, *, until: timedelta) -> None:
    moment = utc_now()
    change_key(
        key,
        benched_until=moment + until,
        benched_since=moment - timedelta(minutes=5),
        bench_code="upstream_key_refused",
        last_error_code="upstream_key_refused",
        last_error_at=moment - timedelta(minutes=5),
        strikes=1,
    )


def test_a_key_that_was_refused_is_not_tried_instead(
    member_client: PageClient, upstream: ScriptedUpstream, first: str, refused: str
) -> None:
    upstream.script(twin.Status(503))
    assert ask(member_client).json["status"] == "complete"
    assert attempts() == [(first, "released", 503), (first, "settled", 200)]
    assert stored_key(refused).strikes == 1


def test_a_key_that_is_full_is_not_waited_for(
    member_client: PageClient, upstream: ScriptedUpstream, first: str, second: str
) -> None:
    change_key(second, max_concurrent=1)
    change_key(first, priority=1)
    long = Paused()
    upstream.script(long)
    with member_client.post("/api/chat", json={"message": "long"}) as running:
        upstream.journal.wait_for(1)
        upstream.script(twin.Status(503))
        assert ask(member_client).json["status"] == "complete"
        long.go_on()
        assert list(running.iter_encoded())
    assert attempts()[1:] == [(first, "released", 503), (first, "settled", 200)]


def test_one_that_may_be_tried_again_is_and_then_the_first_once_more(
    member_client: PageClient, upstream: ScriptedUpstream, first: str, due: str
) -> None:
    upstream.script(twin.Status(503))
    upstream.script(twin.Status(401), key=f"secret of {due}")
    assert ask(member_client).json["status"] == "complete"
    assert attempts() == [(first, "released", 503), (due, "released", 401), (first, "settled", 200)]
    assert stored_key(due).strikes == 2


def test_what_will_pass_is_told_and_not_that_another_key_is_no_good(
    member_client: PageClient, upstream: ScriptedUpstream, first: str, due: str
) -> None:
    upstream.script(twin.Status(401), always=True, key=f"secret of {due}")
    upstream.script(twin.Status(503), always=True)
    assert code_of(ask(member_client)) == "upstream_overloaded"
    assert attempts() == [(first, "released", 503), (due, "released", 401), (first, "released", 503)]


def test_where_a_provider_says_until_when_a_refused_key_is_the_only_hope(
    member_client: PageClient, upstream: ScriptedUpstream, first: str, refused: str
) -> None:
    upstream.script(twin.Status(503, retry_after=30))
    assert ask(member_client).json["status"] == "complete"
    assert attempts() == [(first, "released", 503), (refused, "settled", 200)]


def test_a_kept_connection_that_is_closed_as_it_is_used_says_nothing_of_its_provider(
    member_client: PageClient, first: str
) -> None:
    served: set[int] = set()

    def talk(opened: socket.socket) -> None:
        caller = opened.getpeername()[1]
        if caller in served:
            opened.shutdown(socket.SHUT_RDWR)
            return
        served.add(caller)
        opened.sendall(ANSWER)

    listening = Peer(talk)
    keep_key(keep_provider("Kept", f"http://127.0.0.1:{listening.port}", models=["kept"]), "kept")
    for _ in range(2):
        assert ask(member_client, model="kept").json["text"] == "here"
    listening.close()
    assert [(key, state) for key, state, _ in attempts()] == [
        ("kept", state) for state in ("settled", "released", "settled")
    ]
    assert stored_key("kept").benched_until is None


def test_where_it_stays_out_of_order_a_refused_key_is_tried_before_it_is_asked_a_third_time(
    member_client: PageClient, upstream: ScriptedUpstream, first: str, refused: str
) -> None:
    upstream.script(twin.Status(503), always=True, key="test-key")
    assert ask(member_client).json["status"] == "complete"
    assert attempts() == [(first, "released", 503), (first, "released", 503), (refused, "settled", 200)]


def test_a_key_that_is_refused_when_it_is_asked_again_is_what_is_told(
    member_client: PageClient, upstream: ScriptedUpstream, first: str
) -> None:
    upstream.script(twin.Status(503), twin.Status(401))
    assert code_of(ask(member_client)) == "upstream_key_refused"
    assert attempts() == [(first, "released", 503), (first, "released", 401)]


def test_nobody_else_is_asked_after_a_reply_that_came_packed(
    member_client: PageClient, upstream: ScriptedUpstream, first: str, second: str
) -> None:
    """Its provider has worked: another would, too, and both would bill it."""
    upstream.script(twin.GzipBomb(size=1 << 20))
    assert code_of(ask(member_client)) == "upstream_garbage"
    assert [key for key, _, _ in attempts()] == [first]
