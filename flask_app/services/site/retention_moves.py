"""What goes when people come into another group that keeps less than theirs: counted, and asked about, before it does.

How long things are kept follows the group that somebody is in, so that moving them can remove words of theirs.
"""

from dataclasses import asdict
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, exists, select

from flask_app.database import fetching, table_of
from flask_app.domain.retention import Doomed, is_shorter
from flask_app.errors import Conflict
from flask_app.models import Group, User
from flask_app.services.conversations import conversation_retention
from flask_app.services.files import file_expiry
from flask_app.services.gateway import request_retention
from flask_app.services.ledger import shared_clock
from flask_app.services.site import retention_settings

_users = table_of(User)


def check_person(user_id: str, joined: str) -> None:
    """Raises Conflict("retention_removes") with how much is too old in the group that they are to come into.

    Whoever, or whatever group, is not there is somebody else's to refuse.
    """
    there = exists().where(Group.id == joined)
    with fetching() as connection:
        left = connection.scalar(select(_users.c.group_id).where(_users.c.id == user_id, there))
    if left is not None:
        _check(_users.c.id == user_id, left, joined)


def check_group(left: str, joined: str) -> None:
    """The same of everybody in a group."""
    _check(_users.c.group_id == left, left, joined)


def _check(whose: ColumnElement[bool], left: str, joined: str) -> None:
    if (doomed := _count(whose, left, joined)) != Doomed():
        raise Conflict("retention_removes", **asdict(doomed))


def _count(whose: ColumnElement[bool], left: str, joined: str) -> Doomed:
    now, kept, of_requests = shared_clock.shared(), retention_settings.kept(), request_retention.kept()

    def rules(days: int | None, before: int | None) -> list[tuple[datetime, ColumnElement[bool]]]:
        return [(now - timedelta(days=days), whose)] if days is not None and is_shorter(days, before) else []

    conversations, people = conversation_retention.count(rules(kept.of(joined), kept.of(left)))
    files, file_people = file_expiry.count(rules(kept.file_rule(joined), kept.file_rule(left)))
    days = of_requests.of(joined)
    requests = request_retention.count_of(whose, days) if is_shorter(days, of_requests.of(left)) else 0
    return Doomed(conversations, people, 0, files, file_people, requests)
