"""Static files under addresses that name their content, and the import map that lets modules find each other."""

import hashlib
import json
import mimetypes
from functools import cache
from pathlib import Path

from flask import Blueprint, Flask, Response

from flask_app.errors import NotFound
from flask_app.utils import public
from flask_app.web.stylesheets import joined

_FOLDER = Path(__file__).parent.parent / "static"
_TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
}

assets = Blueprint("assets", __name__)


def init_app(app: Flask) -> None:
    app.register_blueprint(assets)
    app.jinja_env.globals.update(asset_url=asset_url, import_map=import_map)


@assets.get("/static/<digest>/<path:name>")
@public
def static_file(digest: str, name: str) -> Response:
    """A file whose address names its content: it may be kept for ever. An old address answers 404."""
    if name not in _files() or digest != _version():
        raise NotFound
    kind = _TYPES.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    file = _FOLDER / name
    body = joined(file) if file.suffix == ".css" else file.read_bytes()
    response = Response(body, content_type=_with_charset(kind))
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return response


def asset_url(name: str) -> str:
    """The address of a static file; raises KeyError for a file that does not exist."""
    if name not in _files():
        raise KeyError(name)
    return f"/static/{_version()}/{name}"


@cache
def import_map() -> str:
    """`app/NAME` for our modules and the vendored libraries' bare names, as JSON."""
    modules = {f"app/{n.removeprefix('js/').removesuffix('.js')}": n for n in _files() if n.startswith("js/")}
    manifest = _FOLDER / "vendor" / "manifest.json"
    if manifest.exists():
        vendored: dict[str, str] = json.loads(manifest.read_text())["modules"]
        modules |= {name: f"vendor/{path}" for name, path in vendored.items()}
    return json.dumps({"imports": {name: asset_url(path) for name, path in sorted(modules.items())}})


@cache
def _files() -> frozenset[str]:
    return frozenset(p.relative_to(_FOLDER).as_posix() for p in _FOLDER.rglob("*") if p.is_file())


@cache
def _version() -> str:
    """One digest for all files: relative addresses inside them (fonts in a style sheet) hold as well."""
    digest = hashlib.sha256()
    for name in sorted(_files()):
        digest.update(name.encode() + b"\0" + (_FOLDER / name).read_bytes())
    return digest.hexdigest()[:16]


def _with_charset(kind: str) -> str:
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
