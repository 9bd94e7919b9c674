"""How administrators name the site and choose its language."""

import json
from dataclasses import asdict

from sqlalchemy.orm import Session

from flask_app import i18n
from flask_app.database import in_transaction
from flask_app.errors import Invalid
from flask_app.models import Setting
from flask_app.services import audit_service, names, site_service
from flask_app.services.audit_service import Actor
from flask_app.services.site_service import NAME, Site

MAX_NAME = 40


def change(actor: Actor, wanted: Site) -> Site:
    """From the next page on. Raises Invalid("bad_label"), Invalid("unknown_language")."""
    checked = Site(name=_named(wanted.name), locale=wanted.locale or None)
    if checked.locale is not None and checked.locale not in i18n.LOCALES:
        raise Invalid("unknown_language", known=", ".join(i18n.LOCALES))

    def work(session: Session) -> None:
        stored = session.get(Setting, NAME, with_for_update=True)
        before = site_service.read(stored.value if stored else None)
        session.merge(Setting(name=NAME, value=json.dumps(asdict(checked), ensure_ascii=False)))
        if difference := audit_service.difference(asdict(before), asdict(checked)):
            audit_service.record(session, actor.user, "site.change", NAME, difference, actor.address)

    in_transaction(work)
    return checked


def _named(typed: str | None) -> str | None:
    if not (typed or "").strip():
        return None
    try:
        shown = names.checked(typed or "")
    except Invalid as error:
        raise Invalid("bad_label", limit=MAX_NAME) from error
    if len(shown) > MAX_NAME:
        raise Invalid("bad_label", limit=MAX_NAME)
    return shown
