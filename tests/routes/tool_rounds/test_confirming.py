"""Calls that wait for the person's word."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import update
from structlog.testing import capture_logs

from flask_app import database
from flask_app.database import transaction, utc_now
from flask_app.domain import tools
from flask_app.models import Run, User
from flask_app.services.runs import reaper_service, run_service
from flask_app.services.runs.run_events import Begun
from flask_app.services.tools import calling as making
from tests.support import called
from tests.support.brokers import wait_until
from tests.support.called import OSLO, Weather, calling
from tests.support.clients import PageClient
from tests.support.scripted_upstream import Answer, ScriptedUpstream

CALL = ("sky__weather", OSLO)
NOWHERE = "mysql+pymysql://nobody@127.0.0.1:1/none"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "LOOK_SECONDS", 0.02)


@pytest.fixture
def waiting(weather: Weather, member: User, upstream: ScriptedUpstream) -> Begun:
    """An answer with two calls that wait, one after the other."""
    weather.confirms = True
    upstream.script(calling(CALL, CALL), Answer("Sunny."))
    begun = called.begin(member)
    wait_until(lambda: called.standing() == 2 * [("waiting", None)])
    return begun


def decide(client: PageClient, begun: Begun, place: int = 0, **body: bool) -> int:
    call = called.calls()[place]
    return client.post(f"/api/runs/{begun.run_id}/calls/{call.id}", json=body).status_code


def wait() -> None:
    wait_until(lambda: not run_service.live_runs())


def test_nothing_is_called_before_it_is_allowed(
    waiting: Begun, weather: Weather, member_client: PageClient, agreed: Callable[..., None]
) -> None:
    assert weather.asked == []
    assert decide(member_client, waiting, allow=True) == 204
    wait_until(lambda: len(weather.asked) == 1)
    assert decide(member_client, waiting, 1, allow=False) == 204
    wait()
    assert called.standing() == [("done", None), ("refused", None)]
    assert called.answer().text == "Sunny."
    assert [entry["status"] for entry in called.audited()] == ["done", "refused"]
    agreed()


def test_a_refused_call_is_told_to_the_model(
    waiting: Begun, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    for place in range(2):
        assert decide(member_client, waiting, place, allow=False) == 204
    wait()
    *_, result = upstream.journal.last.body["messages"]
    assert result["content"] == "The person did not allow this call."


def test_all_of_an_answer_are_allowed_at_once(waiting: Begun, weather: Weather, member_client: PageClient) -> None:
    assert decide(member_client, waiting, allow=True, all=True) == 204
    wait()
    assert called.standing() == 2 * [("done", None)]


def test_readers_hear_that_it_waits(waiting: Begun, member: User, member_client: PageClient) -> None:
    decide(member_client, waiting, allow=True, all=True)
    wait()
    statuses = [status for _, status in called.told(called.followed(member, waiting))]
    assert statuses[:2] == ["waiting", "waiting"]
    assert statuses.count("done") == 2


def test_what_nobody_decides_in_time_is_refused(
    weather: Weather, member_client: PageClient, upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "CONFIRM_SECONDS", 0.1)
    weather.confirms = True
    upstream.script(calling(CALL), Answer("Never mind."))
    called.ask(member_client)
    assert called.standing() == [("refused", "tool_not_confirmed")]
    assert weather.asked == []
    assert (
        upstream.journal.last.body["messages"][-1]["content"] == "Nobody allowed this call in time, so it was not made."
    )


def test_one_that_was_decided_waits_no_more(waiting: Begun, member_client: PageClient) -> None:
    assert decide(member_client, waiting, allow=False) == 204
    assert decide(member_client, waiting, allow=True) == 409
    decide(member_client, waiting, 1, allow=False)
    wait()


def test_a_foreign_call_is_not_found(waiting: Begun, admin_client: PageClient, member_client: PageClient) -> None:
    assert decide(admin_client, waiting, allow=True) == 404
    nothing = member_client.post(f"/api/runs/{waiting.run_id}/calls/nothing", json={"allow": True})
    assert nothing.status_code == 404
    run_service.shutdown()


def test_stopping_ends_it_while_it_waits(
    waiting: Begun, member_client: PageClient, weather: Weather, agreed: Callable[..., None]
) -> None:
    assert member_client.post(f"/api/runs/{waiting.run_id}/stop", json={}).status_code == 202
    wait()
    assert called.standing() == 2 * [("stopped", None)]
    assert (called.answer().status, weather.asked, called.audited()) == ("stopped", [], [])
    assert decide(member_client, waiting, allow=True) == 409
    assert called.attempts() == [("settled", None), ("released", None)]
    agreed()


def test_a_database_that_is_away_for_a_moment_is_looked_at_again(
    waiting: Begun, member_client: PageClient, database_url: str
) -> None:
    with capture_logs() as logs:
        database.connect(NOWHERE)
        wait_until(lambda: "call_not_looked_at" in [line["event"] for line in logs])
    database.connect(database_url)
    decide(member_client, waiting, allow=True, all=True)
    wait()
    assert called.standing() == 2 * [("done", None)]


def test_one_whose_run_another_worker_ended_was_refused_by_nobody(
    waiting: Begun, weather: Weather, member: User, agreed: Callable[..., None]
) -> None:
    with transaction() as session:
        session.execute(update(Run).values(lease_expires_at=utc_now() - timedelta(minutes=5), worker="another"))
    assert reaper_service.reap_all()
    wait()
    assert called.standing() == 2 * [("failed", "interrupted")]
    assert (weather.asked, called.audited()) == ([], [])
    assert "refused" not in [status for _, status in called.told(called.followed(member, waiting))]
    agreed()
