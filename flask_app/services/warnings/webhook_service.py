"""The site's webhook: where it points, the secret that signs what is sent there, and the sending.

Address and secret are one sealed row of `settings`: the addresses of chat services are secrets themselves.
"""

import base64
import secrets
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import msgspec
from sqlalchemy import exists, select
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from flask_app import config
from flask_app.database import in_transaction, new_id, reading, table_of, utc_now
from flask_app.domain import redaction, webhook
from flask_app.errors import Conflict, DeliveryError, UpstreamError
from flask_app.i18n import chosen, translate
from flask_app.models import Setting
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.secrets import sealing
from flask_app.services.site import stored_settings
from flask_app.upstream import addresses
from flask_app.upstream import webhook as line

NAME = "webhook"  # the row of `settings`, and the target of the audit log's entries

_FAILURES = {
    "upstream_unreachable": "webhook_unreachable",
    "upstream_timeout": "webhook_timeout",
    "upstream_address_private": "webhook_private",
}
_settings = table_of(Setting)


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """`locale` is the language of who set it up: the sentences that are sent are in it."""

    url: str
    secret: str
    locale: str

    @property
    def shown(self) -> str:
        """As much of the address as gives no secret away."""
        url = urlsplit(self.url)
        return f"{url.scheme}://{url.netloc}/…" if url.path.strip("/") or url.query else f"{url.scheme}://{url.netloc}"


def find() -> Webhook | None:
    """Where warnings are sent; raises Unreadable where the ENCRYPTION_KEY is not the one it was sealed with."""
    with reading() as session:
        row = session.get(Setting, NAME)
    return _opened(row.value if row else None)


def is_set_up(connection: Connection) -> bool:
    return bool(connection.scalar(_IS_SET_UP))


def point(actor: Actor, url: str, locale: str) -> str | None:
    """Send warnings to `url` from now on; gives the new secret where there was none. Raises Invalid, Unreadable."""
    allow_insecure = config.current().allow_insecure_upstreams
    found = addresses.normalise_webhook(url, allow_insecure=allow_insecure)

    def work(session: Session) -> str | None:
        stored = stored_settings.locked(session, NAME)
        before = _opened(stored.get(NAME))
        made = None if before else _new_secret()
        kept = Webhook(url=found, secret=made or (before.secret if before else ""), locale=locale)
        stored_settings.keep(session, stored, {NAME: _sealed(kept)})
        details = {"address_replaced": before is None or before.url != found, **_changed(before, kept)}
        audit_service.record(session, actor.user, "webhook.set", NAME, details, actor.address)
        return made

    return stored_settings.in_turn(work)


def renew_secret(actor: Actor) -> str:
    """A new secret, which is shown this once; the old one signs nothing any more. Raises Conflict("no_webhook")."""

    def work(session: Session) -> str:
        stored = stored_settings.locked(session, NAME)
        before = _opened(stored.get(NAME))
        if before is None:
            raise Conflict("no_webhook")
        kept = Webhook(url=before.url, secret=_new_secret(), locale=before.locale)
        stored_settings.keep(session, stored, {NAME: _sealed(kept)})
        audit_service.record(session, actor.user, "webhook.renew_secret", NAME, None, actor.address)
        return kept.secret

    return in_transaction(work)


def remove(actor: Actor) -> None:
    """Forget address and secret; what waits to be sent there fails in the end. Works on an unreadable one too."""

    def work(session: Session) -> None:
        if row := session.get(Setting, NAME, with_for_update=True):
            details = _last_known(row.value)
            session.delete(row)
            audit_service.record(session, actor.user, "webhook.delete", NAME, details, actor.address)

    in_transaction(work)


def test(actor: Actor) -> None:
    """Send a message of the type "test"; raises DeliveryError."""
    audit_service.note(actor, "webhook.test", NAME)
    found = ready()
    text = translate(chosen(found.locale), "warning.webhook_test")
    deliver(found, new_id(), {"type": "test", "timestamp": utc_now().isoformat(), "text": text, "data": {}})


def ready() -> Webhook:
    """The webhook, for whoever is about to send; raises DeliveryError."""
    try:
        found = find()
    except sealing.Unreadable as error:
        raise DeliveryError("webhook_unreadable") from error
    if found is None:
        raise DeliveryError("no_webhook")
    return found


def deliver(found: Webhook, message_id: str, payload: dict[str, Any]) -> None:
    """Send a signed message; raises DeliveryError."""
    body = msgspec.json.encode(payload)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "MingChat",
        "Accept-Encoding": "identity",
        **webhook.headers(found.secret, message_id, int(utc_now().timestamp()), body),
    }
    try:
        status = line.post(found.url, headers, body, allow_insecure=config.current().allow_insecure_upstreams)
    except UpstreamError as error:
        detail = redaction.presentable(error.detail or "", found.secret) or None
        raise DeliveryError(_FAILURES[error.code], detail=detail) from error
    if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        raise DeliveryError("webhook_refused", detail=f"HTTP {status}")


def _opened(value: str | None) -> Webhook | None:
    if value is None:
        return None
    return msgspec.json.decode(sealing.unseal(base64.b64decode(value), NAME), type=Webhook)


def _sealed(kept: Webhook) -> str:
    return base64.b64encode(sealing.seal(msgspec.json.encode(kept).decode(), NAME)).decode()


def _changed(before: Webhook | None, after: Webhook) -> dict[str, dict[str, object]]:
    """What the audit log may say: the rest of the address is a secret."""
    return audit_service.difference(_told(before) if before else dict.fromkeys(_told(after)), _told(after))


def _told(found: Webhook) -> dict[str, object]:
    return {"host": urlsplit(found.url).netloc, "locale": found.locale}


def _last_known(value: str) -> dict[str, object]:
    """The same of one that is about to go, which nobody may be able to read any more."""
    try:
        found = _opened(value)
    except sealing.Unreadable:
        return {"readable": False}
    return _told(found) if found else {}


def _new_secret() -> str:
    return webhook.secret_of(secrets.token_bytes(webhook.SECRET_BYTES))


_IS_SET_UP = select(exists().where(_settings.c.name == NAME))
