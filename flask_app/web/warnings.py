"""Warnings as JSON: how they are sent, and what became of the last ones."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from flask import g

from flask_app import config
from flask_app.errors import AppError, DeliveryError
from flask_app.services.secrets.sealing import Unreadable
from flask_app.services.warnings import notice_service, notice_words, warning_admin_service, webhook_service
from flask_app.services.warnings.notice_service import Page, Told
from flask_app.web.bodies import Body, Reply, Words
from flask_app.web.failures import sentence

Threshold = Annotated[int, msgspec.Meta(ge=0, le=warning_admin_service.MAX_THRESHOLD)]
State = Literal["waiting", "sent", "failed", "dropped"]


class ChangeWarnings(Body):
    """`low_balance_micros` are millionths of each account's own currency; with 0 only an empty account is told of."""

    low_balance_micros: Threshold


class SetWebhook(Body):
    """https, and a public host, unless the site allows insecure providers."""

    url: Words


class TestMail(Body):
    address: Words


class MailReply(Reply):
    host: str
    sender: str


class WebhookReply(Reply):
    """`address` is as much of it as gives no secret away; null where it cannot be read any more."""

    address: str | None


class WarningsReply(Reply):
    """`mail` and `webhook` are null where none is set up.

    `administrators_told`: has any administrator given an address, and left the warnings on?
    """

    mail: MailReply | None
    webhook: WebhookReply | None
    low_balance_micros: int
    administrators_told: bool


class WebhookSetReply(Reply):
    """`secret` is shown this once; null where the webhook keeps the one that it had."""

    webhook: WebhookReply
    secret: str | None


class SecretReply(Reply):
    """It is shown this once."""

    secret: str


class DeliveryFailure(Reply):
    """`message` is in the reader's language, `detail` the other side's own words, without secrets."""

    code: str
    message: str
    detail: str | None


class DeliveryReply(Reply):
    """What came of a test."""

    ok: bool
    error: DeliveryFailure | None


class NoticeReply(Reply):
    """A warning to one recipient. `to` is the person, null for the webhook and for somebody who is gone.

    One that is "waiting" with an `error` is tried again at `due_at`. "dropped": there was nobody left to tell.
    """

    id: str
    text: str
    channel: str
    to: str | None
    state: State
    tries: int
    error: DeliveryFailure | None
    created_at: datetime
    due_at: datetime
    ended_at: datetime | None


class NoticesReply(Reply):
    """The newest first; `next` goes into `before` for the page after."""

    notices: list[NoticeReply]
    next: str | None


class WarningsState(WarningsReply):
    """What the page starts with."""

    notices: list[NoticeReply]
    next: str | None


def warnings_reply() -> WarningsReply:
    mail = config.current().mail
    return WarningsReply(
        mail=MailReply(host=mail.host, sender=mail.sender) if mail else None,
        webhook=webhook_reply(),
        low_balance_micros=warning_admin_service.threshold(),
        administrators_told=warning_admin_service.administrators_are_told(),
    )


def webhook_reply() -> WebhookReply | None:
    try:
        found = webhook_service.find()
    except Unreadable:
        return WebhookReply(address=None)
    return WebhookReply(address=found.shown) if found else None


def warnings_state() -> WarningsState:
    first = notices_reply(notice_service.listed())
    return WarningsState(**msgspec.structs.asdict(warnings_reply()), notices=first.notices, next=first.next)


def notices_reply(page: Page) -> NoticesReply:
    return NoticesReply(notices=[_notice(told) for told in page.notices], next=page.next)


def delivery_reply(error: DeliveryError | None) -> DeliveryReply:
    return DeliveryReply(ok=error is None, error=_failure(error.code, error.detail) if error else None)


def _notice(told: Told) -> NoticeReply:
    row = told.notice
    return NoticeReply(
        **{
            name: getattr(row, name) for name in ("id", "channel", "state", "tries", "created_at", "due_at", "ended_at")
        },
        text=notice_words.headline(row.kind, row.share, told.facts, g.locale),
        to=told.to,
        error=_failure(row.error_code, row.error_detail) if row.error_code else None,
    )


def _failure(code: str, detail: str | None) -> DeliveryFailure:
    return DeliveryFailure(code=code, message=sentence(AppError(code)), detail=detail)
