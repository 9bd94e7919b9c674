"""Who may make an account without an invitation: nobody, whom an administrator lets in, or everybody."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from flask_app.database import fetching, table_of
from flask_app.errors import Invalid
from flask_app.models import DEFAULT_GROUP_ID, Setting
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.people import group_service
from flask_app.services.site import stored_settings
from flask_app.services.warnings import mail_service

NAME = "registration"
CLOSED, APPROVAL, OPEN = "closed", "approval", "open"
MODES = (CLOSED, APPROVAL, OPEN)
MOST_DOMAINS = 20

_settings = table_of(Setting)
_STORED = select(_settings.c.value).where(_settings.c.name == NAME)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """`mode` is one of MODES; people come into the group. `domains` are those of the only mail addresses, if any."""

    mode: str = CLOSED
    group_id: str = DEFAULT_GROUP_ID
    domains: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        """Does anybody come in so at all? An address that cannot be confirmed proves nothing of its domain."""
        return self.mode != CLOSED and not (self.domains and not mail_service.is_set_up())

    @property
    def needs_email(self) -> bool:
        """Every address is confirmed where mail is set up."""
        return self.is_open and mail_service.is_set_up()

    def takes(self, email: str) -> bool:
        domain = email.rpartition("@")[2].lower()
        return not self.domains or domain in self.domains


def terms() -> Terms:
    with fetching() as connection:
        return _read(connection.scalar(_STORED))


def change(actor: Actor, wanted: Terms) -> Terms:
    """From the next request on. Raises Invalid("unknown_mode", "unknown_group", "bad_domains", "domains_need_mail")."""
    if wanted.mode not in MODES:
        raise Invalid("unknown_mode", known=", ".join(MODES))
    checked = Terms(mode=wanted.mode, group_id=wanted.group_id, domains=_domains(wanted.domains))

    def work(session: Session) -> None:
        group_service.chosen(session, checked.group_id)
        found = stored_settings.locked(session, NAME)
        before = _read(found.get(NAME))
        stored_settings.keep(session, found, {NAME: json.dumps(asdict(checked), ensure_ascii=False)})
        if difference := audit_service.difference(asdict(before), asdict(checked)):
            audit_service.record(session, actor.user, "registration.change", NAME, difference, actor.address)

    stored_settings.in_turn(work)
    return checked


def _read(stored: str | None) -> Terms:
    if stored is None:
        return Terms()
    kept = json.loads(stored)
    return Terms(mode=kept["mode"], group_id=kept["group_id"], domains=tuple(kept["domains"]))


def checked_domains(typed: Sequence[str]) -> tuple[str, ...]:
    """Each once, in small letters; an @ before them is taken for what it means.

    Raises Invalid("bad_domains").
    """
    wanted = [each.strip().removeprefix("@") for each in typed if each.strip()]
    if len(wanted) > MOST_DOMAINS:
        raise Invalid("bad_domains", limit=MOST_DOMAINS)
    try:
        found = [mail_service.checked(f"somebody@{each}").rpartition("@")[2].lower() for each in wanted]
    except Invalid as error:
        raise Invalid("bad_domains", limit=MOST_DOMAINS) from error
    return tuple(dict.fromkeys(found))


def _domains(typed: Sequence[str]) -> tuple[str, ...]:
    if any(each.strip() for each in typed) and not mail_service.is_set_up():
        raise Invalid("domains_need_mail")
    return checked_domains(typed)
