"""The site as an application on a device, and what it shows without a network: the same for everybody."""

from flask import Blueprint, Response, g

from flask_app import i18n
from flask_app.services.site import logo_service
from flask_app.utils import public
from flask_app.web import installed
from flask_app.web.arguments import word
from flask_app.web.bodies import encoded

blueprint = Blueprint("installed", __name__)


@blueprint.get("/manifest.webmanifest")
@public
def manifest() -> Response:
    """Browsers ask for it without cookies: the page that names it says in which language."""
    return Response(encoded(installed.manifest(_locale())), content_type="application/manifest+json")


@blueprint.get("/logo/<digest>")
@public
def logo(digest: str) -> Response:
    """The site's own logo, whose address names its content: it may be kept for ever. Another address answers 404."""
    kept = logo_service.read(digest)
    response = Response(kept.content, content_type=kept.kind)
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


@blueprint.get("/offline")
@public
def page() -> str:
    return installed.offline_page(_locale())


@blueprint.get("/sw.js")
@public
def worker() -> Response:
    """Of the root, so that it stands before every page; never kept, so that another version is found at once."""
    return Response(installed.worker(), content_type="text/javascript; charset=utf-8")


def _locale() -> str:
    return i18n.negotiate(word("lang"), [g.locale])
