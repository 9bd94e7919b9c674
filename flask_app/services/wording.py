"""Amounts and moments as a sentence says them."""

from datetime import datetime
from zoneinfo import ZoneInfo

from flask_app import config
from flask_app.domain import tariff
from flask_app.domain.budget import TOKENS
from flask_app.i18n import catalogue, translate


def amount(value: int, unit: str, locale: str) -> str:
    """Tokens, or millionths of the currency that `unit` names."""
    if unit == TOKENS:
        return translate(locale, "js.budget.tokens", count=f"{value:,}")
    return f"{tariff.decimal(value)} {unit}"


def moment(at: datetime, own_zone: str | None, locale: str) -> str:
    """As the pages write it. The time zone is named where it is not the reader's own choice."""
    zone = ZoneInfo(own_zone or config.current().site_timezone)
    there = at.astimezone(zone)
    words = f"{there.year}年{there.month}月{there.day}日 {there:%H:%M}"
    if locale == "en":
        words = f"{there:%b} {there.day}, {there.year}, {there.hour % 12 or 12}:{there:%M %p}"
    return words if own_zone else f"{words} ({zone.key})"


def key_trouble(code: str, locale: str) -> str:
    """What an administrator can do about a key that its provider did not let in, where we know; else what happened."""
    key = f"js.admin.key_error.{code}"
    return translate(locale, key if key in catalogue(locale) else f"error.{code}")
