"""Many answers at once whose models call tools, at a provider that fails now and then: the books agree with it."""

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from flask_app.database import reading, transaction
from flask_app.models import ApiKey, ChatModel, Run, User
from flask_app.services.providers import model_service
from flask_app.services.runs import lease_service, reaper_service, run_service
from tests.support import called
from tests.support.brokers import wait_until
from tests.support.called import OSLO, Weather, calling
from tests.support.keys import keep_key
from tests.support.scripted_upstream import Answer, Script, ScriptedUpstream, Status
from tests.support.together import at_once

CALL = ("sky__weather", OSLO)
CALLING = calling(CALL, text="I look.", thinking="Look")
SCRIPTS: tuple[Script, ...] = (
    *(3 * [CALLING]),
    calling(CALL, CALL, ("nothing", "{}")),
    replace(CALLING, cut_at=400),
    replace(CALLING, tells_usage=False),
    Answer("Sunny."),
    Status(500),
    Status(429),
)
ROUNDS = 8


@pytest.mark.parametrize("seed", range(3))
def test_each_round_is_an_attempt_and_each_attempt_a_request(
    weather: Weather, member: User, upstream: ScriptedUpstream, agreed: Callable[..., None], seed: int
) -> None:
    model_service.available()
    with reading() as session:
        provider_id = session.scalars(select(ChatModel.provider_id)).first()
    assert provider_id
    keep_key(provider_id, "second")
    drawn = random.Random(seed)
    upstream.script(*(drawn.choice(SCRIPTS) for _ in range(80)))
    stopped, began = set[str](), 0

    def ask(number: int) -> None:
        begun = called.begin(member)
        if number == 2 and drawn.random() < 0.5:
            wait_until(lambda: begun.run_id not in run_service.made_here() or bool(weather.asked))
            if live := run_service.live_run(begun.run_id):
                stopped.add(begun.run_id)
                live.stop.stop("stopped")

    for _ in range(ROUNDS):
        began += at_once(3, ask).count(None)  # the others met keys that are benched
        wait_until(lambda: not run_service.live_runs())
        lease_service.renew()
        with transaction() as session:
            session.execute(update(ApiKey).values(benched_until=None, probe_until=None))
    assert not reaper_service.reap_all()
    agreed(*stopped)
    with reading() as session:
        assert len(session.scalars(select(Run.id)).all()) == began > ROUNDS
    assert {call.status for call in called.calls()} <= {"done", "failed", "stopped"}
    assert sum(call.status == "done" for call in called.calls()) > 3
