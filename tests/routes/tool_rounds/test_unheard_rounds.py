"""The COMMIT that ends a round, and begins the next one, gets no reply; or no next one may begin."""

from collections.abc import Callable

import pytest
from sqlalchemy import delete

from flask_app import database
from flask_app.database import transaction
from flask_app.models import ApiKey, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_admin_service
from flask_app.services.budgets.budget_admin_service import Place
from flask_app.services.runs import lease_service, run_service
from flask_app.services.tools import tool_rounds
from tests.support import called
from tests.support.brokers import wait_until
from tests.support.called import OSLO, Weather, calling
from tests.support.scripted_upstream import Answer, ScriptedUpstream
from tests.support.unheard import Unheard
from tests.support.upstream_journal import Received
from tests.support.upstream_reply import Reply

CALL = ("sky__weather", OSLO)
CALLS = calling(CALL, text="I look.")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tool_rounds, "PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(run_service, "RETRY_SECONDS", (0.05,))


def wait() -> None:
    wait_until(lambda: not run_service.live_runs())


@pytest.mark.parametrize("happens", [True, False])
def test_the_answer_goes_on_where_it_can_be_asked_for(
    weather: Weather, member: User, upstream: ScriptedUpstream, agreed: Callable[..., None], happens: bool
) -> None:
    upstream.script(Unheard(CALLS, happens=happens), Answer("Sunny."))
    called.begin(member)
    wait()
    assert called.attempts() == 2 * [("settled", None)]
    assert (called.standing(), called.answer().text) == ([("done", None)], "I look.\n\nSunny.")
    agreed()


@pytest.mark.parametrize("happens", [True, False])
def test_one_that_nobody_can_tell_of_asks_nobody(
    weather: Weather,
    member: User,
    upstream: ScriptedUpstream,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    agreed: Callable[..., None],
    happens: bool,
) -> None:
    monkeypatch.setattr(tool_rounds, "SAVE_SECONDS", 0.1)
    upstream.script(Unheard(CALLS, happens=happens, stays=False))
    begun = called.begin(member)
    live = run_service.live_run(begun.run_id)
    assert live is not None
    wait_until(lambda: live.completion.outcome.error_code == "database_unavailable")
    database.connect(database_url)
    wait()
    lease_service.tick()
    assert called.attempts()[0] == ("settled", "database_unavailable" if not happens else None)
    assert [state for state, _ in called.attempts()[1:]] == ["released"] * happens
    assert (called.standing(), weather.asked) == ([("failed", "database_unavailable")], [])
    answer = called.answer()
    assert (answer.text, answer.status, answer.error_code) == ("I look.", "interrupted", "database_unavailable")
    agreed()


class Spent:
    """While a round calls, everybody's budget is used up."""

    def play(self, reply: Reply, request: Received) -> None:
        budget_admin_service.add(Actor(None), Place(scope="site", period="day"), 50)
        CALLS.play(reply, request)


def test_a_budget_without_room_for_another_round_ends_the_answer(
    weather: Weather, member: User, upstream: ScriptedUpstream, agreed: Callable[..., None]
) -> None:
    upstream.script(Spent())
    begun = called.begin(member)
    wait()
    answer = called.answer()
    assert (answer.text, answer.status, answer.error_code) == ("I look.", "interrupted", "budget_exhausted")
    assert (called.standing(), weather.asked, called.audited()) == ([("failed", "budget_exhausted")], [], [])
    assert called.attempts() == [("settled", "budget_exhausted")]
    assert "a budget has too little left" in called.followed(member, begun)[-1].data["message"]
    agreed()


class Unkeyed:
    """While a round calls, the only key is removed."""

    def play(self, reply: Reply, request: Received) -> None:
        with transaction() as session:
            session.execute(delete(ApiKey))
        CALLS.play(reply, request)


def test_nobody_to_ask_ends_it_too(
    weather: Weather, member: User, upstream: ScriptedUpstream, agreed: Callable[..., None]
) -> None:
    upstream.script(Unkeyed())
    called.begin(member)
    wait()
    assert (called.answer().status, called.answer().error_code) == ("interrupted", "no_model")
    assert called.standing() == [("failed", "no_model")]
    agreed()
