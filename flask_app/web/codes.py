"""Redeem codes as JSON."""

from datetime import date, datetime
from typing import Annotated, Any

import msgspec

from flask_app.domain.budget import TOKENS
from flask_app.services.budgets import code_admin_service, reasons, top_up_service
from flask_app.services.budgets.code_admin_service import Batches, Codes, Listed, Made, Terms
from flask_app.services.budgets.code_service import Redeemed
from flask_app.web.bodies import Body, Reply, Words
from flask_app.web.budgets import BudgetReply, budget_reply


class Redemption(Body):
    """In any case, with spaces and dashes or without."""

    code: Words


class RedemptionReply(Reply):
    """`amount` is what the code was worth; `balance` how the balance stands that it went to."""

    amount: int
    balance: BudgetReply


class NewBatch(Body, kw_only=True):
    """So many codes, each worth `amount` tokens or millionths of the currency that `unit` names.

    They hold to the end of the day `expires_on` in the site's time zone, or for ever. `label` stands with each top-up.
    """

    label: Annotated[str, msgspec.Meta(max_length=reasons.MAX_REASON)]
    count: Annotated[int, msgspec.Meta(ge=1, le=code_admin_service.MOST)]
    unit: Annotated[str, msgspec.Meta(max_length=8)] = TOKENS
    amount: Annotated[int, msgspec.Meta(ge=0, le=top_up_service.MAX_AMOUNT)]
    expires_on: date | None = None

    def terms(self) -> Terms:
        fields = {"label": self.label, "unit": self.unit}
        return Terms(**fields, count=self.count, amount=self.amount, expires_on=self.expires_on)


class BatchReply(Reply):
    """How many of its codes are in which state. `by` is who made it; null on the command line."""

    id: str
    label: str
    unit: str
    amount: int
    count: int
    open: int
    redeemed: int
    revoked: int
    expired: int
    by: str | None
    created_at: datetime
    expires_at: datetime | None


class MadeReply(Reply):
    """The codes are told here and never again."""

    batch: BatchReply
    codes: list[str]


class BatchesReply(Reply):
    """The newest first; `next` goes into `before` for the page after."""

    batches: list[BatchReply]
    next: str | None


class CodeReply(Reply):
    """`hint` is the code's beginning, `state` one of open, redeemed, revoked, expired."""

    id: str
    hint: str
    state: str
    redeemed_by: str | None
    redeemed_at: datetime | None


class CodesReply(Reply):
    """In the order they were made in; `next` goes into `after` for the page after."""

    codes: list[CodeReply]
    next: str | None


def redemption_reply(redeemed: Redeemed) -> RedemptionReply:
    return RedemptionReply(amount=redeemed.amount, balance=budget_reply(redeemed.balance))


def made_reply(made: Made) -> MadeReply:
    return MadeReply(batch=batch_reply(made.listed), codes=made.codes)


def batches_reply(page: Batches) -> BatchesReply:
    return BatchesReply(batches=[batch_reply(each) for each in page.batches], next=page.next)


def batch_reply(listed: Listed) -> BatchReply:
    names = ("id", "label", "unit", "amount", "count", "created_at", "expires_at")
    fields: dict[str, Any] = {name: getattr(listed.batch, name) for name in names}
    return BatchReply(**fields | listed.states, by=listed.by)


def codes_reply(page: Codes) -> CodesReply:
    codes = [
        CodeReply(
            id=each.code.id,
            hint=each.code.hint,
            state=each.state,
            redeemed_by=each.redeemed_by,
            redeemed_at=each.code.redeemed_at,
        )
        for each in page.codes
    ]
    return CodesReply(codes=codes, next=page.next)
