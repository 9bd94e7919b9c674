"""What a warning says: to its person, to administrators, and to a machine."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from flask_app.domain import tariff
from flask_app.domain.warning import ALL
from flask_app.i18n import chosen, translate
from flask_app.models import User
from flask_app.services.people import group_service
from flask_app.services.warnings import (
    account_alerts,
    address_alerts,
    budget_alerts,
    device_alerts,
    drift_alerts,
    waiting_alerts,
    wording,
)

TYPES = {
    (budget_alerts.KIND, False): "budget.nearly_used",
    (budget_alerts.KIND, True): "budget.used_up",
    (account_alerts.KIND, False): "account.low",
    (account_alerts.KIND, True): "account.empty",
    (drift_alerts.KIND, True): "account.drift",
    (waiting_alerts.KIND, True): "registration.waiting",
}

OF_SIGN_IN = {address_alerts.KIND, device_alerts.KIND}  # told to whom it concerns, whatever they chose of warnings

Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Letter:
    subject: str
    text: str


def letter(kind: str, share: int, facts: Facts, user: User) -> Letter:
    """The mail in the person's language."""
    locale, footer = chosen(user.language), "warning.footer"
    if kind in OF_SIGN_IN:
        lines, footer = _about_sign_in(kind, facts, user, locale), f"warning.{kind}_footer"
    elif kind == waiting_alerts.KIND:
        lines = [headline(kind, share, facts, locale), *_about_waiting(facts, locale)]
    elif kind == account_alerts.KIND:
        lines = [headline(kind, share, facts, locale), *_about_account(share, facts, locale)]
    elif kind == drift_alerts.KIND:
        lines = [headline(kind, share, facts, locale), *_about_drift(facts, locale)]
    elif facts["scope"] in budget_alerts.OWN:
        lines = [_own_headline(share, facts, locale), *_about_budget(share, facts, user, locale, own=True)]
    else:
        lines = [headline(kind, share, facts, locale), *_about_budget(share, facts, user, locale, own=False)]
    subject, *rest = lines
    return Letter(subject, "\n".join([subject, "", *rest, "", "-- ", translate(locale, footer), ""]))


def headline(kind: str, share: int, facts: Facts, locale: str) -> str:
    """One line for administrators."""
    end = "all" if share == ALL else "almost"
    if kind in OF_SIGN_IN:
        return translate(locale, f"warning.{kind}", name=facts["name"])
    if kind == waiting_alerts.KIND:
        return translate(locale, "js.admin.people_wait", count=facts["waiting"])
    if kind == drift_alerts.KIND:
        return translate(locale, "warning.drift", account=_account(facts, locale), day=facts["day"])
    if kind == account_alerts.KIND:
        return translate(locale, f"warning.account_{end}", account=_account(facts, locale))
    terms = wording.amount(facts["limit"], facts["unit"], locale)
    named = {
        "who": _whose(facts, locale),
        "terms": translate(locale, f"js.budget.per_{facts['period']}", limit=terms),
    }
    budget = translate(locale, "js.admin.budget_name", **named)
    return translate(locale, f"warning.budget_{end}", budget=budget, percent=_percent(facts))


def payload(notice: Row[Any], facts: Facts, locale: str) -> Facts:
    """The webhook's body; docs/warnings.md describes it."""
    return {
        "type": TYPES[notice.kind, notice.share == ALL],
        "timestamp": notice.created_at.isoformat(),
        "text": headline(notice.kind, notice.share, facts, locale),
        "data": {"id": notice.subject_id, **facts} if notice.kind == budget_alerts.KIND else facts,
    }


def _own_headline(share: int, facts: Facts, locale: str) -> str:
    whose = translate(locale, f"js.budget.whose_{facts['scope']}", name=facts.get("token"))
    budget = translate(locale, f"js.budget.name_{facts['period']}", whose=whose)
    end = "all" if share == ALL else "almost"
    return translate(locale, f"warning.own_{end}", budget=budget, percent=_percent(facts))


def _about_budget(share: int, facts: Facts, user: User, locale: str, *, own: bool) -> list[str]:
    unit, limit = facts["unit"], facts["limit"]
    full, used = facts["full"], facts["used"]
    sums = {"used": full - (limit - used), "full": full, "left": max(limit - used, 0)}
    lines = [
        translate(locale, "warning.sums", **{name: wording.amount(sum_, unit, locale) for name, sum_ in sums.items()})
    ]
    if facts["renews_at"]:
        renewal = wording.moment(datetime.fromisoformat(facts["renews_at"]), user.timezone, locale)
        lines.append(translate(locale, "warning.renews", renewal=renewal))
    if not facts["hard"]:
        lines.append(translate(locale, "warning.only_warns"))
    elif share == ALL:
        lines.append(translate(locale, "warning.refuses"))
    if facts["hard"]:
        way = "renewing" if facts["renews_at"] else "user"
        way = "token" if facts["scope"] == "token" else way if own and user.role != "admin" else "admin"
        lines.append(translate(locale, f"js.budget.help_{way}"))
    return lines


def _about_account(share: int, facts: Facts, locale: str) -> list[str]:
    sums = [wording.amount(each["micros"], each["currency"], locale) for each in facts["sums"]]
    lines, terms = [], {"sums": ", ".join(sums), "threshold": tariff.decimal(facts["threshold"])}
    if sums:
        lines.append(translate(locale, "warning.account_sums" if share == ALL else "warning.account_left", **terms))
    if share == ALL:
        lines.append(translate(locale, "warning.account_rests"))
    return [*lines, translate(locale, "warning.account_keys", keys=", ".join(facts["keys"]))]


def _about_drift(facts: Facts, locale: str) -> list[str]:
    booked, drift, currency = facts["booked"], facts["drift"], facts["currency"]
    sums = {"taken": booked + drift, "booked": booked, "drift": drift}
    words = {name: wording.amount(micros, currency, locale) for name, micros in sums.items()}
    return [translate(locale, "warning.drift_sums", **words), translate(locale, "warning.drift_where")]


def _about_waiting(facts: Facts, locale: str) -> list[str]:
    names = translate(locale, "registration.waiting_names", names=", ".join(facts["names"]))
    return [names, translate(locale, "registration.waiting_where")]


def _about_sign_in(kind: str, facts: Facts, user: User, locale: str) -> list[str]:
    words = {
        "browser": facts.get("browser") or translate(locale, "js.account.unknown_browser"),
        "address": facts["address"] or translate(locale, "js.account.unknown_address"),
        "when": wording.moment(datetime.fromisoformat(facts["at"]), user.timezone, locale),
    }
    return [
        translate(locale, f"warning.{kind}_own", name=facts["name"]),
        translate(locale, f"warning.{kind}_what", **words),
        translate(locale, f"warning.{kind}_do"),
    ]


def _account(facts: Facts, locale: str) -> str:
    if not facts["account"]:
        return str(facts["provider"])
    return translate(locale, "warning.account_name", provider=facts["provider"], account=facts["account"])


def _whose(facts: Facts, locale: str) -> str:
    """Whose use it is: of each person's budget, the person."""
    scope = "user" if facts["scope"] == "member" else facts["scope"]
    name = group_service.name_in(locale, facts["scope_id"], facts["name"] or "")
    return translate(locale, f"js.admin.budget_of_{scope}", name=name, token=facts.get("token"))


def _percent(facts: Facts) -> int:
    """How much is used, of what there was after the last top-up where it is a balance."""
    full, left = int(facts["full"]), int(facts["limit"]) - int(facts["used"])
    return (full - left) * 100 // full
