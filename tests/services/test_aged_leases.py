"""Before anybody is reaped a process's own leases are renewed where nobody has renewed them in time."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from flask_app.database import reading, transaction, utc_now
from flask_app.models import Run, User
from flask_app.services.chat import chat_service
from flask_app.services.chat.chat_service import Draft, Origin
from flask_app.services.runs import lease_service, run_service
from tests.support.scripted_upstream import ScriptedUpstream, Stall

AGED = run_service.LEASE - timedelta(seconds=lease_service.AGED_SECONDS + 1)

QueryCount = Callable[[], AbstractContextManager[list[str]]]


@pytest.fixture(autouse=True)
def _answer(member: User, upstream: ScriptedUpstream) -> Iterator[None]:
    upstream.default = Stall("so far")
    chat_service.send(member, Draft(text="go"), Origin(request_id="r", address="192.0.2.1", locale="en"))
    yield
    run_service.shutdown()


def lease() -> datetime:
    with reading() as session:
        return session.scalars(select(Run.lease_expires_at).where(Run.status == "running")).one()


def set_lease(ahead: timedelta, **fields: str) -> datetime:
    moment = utc_now() + ahead
    with transaction() as session:
        session.execute(update(Run).values(lease_expires_at=moment, **fields))
    return moment


def test_those_of_the_last_round_are_left_alone(query_count: QueryCount) -> None:
    lease_service.renew()
    with query_count() as statements:
        lease_service.end_the_dead()
    assert not [each for each in statements if each.startswith("UPDATE")]


@pytest.mark.parametrize("ahead", [AGED, -timedelta(minutes=5), timedelta(hours=1)])
def test_one_that_is_not_fresh_is_renewed(ahead: timedelta) -> None:
    """Of long ago too, and one from before the clock was set back."""
    set_lease(ahead)
    lease_service.end_the_dead()
    fresh = utc_now() + run_service.LEASE
    assert fresh - timedelta(seconds=lease_service.KEEP_SECONDS) < lease() <= fresh + timedelta(seconds=1)


def test_those_of_other_processes_are_their_own(query_count: QueryCount) -> None:
    there = set_lease(AGED, worker="another")
    with query_count() as statements:
        lease_service.end_the_dead()
    assert not [each for each in statements if each.startswith("UPDATE")]
    assert lease() == there
