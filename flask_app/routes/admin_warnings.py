"""Warnings: the administrators' API."""

from collections.abc import Callable

from flask import Blueprint, g

from flask_app.errors import DeliveryError
from flask_app.services.audit.audit_service import Actor
from flask_app.services.queries import paging
from flask_app.services.warnings import notice_service, warning_admin_service, webhook_service
from flask_app.utils import get_current_user, require_permission, require_proof
from flask_app.web import arguments
from flask_app.web.bodies import accepts, queries, returns
from flask_app.web.client import client_address
from flask_app.web.warnings import (
    ChangeWarnings,
    DeliveryReply,
    NoticesReply,
    SecretReply,
    SetWebhook,
    TestMail,
    WarningsReply,
    WebhookReply,
    WebhookSetReply,
    delivery_reply,
    notices_reply,
    warnings_reply,
    webhook_reply,
)

blueprint = Blueprint("admin_warnings", __name__, url_prefix="/api/admin/warnings")


@blueprint.get("")
@require_permission("warnings")
@returns(WarningsReply)
def shown() -> WarningsReply:
    """How warnings are sent, and what counts as a low balance."""
    return warnings_reply()


@blueprint.patch("")
@require_permission("warnings")
@accepts(ChangeWarnings)
@returns(WarningsReply)
def change(body: ChangeWarnings) -> WarningsReply:
    """Say what counts as a low balance where a key says nothing of its own."""
    warning_admin_service.set_threshold(_actor(), body.low_balance_micros)
    return warnings_reply()


@blueprint.get("/notices")
@require_permission("warnings")
@returns(NoticesReply)
@queries(before="Where the last page ended (`next`).", limit="How many, at most 100.")
def notices() -> NoticesReply:
    """Every warning to every recipient and what became of it, the newest first."""
    limit = arguments.number("limit", paging.PAGE)
    return notices_reply(notice_service.listed(before=arguments.word("before"), limit=limit))


@blueprint.put("/webhook")
@require_permission("warnings")
@require_proof
@accepts(SetWebhook)
@returns(WebhookSetReply)
def set_webhook(body: SetWebhook) -> WebhookSetReply:
    """Send warnings to another address. The first one comes with a signing secret, which is shown this once."""
    secret = webhook_service.point(_actor(), body.url, g.locale)
    return WebhookSetReply(webhook=webhook_reply() or WebhookReply(address=None), secret=secret)


@blueprint.delete("/webhook")
@require_permission("warnings")
@require_proof
@returns(None, 204)
def remove_webhook() -> None:
    """Forget the webhook's address and secret."""
    webhook_service.remove(_actor())


@blueprint.post("/webhook/secret")
@require_permission("warnings")
@require_proof
@returns(SecretReply)
def renew_secret() -> SecretReply:
    """Replace the webhook's signing secret."""
    return SecretReply(secret=webhook_service.renew_secret(_actor()))


@blueprint.post("/webhook/test")
@require_permission("warnings")
@returns(DeliveryReply)
def test_webhook() -> DeliveryReply:
    """Send the webhook a message of the type "test"."""
    return _tried(lambda: webhook_service.test(_actor()))


@blueprint.post("/mail/test")
@require_permission("warnings")
@accepts(TestMail)
@returns(DeliveryReply)
def test_mail(body: TestMail) -> DeliveryReply:
    """Send a mail to any address."""
    return _tried(lambda: warning_admin_service.test_mail(_actor(), body.address, g.locale))


def _tried(act: Callable[[], None]) -> DeliveryReply:
    try:
        act()
    except DeliveryError as error:
        return delivery_reply(error)
    return delivery_reply(None)


def _actor() -> Actor:
    return Actor(get_current_user(), client_address())
