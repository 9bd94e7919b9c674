"""How long the log of programs' requests is kept, and that what is older goes, a little at a time."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import insert, select

from flask_app.database import new_id, reading, transaction, utc_now
from flask_app.errors import Conflict, Invalid
from flask_app.models import DEFAULT_GROUP_ID, AuditEntry, ProgramRequest, Setting, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.gateway import request_retention
from flask_app.services.gateway.request_retention import Kept
from flask_app.services.operations import upkeep_service
from flask_app.services.people import group_deletion, group_service
from flask_app.services.people.group_service import Choices
from tests.conftest import MakeUser
from tests.support.requests import row


def write(*ages: float, user_id: str = "somebody") -> None:
    """Rows of so many days ago."""
    moments = [utc_now() - timedelta(days=age) for age in ages]
    rows = [row(id=new_id(moment), created_at=moment, user_id=user_id) for moment in moments]
    with transaction() as session:
        session.execute(insert(ProgramRequest), rows)


def ages(user_id: str = "somebody") -> list[int]:
    kept = select(ProgramRequest.created_at).where(ProgramRequest.user_id == user_id)
    with reading() as session:
        return sorted((utc_now() - moment).days for moment in session.scalars(kept))


def test_a_month_is_kept_if_nothing_is_said(app: Flask) -> None:
    write(1, 29, 31, 400)
    upkeep_service.tick()
    assert ages() == [1, 29]


def test_so_long_as_is_said_and_the_audit_log_has_it(app: Flask, admin: User) -> None:
    write(1, 5, 31)
    assert request_retention.keep_for(Actor(admin, "192.0.2.7"), Kept(4), is_confirmed=True) == Kept(4)
    assert request_retention.kept() == Kept(4)
    request_retention.keep_for(Actor(admin), Kept(4), is_confirmed=True)
    upkeep_service.tick()
    assert ages() == [1]
    with reading() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "requests.retention")).one()
    assert (entry.actor_name, entry.address) == ("admin", "192.0.2.7")
    assert entry.details == '{"after": {"days": 4}, "before": {"days": 30}}'


def test_what_would_go_at_once_is_counted_first(app: Flask, make_user: MakeUser) -> None:
    brief, usual = make_user("brief", group_id=group_service.add(Actor(None), Choices(name="B")).group.id), "somebody"
    for user_id in (brief.id, usual):
        write(1, 5, 9, user_id=user_id)
    for wanted, count in (
        (Kept(4), 4),
        (Kept(30, {brief.group_id: 8}), 1),
        (Kept(4, {brief.group_id: 8}), 3),
        (Kept(8, {brief.group_id: 30}), 1),
    ):
        with pytest.raises(Conflict, match="retention_removes") as refused:
            request_retention.keep_for(Actor(None), wanted, is_confirmed=False)
        assert {name: each for name, each in refused.value.params.items() if each} == {"requests": count}, wanted
    assert request_retention.kept() == Kept(request_retention.USUAL)
    assert request_retention.keep_for(Actor(None), Kept(10), is_confirmed=False) == Kept(10)
    assert request_retention.keep_for(Actor(None), Kept(4), is_confirmed=True) == Kept(4)


def test_what_keeps_no_less_is_stored_without_a_question(app: Flask, make_user: MakeUser) -> None:
    """Also while something is too old by what holds already: a round of upkeep comes to that."""
    brief = make_user("brief", group_id=group_service.add(Actor(None), Choices(name="B")).group.id)
    for user_id in (brief.id, "somebody"):
        write(1, 5, 31, user_id=user_id)
    group = brief.group_id
    for wanted in (Kept(30), Kept(60), Kept(30, {group: 4}), Kept(30, {group: 5}), Kept(30), Kept(31)):
        narrows = wanted.of(group) == 4
        request_retention.keep_for(Actor(None), wanted, is_confirmed=narrows)
    assert request_retention.kept() == Kept(31)


@pytest.mark.parametrize("days", [0, -1, request_retention.MOST + 1])
def test_not_for_ever_and_not_for_less_than_a_day(app: Flask, days: int) -> None:
    with pytest.raises(Invalid):
        request_retention.keep_for(Actor(None), Kept(days), is_confirmed=False)
    with pytest.raises(Invalid):
        request_retention.keep_for(Actor(None), Kept(groups={DEFAULT_GROUP_ID: days}), is_confirmed=False)
    with pytest.raises(Invalid):
        request_retention.keep_for(Actor(None), Kept(groups={"nothing": 7}), is_confirmed=False)
    assert request_retention.kept() == Kept(request_retention.USUAL)


def test_a_round_removes_a_part_and_the_next_goes_on(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_retention, "BATCHES", 1)
    write(1, *[40] * request_retention.BATCH, 40)
    request_retention.prune()
    assert ages() == [1, 40]
    request_retention.prune()
    assert ages() == [1]


def test_a_group_has_a_number_of_its_own(app: Flask, make_user: MakeUser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_retention, "BATCH", 2)
    usual, brief, long = make_user("usual"), make_user("brief"), make_user("long")
    groups = {}
    for person, days in ((brief, 3), (long, 90)):
        group = group_service.add(Actor(None), Choices(name=person.username)).group
        groups[group.id] = days
        with transaction() as session:
            session.get_one(User, person.id).group_id = group.id
    request_retention.keep_for(Actor(None), Kept(30, groups), is_confirmed=False)
    for user_id in (usual.id, brief.id, long.id, "somebody"):
        write(1, 2, 4, 5, 6, 29, 31, 32, 33, 89, 91, 92, 93, user_id=user_id)
    upkeep_service.tick()
    assert ages(usual.id) == ages("somebody") == [1, 2, 4, 5, 6, 29], "who is gone counts with everybody else"
    assert ages(brief.id) == [1, 2]
    assert ages(long.id) == [1, 2, 4, 5, 6, 29, 31, 32, 33, 89]
    group_deletion.delete(Actor(None), next(iter(groups)))
    upkeep_service.tick()
    assert ages(brief.id) == [1, 2], "whose group is deleted is in the default one"
    assert (request_retention.kept().of(brief.group_id), request_retention.kept().of("another")) == (30, 30)
    _, *others = groups
    kept = request_retention.keep_for(Actor(None), Kept(31, request_retention.kept().groups), is_confirmed=False)
    assert kept == request_retention.kept() == Kept(31, {each: groups[each] for each in others}), (
        "without the deleted one"
    )


def test_the_version_before_reads_the_days_of_everybody(app: Flask) -> None:
    request_retention.keep_for(Actor(None), Kept(7, {DEFAULT_GROUP_ID: 9}), is_confirmed=False)
    with reading() as session:
        assert session.get_one(Setting, request_retention.NAME).value == "7"
