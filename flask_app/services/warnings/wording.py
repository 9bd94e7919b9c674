"""Amounts and moments as a sentence says them."""

from datetime import datetime, timedelta
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


def moment(at: datetime, own_zone: str | None, locale: str, *, for_program: bool = False) -> str:
    """As the pages write it. The time zone is named where it is not the reader's own choice, or a program hears it."""
    zone = ZoneInfo(own_zone or config.current().site_timezone)
    there = at.astimezone(zone)
    words = _MOMENTS[locale](there)
    if own_zone and not for_program:
        return words
    return f"{words} ({zone.key})" if locale == "en" else f"{words}（{zone.key}）"


def clock(at: datetime, own_zone: str | None, locale: str, now: datetime) -> str:
    """The hour and minute, with the date of a moment that is a day or more from `now`."""
    there = at.astimezone(ZoneInfo(own_zone or config.current().site_timezone))
    return _CLOCKS[locale](there) if abs(at - now) < timedelta(days=1) else _MOMENTS[locale](there)


def _english(there: datetime) -> str:
    return f"{there:%b} {there.day}, {there.year}, {_english_clock(there)}"


def _english_clock(there: datetime) -> str:
    return f"{there.hour % 12 or 12}:{there:%M %p}"


def _simplified(there: datetime) -> str:
    return f"{there.year}年{there.month}月{there.day}日 {there:%H:%M}"


def _traditional(there: datetime) -> str:
    return f"{there.year}年{there.month}月{there.day}日 {_traditional_clock(there)}"


def _traditional_clock(there: datetime) -> str:
    part = next(name for end, name in _PARTS_OF_A_DAY if there.hour < end)
    return f"{part}{there.hour % 12 or 12}:{there:%M}"


def _japanese(there: datetime) -> str:
    return f"{there:%Y/%m/%d} {_japanese_clock(there)}"


def _japanese_clock(there: datetime) -> str:
    return f"{there.hour}:{there:%M}"


_MOMENTS = {"zh": _simplified, "zh-Hant": _traditional, "en": _english, "ja": _japanese}
_CLOCKS = {"zh": "{:%H:%M}".format, "zh-Hant": _traditional_clock, "en": _english_clock, "ja": _japanese_clock}
# As Unicode's CLDR divides the day for Traditional Chinese: until which hour a part lasts.
_PARTS_OF_A_DAY = ((5, "凌晨"), (8, "清晨"), (12, "上午"), (13, "中午"), (19, "下午"), (24, "晚上"))


def key_trouble(code: str, locale: str) -> str:
    """What an administrator can do about a key that its provider did not let in, where we know; else what happened."""
    key = f"js.admin.key_error.{code}"
    return translate(locale, key if key in catalogue(locale) else f"error.{code}")
