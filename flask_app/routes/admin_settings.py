"""What the site is called and what it announces: the administrators' API."""

from flask import Blueprint

from flask_app.services.audit.audit_service import Actor
from flask_app.services.site import (
    announcement_service,
    logo_service,
    retention_settings,
    site_admin_service,
    site_service,
)
from flask_app.utils import get_current_user, require_permission, require_proof
from flask_app.web.bodies import MAX_BODY_BYTES, accepts, refuses, returns
from flask_app.web.client import client_address
from flask_app.web.retention import RetentionBody, RetentionReply, retention_reply
from flask_app.web.site import (
    AnnouncementBody,
    AnnouncementReply,
    LogoBody,
    SettingsReply,
    SiteBody,
    SiteReply,
    announcement_reply,
    settings_reply,
    site_reply,
)

blueprint = Blueprint("admin_settings", __name__, url_prefix="/api/admin")


@blueprint.get("/settings")
@require_permission("settings")
@returns(SettingsReply)
def settings() -> SettingsReply:
    """What the site is called, in which language it greets, and every announcement."""
    return settings_reply()


@blueprint.put("/settings/site")
@require_permission("settings")
@accepts(SiteBody)
@returns(SiteReply)
def change_site(body: SiteBody) -> SiteReply:
    """Name the site, and choose the language of whoever comes for the first time. Holds from the next page."""
    return site_reply(site_admin_service.change(_actor(), body.wanted()))


@blueprint.put("/settings/logo")
@require_permission("settings")
@accepts(LogoBody, most=MAX_BODY_BYTES)
@returns(SiteReply)
def choose_logo(body: LogoBody) -> SiteReply:
    """Show a picture in the place of the product's mark: PNG or WebP of 256 KB at most. Only what draws it is kept."""
    logo_service.choose(_actor(), body.decoded())
    return site_reply(site_service.site())


@blueprint.delete("/settings/logo")
@require_permission("settings")
@returns(SiteReply)
def remove_logo() -> SiteReply:
    """Show the product's own mark again."""
    logo_service.remove(_actor())
    return site_reply(site_service.site())


@blueprint.put("/settings/retention")
@require_permission("settings")
@require_proof
@accepts(RetentionBody)
@returns(RetentionReply)
@refuses(409, "`retention_removes`: so much is too old already; send the same again with `confirmed`.")
def change_retention(body: RetentionBody) -> RetentionReply:
    """Say how long conversations, files and the audit log are kept. What is too old goes within minutes, for good."""
    wanted = body.wanted(retention_settings.kept())
    return retention_reply(retention_settings.change(_actor(), wanted, is_confirmed=body.confirmed))


@blueprint.post("/announcements")
@require_permission("settings")
@accepts(AnnouncementBody)
@returns(AnnouncementReply, 201)
def announce(body: AnnouncementBody) -> AnnouncementReply:
    """Tell everybody who is signed in something, above their pages."""
    return announcement_reply(announcement_service.add(_actor(), body.wanted()))


@blueprint.put("/announcements/<announcement_id>")
@require_permission("settings")
@accepts(AnnouncementBody)
@returns(AnnouncementReply)
def change_announcement(announcement_id: str, body: AnnouncementBody) -> AnnouncementReply:
    """Change an announcement. Whoever has closed it sees it again where its words are others."""
    return announcement_reply(announcement_service.change(_actor(), announcement_id, body.wanted()))


@blueprint.delete("/announcements/<announcement_id>")
@require_permission("settings")
@returns(None, 204)
def delete_announcement(announcement_id: str) -> None:
    """Take an announcement away."""
    announcement_service.delete(_actor(), announcement_id)


def _actor() -> Actor:
    return Actor(get_current_user(), client_address())
