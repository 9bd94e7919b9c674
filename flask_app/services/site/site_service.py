"""What the site is called, its colour, the language for newcomers, and what it announces: read for each page."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zlib import crc32

from sqlalchemy import bindparam, or_, select

from flask_app.database import fetching, table_of, utc_now
from flask_app.i18n import translate
from flask_app.models import Announcement, Setting

NAME, ACCENT, MARK = "site", "accent", "logo_mark"  # apart: versions of before know the first alone
MOST_SHOWN = 3  # announcements above a page

_announcements = table_of(Announcement)
_STORED = select(Setting.name, Setting.value).where(Setting.name.in_((NAME, ACCENT, MARK)))
_NOW = (
    select(_announcements.c.id, _announcements.c.text, _announcements.c.tone)
    .where(
        _announcements.c.begins_at <= bindparam("now"),
        or_(_announcements.c.ends_at.is_(None), _announcements.c.ends_at > bindparam("now")),
    )
    .order_by(_announcements.c.begins_at.desc(), _announcements.c.id.desc())
    .limit(MOST_SHOWN)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Logo:
    """Which picture it is (`logo_service` has it), and how large in pixels."""

    digest: str
    kind: str
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """`name`, `accent` (#rrggbb) and `logo` None are the product's own; `locale` None is what each browser asks for."""

    name: str | None = None
    locale: str | None = None
    accent: str | None = None
    logo: Logo | None = None


@dataclass(frozen=True, slots=True)
class Announced:
    id: str
    text: str
    tone: str

    @property
    def mark(self) -> str:
        """By which a browser knows what its reader has closed: other words are another announcement."""
        return f"{self.id}-{crc32(self.text.encode()):08x}"


def site() -> Site:
    with fetching() as connection:
        return read({row.name: row.value for row in connection.execute(_STORED)})


def read(stored: Mapping[str, str]) -> Site:
    """From the settings of these names."""
    known = json.loads(stored[NAME]) if NAME in stored else {}
    logo = Logo(**json.loads(stored[MARK])) if MARK in stored else None
    return Site(**known, accent=stored.get(ACCENT) or None, logo=logo)


def brand(locale: str) -> str:
    """What the site is called, in a language."""
    return site().name or translate(locale, "base.brand")


def announced(now: datetime | None = None) -> list[Announced]:
    """What is announced now, the newest first."""
    with fetching() as connection:
        found = connection.execute(_NOW, {"now": now or utc_now()}).all()
    return [Announced(*each) for each in found]
