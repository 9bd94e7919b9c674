"""Budgets as JSON, and as the words of a refusal."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from flask import g

from flask_app import config
from flask_app.domain.budget import TOKENS
from flask_app.errors import BudgetExhausted
from flask_app.i18n import translate
from flask_app.models import User
from flask_app.services.budgets import budget_admin_service, reasons, top_up_service
from flask_app.services.budgets.budget_admin_service import Listed, Page, Place
from flask_app.services.budgets.budget_service import Standing
from flask_app.services.people import group_service
from flask_app.services.warnings import wording
from flask_app.web import programs
from flask_app.web.bodies import Body, IdempotencyKey, Reply
from flask_app.web.groups import GroupName, group_names

Scope = Literal["site", "group", "member", "user"]
Period = Literal["day", "week", "month", "prepaid"]
Reason = Annotated[str, msgspec.Meta(max_length=reasons.MAX_REASON)]
Limit = Annotated[int, msgspec.Meta(ge=0, le=budget_admin_service.MAX_LIMIT)]


class AddBudget(Body, kw_only=True):
    """`limit` is tokens, or millionths of the currency that `unit` names: 1 or more. `scope_id` is the group's or
    the person's id, "member" being each person of the group. A budget that is not `hard` only warns.

    With the period "prepaid" it is a balance, for all but each person of a group: always hard, `limit` is its first
    top-up or 0, and `reason` says what for."""

    scope: Scope
    scope_id: Annotated[str, msgspec.Meta(max_length=26)] = ""
    unit: Annotated[str, msgspec.Meta(max_length=8)] = TOKENS
    period: Period
    limit: Limit
    hard: bool = True
    reason: Reason = ""

    def place(self) -> Place:
        return Place(scope=self.scope, scope_id=self.scope_id, unit=self.unit, period=self.period)


class ChangeBudget(Body):
    """What is not named stays."""

    limit: Limit | None = None
    hard: bool | None = None


class AddTopUp(Body):
    """`amount` is tokens, or millionths of the balance's currency. A negative one takes back what is left.

    The same body under the same `idempotency_key` again adds nothing, another body gives 409.
    """

    amount: Annotated[int, msgspec.Meta(ge=-top_up_service.MAX_AMOUNT, le=top_up_service.MAX_AMOUNT)]
    reason: Reason
    idempotency_key: IdempotencyKey | None = None


class TopUpReply(Reply):
    """`by` is who did it; null on the command line."""

    id: str
    amount: int
    reason: str
    by: str | None
    created_at: datetime


class TopUpsReply(Reply):
    """The newest first; `next` goes into `before` for the page after."""

    top_ups: list[TopUpReply]
    next: str | None


class BudgetReply(Reply):
    """How a budget stands in its period of now: `used` is booked, `reserved` is held by answers that are being written.

    Amounts are tokens, or millionths of the currency that `unit` names. `state` is "open"; "low" where less than a
    fifth is left; or "exhausted": used up, or too little is left for any message. A balance ("prepaid") does not renew:
    its `limit` is all its top-ups, `full` what the last one made of it, of which a fifth is a fifth. `full` is the
    limit elsewhere.
    """

    id: str
    scope: str
    unit: str
    period: str
    hard: bool
    limit: int
    full: int
    used: int
    reserved: int
    left: int
    state: str
    renews_at: datetime | None


class BudgetsReply(Reply):
    """Days, weeks (from Monday) and months are those of the site's `timezone`."""

    timezone: str
    budgets: list[BudgetReply]


class AdminBudgetReply(Reply):
    """The same for administrators. One of each person of a group is used by nobody in particular: null.

    `name` is the group's or the person's, null for the site; `token` the access token's, where it is that one's budget.
    """

    id: str
    scope: str
    scope_id: str
    name: str | None
    token: str | None
    unit: str
    period: str
    hard: bool
    limit: int
    full: int
    used: int | None
    reserved: int | None
    left: int | None
    state: str | None
    renews_at: datetime | None


class AdminBudgetsReply(Reply):
    """The newest first; `next` goes into `before` for the page after."""

    timezone: str
    budgets: list[AdminBudgetReply]
    next: str | None


class PersonName(Reply):
    id: str
    username: str


class BudgetsState(AdminBudgetsReply):
    """What the page starts with: `groups` are those that a budget can be for, `person` is whose alone it shows."""

    groups: list[GroupName]
    person: PersonName | None


def budgets_reply(standings: list[Standing]) -> BudgetsReply:
    return BudgetsReply(timezone=config.current().site_timezone, budgets=[budget_reply(each) for each in standings])


def budget_reply(standing: Standing) -> BudgetReply:
    return BudgetReply(**_named(standing), **_figures(standing))


def admin_budgets_reply(page: Page) -> AdminBudgetsReply:
    listed = [admin_budget_reply(each) for each in page.budgets]
    return AdminBudgetsReply(timezone=config.current().site_timezone, budgets=listed, next=page.next)


def budgets_state(page: Page, person: User | None) -> BudgetsState:
    first = msgspec.structs.asdict(admin_budgets_reply(page))
    named = PersonName(id=person.id, username=person.username) if person else None
    return BudgetsState(**first, groups=group_names(), person=named)


def admin_budget_reply(listed: Listed) -> AdminBudgetReply:
    each = listed.standing
    figures = _figures(each)
    return AdminBudgetReply(
        **_named(each),
        **(dict.fromkeys(figures) if each.scope == "member" else figures),
        scope_id=each.scope_id,
        name=_name(listed),
        token=listed.token.name if listed.token else None,
    )


def top_ups_reply(page: top_up_service.Page) -> TopUpsReply:
    names = TopUpReply.__struct_fields__
    rows = [{name: getattr(row, name) for name in names} for row in page.top_ups]
    return TopUpsReply(top_ups=[TopUpReply(**row | {"reason": _reason(row["reason"])}) for row in rows], next=page.next)


def refusal_words(error: BudgetExhausted, locale: str) -> dict[str, str]:
    """What fills the placeholders of its sentence: which budget, how much of it, and when it renews."""
    params: dict[str, Any] = error.params
    scope, renewal = params["scope"], params["renews_at"]
    named = {"name": programs.visit().name} if scope == "token" else {}  # only its program asks with it
    whose = translate(locale, f"js.budget.whose_{scope}", **named)
    way = "token" if named else "admin" if g.user.role == "admin" else "renewing" if renewal else scope
    by_program, own_zone = programs.is_program(), g.user.timezone
    return {
        "budget": translate(locale, f"js.budget.name_{params['period']}", whose=whose),
        "limit": wording.amount(params["limit"], params["unit"], locale),
        "left": wording.amount(params["left"], params["unit"], locale),
        "help": translate(locale, f"js.budget.help_{way}"),
        "renewal": wording.moment(renewal, own_zone, locale, for_program=by_program) if renewal else "",
    }


def _reason(kept: str) -> str:
    return translate(g.locale, "budgets.opening_balance") if kept == reasons.OPENING else kept


def _name(listed: Listed) -> str | None:
    if listed.group:
        return group_service.shown_name(listed.group, g.locale)
    return listed.person.username if listed.person else None


def _named(each: Standing) -> dict[str, Any]:
    names = ("id", "scope", "unit", "period", "hard", "limit", "full", "renews_at")
    return {name: getattr(each, name) for name in names}


def _figures(each: Standing) -> dict[str, Any]:
    return {"used": each.spent, "reserved": each.reserved, "left": each.left, "state": each.state}
