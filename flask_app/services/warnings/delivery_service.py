"""Sending the notices that are due, each under a lease, so that one process of all does."""

from typing import Any

import msgspec
import structlog
from sqlalchemy import Row
from sqlalchemy.orm import Session

from flask_app import i18n
from flask_app.database import reading
from flask_app.errors import DeliveryError, Invalid
from flask_app.models import User
from flask_app.services.runs import closing
from flask_app.services.warnings import (
    address_alerts,
    budget_alerts,
    device_alerts,
    mail_service,
    notice_service,
    notice_words,
    webhook_service,
)
from flask_app.services.warnings.notice_service import EMAIL, TO, WEBHOOK
from flask_app.services.warnings.warning_service import is_told

AT_ONCE = 50  # of a channel in one round

log = structlog.get_logger()


def deliver_due() -> None:
    """One round. Where a channel fails the rest of it waits for the next."""
    for channel in (EMAIL, WEBHOOK):
        for _ in range(AT_ONCE):
            claimed = None if closing.is_leaving() else notice_service.claim(channel)
            if claimed is None or not _deliver(claimed):
                break


def _deliver(claimed: Row[Any]) -> bool:
    """Send it and note what came of it; False where the channel itself may be out of order."""
    try:
        is_sent = _mail(claimed) if claimed.channel == EMAIL else _call(claimed)
    except DeliveryError as error:
        notice_service.note_failed(claimed, error)
        log.warning("notice_not_sent", notice=claimed.id, channel=claimed.channel, code=error.code, detail=error.detail)
        return error.lasting
    (notice_service.note_sent if is_sent else notice_service.note_dropped)(claimed)
    return True


def _mail(claimed: Row[Any]) -> bool:
    """False where the person is not to be told any more."""
    facts = msgspec.json.decode(claimed.facts)
    with reading() as session:
        user = session.get(User, claimed.recipient_id)
        address = _address(session, user, claimed, facts)
    if user is None or not address or not _may_know(user, claimed.kind, facts):
        return False
    locale = i18n.chosen(user.language)
    words = notice_words.letter(claimed.kind, claimed.share, facts, user)
    try:
        mail_service.send(address, words.subject, words.text, locale=locale, message_id=claimed.id)
    except Invalid as error:  # kept by an older version of the rules
        raise DeliveryError("mail_recipient_refused", lasting=True) from error
    return True


def _call(claimed: Row[Any]) -> bool:
    found = webhook_service.ready()
    payload = notice_words.payload(claimed, msgspec.json.decode(claimed.facts), i18n.chosen(found.locale))
    webhook_service.deliver(found, claimed.id, payload)
    return True


def _address(session: Session, user: User | None, claimed: Row[Any], facts: dict[str, Any]) -> str | None:
    """None where the person is not to be told any more."""
    if claimed.kind == address_alerts.KIND:
        return str(facts[TO]) if user and not user.disabled else None
    if claimed.kind == device_alerts.KIND:
        return device_alerts.address(session, claimed.subject_id) if user and not user.disabled else None
    return user.email if user and is_told(user) else None


def _may_know(user: User, kind: str, facts: dict[str, Any]) -> bool:
    """Rights may have changed since the notice was made."""
    if kind in notice_words.OF_SIGN_IN:
        return True
    is_own = kind == budget_alerts.KIND and facts["scope"] in budget_alerts.OWN
    return facts["person_id"] == user.id if is_own else user.role == "admin"
