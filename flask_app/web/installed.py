"""The site as an application on a device: its manifest, its page without a network, the worker that keeps that page."""

import hashlib
import json
import re
from functools import cache, partial
from pathlib import Path
from typing import Any

from flask import render_template

from flask_app import i18n
from flask_app.services.site import site_service
from flask_app.services.site.site_service import Site
from flask_app.web.assets import asset_url

_STATIC = Path(__file__).parent.parent / "static"
_PAGE_COLOUR = re.compile(r"--color-page: light-dark\((#[0-9a-f]{6}),")
_FILES = ("css/app.css", "js/offline.js", "icons/mark.svg")
LEAST_ICON = 192  # pixels
_ICONS = (
    ("icons/icon-192.png", 192, "any"),
    ("icons/icon-512.png", 512, "any"),
    ("icons/maskable-512.png", 512, "maskable"),
)


def manifest(locale: str) -> dict[str, Any]:
    """What a browser needs to install the site, in one of the site's languages."""
    site = site_service.site()
    brand = site.name or i18n.translate(locale, "base.brand")
    say = partial(i18n.translate, locale)
    return {
        "id": "/",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "lang": i18n.tag(locale),
        "dir": "ltr",
        "name": brand,
        "short_name": brand,
        "description": say("base.description"),
        "background_color": page_colour(),
        "theme_color": page_colour(),
        "icons": _icons(site),
    }


def _icons(site: Site) -> list[dict[str, str]]:
    """Its own logo where that is square and large enough for a device's list of applications."""
    logo = site.logo
    if logo and logo.width == logo.height and logo.width >= LEAST_ICON:
        size = f"{logo.width}x{logo.height}"
        return [{"src": f"/logo/{logo.digest}", "sizes": size, "type": logo.kind, "purpose": "any"}]
    return [
        {"src": asset_url(name), "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}
        for name, size, purpose in _ICONS
    ]


@cache
def page_colour() -> str:
    """That of a light page, from the tokens: a manifest knows one only."""
    found = _PAGE_COLOUR.search((_STATIC / "css" / "tokens.css").read_text(encoding="utf-8"))
    if found is None:
        raise LookupError("tokens.css names no colour of the page")
    return found[1]


@cache
def offline_page(locale: str) -> str:
    """The page without a network; the same for everybody who reads this language."""
    say = partial(i18n.translate, locale)
    return render_template("offline.html", say=say, language=i18n.tag(locale))


@cache
def worker() -> str:
    """The worker's script: what it keeps, then what it does with it. It differs wherever anything of that does."""
    code = (_STATIC / "js" / "service-worker.js").read_text(encoding="utf-8")
    digest = hashlib.sha256(code.encode())
    for locale in i18n.LOCALES:
        digest.update(offline_page(locale).encode())
    shell = {
        "version": digest.hexdigest()[:16],
        "files": [asset_url(name) for name in _FILES],
        "pages": {i18n.tag(locale): f"/offline?lang={locale}" for locale in i18n.LOCALES},
    }
    return f"globalThis.shell = {json.dumps(shell)}\n{code}"
