"""Warnings: looked for and sent on schedule. Looking writes what is new; nothing here is part of any settlement."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.engine import Connection

from flask_app.database import fetching, in_writing, table_of, utc_now
from flask_app.domain.warning import Alert
from flask_app.models import DEFAULT_GROUP_ID, Group, User
from flask_app.services.warnings import (
    account_alerts,
    budget_alerts,
    device_alerts,
    drift_alerts,
    mail_service,
    notice_service,
    waiting_alerts,
    webhook_service,
)
from flask_app.services.warnings.notice_service import EMAIL, WEBHOOK, Recipient

_users, _groups = table_of(User), table_of(Group)
# A row that is always there.
_TURN = select(_groups.c.id).where(_groups.c.id == DEFAULT_GROUP_ID).with_for_update()


def look(now: datetime | None = None) -> None:
    """Write a notice for each recipient of each alert that has none yet. Two processes at once make it once."""
    now = now or utc_now()
    with fetching() as connection:
        accounts = account_alerts.standing(connection)
        low = [alert.subject_id for alert in accounts]
        alerts = [*budget_alerts.standing(connection, now), *accounts, *drift_alerts.standing(connection)]
        alerts += waiting_alerts.standing(connection, now)
        addressed = [*_addressed(connection, alerts), *_to_owners(device_alerts.standing(connection, now))]
        new = notice_service.unknown(connection, addressed)
        is_over = notice_service.has_open_accounts(connection, low)
    if new or is_over:
        in_writing(lambda connection: _write(connection, new, low))


def _write(connection: Connection, new: list[tuple[Alert, Recipient]], low: list[str]) -> None:
    """One process after the other: MariaDB would break off those that write the same rows at once."""
    connection.execute(_TURN)
    notice_service.close_accounts(connection, low)
    notice_service.make(connection, notice_service.unknown(connection, new))


def _addressed(connection: Connection, alerts: list[Alert]) -> Iterator[tuple[Alert, Recipient]]:
    """Each alert with each of those it is for."""
    if not alerts:
        return
    with_mail = connection.execute(_WITH_MAIL).all() if mail_service.is_set_up() else []
    people = {person.id for person in with_mail}
    administrators = [person.id for person in with_mail if person.role == "admin"]
    has_webhook = webhook_service.is_set_up(connection)
    for alert in alerts:
        if has_webhook:
            yield alert, Recipient(WEBHOOK)
        told = administrators if alert.owner_id is None else {alert.owner_id} & people
        for person in told:
            yield alert, Recipient(EMAIL, person)


def _to_owners(alerts: list[Alert]) -> Iterator[tuple[Alert, Recipient]]:
    """What is the business of one person alone, and of no webhook."""
    if mail_service.is_set_up():
        yield from ((alert, Recipient(EMAIL, alert.owner_id)) for alert in alerts if alert.owner_id)


def is_told(user: User | None) -> bool:
    """Does the person get warnings by e-mail?"""
    return user is not None and not user.disabled and user.warn_by_email and user.email is not None


_WITH_MAIL = select(_users.c.id, _users.c.role).where(
    _users.c.email.is_not(None), _users.c.warn_by_email, _users.c.disabled.is_(False)
)
