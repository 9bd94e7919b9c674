"""A call whose answer is stopped, whose worker dies, or whose conversation goes; and one whose database is away."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import delete, update

from flask_app import database
from flask_app.database import transaction, utc_now
from flask_app.models import Attempt, AuditEntry, Message, Run, ToolCall, User
from flask_app.services.ledger import replay_service
from flask_app.services.ledger.journal import Settlement
from flask_app.services.runs import lease_service, reaper_service, run_service
from flask_app.services.runs.run_events import Begun
from flask_app.services.tools import tool_rounds
from flask_app.services.tools.toolbox import Asked, Result
from tests.support import called
from tests.support.brokers import wait_until
from tests.support.called import OSLO, Weather, calling
from tests.support.clients import PageClient
from tests.support.scripted_upstream import Answer, Gate, ScriptedUpstream

CALL = ("sky__weather", OSLO)
NOWHERE = "mysql+pymysql://nobody@127.0.0.1:1/none"


@pytest.fixture
def held(weather: Weather, member: User, upstream: ScriptedUpstream) -> Begun:
    """An answer whose call is on its way."""
    weather.is_held = True
    upstream.script(calling(CALL, text="I look.", thinking="Look"), Answer("Sunny."))
    begun = called.begin(member)
    wait_until(lambda: bool(weather.asked))
    return begun


def wait() -> None:
    wait_until(lambda: not run_service.live_runs())


def test_the_answer_has_one_open_attempt_while_it_calls(held: Begun, weather: Weather) -> None:
    assert called.attempts() == [("settled", None), ("dispatched", None)]
    assert called.answer().text == "I look.\n\n"
    weather.shutdown()
    wait()
    assert called.attempts() == [("settled", None), ("settled", None)]


def test_stopping_ends_it_at_once(
    held: Begun, member_client: PageClient, weather: Weather, agreed: Callable[..., None]
) -> None:
    assert member_client.post(f"/api/runs/{held.run_id}/stop", json={}).status_code == 202
    wait()
    assert weather.is_shut
    assert called.standing() == [("stopped", None)]
    assert [entry["status"] for entry in called.audited()] == ["stopped"]
    answer = called.answer()
    assert (answer.status, answer.text.strip(), answer.reasoning.strip()) == ("stopped", "I look.", "Look")
    assert called.attempts() == [("settled", None), ("released", None)]
    agreed()


def test_the_end_of_the_process_interrupts_it(held: Begun, agreed: Callable[..., None]) -> None:
    run_service.shutdown()
    assert called.standing() == [("failed", "interrupted")]
    assert called.answer().status == "interrupted"
    agreed()


def test_with_its_conversation_all_of_it_goes_but_what_it_cost(
    held: Begun, member_client: PageClient, agreed: Callable[..., None]
) -> None:
    assert member_client.delete(f"/api/conversations/{held.conversation_id}").status_code == 204
    wait()
    assert called.calls() == []
    assert called.attempts() == [("settled", None), ("released", None)]
    agreed()


def killed_while_calling(weather: Weather, *, stopped: bool = False) -> None:
    """As the worker left it: the call is on its way, and no provider was asked for the second round."""
    run_service.shutdown()
    wait()
    long_ago = utc_now() - timedelta(minutes=5)
    with transaction() as session:
        session.execute(update(Run).values(status="running", lease_expires_at=long_ago, worker="killed"))
        if stopped:
            session.execute(update(Run).values(stop_requested=utc_now()))
        session.execute(update(Message).where(Message.role == "assistant").values(status="running"))
        session.execute(update(ToolCall).values(status="running", error_code=None))
        session.execute(delete(AuditEntry))
        left = update(Attempt).where(Attempt.state == "released")
        session.execute(left.values(state="dispatched", error_code=None, created_at=long_ago))


@pytest.mark.parametrize(
    ("stopped", "status", "call"),
    [
        (False, "interrupted", ("failed", "interrupted")),
        (True, "stopped", ("stopped", None)),
    ],
)
def test_what_a_worker_that_was_killed_called_for_asked_nobody(
    held: Begun,
    weather: Weather,
    agreed: Callable[..., None],
    stopped: bool,
    status: str,
    call: tuple[str, str | None],
) -> None:
    killed_while_calling(weather, stopped=stopped)
    lease_service.end_the_dead()
    assert called.attempts() == [("settled", None), ("released", None if stopped else "interrupted")]
    assert called.standing() == [call]
    assert [entry["status"] for entry in called.audited()] == [call[0]], "it may have been made"
    answer = called.answer()
    assert (answer.status, answer.text.strip(), answer.reasoning.strip()) == (status, "I look.", "Look")
    agreed()


def test_the_same_where_the_conversation_goes_now(
    held: Begun, weather: Weather, member_client: PageClient, agreed: Callable[..., None]
) -> None:
    killed_while_calling(weather)
    member_client.delete(f"/api/conversations/{held.conversation_id}")
    reaper_service.reap_all()
    assert [state for state, _ in called.attempts()] == ["settled", "released"]
    agreed()


def test_what_a_person_refused_is_noted_though_the_worker_was_killed(held: Begun, weather: Weather) -> None:
    killed_while_calling(weather)
    with transaction() as session:
        session.execute(update(ToolCall).values(status="refused"))
    lease_service.end_the_dead()
    assert called.standing() == [("refused", None)]
    assert [entry["status"] for entry in called.audited()] == ["refused"]


def test_killed_in_its_second_round_it_keeps_what_both_said(
    weather: Weather, member: User, upstream: ScriptedUpstream
) -> None:
    upstream.script(calling(CALL, thinking="Look"), Answer("", thinking="Sunny, it says"))
    called.begin(member)
    wait()
    long_ago = utc_now() - timedelta(minutes=5)
    with transaction() as session:
        session.execute(update(Run).values(status="running", lease_expires_at=long_ago, worker="killed"))
        session.execute(update(Message).where(Message.role == "assistant").values(status="running"))
    lease_service.end_the_dead()
    assert called.answer().reasoning == "Look\n\nSunny, it says"


def test_a_worker_that_was_taken_for_dead_asks_nobody_with_its_results(
    held: Begun, weather: Weather, upstream: ScriptedUpstream, agreed: Callable[..., None]
) -> None:
    taken_for_dead()
    weather.shutdown()
    wait()
    assert called.attempts() == [("settled", None), ("released", "interrupted")]
    assert called.standing() == [("failed", "interrupted")]
    assert (called.answer().status, len(upstream.journal.chats)) == ("interrupted", 1)
    agreed()


def test_one_that_was_taken_for_dead_before_begins_no_other_round(
    weather: Weather, member: User, upstream: ScriptedUpstream, agreed: Callable[..., None]
) -> None:
    gate = Gate(1)
    upstream.script(replace(calling(CALL, text="I look."), gate=gate))
    begun = called.begin(member)
    wait_until(lambda: bool(upstream.journal.chats and upstream.journal.chats[0].text_sent))
    taken_for_dead()
    gate.open()
    wait()
    assert [state for state, _ in called.attempts()] == ["settled"]
    assert (weather.asked, called.answer().status) == ([], "interrupted")
    agreed(begun.run_id)


def taken_for_dead() -> None:
    """Another worker ends the run, which goes on here."""
    long_ago = utc_now() - timedelta(minutes=5)
    with transaction() as session:
        session.execute(update(Run).values(lease_expires_at=long_ago, worker="another"))
    assert reaper_service.reap_all()


class Away(Weather):
    """The database goes away while it is called."""

    def call(self, asked: Asked, stop: object) -> Result:
        database.connect(NOWHERE)
        self.asked.append(asked)
        return self.result


@pytest.fixture
def away(upstream: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch) -> Weather:
    monkeypatch.setattr(tool_rounds, "PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(run_service, "RETRY_SECONDS", (0.05,))
    upstream.script(calling(CALL, text="I look."), Answer("Sunny."))
    return Away()


def test_a_database_that_comes_back_in_time_is_waited_for(
    away: Weather, member: User, database_url: str, agreed: Callable[..., None]
) -> None:
    with called.offered(away):
        called.begin(member)
        wait_until(lambda: bool(away.asked))
        database.connect(database_url)
        wait()
    assert called.standing() == [("done", None)]
    assert called.answer().status == "complete"
    agreed()


def test_one_that_stays_away_ends_the_answer_before_anybody_is_asked(
    away: Weather,
    member: User,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    agreed: Callable[..., None],
) -> None:
    monkeypatch.setattr(tool_rounds, "SAVE_SECONDS", 0.1)
    with called.offered(away):
        (begun,) = [called.begin(member)]
        live = run_service.live_run(begun.run_id)
        assert live is not None
        wait_until(lambda: live.completion.outcome.error_code == "database_unavailable")
        database.connect(database_url)
        wait()
    assert called.standing() == [("done", None)]
    answer = called.answer()
    assert (answer.text.strip(), answer.error_code) == ("I look.", "database_unavailable")
    agreed()


@pytest.mark.parametrize(
    ("how", "call"),
    [(("interrupted", "interrupted"), ("failed", "interrupted")), (("stopped", None), ("stopped", None))],
)
def test_what_the_journal_kept_of_one_ends_its_calls(
    held: Begun,
    weather: Weather,
    agreed: Callable[..., None],
    how: tuple[str, str | None],
    call: tuple[str, str | None],
) -> None:
    live = run_service.live_run(held.run_id)
    assert live is not None
    live.completion.outcome.status, live.completion.outcome.error_code = how
    kept = msgspec.json.encode(live._settlements())
    killed_while_calling(weather)
    for each in msgspec.json.decode(kept, type=list[Settlement]):
        replay_service._settle(each)
    assert called.standing() == [call]
    assert [entry["status"] for entry in called.audited()] == [call[0]]
    assert [state for state, _ in called.attempts()] == ["settled", "released"]
    agreed()
