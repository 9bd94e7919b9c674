"""What a request leaves that refers to itself is freed at its end, without waiting for Python to look for it."""

import gc
import weakref
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from flask_app.models import User
from flask_app.services.gateway.program_answers import StreamedAnswer
from flask_app.web.garbage import FEW
from tests.support.brokers import wait_until
from tests.support.gateway import Program, made
from tests.support.scripted_upstream import Answer, ScriptedUpstream


class Knot:
    """Something that refers to itself."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def nobody_looks() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_it_is_freed_once_the_reply_has_been_sent(app: Flask, client: FlaskClient) -> None:
    left = [weakref.ref(knot) for knot in [Knot() for _ in range(FEW + 1)]]
    client.get("/login").close()
    assert [knot() for knot in left] == [None] * len(left)


def test_a_little_is_not_looked_for(app: Flask, client: FlaskClient) -> None:
    left = weakref.ref(Knot())
    client.get("/healthz").close()
    assert left() is not None


def test_what_another_request_saw_in_use_is_freed_too(app: Flask, client: FlaskClient) -> None:
    in_use = Knot()
    left = weakref.ref(in_use)
    for number in range(50):
        knots = [Knot() for _ in range(FEW + 1)]
        del knots
        client.get("/login").close()
        if number == 0:
            del in_use
    assert left() is None


def test_an_answer_to_a_program_goes_with_its_reply_without_a_look(
    app: Flask, member: User, upstream: ScriptedUpstream
) -> None:
    program = Program(app, made(member).secret)
    upstream.script(Answer("Hi there"))
    assert program.complete(stream=True).status_code == 200
    wait_until(lambda: not [each for each in gc.get_objects() if type(each) is StreamedAnswer])
