"""An answer that calls tools, whose reader leaves: its rounds count together."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from flask_app.domain.events import estimate_tokens
from flask_app.models import DEFAULT_GROUP_ID
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import group_service
from flask_app.services.people.group_service import Choices
from flask_app.services.runs import departure, run_service, stop_service
from tests.support import called
from tests.support.brokers import wait_until
from tests.support.called import OSLO, QUESTION, SKY, Weather, calling
from tests.support.clients import PageClient
from tests.support.scripted_upstream import Answer, Gate, ScriptedUpstream

WORDS = "word " * 100
LIMIT = estimate_tokens(WORDS) + 10
MORE = 40  # tokens: too many after the earlier round's, few for a round alone


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(departure, "GRACE_SECONDS", 0.1)
    yield
    run_service.shutdown()


def test_what_an_earlier_round_said_counts_against_the_limit(
    weather: Weather, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    group_service.change(Actor(None), DEFAULT_GROUP_ID, Choices(on_disconnect="limit", tokens=LIMIT))
    gate = Gate(1)
    first = replace(calling(("sky__weather", OSLO), text=WORDS), gate=gate)
    upstream.script(first, Answer("word " * 2000, gate=Gate(MORE)))
    reader = member_client.post("/api/chat", json={"message": QUESTION, "tools": [SKY]}, buffered=False)
    next(iter(reader.response))
    (live,) = run_service.live_runs()
    wait_until(lambda: live.completion.outcome.text)
    stop_service.look()
    reader.close()
    gate.open()

    def is_over() -> bool:
        stop_service.look()
        return not run_service.live_runs()

    wait_until(is_over)
    answer = called.answer()
    assert weather.asked
    assert answer.status == "left"
    assert answer.text.startswith(WORDS)
    assert LIMIT < estimate_tokens(answer.text) < LIMIT + estimate_tokens(WORDS) // 2
