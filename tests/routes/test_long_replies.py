"""Long replies of embeddings: held a few at a time, written out once, and compressed never."""

import gc
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from flask_app.database import reading
from flask_app.models import Attempt, TokenUsage, User
from flask_app.services.gateway import program_keys
from flask_app.services.runs import run_service
from flask_app.upstream import embeddings, reply_room
from flask_app.upstream.reply_room import LongReply, held, shrink_place, take_place
from tests.support.brokers import PATIENCE, wait_until
from tests.support.gateway import Program, made
from tests.support.requests import only
from tests.support.scripted_upstream import Embedded, Received, ScriptedUpstream
from tests.support.upstream_embeddings import EMBEDDINGS
from tests.support.upstream_reply import Reply

VECTOR = "A" * (1 << 19)
DATA = [{"index": number, "embedding": VECTOR} for number in range(4)]
LONG = json.dumps({"data": DATA, "usage": {"prompt_tokens": 7, "total_tokens": 7}}).encode()
GIVEN = ["a", "b", "c", "d"]


@pytest.fixture
def program(app: Flask, member: User, upstream: ScriptedUpstream) -> Iterator[Program]:
    yield Program(app, made(member).secret)
    wait_until(lambda: held() == 0)  # who made the last answer ends a moment after it has been read


@pytest.fixture(autouse=True)
def _without_collection() -> Iterator[None]:
    """A place is given up with the last who holds it, not when somebody looks for what nobody holds."""
    gc.disable()
    yield
    gc.enable()


def test_a_long_reply_is_whole_and_goes_out_as_it_is(program: Program, upstream: ScriptedUpstream) -> None:
    upstream.script(Embedded(junk=LONG), path=EMBEDDINGS)
    program.headers["Accept-Encoding"] = "gzip, br"
    response = program.embed(GIVEN)
    assert "Content-Encoding" not in response.headers, "letters of vectors hardly get fewer, and it takes its time"
    told = response.get_json()
    assert [(each["object"], each["index"], len(each["embedding"])) for each in told["data"]] == [
        ("embedding", number, len(VECTOR)) for number in range(4)
    ]
    assert (told["object"], told["model"], told["usage"]) == (
        "list",
        "deepseek-flash",
        {"prompt_tokens": 7, "total_tokens": 7, "source": "reported"},
    )
    del told
    row = only()
    assert (row.status, row.bytes_sent) == (200, len(response.get_data()))


def test_it_holds_a_place_while_it_goes_out(app: Flask, program: Program, upstream: ScriptedUpstream) -> None:
    upstream.script(Embedded(junk=LONG), path=EMBEDDINGS)
    body = {"model": "deepseek-flash", "input": GIVEN}
    response = app.test_client(use_cookies=False).post(
        "/v1/embeddings", json=body, headers=program.headers, buffered=False
    )
    pieces = iter(response.response)
    next(pieces)
    assert held() == len(LONG)
    response.close()
    del pieces, response


def test_it_is_not_kept_under_a_key(program: Program, upstream: ScriptedUpstream) -> None:
    upstream.script(Embedded(junk=LONG), path=EMBEDDINGS)
    program.headers["Idempotency-Key"] = "one"
    assert len(LONG) > program_keys.MOST_BYTES
    assert program.embed(GIVEN).status_code == 200
    wait_until(lambda: not run_service.live_runs())
    again = program.embed(GIVEN)
    assert (again.status_code, again.get_json()["error"]["code"]) == (409, "idempotency_key_used")


def test_who_finds_no_place_waits_for_one(
    program: Program, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reply_room, "ROOM", len(LONG) + 1000)
    upstream.script(Embedded(junk=LONG), path=EMBEDDINGS, always=True)
    other = LongReply()
    take_place(other, len(LONG), len(LONG), lambda: False)
    replies: list[Any] = []
    asking = threading.Thread(target=lambda: replies.append(program.embed(GIVEN).status_code))
    asking.start()
    wait_until(lambda: upstream.journal.chats)
    asking.join(0.3)
    assert asking.is_alive()
    del other
    asking.join()
    assert replies == [200]


def test_who_waits_in_vain_pays_and_is_not_asked_to_do_so_twice(
    program: Program, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reply_room, "WAIT_SECONDS", 0.1)
    monkeypatch.setattr(reply_room, "ROOM", 1 << 20)
    upstream.script(Embedded(junk=LONG), path=EMBEDDINGS)
    refused = program.embed(GIVEN)
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (400, "too_many_long_replies")
    assert "Retry-After" not in refused.headers, "clients ask again by themselves after a 503, and have it billed again"
    with reading() as session:
        assert session.scalars(select(Attempt.state)).one() == "settled"
        assert session.scalars(select(TokenUsage.source)).one() == "estimated"
    upstream.script(Embedded(), path=EMBEDDINGS)
    assert program.embed(GIVEN).status_code == 200, "a short one waits for nobody"


def test_who_is_stopped_need_not_wait() -> None:
    reply = LongReply()
    take_place(reply, reply_room.ROOM + 1, reply_room.ROOM + 1, lambda: True)
    shrink_place(reply)
    assert held() == 0


class Chunked:
    """Does not say how long it is. `pause` is waited for when half of it has been sent."""

    def __init__(self, pause: Callable[[], object] = int) -> None:
        self._pause = pause

    def play(self, reply: Reply, request: Received) -> None:
        reply.open_stream(content_type="application/json")
        more = (1 << 20) + 1
        reply.send(LONG[:more])
        self._pause()
        reply.send(LONG[more:])
        reply.finish()


def test_the_place_of_one_of_unknown_length_grows_with_it(program: Program, upstream: ScriptedUpstream) -> None:
    places: list[int] = []

    def pause() -> None:
        wait_until(held)
        places.append(held())

    upstream.script(Chunked(pause), path=EMBEDDINGS)
    assert program.embed(GIVEN).status_code == 200
    assert len(places) == 1
    assert len(LONG) < places[0] < 4 << 20


def test_several_of_unknown_length_come_at_once(program: Program, upstream: ScriptedUpstream) -> None:
    both = threading.Barrier(2, timeout=PATIENCE)

    def pause() -> None:
        wait_until(lambda: held() > 2 * reply_room.STEP)
        both.wait()  # neither is given up before the other has seen that

    upstream.script(Chunked(pause), path=EMBEDDINGS, always=True)
    told: list[int] = []
    asking = [threading.Thread(target=lambda: told.append(program.embed(GIVEN).status_code)) for _ in range(2)]
    for each in asking:
        each.start()
    for each in asking:
        each.join()
    assert told == [200] * 2


def test_a_step_is_enough_for_a_little_more(
    program: Program, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embeddings, "STEP", 1 << 16)
    upstream.script(Chunked(), path=EMBEDDINGS)
    assert len(program.embed(GIVEN).get_json()["data"]) == 4


def test_those_that_grow_never_wait_for_each_other_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Six that may all become 48 MB, of a room of 64: each becomes as long, though all are begun at once."""
    monkeypatch.setattr(reply_room, "LOOK_SECONDS", 0.001)
    most = 48 << 20
    most_held: list[int] = []

    def grow() -> None:
        reply, seen = LongReply(), [0]
        for size in range(reply_room.STEP, most + 1, reply_room.STEP):
            take_place(reply, size, most, lambda: False)
            time.sleep(0.001)
            seen.append(held())
        most_held.append(max(seen))

    growing = [threading.Thread(target=grow) for _ in range(6)]
    for each in growing:
        each.start()
    for each in growing:
        each.join()
    assert len(most_held) == 6
    assert max(most_held) <= reply_room.ROOM
    assert held() == 0


def test_a_place_is_as_long_as_its_reply() -> None:
    reply = LongReply(b"x" * 10)
    take_place(reply, 1000, 1000, lambda: False)
    assert held() == 1000
    shrink_place(reply)
    assert held() == 10
    del reply
    assert held() == 0
