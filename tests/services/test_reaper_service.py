"""How long ending what dead workers left may take of a round: texts are kept by the same thread."""

import time

import pytest
from sqlalchemy import delete, select

from flask_app.database import ROW_LOCK_SECONDS, engine, reading, transaction
from flask_app.models import Attempt, Conversation, Run, User
from flask_app.services import chat_service, reaper_service, run_service
from flask_app.services.chat_service import Draft, Origin
from flask_app.services.reaper_service import REAPING_SECONDS
from tests.support.brokers import wait_until
from tests.support.killed import as_if_killed
from tests.support.scripted_upstream import ScriptedUpstream

ORIGIN = Origin(request_id="r", address="192.0.2.1", locale="en")
COUNT = 4


def states() -> list[str]:
    with reading() as session:
        return list(session.scalars(select(Attempt.state)))


@pytest.fixture(params=["with their runs", "without"])
def left(request: pytest.FixtureRequest, member: User, upstream: ScriptedUpstream) -> None:
    """Attempts of a worker that died; their runs are still there, or went with their conversations before."""
    for _ in range(COUNT):
        chat_service.send(member, Draft(text="go"), ORIGIN)
        wait_until(lambda: not run_service.live_runs())
    as_if_killed()
    if request.param == "without":
        with transaction() as session:
            session.execute(delete(Run))
            session.execute(delete(Conversation))
    assert states() == ["dispatched"] * COUNT


def test_a_round_ends_in_time_and_the_next_does_the_rest(left: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(reaper_service, "REAPING_SECONDS", -1)
        reaper_service.reap_all()
    assert states() == ["dispatched"] * COUNT
    reaper_service.reap_all()
    assert states() == ["settled"] * COUNT


def test_a_settlement_in_whose_middle_a_machine_lost_its_power_makes_a_round_no_longer(left: None) -> None:
    """Until the server ends its connection it holds rows of the sums, which every other settlement adds to."""
    if engine().dialect.name == "sqlite":
        pytest.skip("SQLite has one lock, for all that is written")
    with reading() as dead:
        reaper_service.book_lost(dead, dead.scalars(select(Attempt.id)).first() or "")
        began = time.monotonic()
        reaper_service.reap_all()
        assert ROW_LOCK_SECONDS <= time.monotonic() - began < REAPING_SECONDS + ROW_LOCK_SECONDS + 1
        dead.rollback()
    assert states() == ["dispatched"] * COUNT
    reaper_service.reap_all()
    assert states() == ["settled"] * COUNT
