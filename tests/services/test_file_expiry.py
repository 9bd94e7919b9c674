"""What is in files goes where they were last attached too long ago: messages keep the names, and what was answered."""

import json
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import event, func, select, update

from flask_app.database import engine, reading, transaction, utc_now
from flask_app.errors import Conflict, Invalid
from flask_app.models import AuditEntry, FilePiece, KeptFile, MessageFile, Setting, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.conversations import conversation_retention
from flask_app.services.files import file_expiry, file_service, message_files
from flask_app.services.operations import upkeep_service
from flask_app.services.site import retention_settings
from flask_app.services.site.retention_settings import Kept
from tests.conftest import MakeUser
from tests.support import files as file_bodies
from tests.support import talks
from tests.support.clients import PageClient
from tests.support.files import attach, file_of

DAY = timedelta(days=1)
NOBODY = Actor(None)


def sent(person: User, ago: timedelta) -> str:
    """A file that went with a message a while ago."""
    file_id = file_of(person, ago=ago, sent=True)
    attach(file_id, talks.branched(person).id)
    return file_id


def keep(**wanted: object) -> Kept:
    return retention_settings.change(NOBODY, Kept(**wanted), is_confirmed=True)  # type: ignore[arg-type]


def here() -> set[str]:
    with reading() as session:
        pieces = set(session.scalars(select(FilePiece.file_id)))
        assert pieces == set(session.scalars(select(KeptFile.id).where(KeptFile.absent.is_(None))))
        return pieces


def changed(file_id: str, **values: object) -> None:
    with transaction() as session:
        session.execute(update(KeptFile).where(KeptFile.id == file_id).values(values))


def test_everything_is_kept_if_nothing_is_said(app: Flask, member: User) -> None:
    old = sent(member, 5000 * DAY)
    upkeep_service.tick()
    assert here() == {old}


@pytest.mark.security("deleted-is-gone")
def test_what_is_too_old_goes_and_its_message_keeps_the_name(app: Flask, member: User) -> None:
    old, young = sent(member, 31 * DAY), sent(member, 29 * DAY)
    keep(file_days=30)
    upkeep_service.tick()
    assert here() == {young}
    with reading() as session:
        row = session.get_one(KeptFile, old)
        assert (row.text, row.stored_bytes, row.tokens, row.absent, row.digest) == ("", 0, 0, "expired", old)
        assert (row.name, row.bytes) == ("a.txt", 1)
        assert session.scalar(select(func.count()).select_from(MessageFile)) == 2
    assert file_service.whole(file_service.find(member, old)) == b""
    upkeep_service.tick()
    with reading() as session:
        assert session.get(KeptFile, old), "as long as a message names it"


def test_the_same_comes_again_and_is_another(app: Flask, member: User, member_client: PageClient) -> None:
    first = member_client.post("/api/files?name=a.txt", data=b"words", content_type="application/octet-stream").json
    assert first
    attach(first["id"], talks.branched(member).id)
    changed(first["id"], created_at=utc_now() - 9 * DAY)
    keep(file_days=7)
    upkeep_service.tick()
    again = member_client.post("/api/files?name=a.txt", data=b"words", content_type="application/octet-stream").json
    assert again
    assert again["id"] != first["id"]
    assert file_service.whole(file_service.find(member, again["id"])) == b"words"


def test_what_expires_while_it_comes_again_is_another(app: Flask, member: User, member_client: PageClient) -> None:
    first = file_bodies.kept(member_client, b"words")
    attach(first["id"], talks.branched(member).id)
    goes = [first["id"]]

    def expire(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("SELECT") and "files.digest = " in statement.partition("WHERE")[2] and goes:
            assert file_expiry.expire(goes.pop(), utc_now())

    event.listen(engine(), "after_cursor_execute", expire)
    again = file_bodies.kept(member_client, b"words")
    event.remove(engine(), "after_cursor_execute", expire)
    assert not goes, "it was found, and went then"
    assert again["id"] != first["id"]
    assert file_service.whole(file_service.find(member, again["id"])) == b"words"


def test_a_group_has_a_rule_of_its_own(app: Flask, make_user: MakeUser, admin_client: PageClient) -> None:
    groups = [admin_client.post("/api/admin/groups", json={"name": name}).json["id"] for name in ("a", "b", "c")]  # type: ignore[index]
    a, b, c = (make_user(f"of {number}", group_id=group) for number, group in enumerate(groups))
    kept = {sent(person, days * DAY) for person, days in ((a, 6), (b, 400), (c, 29))}
    gone = {sent(person, days * DAY) for person, days in ((a, 8), (c, 31))}
    keep(file_days=30, file_groups={groups[0]: 7, groups[1]: None})
    assert gone < here()
    upkeep_service.tick()
    assert here() == kept
    assert [retention_settings.kept().of_files(each.group_id) for each in (a, b, c)] == [7, None, 30]
    admin_client.delete(f"/api/admin/groups/{groups[0]}")
    kept_now = retention_settings.kept()
    assert keep(file_days=30, file_groups=kept_now.file_groups).file_groups == {groups[1]: None}


def test_what_came_or_was_sent_since_stays(app: Flask, member: User) -> None:
    """Of each the later counts: a draft may hold what came again."""
    came, went, never = sent(member, 31 * DAY), sent(member, 31 * DAY), sent(member, 31 * DAY)
    changed(came, created_at=utc_now(), sent_at=None)
    changed(went, sent_at=utc_now())
    changed(never, sent_at=None)
    keep(file_days=30)
    upkeep_service.tick()
    assert here() == {came, went}


def test_what_is_still_coming_stays(app: Flask, member: User) -> None:
    coming = sent(member, 31 * DAY)
    changed(coming, digest=coming)
    keep(file_days=30)
    upkeep_service.tick()
    assert here() == {coming}


def test_what_is_sent_in_this_moment_stays(app: Flask, member: User) -> None:
    old = sent(member, 31 * DAY)
    before = utc_now() - 30 * DAY
    with transaction() as session:
        assert message_files.take(session.connection(), member, [old], utc_now())
    assert not file_expiry.expire(old, before)
    assert here() == {old}


def test_what_has_expired_is_not_sent_again(app: Flask, member: User) -> None:
    old = sent(member, 31 * DAY)
    assert file_expiry.expire(old, utc_now())
    assert not file_expiry.expire(old, utc_now()), "once"
    with transaction() as session, pytest.raises(Invalid) as refused:
        message_files.take(session.connection(), member, [old], utc_now())
    assert refused.value.code == "file_gone"


def test_a_turn_removes_a_part_and_the_next_goes_on(app: Flask, member: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_expiry, "BATCH", 2)
    monkeypatch.setattr(file_expiry, "MOST_AT_ONCE", 3)
    for _ in range(7):
        sent(member, 31 * DAY)
    keep(file_days=30)
    left = []
    for _ in range(2):
        upkeep_service.tick()
        left.append(len(here()))
        with transaction() as session:
            session.execute(update(Setting).where(Setting.name == conversation_retention.TURN).values(value=""))
    assert left == [3, 0], "four of them in two batches, then the rest"


def test_a_batch_that_is_sent_anew_holds_up_none_behind_it(
    app: Flask, member: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_expiry, "BATCH", 1)
    oldest, _ = sent(member, 33 * DAY), sent(member, 32 * DAY)
    young = sent(member, 3 * DAY)
    keep(file_days=30)
    goes = [oldest]

    def send(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("SELECT files.id") and goes:
            changed(goes.pop(), sent_at=utc_now())

    event.listen(engine(), "after_cursor_execute", send)
    upkeep_service.tick()
    event.remove(engine(), "after_cursor_execute", send)
    assert not goes
    assert here() == {oldest, young}


def test_what_would_go_at_once_is_counted_first(app: Flask, member: User, admin: User) -> None:
    for person, days in ((member, 31), (member, 40), (admin, 31), (admin, 2)):
        sent(person, days * DAY)
    file_of(member, ago=60 * DAY, sent=True)
    with pytest.raises(Conflict) as refused:
        retention_settings.change(NOBODY, Kept(file_days=30), is_confirmed=False)
    told = {name: count for name, count in refused.value.params.items() if count}
    assert told == {"files": 3, "file_people": 2}, "what no message has goes anyhow"
    assert retention_settings.kept() == Kept()
    assert retention_settings.change(NOBODY, Kept(file_days=50), is_confirmed=False) == Kept(file_days=50)


def test_a_change_is_in_the_audit_log(app: Flask, admin: User) -> None:
    keep(days=90, file_days=60)
    retention_settings.change(Actor(admin, "192.0.2.7"), Kept(days=90, file_days=30), is_confirmed=True)
    with reading() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.address == "192.0.2.7")).one()
    assert (entry.action, entry.actor_name) == ("retention.change", admin.username)
    assert entry.details == '{"after": {"file_days": 30}, "before": {"file_days": 60}}'


def test_the_version_before_reads_what_is_set(app: Flask) -> None:
    """It makes all that the row has into its three fields."""
    keep(days=90, file_days=60)
    with reading() as session:
        stored = json.loads(session.get_one(Setting, retention_settings.NAME).value)
    assert stored == {"days": 90, "groups": {}, "audit_days": None}


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"file_days": 0}, "bad_file_days"),
        ({"file_days": 3651}, "bad_file_days"),
        ({"file_groups": {"0" * 26: -1}}, "bad_file_days"),
        ({"file_groups": {"nobody's": 5}}, "unknown_group"),
    ],
)
def test_what_makes_no_sense_is_refused(app: Flask, wanted: dict[str, object], code: str) -> None:
    with pytest.raises(Invalid) as refused:
        keep(**wanted)
    assert refused.value.code == code
    assert retention_settings.kept() == Kept()
