"""What the site is called and what it announces, as JSON and in pages."""

import base64
from datetime import date, datetime
from functools import lru_cache
from typing import Annotated

import msgspec
from flask import g, request

from flask_app.domain import colours
from flask_app.i18n import translate
from flask_app.models import ANNOUNCED
from flask_app.services.sharing import sharing_policy
from flask_app.services.site import announcement_service, logo_service, site_service
from flask_app.services.site.announcement_service import Listed, Wanted
from flask_app.services.site.site_service import Announced, Site
from flask_app.web.bodies import Body, Reply
from flask_app.web.retention import RetentionReply, retention_reply
from flask_app.web.web_search import WebSearchReply, web_search_reply

# A cookie that the pages' script keeps: the marks of those that the reader has closed.
CLOSED = "closed-announcements"


class SiteBody(Body):
    """`name` null or empty is the product's own; `locale` null is what each browser asks for; `accent` is #rrggbb,
    null or empty the product's own.
    """

    name: Annotated[str, msgspec.Meta(max_length=200)] | None
    locale: Annotated[str, msgspec.Meta(max_length=16)] | None
    accent: Annotated[str, msgspec.Meta(max_length=16)] | None = None

    def wanted(self) -> Site:
        return Site(name=self.name, locale=self.locale, accent=self.accent)


class LogoBody(Body):
    """`content` is the file of a PNG or WebP picture in base64."""

    content: Annotated[str, msgspec.Meta(max_length=2 * logo_service.MOST_BYTES)]

    def decoded(self) -> bytes:
        """Raises Invalid("bad_logo")."""
        try:
            return base64.b64decode(self.content, validate=True)
        except ValueError as error:
            raise logo_service.refusal() from error


class SiteReply(Reply):
    """`logo` is the address of its picture; null: the product's own mark."""

    name: str | None
    locale: str | None
    accent: str | None
    logo: str | None


class AnnouncementBody(Body):
    """Shown from the day `first` to the end of the day `last` of the site's time zone: null is at once, and for good.

    `tone` is info or warning.
    """

    text: Annotated[str, msgspec.Meta(max_length=4 * ANNOUNCED)]
    tone: Annotated[str, msgspec.Meta(max_length=16)] = announcement_service.TONES[0]
    first: date | None = None
    last: date | None = None

    def wanted(self) -> Wanted:
        return Wanted(text=self.text, tone=self.tone, first=self.first, last=self.last)


class AnnouncementReply(Reply):
    """`state` is planned, shown or over."""

    id: str
    text: str
    tone: str
    state: str
    first: date
    last: date | None
    created_at: datetime


class SettingsReply(Reply):
    """The newest announcement first. `sharing` is who opens links to conversations: off, people or anybody.

    `web_search` is who looks questions up on the web.
    """

    site: SiteReply
    retention: RetentionReply
    sharing: str
    web_search: WebSearchReply
    announcements: list[AnnouncementReply]


def site_reply(site: Site) -> SiteReply:
    return SiteReply(name=site.name, locale=site.locale, accent=site.accent, logo=logo_address(site))


def announcement_reply(listed: Listed) -> AnnouncementReply:
    each = listed.announcement
    return AnnouncementReply(
        id=each.id,
        text=each.text,
        tone=each.tone,
        state=listed.state,
        first=listed.first,
        last=listed.last,
        created_at=each.created_at,
    )


def settings_reply() -> SettingsReply:
    announcements = [announcement_reply(each) for each in announcement_service.listed()]
    return SettingsReply(
        site=site_reply(site_service.site()),
        retention=retention_reply(),
        sharing=sharing_policy.mode(),
        web_search=web_search_reply(),
        announcements=announcements,
    )


def brand() -> str:
    """What the site is called, in the reader's language; read once a request."""
    if "brand" not in g:
        g.brand = _site().name or translate(g.locale, "base.brand")
    name: str = g.brand
    return name


def accent_tokens() -> dict[str, str]:
    """The colours that follow from the site's own accent, for a style sheet; none where it has the product's."""
    accent = _site().accent
    return _tokens(accent) if accent else {}


def logo() -> dict[str, object] | None:
    """The address and the kind of the site's own logo, for a page."""
    found = _site().logo
    return {"address": logo_address(_site()), "kind": found.kind} if found else None


def logo_address(site: Site) -> str | None:
    return f"/logo/{site.logo.digest}" if site.logo else None


def _site() -> Site:
    """Read once a request; the site as usual where the database is away (`failures`)."""
    if "site" not in g:
        g.site = site_service.site()
    found: Site = g.site
    return found


@lru_cache(maxsize=8)
def _tokens(accent: str) -> dict[str, str]:
    return colours.palette(accent).tokens()


def announcements() -> list[Announced]:
    """Those of now that the reader has not closed; none where nobody is signed in."""
    if "announced" not in g:
        closed = request.cookies.get(CLOSED, "").split(".")
        g.announced = [each for each in site_service.announced() if each.mark not in closed] if "user" in g else []
    shown: list[Announced] = g.announced
    return shown
