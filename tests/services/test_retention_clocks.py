"""What is removed for its age goes by the database's clock: one instance's own may be far ahead."""

from datetime import datetime, timedelta, tzinfo

import pytest
from sqlalchemy import select

from flask_app import database
from flask_app.database import new_id, reading, transaction, utc_now
from flask_app.models import AuditEntry, Conversation, KeptFile, LeftIdentity, ProgramRequest, Registration, Share, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.operations import upkeep_service
from flask_app.services.site import retention_settings
from flask_app.services.site.retention_settings import Kept
from tests.support import sharing, talks
from tests.support.files import file_of
from tests.support.requests import row

AHEAD = timedelta(days=1000)
SOON = timedelta(hours=1)


class Ahead(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return datetime.now(tz) + AHEAD


def test_a_clock_that_is_far_ahead_removes_nothing(member: User, monkeypatch: pytest.MonkeyPatch) -> None:
    retention_settings.change(Actor(None), Kept(days=30, audit_days=90), is_confirmed=True)
    talk = talks.branched(member)
    sharing.keep(member, talk.id, expires_at=utc_now() + SOON)
    file_of(member, ago=SOON)
    with transaction() as session:
        session.add(ProgramRequest(**row(id=new_id())))
        session.add(Registration(username="ada", address="192.0.2.1", expires_at=utc_now() + SOON))
        session.add(LeftIdentity(identity="a digest", until=utc_now() + SOON))
    monkeypatch.setattr(database, "datetime", Ahead)
    assert utc_now() - datetime.now(tz=utc_now().tzinfo) > AHEAD - SOON, "or this would show nothing"
    upkeep_service.tick()
    with reading() as session:
        for kept in (Conversation, Share, KeptFile, AuditEntry, ProgramRequest, Registration, LeftIdentity):
            assert session.scalars(select(kept)).first(), kept.__tablename__
