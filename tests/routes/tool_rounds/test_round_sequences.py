"""Many answers at once whose models call tools, at a provider that fails now and then: the books agree with it."""

import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from flask_app.database import reading, transaction
from flask_app.models import ApiKey, ChatModel, Run, User
from flask_app.services.providers import model_service
from flask_app.services.runs import reaper_service, run_service
from flask_app.services.runs.run_events import Begun
from flask_app.services.runs.stop_signal import StopSignal
from flask_app.services.tools.toolbox import Asked, Result
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


class Stopping(Weather):
    """Each fifth call is one during which the answer is stopped."""

    def call(self, asked: Asked, stop: StopSignal) -> Result:
        self.asked.append(asked)
        if len(self.asked) % 5 == 0:
            stop.stop("stopped")
        return self.result


@pytest.mark.parametrize("seed", range(3))
def test_each_round_is_an_attempt_and_each_attempt_a_request(
    member: User, upstream: ScriptedUpstream, agreed: Callable[..., None], seed: int
) -> None:
    model_service.available()
    with reading() as session:
        provider_id = session.scalars(select(ChatModel.provider_id)).first()
    assert provider_id
    keep_key(provider_id, "second")
    drawn = random.Random(seed)
    upstream.script(*(drawn.choice(SCRIPTS) for _ in range(80)))
    began = 0
    with called.offered(Stopping()):
        for _ in range(ROUNDS):
            begun = at_once(3, lambda _: called.begin(member))
            began += sum(isinstance(each, Begun) for each in begun)  # the others met keys that are benched
            wait_until(lambda: not run_service.live_runs())
            with transaction() as session:
                session.execute(update(ApiKey).values(benched_until=None, probe_until=None))
    assert not reaper_service.reap_all()
    agreed()
    with reading() as session:
        assert len(session.scalars(select(Run.id)).all()) == began > ROUNDS
    assert {call.status for call in called.calls()} == {"done", "failed", "stopped"}
