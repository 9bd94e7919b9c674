"""One POST to an address that an administrator gave: bounded, and never into this network."""

import time
from collections.abc import Iterator

import pytest
from flask import Flask

from flask_app.errors import UpstreamError
from flask_app.upstream import deadlines, exchange, webhook
from tests.support import ports
from tests.support.webhook_receiver import Receiver

HEADERS = {"Content-Type": "application/json"}


@pytest.fixture
def receiver(app: Flask) -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


def post(url: str, *, allow_insecure: bool = True) -> int:
    return webhook.post(url, HEADERS, b"{}", allow_insecure=allow_insecure)


def failure(url: str, *, allow_insecure: bool = True) -> str:
    with pytest.raises(UpstreamError) as caught:
        post(url, allow_insecure=allow_insecure)
    return caught.value.code


def test_the_status_is_told_whatever_it_is(receiver: Receiver) -> None:
    for status in (200, 204, 400, 500):
        receiver.statuses = [status]
        assert post(receiver.url) == status
    assert {(call.path, call.body) for call in receiver.calls} == {("/hooks/mingchat?token=abc", b"{}")}


def test_a_redirect_is_a_status_like_others(receiver: Receiver) -> None:
    receiver.statuses, receiver.location = [302], receiver.url
    assert post(receiver.url) == 302
    assert len(receiver.calls) == 1


@pytest.mark.security("request-forgery")
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "2130706433", "[::ffff:127.0.0.1]"])
def test_a_host_of_this_network_gets_nothing(receiver: Receiver, host: str) -> None:
    url = receiver.url.replace("127.0.0.1", host)
    assert failure(url, allow_insecure=False) == "upstream_address_private"
    assert receiver.calls == []


def test_nobody_there_is_unreachable(app: Flask) -> None:
    assert failure(f"http://127.0.0.1:{ports.free_port()}/") == "upstream_unreachable"
    assert failure("https://no-such-host.invalid/") == "upstream_unreachable"


def test_a_receiver_that_is_silent_is_left_after_its_time(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "WHOLE_SECONDS", 0.2)
    receiver.silent.set()
    begun = time.monotonic()
    assert failure(receiver.url) == "upstream_timeout"
    assert time.monotonic() - begun < 20
    assert not [watched for watched in deadlines._streams if isinstance(watched, exchange._Exchange)]


def test_what_is_no_http_is_unreachable(app: Flask, receiver: Receiver) -> None:
    assert failure(receiver.url.replace("http://", "https://")) == "upstream_unreachable"
