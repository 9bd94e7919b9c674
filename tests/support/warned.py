"""A site that warns: its mail server, its webhook, people with addresses, budgets, and what is used of them."""

import dataclasses
from datetime import datetime
from typing import Any

from sqlalchemy import select

from flask_app import config
from flask_app.config import Mail
from flask_app.database import reading, transaction, utc_now
from flask_app.models import AccessToken, Budget, Notice, User
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_admin_service, budget_service
from flask_app.services.budgets.budget_admin_service import Place
from flask_app.services.warnings import webhook_service
from tests.support import ledger

NOBODY = Actor(None)


def use_mail(port: int = 1) -> None:
    """Mail goes out by a server on loopback."""
    mail = Mail(host="127.0.0.1", port=port, security="none", sender="chat@example.org")
    config.install(dataclasses.replace(config.current(), mail=mail))


def use_webhook(url: str = "http://127.0.0.1:1/hook", locale: str = "en") -> str:
    """Gives the secret."""
    return webhook_service.point(NOBODY, url, locale) or ""


def limit(scope: str = "site", scope_id: str = "", amount: int = 10_000, **terms: Any) -> str:
    """A budget; gives its id."""
    place = {"period": terms.pop("period", "day"), "unit": terms.pop("unit", "tokens")}
    listed = budget_admin_service.add(NOBODY, Place(scope=scope, scope_id=scope_id, **place), amount, **terms)
    return listed.standing.id


def use(person: User, tokens: int, *, at: datetime | None = None, **fields: Any) -> str:
    """As if the person had used so much; gives the record's id."""
    moment = at or utc_now()
    counts = {"prompt_tokens": tokens, "completion_tokens": 0, "cached_tokens": 0, "reasoning_tokens": 0}
    where = {"group_id": person.group_id, "day": budget_service.site_day(moment)}
    (entry,) = ledger.write([ledger.entry(person.id, moment, **counts, **where, **fields)])
    return entry.id


def notices() -> list[Notice]:
    """All there are, the oldest first."""
    with reading() as session:
        return list(session.scalars(select(Notice).order_by(Notice.id)))


def made() -> list[tuple[str, int, str, str]]:
    """Kind, share, channel and recipient of each."""
    return sorted((each.kind, each.share, each.channel, each.recipient_id) for each in notices())


def change(model: type[User | AccessToken | Budget | Notice], row_id: str, **fields: Any) -> None:
    with transaction() as session:
        row = session.get_one(model, row_id)
        for name, value in fields.items():
            setattr(row, name, value)


def mail_to(*told: tuple[int, User]) -> list[tuple[str, int, str, str]]:
    return sorted(("budget", share, "email", person.id) for share, person in told)
