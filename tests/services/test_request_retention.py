"""How long the log of programs' requests is kept, and that what is older goes, a little at a time."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import insert, select

from flask_app.database import new_id, reading, transaction, utc_now
from flask_app.errors import Invalid
from flask_app.models import AuditEntry, ProgramRequest, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.gateway import request_retention
from flask_app.services.operations import upkeep_service
from tests.support.requests import row


def write(*ages: float) -> None:
    """Rows of so many days ago."""
    moments = [utc_now() - timedelta(days=age) for age in ages]
    with transaction() as session:
        session.execute(insert(ProgramRequest), [row(id=new_id(moment), created_at=moment) for moment in moments])


def ages() -> list[int]:
    with reading() as session:
        return sorted((utc_now() - moment).days for moment in session.scalars(select(ProgramRequest.created_at)))


def test_a_month_is_kept_if_nothing_is_said(app: Flask) -> None:
    write(1, 29, 31, 400)
    upkeep_service.tick()
    assert ages() == [1, 29]


def test_so_long_as_is_said_and_the_audit_log_has_it(app: Flask, admin: User) -> None:
    write(1, 5, 31)
    assert request_retention.keep_for(Actor(admin, "192.0.2.7"), 4) == 4
    assert request_retention.days() == 4
    request_retention.keep_for(Actor(admin), 4)
    upkeep_service.tick()
    assert ages() == [1]
    with reading() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "requests.retention")).one()
    assert (entry.actor_name, entry.address) == ("admin", "192.0.2.7")
    assert entry.details == '{"after": {"days": 4}, "before": {"days": 30}}'


@pytest.mark.parametrize("days", [0, -1, request_retention.MOST + 1])
def test_not_for_ever_and_not_for_less_than_a_day(app: Flask, days: int) -> None:
    with pytest.raises(Invalid):
        request_retention.keep_for(Actor(None), days)
    assert request_retention.days() == request_retention.USUAL


def test_a_round_removes_a_part_and_the_next_goes_on(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_retention, "BATCHES", 1)
    write(1, *[40] * request_retention.BATCH, 40)
    request_retention.prune()
    assert ages() == [1, 40]
    request_retention.prune()
    assert ages() == [1]
