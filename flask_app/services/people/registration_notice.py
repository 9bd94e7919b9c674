"""A word to whoever waited: an administrator has let them in."""

import structlog

from flask_app import i18n
from flask_app.errors import AppError
from flask_app.models import User
from flask_app.services.site import site_service
from flask_app.services.warnings import mail_service

log = structlog.get_logger()


def tell(user: User, site_url: str) -> bool:
    """Mail them where they sign in, at the address that they have confirmed. False where there is none, or no mail.

    They are in, whatever becomes of the mail: what fails is in the log.
    """
    if user.email is None or not mail_service.is_set_up():
        return False
    locale = user.locale or site_service.site().locale or i18n.DEFAULT_LOCALE
    words = {"brand": site_service.brand(locale), "name": user.username, "link": f"{site_url}/login"}
    subject = i18n.translate(locale, "registration.let_in_subject", **words)
    try:
        text = i18n.translate(locale, "registration.let_in_text", **words)
        mail_service.send(user.email, subject, f"{text}\n", locale=locale)
    except AppError as error:
        log.warning("let_in_not_told", user=user.id, reason=error.code)
        return False
    return True
