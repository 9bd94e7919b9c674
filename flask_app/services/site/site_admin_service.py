"""How administrators name the site, and choose its language and its colour."""

import json
import re
from dataclasses import replace

from sqlalchemy.orm import Session

from flask_app import i18n
from flask_app.domain import colours
from flask_app.errors import Invalid
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import names
from flask_app.services.site import site_service, stored_settings
from flask_app.services.site.site_service import ACCENT, MARK, NAME, Site

MAX_NAME = 40
_COLOUR = re.compile(r"#[0-9a-f]{6}")


def change(actor: Actor, wanted: Site) -> Site:
    """From the next page on; the logo stays (`logo_service`).

    Raises Invalid("bad_label", "unknown_language", "bad_accent", "accent_too_light").
    """
    checked = Site(name=_named(wanted.name), locale=wanted.locale or None, accent=_coloured(wanted.accent))
    if checked.locale is not None and checked.locale not in i18n.LOCALES:
        raise Invalid("unknown_language", known=", ".join(i18n.LOCALES))

    def work(session: Session) -> Site:
        found = stored_settings.locked(session, NAME, ACCENT, MARK)
        before = site_service.read(found)
        told = {"name": checked.name, "locale": checked.locale}
        stored = {NAME: json.dumps(told, ensure_ascii=False), ACCENT: checked.accent or ""}
        stored_settings.keep(session, found, stored)
        if difference := audit_service.difference(_told(before), _told(checked)):
            audit_service.record(session, actor.user, "site.change", NAME, difference, actor.address)
        return replace(checked, logo=before.logo)

    return stored_settings.in_turn(work)


def _told(site: Site) -> dict[str, object]:
    return {"name": site.name, "locale": site.locale, "accent": site.accent}


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


def _coloured(typed: str | None) -> str | None:
    """What cannot be read on a light page is refused; for dark pages it is made lighter (`domain/colours.py`)."""
    accent = (typed or "").strip().lower()
    if not accent:
        return None
    if not _COLOUR.fullmatch(accent):
        raise Invalid("bad_accent")
    if (found := colours.least_contrast(accent)) < colours.READABLE:
        raise Invalid("accent_too_light", contrast=f"{found:.1f}", least=str(colours.READABLE))
    return accent
