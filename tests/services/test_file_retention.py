"""Files that no message has go, a day after they came or were sent: what waits in another draft has that day."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from flask_app.database import reading, transaction, utc_now
from flask_app.models import FilePiece, KeptFile, User
from flask_app.services.conversations import conversation_retention, conversation_service
from flask_app.services.files import file_retention
from flask_app.services.operations import upkeep_service
from tests.conftest import MakeUser
from tests.support import talks
from tests.support.files import attach, file_of

DAY = timedelta(days=1)


def left() -> set[str]:
    with reading() as session:
        pieces = set(session.scalars(select(FilePiece.file_id)))
        assert pieces == set(session.scalars(select(KeptFile.id)))
        return pieces


def test_what_waits_for_its_message_has_a_day(member: User) -> None:
    waiting = file_of(member, ago=DAY - timedelta(minutes=5))
    file_of(member, ago=DAY + timedelta(minutes=5))
    file_retention.prune()
    assert left() == {waiting}


@pytest.mark.security("deleted-is-gone")
def test_what_went_with_a_message_goes_with_it(member: User) -> None:
    talk = talks.branched(member)
    sent = file_of(member, ago=30 * DAY, sent=True)
    attach(sent, talk.id)
    file_retention.prune()
    assert left() == {sent}
    conversation_service.remove(member, talk.id)
    upkeep_service.tick()
    assert left() == set()


def test_what_waits_in_another_draft_outlives_the_message_that_had_it(member: User) -> None:
    """Of each the later counts: when it came, and when it was sent."""
    sent = file_of(member, ago=2 * DAY, sent=True)
    came = file_of(member, sent=True)
    with transaction() as session:
        session.execute(update(KeptFile).where(KeptFile.id == sent).values(sent_at=utc_now() - DAY / 2))
        session.execute(update(KeptFile).where(KeptFile.id == came).values(sent_at=utc_now() - 2 * DAY))
    file_retention.prune()
    assert left() == {sent, came}


@pytest.mark.security("deleted-is-gone")
def test_a_conversation_that_is_too_old_takes_its_files_along(member: User) -> None:
    talk = talks.branched(member)
    attach(file_of(member, ago=2 * DAY, sent=True), talk.id)
    assert conversation_service.expire(talk.id, utc_now() + DAY)
    assert conversation_retention.BATCH
    file_retention.prune()
    assert left() == set()


def test_many_go_in_one_round(member: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_retention, "AT_ONCE", 2)
    monkeypatch.setattr(file_retention, "PAUSE_SECONDS", 0)
    for _ in range(5):
        file_of(member, ago=2 * DAY, sent=True)
    file_retention.prune()
    assert left() == set()


def test_a_round_has_an_end(member: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_retention, "AT_ONCE", 2)
    monkeypatch.setattr(file_retention, "MOST_IN_A_ROUND", 2)
    for _ in range(5):
        file_of(member, ago=2 * DAY, sent=True)
    file_retention.prune()
    assert len(left()) == 3


def test_what_is_sent_in_this_moment_stays(member: User) -> None:
    """It was due when it was found, and is no more."""
    file_id = file_of(member, ago=2 * DAY, sent=True)
    attach(file_id, talks.branched(member).id)
    assert file_retention._remove(file_id, utc_now()) == 0
    assert left() == {file_id}


@pytest.mark.security("deleted-is-gone")
def test_whoever_has_gone_leaves_none(member: User, make_user: MakeUser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_retention, "AT_ONCE", 2)
    stays = file_of(make_user("another"))
    for _ in range(5):
        file_of(member)
    assert file_retention.forget(member.id)
    assert left() == {stays}
    with transaction() as session:
        session.execute(update(KeptFile).values(sent_at=utc_now()))
        assert session.scalar(select(func.count()).select_from(KeptFile)) == 1
