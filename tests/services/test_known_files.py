"""What assistants know stays with them: no retention takes it, it counts in its person's room, and goes with them."""

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from flask_app.database import reading, transaction, utc_now
from flask_app.errors import Conflict, Invalid
from flask_app.models import AssistantFile, FilePiece, KeptFile, User
from flask_app.services.assistants import own_assistants
from flask_app.services.audit.audit_service import Actor
from flask_app.services.files import file_expiry, file_retention, file_service
from flask_app.services.operations import upkeep_service
from flask_app.services.people import account_deletion
from flask_app.services.site import retention_settings
from flask_app.services.site.retention_settings import Kept
from tests.conftest import MakeUser
from tests.support import files, talks
from tests.support.clients import PageClient
from tests.support.entrance import error_code

DAY = timedelta(days=1)


def knowing(person: User, *file_ids: str) -> str:
    """The id of an assistant of theirs that knows these."""
    return own_assistants.add(person, {"name": "A", "icon": "", "instructions": "i", "files": list(file_ids)}).id


def long_ago(file_id: str) -> None:
    with transaction() as session:
        times = {"created_at": utc_now() - 90 * DAY, "sent_at": utc_now() - 90 * DAY}
        session.execute(update(KeptFile).where(KeptFile.id == file_id).values(times))


def left() -> set[str]:
    with reading() as session:
        return set(session.scalars(select(FilePiece.file_id)))


def test_what_is_known_outlives_what_waits(member: User) -> None:
    known = files.file_of(member)
    assistant = knowing(member, known)
    long_ago(known)
    files.file_of(member, ago=2 * DAY)
    file_retention.prune()
    assert left() == {known}
    own_assistants.change(member, assistant, {"name": "B"})
    file_retention.prune()
    assert left() == {known}


@pytest.mark.security("deleted-is-gone")
@pytest.mark.parametrize("is_deleted", [True, False])
def test_it_goes_a_day_after_its_assistant_or_after_that_forgot_it(member: User, *, is_deleted: bool) -> None:
    assistant = knowing(member, known := files.file_of(member, ago=90 * DAY))
    if is_deleted:
        own_assistants.delete(member, assistant)
    else:
        own_assistants.change(member, assistant, {"files": []})
    file_retention.prune()
    assert left() == {known}, "another form may hold it"
    long_ago(known)
    file_retention.prune()
    assert left() == set()


def test_how_long_files_are_kept_is_of_those_in_messages(app: Flask, member: User) -> None:
    both, sent = files.file_of(member, sent=True), files.file_of(member, sent=True)
    for each in (both, sent):
        files.attach(each, talks.branched(member).id)
    knowing(member, both)
    for each in (both, sent):
        long_ago(each)
    retention_settings.change(Actor(None), Kept(file_days=30), is_confirmed=True)
    upkeep_service.tick()
    assert left() == {both}
    assert not file_expiry.expire(both, utc_now())


def test_what_is_taken_in_this_moment_is_not_removed(member: User) -> None:
    """Whoever removes it finds that an assistant has it."""
    known = files.file_of(member)
    knowing(member, known)
    with pytest.raises(Conflict, match="file_in_use"):
        file_service.remove(member, known)
    assert left() == {known}


def test_it_counts_in_its_persons_room_and_gives_way_to_nothing(member: User, member_client: PageClient) -> None:
    known = files.file_of(member)
    knowing(member, known)
    long_ago(known)
    with transaction() as session:
        session.execute(update(KeptFile).values(stored_bytes=200 << 20))
    refused = files.sent(member_client, b"more")
    assert (refused.status_code, error_code(refused)) == (422, "file_quota_full")
    assert left() == {known}


def test_what_is_not_kept_any_more_is_not_taken(member: User) -> None:
    gone = files.file_of(member, sent=True)
    files.attach(gone, talks.branched(member).id)
    assert file_expiry.expire(gone, utc_now())
    with pytest.raises(Invalid, match="file_gone"):
        knowing(member, gone)


def test_one_file_is_known_by_several(member: User) -> None:
    known = files.file_of(member)
    first, second = knowing(member, known), knowing(member, known)
    own_assistants.delete(member, first)
    long_ago(known)
    file_retention.prune()
    assert left() == {known}
    own_assistants.delete(member, second)
    file_retention.prune()
    assert left() == set()


@pytest.mark.security("deleted-is-gone")
def test_whoever_has_gone_leaves_none(member: User, make_user: MakeUser) -> None:
    other = make_user("other")
    knowing(member, files.file_of(member), files.file_of(member))
    knowing(other, theirs := files.file_of(other))
    account_deletion.begin_for(Actor(None), member.id)
    account_deletion.finish()
    assert left() == {theirs}
    with reading() as session:
        assert session.get(User, member.id) is None
        assert session.scalar(select(func.count()).select_from(AssistantFile)) == 1
