"""What an administrator does with warnings: what counts as low, and whether they arrive."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from flask_app.database import fetching, reading
from flask_app.errors import Invalid
from flask_app.i18n import translate
from flask_app.models import User
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.site import stored_settings
from flask_app.services.warnings import account_alerts, mail_service, warning_service

MAX_THRESHOLD = 10**15


def threshold() -> int:
    """Less than this on an account is low, in millionths of its currency, where its keys say nothing of their own."""
    with fetching() as connection:
        return account_alerts.threshold(connection)


def set_threshold(actor: Actor, micros: int) -> None:
    """Raises Invalid("bad_low_balance")."""
    if not 0 <= micros <= MAX_THRESHOLD:
        raise Invalid("bad_low_balance", limit=MAX_THRESHOLD)

    def work(session: Session) -> None:
        name = account_alerts.LOW_BALANCE
        found = stored_settings.locked(session, name)
        stored_settings.keep(session, found, {name: str(micros)})
        before = int(found.get(name, account_alerts.USUAL_MICROS))
        if difference := audit_service.difference({name: before}, {name: micros}):
            audit_service.record(session, actor.user, "warnings.threshold", "warnings", difference, actor.address)

    stored_settings.in_turn(work)


def administrators_are_told() -> bool:
    """Does any administrator get warnings by e-mail?"""
    with reading() as session:
        administrators = session.scalars(select(User).where(User.role == "admin", User.email.is_not(None)))
        return any(warning_service.is_told(user) for user in administrators)


def test_mail(actor: Actor, address: str, locale: str) -> None:
    """Send a mail that says nothing but that it arrived; raises Invalid("bad_email"), DeliveryError."""
    checked = mail_service.checked(address)
    audit_service.note(actor, "mail.test", checked[:128])
    subject, text = (translate(locale, f"warning.test_{part}") for part in ("subject", "text"))
    mail_service.send(checked, subject, f"{text}\n", locale=locale)
