"""What a site keeps for some days goes when they are over: conversations with all of theirs, and audit entries."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, insert, select, update

from flask_app.database import new_id, reading, transaction, utc_now
from flask_app.errors import Conflict, Invalid
from flask_app.models import (
    AuditEntry,
    Conversation,
    KeptDraft,
    Message,
    Run,
    SearchDocument,
    SearchPosting,
    Setting,
    TokenUsage,
    User,
)
from flask_app.services.audit import audit_retention
from flask_app.services.audit.audit_service import Actor
from flask_app.services.conversations import conversation_retention, conversation_service, draft_service, pin_service
from flask_app.services.operations import upkeep_service
from flask_app.services.search import search_index
from flask_app.services.site import retention_settings
from flask_app.services.site.retention_settings import Kept
from tests.conftest import MakeUser
from tests.support.clients import PageClient
from tests.support.events import events_of
from tests.support.scripted_upstream import ScriptedUpstream
from tests.support.searching import found
from tests.support.together import at_once

NOBODY = Actor(None)


def aged(conversation_id: str, days: float) -> str:
    """Its last message was so long ago."""
    at = utc_now() - timedelta(days=days)
    with transaction() as session:
        session.execute(update(Conversation).where(Conversation.id == conversation_id).values(updated_at=at))
    return conversation_id


def written(person: User, days: float, **fields: object) -> str:
    """A conversation without words."""
    row = Conversation(user_id=person.id, title="old", **fields)
    with transaction() as session:
        session.add(row)
    return aged(row.id, days)


def there() -> set[str]:
    with reading() as session:
        return set(session.scalars(select(Conversation.id)))


def keep(**wanted: object) -> Kept:
    return retention_settings.change(NOBODY, Kept(**wanted), is_confirmed=True)  # type: ignore[arg-type]


def a_turn_is_over() -> None:
    with transaction() as session:
        session.execute(update(Setting).where(Setting.name == conversation_retention.TURN).values(value=""))


def test_everything_is_kept_if_nothing_is_said(app: Flask, member: User) -> None:
    old = written(member, 5000)
    upkeep_service.tick()
    assert there() == {old}
    assert retention_settings.kept() == Kept()


@pytest.mark.security("deleted-is-gone")
def test_what_is_too_old_goes_with_all_that_belongs_to_it(
    member: User, member_client: PageClient, upstream: ScriptedUpstream
) -> None:
    started = events_of(member_client.post("/api/chat", json={"message": "remember the violets"}).data)[0].data
    old, run_id = started["conversation_id"], started["run_id"]
    draft_service.keep(member, old, "half a thought", "a-key-of-a-draft")
    search_index.catch_up()
    assert found(member, "violets")
    aged(old, 31)
    keep(days=30)
    upkeep_service.tick()
    search_index.catch_up()
    assert there() == set()
    with reading() as session:
        for each in (Message, Run, KeptDraft, SearchDocument, SearchPosting):
            assert session.scalar(select(func.count()).select_from(each)) == 0, each
        assert session.scalar(select(func.count()).select_from(TokenUsage)) == 1, "what it cost stays"
    assert member_client.get(f"/api/runs/{run_id}/events").status_code == 404
    assert found(member, "violets") == []


def test_what_is_younger_stays_and_a_pin_or_the_archive_keeps_nothing(app: Flask, member: User) -> None:
    young = written(member, 29)
    written(member, 31, archived=True)
    pinned = written(member, 31)
    pin_service.pin(member, pinned)
    aged(pinned, 31)
    keep(days=30)
    upkeep_service.tick()
    assert there() == {young}


def test_a_group_has_a_rule_of_its_own(app: Flask, make_user: MakeUser, admin_client: PageClient) -> None:
    groups = [admin_client.post("/api/admin/groups", json={"name": name}).json["id"] for name in ("a", "b", "c")]  # type: ignore[index]
    a, b, c = (make_user(f"of {number}", group_id=group) for number, group in enumerate(groups))
    kept = {written(person, days) for person, days in ((a, 6), (b, 400), (c, 29))}
    gone = {written(person, days) for person, days in ((a, 8), (c, 31))}
    keep(days=30, groups={groups[0]: 7, groups[1]: None})
    assert gone < there()
    upkeep_service.tick()
    assert there() == kept
    assert [retention_settings.kept().of(each.group_id) for each in (a, b, c)] == [7, None, 30]


def test_a_deleted_group_stands_in_nobodys_way(app: Flask, admin_client: PageClient) -> None:
    gone, other = (admin_client.post("/api/admin/groups", json={"name": name}).get_json()["id"] for name in ("a", "b"))
    keep(days=30, groups={gone: 7, other: None})
    admin_client.delete(f"/api/admin/groups/{gone}")
    kept = retention_settings.kept()
    assert keep(days=60, groups=kept.groups) == retention_settings.kept() == Kept(days=60, groups={other: None})
    with pytest.raises(Invalid):
        keep(groups={gone: 7})


def test_where_somebody_writes_meanwhile_it_stays(app: Flask, member: User) -> None:
    old = written(member, 31)
    before = utc_now() - timedelta(days=30)
    aged(old, 0)
    assert not conversation_service.expire(old, before)
    assert there() == {old}


def test_what_is_being_written_stays(app: Flask, member: User) -> None:
    old = written(member, 31)
    with transaction() as session:
        lease = utc_now() + timedelta(minutes=5)
        session.add(Run(user_id=member.id, conversation_id=old, worker="w", lease_expires_at=lease))
    keep(days=30)
    upkeep_service.tick()
    assert there() == {old}


def test_a_turn_removes_a_part_and_the_next_goes_on(app: Flask, member: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation_retention, "BATCH", 2)
    monkeypatch.setattr(conversation_retention, "MOST_AT_ONCE", 3)
    for _ in range(7):
        written(member, 31)
    keep(days=30)
    left = []
    for _ in range(3):
        upkeep_service.tick()
        left.append(len(there()))
        a_turn_is_over()
    assert left == [3, 0, 0], "four of them in two batches, then the rest"


def test_of_all_processes_one_has_the_turn(app: Flask) -> None:
    now = utc_now()
    for moment in (now, now + timedelta(seconds=conversation_retention.TURN_SECONDS + 1)):
        had = at_once(8, lambda _, moment=moment: conversation_retention.take_turn(moment))  # type: ignore[misc]
        assert sorted(map(str, had)) == ["False"] * 7 + ["True"]
        assert not conversation_retention.take_turn(moment + timedelta(seconds=1))


def test_two_that_remove_the_same_remove_it_once(app: Flask, member: User) -> None:
    old, before = written(member, 31), utc_now() - timedelta(days=30)
    had = at_once(4, lambda _: conversation_service.expire(old, before))
    assert sorted(map(str, had)) == ["False"] * 3 + ["True"]


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"days": 0}, "bad_days_kept"),
        ({"days": 3651}, "bad_days_kept"),
        ({"days": -1}, "bad_days_kept"),
        ({"groups": {"0" * 26: 0}}, "bad_days_kept"),
        ({"groups": {"nobody's": 5}}, "unknown_group"),
        ({"audit_days": 89}, "bad_audit_retention"),
        ({"audit_days": 3651}, "bad_audit_retention"),
    ],
)
def test_what_makes_no_sense_is_refused(app: Flask, wanted: dict[str, object], code: str) -> None:
    with pytest.raises(Invalid) as refused:
        keep(**wanted)
    assert refused.value.code == code
    assert retention_settings.kept() == Kept()


def test_what_would_go_at_once_is_counted_first(app: Flask, member: User, admin: User) -> None:
    for person, days in ((member, 31), (member, 40), (admin, 31), (admin, 2)):
        written(person, days)
    with pytest.raises(Conflict) as refused:
        retention_settings.change(NOBODY, Kept(days=30), is_confirmed=False)
    assert {name: count for name, count in refused.value.params.items() if count} == {"conversations": 3, "people": 2}
    assert retention_settings.kept() == Kept()
    assert retention_settings.change(NOBODY, Kept(days=50), is_confirmed=False) == Kept(days=50)


def test_a_change_is_in_the_audit_log(app: Flask, admin: User) -> None:
    retention_settings.change(Actor(admin, "192.0.2.7"), Kept(days=30), is_confirmed=True)
    retention_settings.change(Actor(admin), Kept(days=30), is_confirmed=True)
    with reading() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.action == "retention.change")).one()
    assert entry.details == '{"after": {"days": 30}, "before": {"days": null}}'


def entries(*ages: float) -> None:
    moments = [utc_now() - timedelta(days=age) for age in ages]
    common = {"actor_name": "x", "action": "user.add", "target": "t", "details": "{}", "address": ""}
    with transaction() as session:
        session.execute(insert(AuditEntry), [common | {"id": new_id(at), "created_at": at} for at in moments])


def ages() -> list[int]:
    with reading() as session:
        return sorted((utc_now() - at).days for at in session.scalars(select(AuditEntry.created_at)))


def test_old_entries_of_the_audit_log_go_where_that_is_said(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_retention, "BATCH", 2)
    entries(1, 99, 101, 150, 400, 500, 600)
    upkeep_service.tick()
    assert len(ages()) == 7
    with pytest.raises(Conflict) as refused:
        retention_settings.change(NOBODY, Kept(audit_days=100), is_confirmed=False)
    assert {name: count for name, count in refused.value.params.items() if count} == {"entries": 5}
    keep(audit_days=100)
    upkeep_service.tick()
    assert ages() == [0, 1, 99], "and that it was changed"
