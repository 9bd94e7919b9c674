"""When a program is told to come back, after those who were asked have failed."""

import pytest
from flask import Flask

from flask_app.models import User
from tests.support.gateway import Program, made
from tests.support.keys import keep_key, keep_provider
from tests.support.scripted_upstream import ScriptedUpstream, Status


@pytest.fixture
def program(app: Flask, member: User) -> Program:
    return Program(app, made(member).secret)


@pytest.mark.parametrize("api", ["complete", "respond", "message"])
@pytest.mark.parametrize("stream", [False, True])
def test_when_to_come_back_is_as_the_provider_said(
    program: Program, upstream: ScriptedUpstream, api: str, stream: bool
) -> None:
    upstream.script(Status(429, retry_after=37))
    assert getattr(program, api)(stream=stream).headers["Retry-After"] == "37"


@pytest.mark.parametrize(
    ("scripts", "seconds"),
    [
        ([Status(429, retry_after=7), Status(429, retry_after=900)], "7"),
        ([Status(429, retry_after=900), Status(429, retry_after=7)], "7"),
        ([Status(429), Status(429, retry_after=900)], "5"),
        ([Status(429, retry_after=900), Status(429)], "5"),
        ([Status(401), Status(429, retry_after=7)], "7"),
        ([Status(401, retry_after=3), Status(429, retry_after=7)], "7"),
    ],
)
def test_of_several_keys_the_first_to_answer_again_counts(
    program: Program, upstream: ScriptedUpstream, scripts: list[Status], seconds: str
) -> None:
    """Of who does not say when it does, it may be any time; a key that is none does not by itself."""
    keep_key(keep_provider("second", upstream.base_url, models=["deepseek-flash"]), "second")
    upstream.script(*scripts)
    assert program.complete().headers["Retry-After"] == seconds
    assert len(upstream.journal.chats) == 2


def test_a_refused_keys_is_not_told(program: Program, upstream: ScriptedUpstream) -> None:
    upstream.script(Status(401, retry_after=37))
    assert "Retry-After" not in program.complete().headers
