"""The COMMIT of what came of a round's calls gets no reply."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from flask_app import database
from flask_app.models import User
from flask_app.services.runs import lease_service, run_service
from flask_app.services.runs.stop_signal import StopSignal
from flask_app.services.tools import tool_rounds
from flask_app.services.tools.toolbox import Asked, Result
from tests.support import called
from tests.support.brokers import wait_until
from tests.support.called import OSLO, Weather, calling
from tests.support.scripted_upstream import Answer, ScriptedUpstream
from tests.support.unheard import lose_the_next

CALL = ("sky__weather", OSLO)


@dataclass
class UnheardWeather(Weather):
    """The next COMMIT, of its results, `happens` or not, and the database `stays`."""

    happens: bool = True
    stays: bool = True

    def call(self, asked: Asked, stop: StopSignal) -> Result:
        lose_the_next(happens=self.happens, stays=self.stays)
        return super().call(asked, stop)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tool_rounds, "PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(run_service, "RETRY_SECONDS", (0.05,))


def wait() -> None:
    wait_until(lambda: not run_service.live_runs())


@pytest.mark.parametrize("happens", [True, False])
def test_the_model_is_asked_once_with_them(
    member: User, upstream: ScriptedUpstream, agreed: Callable[..., None], happens: bool
) -> None:
    tool = UnheardWeather(happens=happens)
    upstream.script(calling(CALL, text="I look."), Answer("Sunny."))
    with called.offered(tool):
        called.begin(member)
        wait()
    assert (called.standing(), called.answer().text) == ([("done", None)], "I look.\n\nSunny.")
    assert ([entry["status"] for entry in called.audited()], len(tool.asked)) == (["done"], 1)
    assert called.attempts() == 2 * [("settled", None)]
    agreed()


@pytest.mark.parametrize("happens", [True, False])
def test_where_nobody_can_tell_of_them_nobody_is_asked(
    member: User,
    upstream: ScriptedUpstream,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    agreed: Callable[..., None],
    happens: bool,
) -> None:
    monkeypatch.setattr(tool_rounds, "SAVE_SECONDS", 0.1)
    upstream.script(calling(CALL, text="I look."))
    with called.offered(UnheardWeather(happens=happens, stays=False)):
        begun = called.begin(member)
        live = run_service.live_run(begun.run_id)
        assert live is not None
        wait_until(lambda: live.completion.outcome.error_code == "database_unavailable")
        database.connect(database_url)
        wait()
    lease_service.tick()
    assert called.attempts() == [("settled", None), ("released", "database_unavailable")]
    assert (called.standing(), [call.result for call in called.calls()]) == ([("done", None)], ["sunny"])
    assert [entry["status"] for entry in called.audited()] == ["done"]
    answer = called.answer()
    assert (answer.text.strip(), answer.status, answer.error_code) == ("I look.", "interrupted", "database_unavailable")
    agreed()
