"""Announcements as administrators keep them: written, changed, taken away. Days are those of the site's time zone."""

import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from flask_app import config
from flask_app.database import in_transaction, reading, utc_now
from flask_app.errors import Invalid, NotFound
from flask_app.models import ANNOUNCED, Announcement
from flask_app.services.audit import audit_service
from flask_app.services.audit.audit_service import Actor
from flask_app.services.budgets import budget_service

TONES = ("info", "warning")
MOST = 50  # kept at once, over or to come
_FIRST, _LAST = date(1970, 1, 2), date(9999, 12, 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Shown from the beginning of the day `first` to the end of the day `last`; None: at once, and until deleted."""

    text: str
    tone: str = TONES[0]
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """`state` is "planned", "shown" or "over"; `last` is its last day."""

    announcement: Announcement
    state: str
    first: date
    last: date | None


def listed() -> list[Listed]:
    """The newest first."""
    with reading() as session:
        found = session.scalars(select(Announcement).order_by(Announcement.id.desc())).all()
    now = utc_now()
    return [_listed(each, now) for each in found]


def add(actor: Actor, wanted: Wanted) -> Listed:
    """Raises Invalid."""
    text = _checked(wanted)

    def work(session: Session) -> Listed:
        kept = session.scalars(select(Announcement.id).limit(MOST)).all()
        if len(kept) >= MOST:
            raise Invalid("too_many_announcements", limit=MOST)
        announcement = Announcement(begins_at=utc_now())
        _fill(announcement, wanted, text)
        session.add(announcement)
        session.flush()
        audit_service.record(
            session, actor.user, "announcement.add", announcement.id, _told(announcement), actor.address
        )
        return _listed(announcement, utc_now())

    return in_transaction(work)


def change(actor: Actor, announcement_id: str, wanted: Wanted) -> Listed:
    """Whoever has closed it sees it again where its words are others. Raises NotFound, Invalid."""
    text = _checked(wanted)

    def work(session: Session) -> Listed:
        announcement = _one(session, announcement_id)
        before = _told(announcement)
        _fill(announcement, wanted, text)
        if difference := audit_service.difference(before, _told(announcement)):
            audit_service.record(session, actor.user, "announcement.change", announcement_id, difference, actor.address)
        return _listed(announcement, utc_now())

    return in_transaction(work)


def delete(actor: Actor, announcement_id: str) -> None:
    """Raises NotFound."""

    def work(session: Session) -> None:
        announcement = _one(session, announcement_id)
        details = _told(announcement)
        session.delete(announcement)
        audit_service.record(session, actor.user, "announcement.delete", announcement_id, details, actor.address)

    in_transaction(work)


def _one(session: Session, announcement_id: str) -> Announcement:
    announcement = session.get(Announcement, announcement_id, with_for_update=True)
    if announcement is None:
        raise NotFound
    return announcement


def _fill(announcement: Announcement, wanted: Wanted, text: str) -> None:
    announcement.text, announcement.tone = text, wanted.tone
    announcement.begins_at = (
        budget_service.begins(wanted.first) if wanted.first else min(announcement.begins_at, utc_now())
    )
    announcement.ends_at = budget_service.begins(wanted.last + timedelta(days=1)) if wanted.last else None


def _checked(wanted: Wanted) -> str:
    text = wanted.text.replace("\r\n", "\n").strip()
    if not 0 < len(text) <= ANNOUNCED or any(unicodedata.category(each) == "Cc" and each != "\n" for each in text):
        raise Invalid("bad_announcement", limit=ANNOUNCED)
    if wanted.tone not in TONES:
        raise Invalid("unknown_tone", known=", ".join(TONES))
    days = [day for day in (wanted.first, wanted.last) if day]
    if days != sorted(days) or any(not _FIRST <= day <= _LAST for day in days):
        raise Invalid("bad_announcement_days")
    return text


def _listed(announcement: Announcement, now: datetime) -> Listed:
    begins, ends = announcement.begins_at, announcement.ends_at
    state = "planned" if begins > now else "over" if ends and ends <= now else "shown"
    return Listed(announcement, state, _day(begins), _day(ends - timedelta(microseconds=1)) if ends else None)


def _day(moment: datetime) -> date:
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(ZoneInfo(config.current().site_timezone)).date()


def _told(announcement: Announcement) -> dict[str, object]:
    ends = announcement.ends_at
    return {
        "text": announcement.text,
        "tone": announcement.tone,
        "begins_at": announcement.begins_at.isoformat(),
        "ends_at": ends.isoformat() if ends else None,
    }
