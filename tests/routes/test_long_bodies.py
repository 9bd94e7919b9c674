"""What programs may send is long enough for pictures and long texts, bounded by kind, and held a few at a time."""

import base64
import io
import random
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from flask_app.errors import TooLarge
from flask_app.models import User
from flask_app.services.tokens.token_service import Made
from flask_app.web import long_bodies
from flask_app.web.long_bodies import MOST_MARKS, ROOM, USUAL, WITH_IMAGES, WITH_TEXT
from tests.support.brokers import wait_until
from tests.support.clients import PageClient
from tests.support.gateway import HELLO, Program, made
from tests.support.requests import only
from tests.support.scripted_upstream import Answer, Gate, ScriptedUpstream

FLASH = "deepseek-flash"
PICTURE = base64.b64encode(random.Random(8).randbytes(3 << 20)).decode()  # four megabytes of letters
URL = f"data:image/png;base64,{PICTURE}"
SHOWN = {"type": "image_url", "image_url": {"url": URL}}
WORDS = {"type": "text", "text": "这是什么？"}
BLOCK = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PICTURE}}


@pytest.fixture
def token(member: User, upstream: ScriptedUpstream) -> Made:
    return made(member)


@pytest.fixture
def program(app: Flask, token: Made) -> Iterator[Program]:
    yield Program(app, token.secret)
    assert long_bodies.held() == 0, "every place is given up"


def shows(program: Program, upstream: ScriptedUpstream, response: TestResponse) -> None:
    assert response.status_code == 200, response.text[:500]
    (message,) = [each for each in upstream.journal.last.body["messages"] if isinstance(each["content"], list)]
    assert message["content"] == [WORDS, SHOWN]


@pytest.mark.parametrize("stream", [False, True])
def test_a_picture_of_some_megabytes_reaches_the_provider_as_it_is(
    program: Program, upstream: ScriptedUpstream, stream: bool
) -> None:
    shows(program, upstream, program.complete(messages=[{"role": "user", "content": [WORDS, SHOWN]}], stream=stream))
    asked = [{"role": "user", "content": [WORDS, BLOCK]}]
    shows(program, upstream, program.message(messages=asked, stream=stream))
    given = [{"type": "input_text", "text": WORDS["text"]}, {"type": "input_image", "image_url": URL}]
    shows(program, upstream, program.respond(input=[{"role": "user", "content": given}], stream=stream))


def test_its_tokens_can_be_counted(program: Program) -> None:
    body = {"model": FLASH, "messages": [{"role": "user", "content": [WORDS, BLOCK]}]}
    assert program.post("/v1/messages/count_tokens", body).status_code == 200


def test_a_picture_is_looked_at_all_the_same(program: Program) -> None:
    wrong = SHOWN | {"image_url": {"url": f"{URL}!"}}
    response = program.complete(messages=[{"role": "user", "content": [WORDS, wrong]}])
    assert (response.status_code, response.get_json()["error"]["code"]) == (400, "bad_image")


def test_under_a_key_it_is_told_from_another_picture(program: Program) -> None:
    program.headers["Idempotency-Key"] = "one-picture"
    first, other = SHOWN, {"type": "image_url", "image_url": {"url": f"{URL[:-8]}AAAAAAA="}}
    ask = [program.complete(messages=[{"role": "user", "content": [each]}]) for each in (first, first, other)]
    assert [reply.status_code for reply in ask] == [200, 200, 409]
    assert ask[0].data == ask[1].data


def test_of_what_is_kept_for_its_person_only_the_beginning_is_held(
    program: Program, member_client: PageClient, token: Made
) -> None:
    assert member_client.put(f"/api/tokens/{token.token.id}/words", json={"hours": 1}).status_code == 200
    program.complete(messages=[{"role": "user", "content": [WORDS, SHOWN]}])
    words = member_client.get(f"/api/requests/{only().id}/words").get_json()
    assert (len(words["asked"]), words["cut"]) == (100_000, True)


def test_a_long_text_reaches_the_provider(program: Program, upstream: ScriptedUpstream) -> None:
    upstream.default = Answer("Well.")
    text = 'He said: "这是, 你知道的"\n' * 60_000  # two megabytes, three of them as JSON
    assert program.complete(messages=[{"role": "user", "content": text}]).status_code == 200
    assert upstream.journal.last.body["messages"][0]["content"] == text


@pytest.mark.security("requests-bounded")
@pytest.mark.parametrize(
    ("path", "most"),
    [
        *(("/v1/chat/completions", WITH_IMAGES), ("/v1/responses", WITH_IMAGES), ("/v1/messages", WITH_IMAGES)),
        *(("/v1/messages/count_tokens", WITH_IMAGES), ("/v1/completions", WITH_TEXT), ("/v1/embeddings", WITH_TEXT)),
    ],
)
def test_each_call_has_its_bound(program: Program, upstream: ScriptedUpstream, path: str, most: int) -> None:
    """One byte more is refused before it is read; as many are read, and are no request."""
    for size, status in ((most + 1, 413), (most, 400)):
        response = program.send(path, b'"%b"' % (b"A" * (size - 2)))
        assert response.status_code == status
    refused = program.send(path, b" " * (most + 1)).get_json()
    told = refused["error"]
    assert told["type"] == ("request_too_large" if "messages" in path else "invalid_request_error")
    assert ("messages" in path) == (refused.get("type") == "error")
    assert upstream.journal.chats == []


@pytest.mark.parametrize(
    "rest",
    [
        pytest.param(b'"' + b"word " * (WITH_TEXT // 5) + b'"', id="a text of more than any model reads"),
        pytest.param(b"[" + b"[]," * MOST_MARKS + b"[]]", id="brackets without end"),
        pytest.param(b"[" + b'"aaaaaaaaaa",' * MOST_MARKS + b'""]', id="many short texts"),
    ],
)
def test_what_is_no_picture_has_a_bound_of_its_own(program: Program, rest: bytes) -> None:
    body = b'{"model": "deepseek-flash", "tools": ' + rest + b"}"
    assert USUAL < len(body) < WITH_IMAGES
    response = program.send("/v1/chat/completions", body)
    assert (response.status_code, response.get_json()["error"]["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    ("beside", "status"),
    [(b"", 200), (b', "n": 1, "n": 1', 400), (b', "seed": NaN', 400), (b', "user": "\\ud800"', 400)],
)
def test_what_is_beside_a_picture_is_read_strictly(program: Program, beside: bytes, status: int) -> None:
    picture = f'{{"type": "image_url", "image_url": {{"url": "{URL}"}}}}'
    body = f'{{"model": "{FLASH}", "messages": [{{"role": "user", "content": [{picture}]}}]'.encode() + beside + b"}"
    assert program.send("/v1/chat/completions", body).status_code == status


@pytest.mark.parametrize(
    ("raw", "rest"),
    [
        (b'{"a": "%b", "b": "%b=="}', b'{"a": "", "b": ""}'),
        (rb'"say \"%b\" and \"%b"', rb'"say \"%b\" and \""'),
        (b'{"url":"data:image/webp;base64,%b"}', b'{"url":""}'),
        (b'["%b, and more"]', b'["%b, and more"]'),
    ],
)
def test_pictures_alone_are_taken_out(raw: bytes, rest: bytes) -> None:
    picture, filler = b"A" * 5000, b" " * USUAL
    assert long_bodies.without_pictures(raw.replace(b"%b", picture) + filler) == rest.replace(b"%b", picture) + filler
    assert long_bodies.without_pictures(raw) is raw, "a short one is read as it is"


def test_too_much_else_is_refused() -> None:
    with pytest.raises(TooLarge):
        long_bodies.without_pictures(b"," * (MOST_MARKS + 1) + b" " * USUAL)
    assert long_bodies.without_pictures(b"," * MOST_MARKS + b" " * USUAL)


def test_other_addresses_take_no_more_than_before(member_client: PageClient) -> None:
    assert member_client.post("/api/chat", json={"message": "x" * USUAL}).status_code == 413


def test_only_so_much_of_long_ones_is_held_at_once(
    program: Program, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who finds no place waits for one; who waits in vain is told to come again. Short ones wait for nobody."""
    monkeypatch.setattr(long_bodies, "WAIT_SECONDS", 0.3)
    monkeypatch.setattr(long_bodies, "ROOM", 9 << 20)  # for two of four
    gate = Gate(1)
    upstream.default = Answer("Seen.", gate=gate)
    asked: list[Any] = []
    readers = [threading.Thread(target=lambda: asked.append(show(program))) for _ in range(2)]
    for reader in readers:
        reader.start()
    wait_until(lambda: len(upstream.journal.chats) == 2)
    assert long_bodies.held() > 8 << 20
    refused = show(program)
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (503, "too_many_long_bodies")
    assert refused.headers["retry-after"] == "5"
    message = program.message(messages=[{"role": "user", "content": [BLOCK]}])
    assert (message.status_code, message.get_json()["error"]["type"]) == (503, "api_error")
    assert program.post("/v1/messages/count_tokens", {"model": FLASH, "messages": HELLO}).status_code == 200
    monkeypatch.setattr(long_bodies, "WAIT_SECONDS", 30)
    late = threading.Thread(target=lambda: asked.append(show(program)))
    late.start()
    assert len(upstream.journal.chats) == 2, "it is not read before there is a place"
    gate.open()
    for reader in (*readers, late):
        reader.join()
    assert [reply.status_code for reply in asked] == [200, 200, 200]


def show(program: Program) -> TestResponse:
    return program.complete(messages=[{"role": "user", "content": [SHOWN]}])


def test_the_longest_one_has_room() -> None:
    assert WITH_TEXT < WITH_IMAGES < ROOM


@pytest.mark.parametrize(("size", "held"), [(1000, 0), (USUAL, 0), (2 * USUAL, 2 * USUAL)])
def test_one_that_comes_in_chunks_holds_what_it_has_once_it_is_there(
    app: Flask, program: Program, token: Made, upstream: ScriptedUpstream, size: int, held: int
) -> None:
    """Before that nobody knows: it has a place for as much as it may have."""
    gate = Gate(1)
    upstream.default = Answer("Seen.", gate=gate)
    rest = b'{"model": "deepseek-flash", "messages": [{"role": "user", "content": "hello"}]}'
    came: list[int] = []

    class Counting(io.BytesIO):
        def readinto(self, buffer: Any) -> int:
            came.append(long_bodies.held())
            return super().readinto(buffer)

    chunked = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
    client = app.test_client(use_cookies=False)

    def ask() -> None:
        client.post(
            "/v1/chat/completions",
            input_stream=Counting(rest.ljust(size)),
            content_type="application/json",
            headers=program.headers,
            environ_overrides=chunked,
            buffered=True,
        )

    asking = threading.Thread(target=ask)
    asking.start()
    wait_until(lambda: len(upstream.journal.chats) == 1)
    assert (came[0], long_bodies.held()) == (WITH_IMAGES, held)
    gate.open()
    asking.join()
