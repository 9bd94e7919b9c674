"""Whoever comes into a group that keeps less loses nothing that was not counted, and asked about, before."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import insert

from flask_app.database import new_id, transaction, utc_now
from flask_app.errors import Conflict, Forbidden, Invalid, NotFound
from flask_app.models import DEFAULT_GROUP_ID, Conversation, ProgramRequest, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.gateway import request_retention
from flask_app.services.people import group_deletion, group_service, user_admin_service
from flask_app.services.people.group_service import Choices
from flask_app.services.site import retention_settings
from flask_app.services.site.retention_settings import Kept
from tests.conftest import MakeUser
from tests.support import talks
from tests.support.entrance import stored
from tests.support.files import attach, file_of
from tests.support.requests import row

HOUSE = Actor(None)
MONTH_AND_A_DAY = timedelta(days=31)


def group(name: str = "Readers") -> str:
    return group_service.add(HOUSE, Choices(name=name)).group.id


def keep(**wanted: object) -> None:
    retention_settings.change(HOUSE, Kept(**wanted), is_confirmed=True)  # type: ignore[arg-type]


def written(person: User, days: float) -> None:
    with transaction() as session:
        session.add(Conversation(user_id=person.id, title="old", updated_at=utc_now() - timedelta(days=days)))


def asked(person: User, days: float) -> None:
    """By a program of theirs."""
    moment = utc_now() - timedelta(days=days)
    with transaction() as session:
        session.execute(insert(ProgramRequest), [row(id=new_id(moment), created_at=moment, user_id=person.id)])


def refused(act: Callable[[], object]) -> dict[str, object]:
    with pytest.raises(Conflict, match="retention_removes") as raised:
        act()
    return {name: count for name, count in raised.value.params.items() if count}


def move(person: User, to: str, *, is_confirmed: bool = False) -> str:
    return user_admin_service.change(HOUSE, person.id, group_id=to, is_confirmed=is_confirmed).user.group_id


def test_what_moving_somebody_would_remove_is_counted_first(app: Flask, member: User, make_user: MakeUser) -> None:
    other, brief = make_user("other"), group()
    keep(groups={brief: 30})
    for person, days in ((member, 31), (member, 400), (member, 29), (other, 31)):
        written(person, days)
    assert refused(lambda: move(member, brief)) == {"conversations": 2, "people": 1}
    assert stored(member).group_id == DEFAULT_GROUP_ID
    assert move(member, brief, is_confirmed=True) == brief
    assert move(member, DEFAULT_GROUP_ID) == DEFAULT_GROUP_ID, "where all is kept"


def test_nobody_is_told_what_those_have_whom_they_may_not_move(app: Flask, member: User, make_user: MakeUser) -> None:
    admin, other, brief = make_user("admin", role="admin"), make_user("other", role="admin"), group()
    keep(groups={brief: 30})
    written(other, 31)
    with pytest.raises(Forbidden, match="role_not_lower"):
        user_admin_service.change(Actor(admin), other.id, group_id=brief)


def test_files_and_what_programs_asked_are_counted_too(app: Flask, member: User) -> None:
    brief = group()
    keep(file_groups={brief: 30})
    request_retention.keep_for(HOUSE, request_retention.Kept(90, {brief: 3}), is_confirmed=True)
    old = file_of(member, ago=MONTH_AND_A_DAY, sent=True)
    attach(old, talks.branched(member).id)
    for days in (2, 4, 80):
        asked(member, days)
    assert refused(lambda: move(member, brief)) == {"files": 1, "file_people": 1, "requests": 2}
    assert move(member, brief, is_confirmed=True) == brief


@pytest.mark.parametrize("rules", [{"days": 30}, {"days": None}, {"days": 20, "file_days": 20}])
def test_nothing_is_asked_where_the_other_group_keeps_as_much(
    app: Flask, member: User, rules: dict[str, int | None]
) -> None:
    other = group()
    keep(**rules, groups={other: 30})
    written(member, 31 if rules["days"] else 29)
    assert move(member, other) == other


def test_another_change_of_somebody_asks_nothing(app: Flask, member: User) -> None:
    keep(days=30)
    written(member, 31)
    assert user_admin_service.change(HOUSE, member.id, disabled=True).user.disabled
    assert move(member, DEFAULT_GROUP_ID) == DEFAULT_GROUP_ID


def test_who_is_not_there_and_a_group_that_is_not_are_refused_as_before(app: Flask, member: User) -> None:
    keep(days=30, groups={DEFAULT_GROUP_ID: None})
    written(member, 31)
    with pytest.raises(Invalid, match="unknown_group"):
        move(member, "nothing")
    with pytest.raises(NotFound):
        user_admin_service.change(HOUSE, "nobody", group_id=DEFAULT_GROUP_ID)


def test_what_deleting_a_group_would_remove_is_counted_first(app: Flask, make_user: MakeUser, member: User) -> None:
    long = group()
    keep(days=30, groups={long: None})
    people = [make_user(name, group_id=long) for name in ("a", "b")]
    for person in (*people, people[0], member):
        written(person, 31)
    asked(people[0], 31)
    assert refused(lambda: group_deletion.delete(HOUSE, long)) == {"conversations": 3, "people": 2}
    assert stored(people[0]).group_id == long
    group_deletion.delete(HOUSE, long, is_confirmed=True)
    assert stored(people[0]).group_id == DEFAULT_GROUP_ID


def test_a_group_whose_people_lose_nothing_is_deleted_at_once(app: Flask, make_user: MakeUser) -> None:
    brief = group()
    keep(groups={brief: 30})
    person = make_user("a", group_id=brief)
    written(person, 31)
    group_deletion.delete(HOUSE, brief)
    assert stored(person).group_id == DEFAULT_GROUP_ID
